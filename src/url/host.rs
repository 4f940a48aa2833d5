//! Hosts of Azure DevOps: which are Microsoft's, and which are servers.

use url::{Url, quirks};

/// The host of Azure DevOps Services.
pub const AZURE_HOST: &str = "dev.azure.com";

/// Whether `host` is a host as a URL writes it: lower case, with a port at most.
#[must_use]
pub fn is_valid_host(host: &str) -> bool {
    let Ok(mut url) = Url::parse("http://example.com") else {
        return false;
    };
    quirks::set_host(&mut url, host).is_ok() && quirks::host(&url) == host
}

/// The host of a URL with its port, as `URL.host` gives it; `None` for what is no URL.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    Url::parse(url)
        .ok()
        .map(|url| quirks::host(&url).to_owned())
}

/// Whether the origin, or the host, is one of those that Azure DevOps had before `dev.azure.com`.
#[must_use]
pub fn is_visual_studio(origin: &str) -> bool {
    origin.ends_with(".visualstudio.com")
}

/// Whether a host is Microsoft's, under any name: also with a dot at its end, or one that no repository URL
/// has.
#[must_use]
pub fn is_azures_own(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    is_services_host(host) || host.ends_with(".dev.azure.com") || host == "visualstudio.com"
}

/// Whether a host is one of Azure DevOps Services, and no server.
#[must_use]
pub fn is_services_host(host: &str) -> bool {
    host == AZURE_HOST || is_visual_studio(host)
}

/// The origin as `URL.origin` gives it: `null` where the scheme has none.
#[must_use]
pub fn origin(url: &Url) -> String {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    if is_web(url) {
        return [url.scheme(), "://", quirks::host(url)].concat();
    }
    if url.scheme() == "blob" && !Url::parse(url.path()).is_ok_and(|inner| is_web(&inner)) {
        return "null".to_owned();
    }
    url.origin().ascii_serialization()
}
