//! Where a redirect may lead: to the same host, and never from TLS to plain text.

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};
use url::{Url, quirks};

/// What an answer says about where to go on.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Redirect {
    /// The answer is the answer.
    None,
    /// The same host has it under this URL.
    Within(Box<Url>),
    /// It is said to be elsewhere.
    Away(Away),
}

/// A place to which no credential is taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Away {
    /// Its URL, without a query, a fragment and a user.
    pub to: String,
    /// Whether it looks like a page to sign in at.
    pub is_sign_in: bool,
}

/// Names, in a host or as a part of a path, by which a page to sign in at is known.
const SIGN_IN_NAMES: [&str; 18] = [
    "adfs",
    "auth",
    "auth0",
    "authelia",
    "authenticate",
    "authn",
    "authorize",
    "idp",
    "oauth",
    "oauth2",
    "oidc",
    "okta",
    "openid",
    "saml",
    "saml2",
    "sso",
    "sts",
    "vssps",
];

/// The beginnings of such names.
const SIGN_IN_BEGINNINGS: [&str; 5] = ["login", "logon", "signin", "sign-in", "signon"];

/// The most of a path that is shown.
const MOST_SHOWN: usize = 200;

impl Redirect {
    /// Reads status and headers of what `url` answered.
    pub(super) fn of(url: &Url, status: StatusCode, headers: &HeaderMap) -> Self {
        if !matches!(status.as_u16(), 301 | 302 | 303 | 307 | 308) {
            return Self::None;
        }
        let Some(location) = headers.get(LOCATION) else {
            return Self::None;
        };
        let target = std::str::from_utf8(location.as_bytes())
            .ok()
            .and_then(|location| url.join(location).ok());
        match target {
            Some(target) if may_follow(url, &target) => Self::Within(Box::new(target)),
            Some(target) => Self::Away(Away::of(url, &target)),
            None => Self::Away(Away {
                to: "a place that is no URL".to_owned(),
                is_sign_in: false,
            }),
        }
    }
}

fn may_follow(from: &Url, to: &Url) -> bool {
    let no_downgrade = from.scheme() == to.scheme() || to.scheme() == "https";
    is_same_host(from, to) && no_downgrade && is_api(to)
}

fn is_same_host(from: &Url, to: &Url) -> bool {
    quirks::host(from) == quirks::host(to)
}

/// A server's own sign-in page lies outside of its REST API.
fn is_api(to: &Url) -> bool {
    to.path().contains("/_apis/")
}

impl Away {
    fn of(from: &Url, to: &Url) -> Self {
        Self {
            to: shown(to),
            is_sign_in: !is_api(to) && (is_same_host(from, to) || looks_like_sign_in(to)),
        }
    }
}

/// The place as far as a message may tell: the rest of a URL may hold what lets its bearer in.
fn shown(to: &Url) -> String {
    if !matches!(to.scheme(), "http" | "https") {
        return format!("a URL of the scheme {}", to.scheme());
    }
    let path = to.path().split(';').next().unwrap_or_default();
    let path: String = path.chars().take(MOST_SHOWN).collect();
    format!("{}://{}{path}", to.scheme(), quirks::host(to))
}

fn looks_like_sign_in(to: &Url) -> bool {
    let host = to.host_str().unwrap_or_default();
    let in_host = host.split(['.', '-']);
    let in_path = to.path().split('/').map(|name| name.trim_matches('_'));
    in_host.chain(in_path).any(|name| {
        let name = name.to_ascii_lowercase();
        SIGN_IN_NAMES.contains(&name.as_str())
            || SIGN_IN_BEGINNINGS
                .iter()
                .any(|start| name.starts_with(start))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::HeaderValue;

    fn redirect(from: &str, location: &'static str) -> Redirect {
        let mut headers = HeaderMap::new();
        headers.insert(LOCATION, HeaderValue::from_static(location));
        match Url::parse(from) {
            Ok(url) => Redirect::of(&url, StatusCode::FOUND, &headers),
            Err(error) => unreachable!("{error}"),
        }
    }

    #[test]
    fn the_same_host_is_followed() {
        for (from, location) in [
            ("https://server/a/_apis/git", "/b/_apis/git"),
            ("http://server/a/_apis/git", "https://server/a/_apis/git"),
        ] {
            assert!(
                matches!(redirect(from, location), Redirect::Within(_)),
                "{location}"
            );
        }
    }

    #[test]
    fn nothing_else_is() {
        for (location, to, is_sign_in) in [
            (
                "https://other/_apis/git?code=s3cret",
                "https://other/_apis/git",
                false,
            ),
            (
                "https://server:8443/_apis/git",
                "https://server:8443/_apis/git",
                false,
            ),
            (
                "//user:pass@server.evil/_apis/git#x",
                "https://server.evil/_apis/git",
                false,
            ),
            ("http://server/_apis/git", "http://server/_apis/git", false),
            ("/_signin?reply_to=x", "https://server/_signin", true),
            (
                "https://login.microsoftonline.com/common?x",
                "https://login.microsoftonline.com/common",
                true,
            ),
            (
                "https://spsprodeus21.vssps.visualstudio.com/_signin",
                "https://spsprodeus21.vssps.visualstudio.com/_signin",
                true,
            ),
            (
                "https://gateway/sso/start",
                "https://gateway/sso/start",
                true,
            ),
            (
                "https://new/C/login-service/_apis/git/repositories/auth/items",
                "https://new/C/login-service/_apis/git/repositories/auth/items",
                false,
            ),
            (
                "https://gateway/account-suspended;sig=s3cret",
                "https://gateway/account-suspended",
                false,
            ),
            (
                "https://company.eu.auth0.com/u/x",
                "https://company.eu.auth0.com/u/x",
                true,
            ),
            ("data:text/plain,s3cret", "a URL of the scheme data", false),
            (
                "https://files.example.com/blocked",
                "https://files.example.com/blocked",
                false,
            ),
        ] {
            let away = redirect("https://server/a/_apis/git", location);
            let to = to.to_owned();
            assert_eq!(away, Redirect::Away(Away { to, is_sign_in }), "{location}");
        }
    }
}
