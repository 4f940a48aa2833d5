//! Time and chance, passed in to what depends on them so that a test can turn both.

use std::{fmt, time::SystemTime};

/// What time it is, and how the dice fall.
pub trait Clock: fmt::Debug + Send + Sync {
    /// The time of day; it can jump, in both directions.
    fn now(&self) -> SystemTime;

    /// A number from 0 up to 1.
    fn chance(&self) -> f64;
}

/// The machine's own.
#[derive(Clone, Copy, Debug)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }

    fn chance(&self) -> f64 {
        fastrand::f64()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{sync::Arc, time::Duration};

    use parking_lot::Mutex;

    use super::*;

    /// A clock that stands until it is turned.
    #[derive(Clone, Debug)]
    pub(crate) struct TurnedClock(Arc<Mutex<SystemTime>>);

    impl TurnedClock {
        pub(crate) fn new() -> Self {
            Self(Arc::new(Mutex::new(SystemTime::UNIX_EPOCH)))
        }

        pub(crate) fn turn(&self, by: Duration) {
            *self.0.lock() += by;
        }

        pub(crate) fn turn_back(&self, by: Duration) {
            *self.0.lock() -= by;
        }
    }

    impl Clock for TurnedClock {
        fn now(&self) -> SystemTime {
            *self.0.lock()
        }

        fn chance(&self) -> f64 {
            1.0
        }
    }
}
