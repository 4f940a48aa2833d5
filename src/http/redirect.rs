//! Where a redirect may lead: to the same host, and never from TLS to plain text.

use reqwest::{
    StatusCode,
    header::{HeaderMap, LOCATION},
};
use url::{Url, quirks};

use crate::secrets::Secrets;

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
    /// Its URL, if it has one.
    to: Option<Box<Url>>,
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

/// The most characters of a place that are shown.
const MOST_SHOWN: usize = 300;

/// The same of a scheme: those that are known have fewer.
const MOST_OF_SCHEME: usize = 30;

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
            Some(target) if may_follow(url, &target) => Self::Within(Box::new(nobodys(target))),
            Some(target) => Self::Away(Away::of(url, target)),
            None => Self::Away(Away {
                to: None,
                is_sign_in: false,
            }),
        }
    }
}

fn may_follow(from: &Url, to: &Url) -> bool {
    let no_downgrade = from.scheme() == to.scheme() || to.scheme() == "https";
    is_same_host(from, to) && no_downgrade && is_api(to)
}

/// The URL without user information, which the client would send as credentials.
fn nobodys(mut url: Url) -> Url {
    // Both fail only for URLs that can have no user.
    let _ = url.set_password(None);
    let _ = url.set_username("");
    url
}

fn is_same_host(from: &Url, to: &Url) -> bool {
    quirks::host(from) == quirks::host(to)
}

/// A server's own sign-in page lies outside of its REST API.
fn is_api(to: &Url) -> bool {
    to.path().contains("/_apis/")
}

impl Away {
    fn of(from: &Url, to: Url) -> Self {
        Self {
            is_sign_in: !is_api(&to) && (is_same_host(from, &to) || looks_like_sign_in(&to)),
            to: Some(Box::new(to)),
        }
    }

    /// The place as far as a message may emit, without what was sent: the rest of a URL may hold what lets
    /// its bearer in.
    #[must_use]
    pub fn place(&self, sent: &Secrets) -> String {
        let Some(to) = &self.to else {
            return "a place that is no URL".to_owned();
        };
        let scheme = cut(&sent.redact(to.scheme()), MOST_OF_SCHEME);
        if !matches!(to.scheme(), "http" | "https") {
            return format!("a URL of the scheme {scheme}");
        }
        let path = to.path().split(';').next().unwrap_or_default();
        let place = format!("{}{path}", quirks::host(to));
        let place = cut(&sent.redact(&place), MOST_SHOWN);
        format!("{scheme}://{place}")
    }
}

/// The beginning of what is too long.
fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
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
            let Redirect::Away(away) = away else {
                unreachable!("{location}")
            };
            assert_eq!(away.place(&Secrets::default()), to, "{location}");
            assert_eq!(away.is_sign_in, is_sign_in, "{location}");
        }
    }

    #[test]
    fn no_user_is_taken_from_a_redirect() {
        let within = redirect("https://server/a/_apis/git", "//u:p@server/b/_apis/git");
        let url = Url::parse("https://server/b/_apis/git").map(Box::new);
        assert_eq!(Some(within), url.ok().map(Redirect::Within));
    }

    #[test]
    fn no_place_is_shown_with_what_was_sent_or_at_any_length() {
        let secret = "k3v9q7Zkx2";
        let mut sent = Secrets::default();
        sent.add(secret);
        let long = "a".repeat(100_000);
        for (scheme, host, path) in [
            ("https", format!("{secret}.evil"), String::new()),
            (
                "https",
                "evil".to_owned(),
                format!("/{}/{secret}", "a".repeat(290)),
            ),
            ("https", "evil".to_owned(), long.clone()),
            ("https", long.clone(), String::new()),
            (secret, "evil".to_owned(), String::new()),
            (long.as_str(), "evil".to_owned(), String::new()),
        ] {
            let Ok(to) = Url::parse(&format!("{scheme}://{host}/{path}")) else {
                unreachable!("{scheme}")
            };
            let Ok(from) = Url::parse("https://server/") else {
                unreachable!("it is a URL")
            };
            let place = Away::of(&from, to).place(&sent);
            assert!(place.chars().count() < MOST_SHOWN + 20, "{place}");
            assert!(!place.contains("k3v9"), "{place}");
        }
    }
}
