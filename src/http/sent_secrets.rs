//! The secrets that are sent with requests.

use std::{env, sync::LazyLock};

use percent_encoding::percent_decode_str;
use url::Url;

use crate::{credentials::Authorization, secrets::Secrets};

/// The variables that name proxies, which may hold a user and a password.
const PROXIES: [&str; 6] = [
    "HTTPS_PROXY",
    "https_proxy",
    "HTTP_PROXY",
    "http_proxy",
    "ALL_PROXY",
    "all_proxy",
];

/// The users and passwords of the proxies, as the environment had them when the client was made.
static PROXY_USERS: LazyLock<Secrets> = LazyLock::new(|| {
    let mut secrets = Secrets::default();
    for proxy in PROXIES.iter().filter_map(|name| env::var(name).ok()) {
        add_user(&mut secrets, &proxy);
    }
    secrets
});

/// Remembers the users and passwords of the proxies.
pub(super) fn remember_proxy_users() {
    LazyLock::force(&PROXY_USERS);
}

/// The secrets that are sent with requests, to be redacted in every message: those of the credential and
/// those of the proxy.
#[must_use]
pub fn secrets(authorization: &Authorization) -> Secrets {
    let mut secrets = authorization.secrets();
    secrets.add_all(&PROXY_USERS);
    secrets
}

fn add_user(secrets: &mut Secrets, proxy: &str) {
    let with_scheme = format!("http://{proxy}");
    let url = if proxy.contains("://") {
        Url::parse(proxy)
    } else {
        Url::parse(&with_scheme)
    };
    let Ok(url) = url else { return };
    let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let user = decoded(url.username());
    let password = decoded(url.password().unwrap_or_default());
    secrets.add_user(&format!("{user}:{password}"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_proxy_is_a_secret() {
        for proxy in [
            "http://user:pa%24%24word@proxy:3128",
            "user:pa%24%24word@proxy:3128",
            "socks5h://user:pa%24%24word@proxy",
        ] {
            let mut secrets = Secrets::default();
            add_user(&mut secrets, proxy);
            assert_eq!(
                secrets.redact("it is pa$$word"),
                "it is [redacted]",
                "{proxy}"
            );
        }
        let mut secrets = Secrets::default();
        add_user(&mut secrets, "http://proxy:3128");
        assert_eq!(secrets.redact("http://proxy:3128"), "http://proxy:3128");
    }
}
