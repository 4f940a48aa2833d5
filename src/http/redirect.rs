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
    /// It is said to be elsewhere (a host, or a scheme and host).
    Away(String),
}

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
            Some(target) => Self::Away(place(url, &target)),
            None => Self::Away("a place that is no URL".to_owned()),
        }
    }
}

fn may_follow(from: &Url, to: &Url) -> bool {
    let same_host = quirks::host(from) == quirks::host(to);
    let no_downgrade = from.scheme() == to.scheme() || to.scheme() == "https";
    same_host && no_downgrade && !asks_to_sign_in(to)
}

/// A server's own sign-in page lies outside of its REST API.
fn asks_to_sign_in(to: &Url) -> bool {
    !to.path().contains("/_apis/")
}

fn place(from: &Url, to: &Url) -> String {
    let host = quirks::host(to);
    if quirks::host(from) != host {
        host.to_owned()
    } else if asks_to_sign_in(to) {
        format!("{host}{}", to.path())
    } else {
        format!("{}://{host}", to.scheme())
    }
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
        for (location, place) in [
            ("https://other/_apis/git", "other"),
            ("https://server:8443/_apis/git", "server:8443"),
            ("//user@server.evil/_apis/git", "server.evil"),
            ("http://server/_apis/git", "http://server"),
            ("/_signin?reply_to=x", "server/_signin"),
        ] {
            let away = redirect("https://server/a/_apis/git", location);
            assert_eq!(away, Redirect::Away(place.to_owned()), "{location}");
        }
    }
}
