//! Which proxy a request goes through: the one that Node's own `fetch` takes from the environment, with
//! `NODE_USE_ENV_PROXY`.
//!
//! <https://nodejs.org/api/http.html#built-in-proxy-support>

use std::{
    env, fmt,
    sync::{Arc, LazyLock},
};

use base64::{Engine, prelude::BASE64_STANDARD};
use http::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

use super::bypass::Bypass;

/// The variables that name a proxy, each as Node looks for it: in lower case first, where an empty one
/// hides the other.
const HTTP: [&str; 2] = ["http_proxy", "HTTP_PROXY"];
const HTTPS: [&str; 2] = ["https_proxy", "HTTPS_PROXY"];
const ALL: [&str; 2] = ["all_proxy", "ALL_PROXY"];
const NONE: [&str; 2] = ["no_proxy", "NO_PROXY"];

/// How a request reaches its server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) enum Route {
    /// Without a proxy, and whether `NO_PROXY` says so.
    Direct { is_exempt: bool },
    /// Through this one.
    Through(Arc<Proxy>),
    /// Not at all: its proxy is misconfigured.
    Invalid(Arc<Invalid>),
}

/// A proxy, and the variable that names it.
#[derive(Clone, PartialEq, Eq)]
pub(in crate::http) struct Proxy {
    variable: &'static str,
    pub(super) url: Url,
}

/// What a variable says that is no proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::http) struct Invalid {
    variable: &'static str,
    why: String,
}

/// The proxies that the environment names.
#[derive(Debug)]
pub(in crate::http) struct Proxies {
    http: Option<Named>,
    https: Option<Named>,
    bypass: Bypass,
}

type Named = Result<Arc<Proxy>, Arc<Invalid>>;

/// The proxies that the environment names, in words that show no secret.
#[must_use]
pub fn proxies() -> Vec<String> {
    Proxies::of_process().described()
}

/// The way that a request takes to a URL, in words that show no secret.
#[must_use]
pub fn route_to(url: &Url) -> String {
    match Proxies::of_process().route(url) {
        Route::Direct { is_exempt: false } => "directly, without a proxy".to_owned(),
        Route::Direct { is_exempt: true } => "directly, because NO_PROXY names it".to_owned(),
        Route::Through(proxy) => format!("through the proxy {proxy}"),
        Route::Invalid(invalid) => format!("not at all, because {invalid}"),
    }
}

impl Proxies {
    /// Those of the process, as its environment was when they were first asked for.
    pub(in crate::http) fn of_process() -> &'static Self {
        static PROXIES: LazyLock<Proxies> = LazyLock::new(|| {
            Proxies::of(|name| Some(env::var_os(name)?.to_string_lossy().into_owned()))
        });
        &PROXIES
    }

    /// `HTTP_PROXY` counts for `https` too where `HTTPS_PROXY` names none, as it does in Node.
    /// `ALL_PROXY`, which Node does not know, counts where neither does.
    fn of(variable: impl Fn(&str) -> Option<String>) -> Self {
        let first = |names: [&'static str; 2]| {
            names
                .into_iter()
                .find_map(|name| Some((name, variable(name)?)))
        };
        let named = |names| first(names).and_then(|(name, value)| proxy(name, &value));
        let all = named(ALL);
        let http = named(HTTP);
        let https = named(HTTPS).or_else(|| http.clone());
        Self {
            http: http.or_else(|| all.clone()),
            https: https.or(all),
            bypass: Bypass::of(&first(NONE).map(|(_, value)| value).unwrap_or_default()),
        }
    }

    /// The proxies in words, each once, without secrets.
    fn described(&self) -> Vec<String> {
        let mut described: Vec<String> = Vec::new();
        for named in [&self.https, &self.http].into_iter().flatten() {
            let words = match named {
                Ok(proxy) => proxy.to_string(),
                Err(invalid) => invalid.to_string(),
            };
            if !described.contains(&words) {
                described.push(words);
            }
        }
        described
    }

    /// The proxy of a URL, with its user information; `None` where there is none.
    pub(in crate::http) fn through(&self, url: &Url) -> Option<Url> {
        match self.route(url) {
            Route::Through(proxy) => Some(proxy.url.clone()),
            Route::Direct { .. } | Route::Invalid(_) => None,
        }
    }

    /// How a URL is reached.
    pub(in crate::http) fn route(&self, url: &Url) -> Route {
        let named = match url.scheme() {
            "https" => &self.https,
            _ => &self.http,
        };
        match named {
            None => Route::Direct { is_exempt: false },
            Some(_) if self.bypass.has(url) => Route::Direct { is_exempt: true },
            Some(Ok(proxy)) => Route::Through(Arc::clone(proxy)),
            Some(Err(invalid)) => Route::Invalid(Arc::clone(invalid)),
        }
    }
}

