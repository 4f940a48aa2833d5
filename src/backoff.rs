//! How long to wait after a failure: longer after each, never quite the same.

use std::time::Duration;

/// Waits that double from failure to failure, up to a limit.
#[derive(Clone, Copy, Debug)]
pub struct Backoff {
    /// The wait after the first failure.
    pub first: Duration,
    /// The longest wait.
    pub longest: Duration,
}

impl Backoff {
    /// The wait after so many failures in a row: between three quarters of the full wait and all of
    /// it, so that those who failed together do not come back together.
    ///
    /// `chance` is a number from 0 up to 1, which the caller draws.
    #[must_use]
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let doublings = failures.saturating_sub(1).min(30);
        let full = self.first.saturating_mul(1 << doublings).min(self.longest);
        full.mul_f64(0.25f64.mul_add(chance, 0.75))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BACKOFF: Backoff = Backoff {
        first: Duration::from_secs(1),
        longest: Duration::from_secs(60),
    };

    #[test]
    fn waits_double_up_to_the_limit() {
        let waits = [1, 2, 3, 7, u32::MAX].map(|failures| BACKOFF.wait(failures, 1.0).as_secs());
        assert_eq!(waits, [1, 2, 4, 60, 60]);
    }

    #[test]
    fn chance_takes_at_most_a_quarter() {
        assert_eq!(BACKOFF.wait(1, 0.0), Duration::from_millis(750));
    }
}
