//! The rate-limit headers of an answer.
//!
//! <https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits#api-client-experience>

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::header::{DATE, HeaderMap, RETRY_AFTER};

const REMAINING: &str = "x-ratelimit-remaining";
const LIMIT: &str = "x-ratelimit-limit";
const RESET: &str = "x-ratelimit-reset";
const DELAY: &str = "x-ratelimit-delay";

/// No wait that a server asks for is believed to be longer: Azure DevOps' own are of minutes.
pub const LONGEST_WAIT: Duration = Duration::from_secs(3600);

/// What is left of a budget is believed only where it is whole again after no more than this: Azure DevOps
/// counts over five minutes.
pub const LONGEST_BUDGET: Duration = Duration::from_secs(600);

/// The most characters of a number that are repeated: an answer may repeat what it was asked with.
const MOST_REPEATED: usize = 20;

/// What stands for anything else.
const UNREPEATED: &str = "what is no plain number";

/// The limits that an answer states, as far as they can be believed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LimitHeaders {
    /// How long nothing is to be asked; no longer than [`LONGEST_WAIT`].
    pub retry_after: Option<Duration>,
    /// How long the answer was held back; no longer than [`LONGEST_WAIT`].
    pub delay: Option<Duration>,
    /// What is left of the budget, from 0 to 1.
    pub left: Option<f64>,
    /// How long it takes until the whole budget is back, if nothing is asked; no longer than
    /// [`LONGEST_BUDGET`].
    pub reset: Option<Duration>,
    /// What it says that is not believed.
    pub doubts: Vec<Doubt>,
}

/// A header that cannot be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    /// Its name.
    pub header: &'static str,
    /// What it says, as far as it is repeated.
    pub said: String,
    /// What is believed in its place, in words.
    pub believed: &'static str,
}

const IGNORED: &str = "it is ignored";
const AN_HOUR: &str = "3600 s are taken for it";
const NO_BUDGET: &str = "what it says of a budget is ignored";
const NO_RESET: &str = "what is left of the budget is believed for 300 s";

impl LimitHeaders {
    /// Reads the headers of an answer that came at this time of day.
    #[must_use]
    pub fn read(headers: &HeaderMap, now: SystemTime) -> Self {
        let mut limits = Self::default();
        limits.retry_after = limits.wait(headers, RETRY_AFTER.as_str(), now);
        limits.delay = limits.wait(headers, DELAY, now);
        limits.read_budget(headers, now);
        limits
    }

    /// A wait that a header asks for: a number of seconds, or a date; `None` where it has passed.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
    fn wait(
        &mut self,
        headers: &HeaderMap,
        name: &'static str,
        now: SystemTime,
    ) -> Option<Duration> {
        let said = text(headers, name)?;
        let Some(wait) = named(said, sent(headers).unwrap_or(now)) else {
            self.doubt(name, said, IGNORED);
            return None;
        };
        if wait > LONGEST_WAIT {
            self.doubt(name, said, AN_HOUR);
        }
        (!wait.is_zero()).then(|| wait.min(LONGEST_WAIT))
    }

    fn read_budget(&mut self, headers: &HeaderMap, now: SystemTime) {
        let remaining = self.number(headers, REMAINING);
        let limit = self.number(headers, LIMIT);
        if let Some(said) = text(headers, LIMIT)
            && limit.is_some_and(|limit| limit <= 0.0)
        {
            self.doubt(LIMIT, said, NO_BUDGET);
        }
        // A budget that is whole again in a year is not one of five minutes, but what is left of it may be
        // right.
        self.reset = self.reset(headers, now);
        self.left = match (remaining, limit) {
            (Some(remaining), Some(limit)) if limit > 0.0 => {
                Some((remaining / limit).clamp(0.0, 1.0))
            }
            _ => None,
        };
    }

    /// How long it takes until a budget is whole; `None` where that is not said, or cannot be.
    fn reset(&mut self, headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
        let reset = self.number(headers, RESET)?;
        // It is a time by the sender's clock, as far as that is known.
        let clock = sent(headers).unwrap_or(now);
        let clock = clock.duration_since(UNIX_EPOCH).unwrap_or_default();
        let reset = (reset - clock.as_secs_f64()).max(0.0);
        let reset = Duration::try_from_secs_f64(reset).ok();
        let reset = reset.filter(|reset| *reset <= LONGEST_BUDGET);
        if reset.is_none() {
            self.doubt(RESET, text(headers, RESET)?, NO_RESET);
        }
        reset.filter(|reset| !reset.is_zero())
    }

