//! How often one question is asked, and what is worth another attempt.

use std::{fmt, time::Duration};

use reqwest::StatusCode;
use tokio::time::Instant;

use super::client::Failure;
use crate::{backoff::Backoff, config::Retry};

/// The time that one question has, with all attempts and waits.
const TIME: Duration = Duration::from_secs(600);

/// How long to wait between two attempts where no server says it.
const WAITS: Backoff = Backoff {
    first: Duration::from_millis(100),
    longest: Duration::from_secs(10),
};

/// The attempts at one question.
#[derive(Clone, Debug)]
pub(super) struct Attempts {
    pub(super) retry: Retry,
    since: Instant,
    made: u32,
}

/// How often something was tried, and for how long; says nothing where it was once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tried {
    times: u32,
    time: Duration,
}

impl Attempts {
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

    /// How long to wait until the next; nothing where the last was made.
    pub(super) fn wait(&self) -> Option<Duration> {
        let wait = WAITS.wait(self.made, fastrand::f64());
        let is_time = Instant::now() + wait < self.deadline();
        (self.made <= self.retry.max_retries && is_time).then_some(wait)
    }

    /// Whether what was answered with this status is asked again.
    pub(super) fn repeats(&self, status: StatusCode) -> bool {
        self.retry.statuses.contains(&status.as_u16())
    }

    pub(super) fn tried(&self) -> Tried {
        Tried {
            times: self.made,
            time: self.since.elapsed(),
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.times < 2 {
            return Ok(());
        }
        let (times, time) = (self.times, self.time.as_secs_f64());
        write!(formatter, ". It was tried {times} times in {time:.1} s")
    }
}

/// Whether a failure may be over soon.
pub(super) fn may_pass(failure: &Failure) -> bool {
    match failure {
        Failure::Silent | Failure::CutOff | Failure::Damaged(_) | Failure::Broken(_) => true,
        Failure::Transport(error) => error.is_transient(),
        _ => false,
    }
}
