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

/// Words in a host or a path by which a page to sign in at is known.
const SIGN_IN_WORDS: [&str; 16] = [
    "account",
    "accounts",
    "adfs",
    "auth",
    "authenticate",
    "authorize",
    "idp",
    "logon",
    "oauth",
    "oauth2",
    "oidc",
    "saml",
    "saml2",
    "sso",
    "sts",
    "vssps",
];

/// The beginnings of such words.
const SIGN_IN_BEGINNINGS: [&str; 2] = ["login", "signin"];

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
        let is_own_page = is_same_host(from, to) && !is_api(to);
        let mut shown = to.clone();
        shown.set_query(None);
        shown.set_fragment(None);
        // Both fail only for URLs that can have no user.
        let _ = shown.set_username("");
        let _ = shown.set_password(None);
        Self {
            to: shown.into(),
            is_sign_in: is_own_page || (!is_same_host(from, to) && looks_like_sign_in(to)),
        }
    }
}

fn looks_like_sign_in(to: &Url) -> bool {
    let place = format!("{}/{}", quirks::host(to), to.path()).to_ascii_lowercase();
    let is_split = |c: char| !c.is_ascii_alphanumeric();
    place.split(is_split).any(|word| {
        SIGN_IN_WORDS.contains(&word)
            || SIGN_IN_BEGINNINGS
                .iter()
                .any(|start| word.starts_with(start))
    }) || place.contains("sign-in")
        || place.contains("sign_in")
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
