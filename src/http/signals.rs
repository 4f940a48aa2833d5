//! What an answer's headers say of the limits of whoever asked.
//!
//! <https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits#api-client-experience>

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

const REMAINING: &str = "x-ratelimit-remaining";
const LIMIT: &str = "x-ratelimit-limit";
const RESET: &str = "x-ratelimit-reset";
const DELAY: &str = "x-ratelimit-delay";

/// No wait that a server asks for is believed to be longer: Azure DevOps' own are of minutes.
const LONGEST: f64 = 3600.0;

/// The limits, as far as an answer tells of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Signals {
    /// How long nothing is to be asked.
    pub(super) retry_after: Option<Duration>,
    /// How long the answer was held back.
    pub(super) delay: Option<Duration>,
    /// What is left of the budget, from 0 to 1.
    pub(super) left: Option<f64>,
    /// How long it takes until all of it is there again, if nothing is asked.
    pub(super) reset: Option<Duration>,
}

impl Signals {
    /// Reads the headers of an answer that came at this time of day.
    pub(super) fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        let number = |name: &str| text(headers, name).and_then(finite);
        let since_1970 = now.duration_since(UNIX_EPOCH).unwrap_or_default();
        let left = match (number(REMAINING), number(LIMIT)) {
            (Some(remaining), Some(limit)) if limit > 0.0 => Some(remaining / limit),
            _ => None,
        };
        Self {
            retry_after: text(headers, RETRY_AFTER.as_str())
                .and_then(|text| retry_after(text, headers, now)),
            delay: number(DELAY).and_then(seconds),
            left: left.map(|left| left.clamp(0.0, 1.0)),
            reset: number(RESET).and_then(|reset| seconds(reset - since_1970.as_secs_f64())),
        }
    }
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// A time that has not passed; nothing where it is none.
fn seconds(number: f64) -> Option<Duration> {
    (number > 0.0).then(|| Duration::from_secs_f64(number.min(LONGEST)))
}

/// A number of seconds, or a date, which is meant by the clock of whoever sent it.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
fn retry_after(text: &str, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    if let Some(number) = finite(text) {
        return seconds(number);
    }
    let date = httpdate::parse_http_date(text).ok()?;
    let sent = self::text(headers, DATE.as_str());
    let sent = sent.and_then(|sent| httpdate::parse_http_date(sent).ok());
    let wait = date.duration_since(sent.unwrap_or(now)).ok()?;
    seconds(wait.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(headers: &[(&'static str, &'static str)]) -> Signals {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        Signals::read(&headers.collect(), now)
    }

    #[test]
    fn everything_that_azure_devops_says_is_read() {
        let signals = read(&[
            ("x-ratelimit-remaining", "50"),
            ("x-ratelimit-limit", "200"),
            ("x-ratelimit-reset", "1060"),
            ("x-ratelimit-delay", "1.25"),
            ("retry-after", "30"),
        ]);
        let expected = Signals {
            retry_after: Some(Duration::from_secs(30)),
            delay: Some(Duration::from_millis(1250)),
            left: Some(0.25),
            reset: Some(Duration::from_secs(60)),
        };
        assert_eq!(signals, expected);
    }

    #[test]
    fn a_date_is_meant_by_the_servers_clock() {
        let until = ("retry-after", "Thu, 01 Jan 1970 00:20:00 GMT");
        let wait = |signals: Signals| signals.retry_after.map(|wait| wait.as_secs());
        assert_eq!(wait(read(&[until])), Some(200));
        let date = ("date", "Thu, 01 Jan 1970 00:19:58 GMT");
        assert_eq!(wait(read(&[until, date])), Some(2));
    }

    #[test]
    fn what_makes_no_sense_says_nothing() {
        for headers in [
            [("retry-after", "soon")],
            [("retry-after", "-5")],
            [("retry-after", "NaN")],
            [("retry-after", "inf")],
            [("retry-after", "-infinity")],
            [("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT")],
            [("x-ratelimit-remaining", "5")],
            [("x-ratelimit-delay", "0")],
            [("x-ratelimit-reset", "999")],
        ] {
            assert_eq!(read(&headers), Signals::default(), "{headers:?}");
        }
        let wait = read(&[("retry-after", "1e300")]).retry_after;
        assert_eq!(wait, Some(Duration::from_secs(3_600)));
    }
}
