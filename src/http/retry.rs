//! How often and for how long a request is tried, and how long to wait between two attempts.

use std::{fmt, time::Duration};

use reqwest::StatusCode;
use tokio::time::Instant;

use crate::{backoff::Backoff, config::Retry};

/// The time that one request has, with all attempts and waits.
const TIME: Duration = Duration::from_secs(600);

/// How long to wait between two attempts where no server says it.
const WAITS: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(10),
};

/// The attempts at one request: how many were made, and whether there is another.
#[derive(Clone, Debug)]
pub(super) struct RetryState {
    pub(super) retry: Retry,
    since: Instant,
    made: u32,
}

/// How often a request was tried, and for how long. Displays nothing where it was tried once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    times: u32,
    time: Duration,
}

impl RetryState {
    pub(super) fn of(retry: &Retry) -> Self {
        Self {
            retry: retry.clone(),
            since: Instant::now(),
            made: 0,
        }
    }

    /// When there is no time for another one.
    pub(super) fn deadline(&self) -> Instant {
        self.since + TIME
    }

    /// Counts one.
    pub(super) const fn begin(&mut self) {
        self.made = self.made.saturating_add(1);
    }

    /// How long to wait until the next; `None` where there is none.
    pub(super) fn wait(&self) -> Option<Duration> {
        let wait = WAITS.wait(self.made, fastrand::f64());
        let is_time = Instant::now() + wait < self.deadline();
        (self.made <= self.retry.max_retries && is_time).then_some(wait)
    }

    /// Whether what was answered with this status is asked again.
    pub(super) fn repeats(&self, status: StatusCode) -> bool {
        self.retry.statuses.contains(&status.as_u16())
    }

    pub(super) fn attempts(&self) -> Attempts {
        Attempts {
            times: self.made,
            time: self.since.elapsed(),
        }
    }
}

impl fmt::Display for Attempts {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.times < 2 {
            return Ok(());
        }
        let (times, time) = (self.times, self.time.as_secs_f64());
        write!(formatter, ". It was tried {times} times in {time:.1} s")
    }
}
