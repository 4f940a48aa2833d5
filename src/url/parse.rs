//! URLs and their parts, parsed as JavaScript parses them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::error::{Error, ErrorKind};

/// Parses a URL as JavaScript's `URL` does.
///
/// # Errors
/// The text is no URL.
pub fn parse(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|_| Error::invalid_url())
}

/// The first query parameter of a name, decoded.
#[must_use]
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Decodes as JavaScript's `decodeURIComponent` does.
///
/// # Errors
/// A `%` without two hex digits after it, or bytes that are no UTF-8.
pub fn decode_component(component: &str) -> Result<Cow<'_, str>, Error> {
    let malformed = || Error::new(ErrorKind::MalformedEscape, "URI malformed");
    let is_complete =
        |rest: &str| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit());
    if !component.split('%').skip(1).all(is_complete) {
        return Err(malformed());
    }
    let decoded = percent_decode_str(component).decode_utf8();
    decoded.map_err(|_| malformed())
}

/// Whether an id is one that git gives: of SHA-1 or SHA-256, in full.
pub(crate) fn is_object_id(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
}