/// The proxy that a variable names; `None` where it is empty.
fn proxy(variable: &'static str, value: &str) -> Option<Named> {
    if value.is_empty() {
        return None;
    }
    let invalid = |why: &str| {
        Some(Err(Arc::new(Invalid {
            variable,
            why: why.to_owned(),
        })))
    };
    let Ok(mut url) = Url::parse(value) else {
        return invalid("is no URL");
    };
    match url.scheme() {
        // Which names are looked up is for the proxy to say, as Node's does.
        "socks" | "socks5" => {
            let with_names = value.trim_start().split_once(':').map(|(_, rest)| rest);
            let Some(Ok(socks)) = with_names.map(|rest| Url::parse(&format!("socks5h:{rest}")))
            else {
                return invalid("is no URL");
            };
            url = socks;
        }
        "http" | "https" => {}
        _ => return invalid("does not begin with http://, https:// or socks5://"),
    }
    if url.host_str().is_none_or(str::is_empty) {
        return invalid("names no host");
    }
    if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
        return invalid("goes on after the host and the port");
    }
    match (url.username(), url.password().unwrap_or_default()) {
        // As Node does: a user without a password is not sent, nor the reverse.
        ("", _) | (_, "") => {
            let without = url.set_username("").and_then(|()| url.set_password(None));
            debug_assert!(without.is_ok(), "a URL with a host may have no user");
        }
        (user, password) if !decodes(user) || !decodes(password) => {
            return invalid(
                "has a user or password with a % that begins no escape (write it as %25)",
            );
        }
        _ => {}
    }
    Some(Ok(Arc::new(Proxy { variable, url })))
}

/// Whether each `%` begins an escape, and all of them are UTF-8 together.
fn decodes(text: &str) -> bool {
    let mut parts = text.split('%').skip(1);
    let is_escape = |part: &str| {
        let digits = part.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    parts.all(is_escape) && percent_decode_str(text).decode_utf8().is_ok()
}

impl Proxy {
    /// The variable that names it.
    pub(in crate::http) fn variable(&self) -> &'static str {
        self.variable
    }

    /// Whether it is sent credentials.
    pub(in crate::http) fn has_user(&self) -> bool {
        self.url.password().is_some()
    }

    /// Its credentials, as a header.
    pub(super) fn user(&self) -> Option<HeaderValue> {
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let (user, password) = (self.url.username(), self.url.password()?);
        let both = format!("{}:{}", decoded(user), decoded(password));
        let value = format!("Basic {}", BASE64_STANDARD.encode(both));
        let mut value = HeaderValue::try_from(value).ok()?;
        value.set_sensitive(true);
        Some(value)
    }
}

/// As messages name it: without its credentials.
impl fmt::Display for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.url.scheme().trim_end_matches('h');
        let host = self.url.host_str().unwrap_or_default();
        write!(formatter, "{scheme}://{host}")?;
        if let Some(port) = self.url.port() {
            write!(formatter, ":{port}")?;
        }
        write!(formatter, " ({})", self.variable)
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Not what it says: that may hold a password.
        write!(formatter, "{} {}", self.variable, self.why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Variables<'a> = &'a [(&'a str, &'a str)];

    fn route(variables: Variables<'_>, url: &str) -> String {
        let proxies = Proxies::of(|name| {
            let mut variables = variables.iter();
            let (_, value) = variables.find(|(variable, _)| *variable == name)?;
            Some((*value).to_owned())
        });
        match Url::parse(url).map(|url| proxies.route(&url)) {
            Ok(Route::Direct { is_exempt: false }) => "direct".to_owned(),
            Ok(Route::Direct { is_exempt: true }) => "exempt".to_owned(),
            Ok(Route::Through(proxy)) => proxy.to_string(),
            Ok(Route::Invalid(invalid)) => invalid.to_string(),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn the_variables_count_in_nodes_order() {
        let (http, https) = ("http://server/", "https://server/");
        let lower = ("http_proxy", "http://lower:1");
        let upper = ("HTTP_PROXY", "http://upper:2");
        let all = ("ALL_PROXY", "socks5://all");
        let cases: [(Variables<'_>, &str, &str); 11] = [
            (&[], https, "direct"),
            (&[lower, upper], http, "http://lower:1 (http_proxy)"),
            (&[upper], https, "http://upper:2 (HTTP_PROXY)"),
            (&[("http_proxy", ""), upper], http, "direct"),
            (
                &[("https_proxy", ""), upper],
                https,
                "http://upper:2 (HTTP_PROXY)",
            ),
            (
                &[("HTTPS_PROXY", "https://s"), upper],
                https,
                "https://s (HTTPS_PROXY)",
            ),
            (&[("HTTPS_PROXY", "https://s")], http, "direct"),
            (&[all], https, "socks5://all (ALL_PROXY)"),
            (&[all, upper], https, "http://upper:2 (HTTP_PROXY)"),
            (
                &[("HTTPS_PROXY", "http://s:3"), all],
                http,
                "socks5://all (ALL_PROXY)",
            ),
            (&[lower, ("NO_PROXY", "server")], https, "exempt"),
        ];
        for (variables, url, expected) in cases {
            assert_eq!(route(variables, url), expected, "{variables:?}");
        }
    }

    #[test]
    fn what_names_no_proxy_is_told_without_what_it_says() {
        for value in [
            "user:pa55@proxy:3128",
            "proxy:3128",
            "ftp://user:pa55@proxy",
            " ",
            "http://",
        ] {
            let told = route(&[("HTTPS_PROXY", value)], "https://server/");
            assert!(told.starts_with("HTTPS_PROXY "), "{told}");
            assert!(!told.contains("pa55"), "{told}");
        }
    }

    #[test]
    fn who_asks_a_proxy_is_shown_nowhere() {
        let named = proxy("HTTP_PROXY", "http://user:pa55@proxy:3128/");
        assert_eq!(
            format!("{named:?}"),
            "Some(Ok(http://proxy:3128 (HTTP_PROXY)))"
        );
    }
}
