//! Any headers as what a server says of limits: nobody is made to wait for longer than the bounds.
#![no_main]

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use backstage_azure_devops_native::http::limiter::{
    headers::{LONGEST_BUDGET, LONGEST_WAIT, LimitHeaders},
    policy::{Admission, LONGEST_GAP, Policy, RateLimit},
};
use libfuzzer_sys::fuzz_target;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;

/// A header: its name and the form of its value by a number, and a value in either form.
type Header<'a> = (u8, bool, f64, &'a str);

/// Headers, the server's clock, the time until the next answer in seconds, and whether it is a refusal.
type Answer<'a> = (Vec<Header<'a>>, u32, u16, Option<bool>);

const NAMES: [&str; 6] = [
    "retry-after",
    "x-ratelimit-delay",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "date",
];

fuzz_target!(|answers: Vec<Answer<'_>>| {
    let mut now = Instant::now();
    let mut pace = Policy::new(now);
    for (headers, clock, later, refusal) in &answers {
        let signals = read(headers, *clock);
        let refusal = refusal.map(|told| {
            if told {
                RateLimit::Stated
            } else {
                RateLimit::Inferred
            }
        });
        let went = now;
        let _ = pace.admit(now, None);
        now += Duration::from_secs((*later).into());
        pace.finish();
        pace.observe(&signals, refusal, (went, now), 0.5);
        check(&mut pace, now);
    }
});

fn read(own: &[Header<'_>], clock: u32) -> LimitHeaders {
    let mut headers = HeaderMap::new();
    for (name, is_number, number, text) in own {
        let name = NAMES[usize::from(*name) % NAMES.len()];
        let value = if *is_number {
            format!("{number:?}")
        } else {
            (*text).to_owned()
        };
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.append(HeaderName::from_static(name), value);
        }
    }
    let clock: SystemTime = UNIX_EPOCH + Duration::from_secs(clock.into());
    let signals = LimitHeaders::read(&headers, clock);
    assert!(signals.retry_after.is_none_or(|wait| wait <= LONGEST_WAIT));
    assert!(signals.delay.is_none_or(|wait| wait <= LONGEST_WAIT));
    assert!(signals.reset.is_none_or(|wait| wait <= LONGEST_BUDGET));
    assert!(signals.left.is_none_or(|left| (0.0..=1.0).contains(&left)));
    assert!(signals.doubts.len() <= NAMES.len());
    for doubt in &signals.doubts {
        let is_number = doubt.said.len() <= 20 && doubt.said.parse::<f64>().is_ok();
        // A date of HTTP begins with a day and ends with a time or a year.
        let is_date = doubt.said.len() <= 40 && doubt.said.matches(':').count() == 2;
        assert!(is_number || is_date || doubt.said == "what is no plain number");
    }
    signals
}

/// Whoever waits with nobody on the way is let through in the end, and not later than the bounds say.
fn check(pace: &mut Policy, now: Instant) {
    let longest = LONGEST_WAIT + LONGEST_GAP;
    match pace.admit(now, None) {
        Admission::Now => pace.finish(),
        Admission::Later => panic!("nobody is on the way"),
        Admission::At(next) => assert!(next > now && next - now <= longest, "{:?}", next - now),
    }
}
