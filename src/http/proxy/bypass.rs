//! What `NO_PROXY` exempts, as Node's own `fetch` reads it.

use url::Url;

/// The hosts that are reached without a proxy.
#[derive(Debug, Default)]
pub(super) struct Bypass {
    /// Whether it is all of them.
    is_all: bool,
    entries: Vec<Entry>,
}

#[derive(Debug, PartialEq, Eq)]
struct Entry {
    host: String,
    /// The only port that it is for.
    port: Option<u64>,
}

impl Bypass {
    /// Entries are parted by commas and white space. `*` is for all hosts where nothing else is there.
    pub(super) fn of(value: &str) -> Self {
        // White space as JavaScript knows it.
        let is_space = |c: char| (c.is_whitespace() && c != '\u{85}') || c == '\u{feff}';
        let is_between = |c: char| c == ',' || is_space(c);
        let entries = value.split(is_between).filter(|entry| !entry.is_empty());
        Self {
            is_all: value == "*",
            entries: entries.map(Entry::of).collect(),
        }
    }

    pub(super) fn has(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        let port = url.port_or_known_default().map(u64::from);
        self.is_all || self.entries.iter().any(|entry| entry.has(host, port))
    }
}

impl Entry {
    /// A host, one with a port behind it, or one with `.` or `*.` before it, which means the same: a host
    /// stands for what is below it as well.
    fn of(entry: &str) -> Self {
        let (host, port) = match entry.rsplit_once(':') {
            Some((host, port)) if !host.is_empty() && is_number(port) => {
                (host, Some(port.parse().unwrap_or(u64::MAX)))
            }
            _ => (entry, None),
        };
        let below = host.strip_prefix("*.").or_else(|| host.strip_prefix('.'));
        Self {
            host: below.unwrap_or(host).to_lowercase(),
            port: port.filter(|port| *port != 0),
        }
    }

    fn has(&self, host: &str, port: Option<u64>) -> bool {
        if self.port.is_some() && self.port != port {
            return false;
        }
        match host.strip_suffix(self.host.as_str()) {
            Some("") => true,
            Some(above) => above.ends_with('.'),
            None => false,
        }
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn has(value: &str, url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| Bypass::of(value).has(&url))
    }

    #[test]
    fn an_entry_exempts_a_host_and_what_is_below_it() {
        for (value, url, is_exempt) in [
            ("", "https://a.example/", false),
            ("*", "https://a.example/", true),
            ("*,b", "https://a.example/", false),
            ("a.example", "https://a.example/", true),
            ("A.Example", "https://a.example/", true),
            ("example", "https://a.example/", true),
            (".example", "https://a.example/", true),
            (".example", "https://example/", true),
            ("*.example", "https://a.b.example/", true),
            ("ample", "https://a.example/", false),
            ("b,\ta.example c", "https://a.example/", true),
            ("a.example:443", "https://a.example/", true),
            ("a.example:443", "https://a.example:8443/", false),
            ("a.example:80", "http://a.example/", true),
            ("a.example:0", "https://a.example/", true),
            ("10.0.0.0/8", "https://10.1.2.3/", false),
            ("[::1]", "https://[::1]/", true),
            ("[::1]:443", "https://[::1]/", true),
            ("::1", "https://[::1]/", false),
        ] {
            assert_eq!(has(value, url), is_exempt, "{value} {url}");
        }
    }
}
