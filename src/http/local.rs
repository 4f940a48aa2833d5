//! Which hosts are never reached through a proxy.

use url::{Host, Url};

/// Whether the URL's host is this machine, or on its own link: a proxy would reach another one.
///
/// The instance metadata service (169.254.169.254) and App Service's identity endpoint are such.
pub(super) fn is_local(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback() || address.is_link_local(),
        Some(Host::Ipv6(address)) => match address.to_ipv4_mapped() {
            Some(address) => address.is_loopback() || address.is_link_local(),
            None => address.is_loopback() || address.is_unicast_link_local(),
        },
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn near(url: &str) -> bool {
        Url::parse(url).is_ok_and(|url| is_local(&url))
    }

    #[test]
    fn this_machine_and_its_link_are_near() {
        for url in [
            "http://169.254.169.254/metadata",
            "http://127.0.0.1:41/msi/token",
            "http://localhost:8080/",
            "http://app.localhost./",
            "http://[::1]/",
            "http://[fe80::1]/",
            "http://[::ffff:169.254.169.254]/",
        ] {
            assert!(near(url), "{url}");
        }
    }

    #[test]
    fn everything_else_may_need_a_proxy() {
        for url in [
            "https://dev.azure.com/",
            "http://10.0.0.1/",
            "http://localhost.example/",
            "http://[2001:db8::1]/",
        ] {
            assert!(!near(url), "{url}");
        }
    }
}
