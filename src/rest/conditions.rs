//! What the caller has already, so that the same need not be sent again.

use std::time::{Duration, SystemTime};

use reqwest::header::{
    ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED,
};

use crate::error::{Error, ErrorKind};

/// The last second that an HTTP date can name, in milliseconds since 1970.
const LAST_HTTP_DATE: f64 = 253_402_300_799_000.0;

/// What the caller has already, so that the same need not be sent again.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    etag: Option<HeaderValue>,
    modified_after: Option<SystemTime>,
}

impl Conditions {
    /// Takes the `ETag` of an earlier answer and its time in milliseconds since 1970.
    ///
    /// # Errors
    /// The etag holds what no header can, or the time is no date that HTTP can name.
    pub fn new(etag: Option<&str>, modified_after: Option<f64>) -> Result<Self, Error> {
        let etag = etag
            .filter(|etag| !etag.is_empty())
            .map(etag_header)
            .transpose()?;
        let modified_after = modified_after.map(http_time).transpose()?;
        Ok(Self {
            etag,
            modified_after,
        })
    }

    /// Whether there are any.
    #[must_use]
    pub const fn are_some(&self) -> bool {
        self.etag.is_some() || self.modified_after.is_some()
    }

    /// Whether an answer's headers say that it is what the caller has: a server that knows no
    /// conditions sends it all the same.
    #[must_use]
    pub fn are_met_by(&self, headers: &HeaderMap) -> bool {
        let modified = headers.get(LAST_MODIFIED);
        let modified = modified.and_then(|modified| modified.to_str().ok());
        self.compare(headers.get(ETAG), modified)
    }

    /// Whether they are met by an answer that is there already, with this etag and this time.
    #[must_use]
    pub fn are_met(&self, etag: Option<&str>, modified: Option<&str>) -> bool {
        let etag = etag.and_then(|etag| etag_header(etag).ok());
        self.compare(etag.as_ref(), modified)
    }

    fn compare(&self, etag: Option<&HeaderValue>, modified: Option<&str>) -> bool {
        // As in HTTP, a different etag decides, regardless of the times.
        if let Some(own) = &self.etag {
            return etag.is_some_and(|other| opaque(other) == opaque(own));
        }
        let modified = modified.and_then(|modified| httpdate::parse_http_date(modified).ok());
        let after = self.modified_after;
        modified.is_some_and(|modified| after.is_some_and(|after| modified <= after))
    }

    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(etag) = &self.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(value) = self
            .modified_after
            .and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok())
        {
            headers.insert(IF_MODIFIED_SINCE, value);
        }
        headers
    }
}

/// A character is a byte, as where the etag was read from an answer.
fn etag_header(etag: &str) -> Result<HeaderValue, Error> {
    let refused = || invalid("etag is not one that a server could have given");
    let bytes: Result<Vec<u8>, _> = etag.chars().map(u8::try_from).collect();
    let bytes = bytes.map_err(|error| refused().because(error))?;
    HeaderValue::from_bytes(&bytes).map_err(|error| refused().because(error))
}

/// An etag without the mark of a weak one, which does not matter for reading.
fn opaque(etag: &HeaderValue) -> &[u8] {
    let bytes = etag.as_bytes();
    bytes.strip_prefix(b"W/").unwrap_or(bytes)
}

fn http_time(milliseconds: f64) -> Result<SystemTime, Error> {
    if !(0.0..=LAST_HTTP_DATE).contains(&milliseconds) {
        return Err(invalid(
            "lastModifiedAfter is not a date that HTTP can name",
        ));
    }
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(milliseconds / 1000.0))
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("The option {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: reqwest::header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    fn conditions(etag: Option<&str>, after: Option<f64>) -> Conditions {
        Conditions::new(etag, after).unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn a_server_that_knows_no_conditions_is_not_believed_to_have_news() {
        let same = conditions(Some("\"a\""), None);
        assert!(same.are_met_by(&headers(ETAG, "W/\"a\"")));
        assert!(!same.are_met_by(&headers(ETAG, "\"b\"")));
        let after = conditions(None, Some(1_600_000_000_000.0));
        assert!(after.are_met_by(&headers(LAST_MODIFIED, "Sun, 13 Sep 2020 12:26:40 GMT")));
        assert!(!after.are_met_by(&headers(LAST_MODIFIED, "Sun, 13 Sep 2020 12:26:41 GMT")));
    }

    #[test]
    fn no_conditions_are_never_met() {
        assert!(!Conditions::default().are_met_by(&headers(ETAG, "\"a\"")));
        assert!(!conditions(Some(""), None).are_some());
    }

    #[test]
    fn an_etag_is_sent_back_byte_for_byte() {
        let known = conditions(Some("\"\u{e9}\""), None);
        let sent = known.headers().get(IF_NONE_MATCH).cloned();
        assert_eq!(
            sent.as_ref().map(HeaderValue::as_bytes),
            Some(&b"\"\xe9\""[..])
        );
    }

    #[test]
    fn an_etag_that_differs_settles_it_whatever_the_times_say() {
        let both = conditions(Some("\"a\""), Some(1_600_000_000_000.0));
        let mut answered = headers(LAST_MODIFIED, "Sun, 13 Sep 2020 12:26:40 GMT");
        answered.insert(ETAG, HeaderValue::from_static("\"b\""));
        assert!(!both.are_met_by(&answered));
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        assert!(Conditions::new(Some("a\nb"), None).is_err());
        for time in [f64::NAN, f64::INFINITY, -1.0, LAST_HTTP_DATE + 1000.0] {
            assert!(Conditions::new(None, Some(time)).is_err(), "{time}");
        }
    }
}
