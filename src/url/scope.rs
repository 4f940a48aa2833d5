//! Where a URL leads: its host, and the organization or collection on it.

use std::borrow::Cow;

use url::{Url, quirks};

use super::{
    azure_url::VIRTUAL_DIRECTORY,
    host::{AZURE_HOST, is_visual_studio, origin},
    parse::decode_component,
};

/// The organization, or the server's collection, that a URL names: decoded, as it is written.
///
/// REST URLs of a collection below `/tfs/` have both in one segment (`tfs%2F{collection}`).
#[must_use]
pub fn organization_of(url: &Url) -> Option<String> {
    let host = quirks::host(url);
    if is_visual_studio(&origin(url)) {
        return host.split('.').next().map(str::to_owned);
    }
    let decoded = |segment| decode_component(segment).unwrap_or(Cow::Borrowed(segment));
    let mut path = url.path().split('/').map(decoded);
    if host == AZURE_HOST {
        let organization = path.find(|segment| !segment.is_empty());
        return organization.map(Cow::into_owned);
    }
    // A segment may hold both. Only what is needed is decoded: this is asked several times for each read.
    let names = path.flat_map(|segment| {
        let names = segment.split('/').filter(|name| !name.is_empty());
        names.map(str::to_owned).collect::<Vec<_>>()
    });
    organization_in(host, names, |name| {
        name.eq_ignore_ascii_case(VIRTUAL_DIRECTORY)
    })
}

/// The host that a URL names, and the organization or collection on it, for a message.
#[must_use]
pub fn scope_of(url: &Url) -> String {
    let host = quirks::host(url);
    organization_of(url).map_or_else(
        || host.to_owned(),
        |organization| format!("{host}, organization {organization}"),
    )
}

/// The organization or collection among the segments of a path, after a virtual directory.
pub(crate) fn organization_in<N: AsRef<str>>(
    host: &str,
    mut names: impl Iterator<Item = N>,
    is_virtual_directory: impl Fn(&str) -> bool,
) -> Option<N> {
    let first = names.next()?;
    if host != AZURE_HOST && is_virtual_directory(first.as_ref()) {
        names.next()
    } else {
        Some(first)
    }
}