    /// Whether it says when the budget is whole again, and that cannot be.
    #[must_use]
    pub fn doubts_reset(&self) -> bool {
        self.doubts.iter().any(|doubt| doubt.header == RESET)
    }

    fn number(&mut self, headers: &HeaderMap, name: &'static str) -> Option<f64> {
        let said = text(headers, name)?;
        let number = finite(said);
        if number.is_none() {
            self.doubt(name, said, IGNORED);
        }
        number
    }

    /// Notes what is not believed.
    fn doubt(&mut self, header: &'static str, said: &str, believed: &'static str) {
        self.doubts.push(Doubt {
            header,
            said: repeatable(said).to_owned(),
            believed,
        });
    }
}

/// What a header says, where it can hold no secret: a number of few characters, or a date.
fn repeatable(said: &str) -> &str {
    let is_digit = |it: char| it.is_ascii_digit() || matches!(it, '.' | 'e' | 'E' | '+' | '-');
    let is_plain = said.len() <= MOST_REPEATED && said.chars().all(is_digit);
    let is_number = is_plain && said.parse::<f64>().is_ok();
    if is_number || httpdate::parse_http_date(said).is_ok() {
        said
    } else {
        UNREPEATED
    }
}

/// A number of seconds, or the time until a date; zero where that has passed.
fn named(text: &str, now: SystemTime) -> Option<Duration> {
    if let Some(number) = finite(text) {
        let wait = || Duration::try_from_secs_f64(number).unwrap_or(Duration::MAX);
        return (number >= 0.0).then(wait);
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

fn finite(text: &str) -> Option<f64> {
    text.parse().ok().filter(|number: &f64| number.is_finite())
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

/// When an answer was sent, by the sender's clock.
fn sent(headers: &HeaderMap) -> Option<SystemTime> {
    httpdate::parse_http_date(text(headers, DATE.as_str())?).ok()
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    fn read(headers: &[(&'static str, &'static str)]) -> LimitHeaders {
        let headers = headers.iter().map(|(name, value)| {
            let name = HeaderName::from_static(name);
            (name, HeaderValue::from_static(value))
        });
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        LimitHeaders::read(&headers.collect(), now)
    }

    #[test]
    fn everything_that_azure_devops_says_is_read() {
        let limits = read(&[
            ("x-ratelimit-remaining", "50"),
            ("x-ratelimit-limit", "200"),
            ("x-ratelimit-reset", "1060"),
            ("x-ratelimit-delay", "1.25"),
            ("retry-after", "30"),
        ]);
        let expected = LimitHeaders {
            retry_after: Some(Duration::from_secs(30)),
            delay: Some(Duration::from_millis(1250)),
            left: Some(0.25),
            reset: Some(Duration::from_secs(60)),
            doubts: Vec::new(),
        };
        assert_eq!(limits, expected);
    }

    #[test]
    fn a_date_is_meant_by_the_servers_clock() {
        let until = ("retry-after", "Thu, 01 Jan 1970 00:20:00 GMT");
        let wait = |limits: LimitHeaders| limits.retry_after.map(|wait| wait.as_secs());
        assert_eq!(wait(read(&[until])), Some(200));
        let date = ("date", "Thu, 01 Jan 1970 00:19:58 GMT");
        assert_eq!(wait(read(&[until, date])), Some(2));
    }

    #[test]
    fn what_makes_no_sense_says_nothing_and_is_doubted() {
        for (header, is_soon_after) in [
            (("retry-after", "soon"), true),
            (("retry-after", "-5"), true),
            (("retry-after", "NaN"), true),
            (("retry-after", "inf"), true),
            (("retry-after", "-infinity"), true),
            (("retry-after", "Thu, 01 Jan 1970 00:00:00 GMT"), false),
            (("retry-after", "0"), false),
            (("x-ratelimit-remaining", "5"), false),
            (("x-ratelimit-remaining", "none"), true),
            (("x-ratelimit-delay", "0"), false),
            (("x-ratelimit-delay", "-1"), true),
            (("x-ratelimit-limit", "0"), true),
            (("x-ratelimit-limit", "-3"), true),
            (("x-ratelimit-limit", "NaN"), true),
            (("x-ratelimit-reset", "999"), false),
            (("x-ratelimit-reset", "1e300"), true),
            (("x-ratelimit-reset", "never"), true),
        ] {
            let limits = read(&[header]);
            assert_eq!(!limits.doubts.is_empty(), is_soon_after, "{header:?}");
            let said = LimitHeaders {
                doubts: Vec::new(),
                ..limits
            };
            assert_eq!(said, LimitHeaders::default(), "{header:?}");
        }
    }

    #[test]
    fn a_wait_is_no_longer_than_an_hour_and_what_said_so_is_doubted() {
        for said in ["3601", "1e300", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            let limits = read(&[("retry-after", said)]);
            assert_eq!(limits.retry_after, Some(LONGEST_WAIT), "{said}");
            assert_eq!(limits.doubts.len(), 1, "{said}");
            let limits = read(&[("x-ratelimit-delay", said)]);
            assert_eq!(limits.delay, Some(LONGEST_WAIT), "{said}");
        }
        assert_eq!(read(&[("retry-after", "3600")]).doubts, []);
        let long = "9".repeat(300);
        let mut headers = HeaderMap::new();
        headers.insert(
            RETRY_AFTER,
            HeaderValue::try_from(long).unwrap_or(HeaderValue::from_static("")),
        );
        let limits = LimitHeaders::read(&headers, UNIX_EPOCH);
        assert!(limits.doubts.iter().all(|doubt| doubt.said == UNREPEATED));
    }

    #[test]
    fn what_could_be_a_secret_is_not_repeated() {
        let token = "q7zk3vnxp0wt9slm2rb8ychd5gf1jt6ue4kaq7zk3vnxp0wt9slm";
        let (half, other) = token.split_at(26);
        for said in [
            token,
            half,
            other,
            "soon",
            "e",
            "-",
            "123456789012345678901",
        ] {
            for name in [RETRY_AFTER.as_str(), REMAINING, LIMIT, RESET, DELAY] {
                let mut headers = HeaderMap::new();
                let value = HeaderValue::from_str(said);
                let value = value.unwrap_or_else(|error| unreachable!("{error}"));
                headers.insert(HeaderName::from_static(name), value);
                for doubt in LimitHeaders::read(&headers, UNIX_EPOCH).doubts {
                    assert_eq!(doubt.said, UNREPEATED, "{name}: {said}");
                }
            }
        }
        assert_eq!(repeatable("-1.5e+300"), "-1.5e+300");
        let date = "Fri, 31 Dec 9999 23:59:59 GMT";
        assert_eq!(repeatable(date), date);
    }

    #[test]
    fn of_a_budget_that_is_whole_again_in_a_year_only_what_is_left_is_believed() {
        let empty = [("x-ratelimit-remaining", "0"), ("x-ratelimit-limit", "200")];
        let with = |reset| read(&[empty[0], empty[1], ("x-ratelimit-reset", reset)]);
        assert_eq!(with("1600").left, Some(0.0));
        // The second is the year 5138; the third is in milliseconds.
        for reset in ["1601", "99999999999", "1000000", "1e300", "soon"] {
            let limits = with(reset);
            assert_eq!((limits.left, limits.reset), (Some(0.0), None), "{reset}");
            assert_eq!(limits.doubts.len(), 1, "{reset}");
            assert!(limits.doubts_reset());
        }
        assert_eq!(read(&empty).left, Some(0.0));
        let nothing = read(&[empty[0], ("x-ratelimit-limit", "0")]);
        assert_eq!(nothing.left, None);
    }

    #[test]
    fn a_reset_is_meant_by_the_servers_clock() {
        let limits = read(&[
            ("date", "Thu, 01 Jan 1970 01:00:00 GMT"),
            ("x-ratelimit-reset", "3660"),
        ]);
        assert_eq!(limits.reset, Some(Duration::from_secs(60)));
    }
}
