//! What is told to whoever keeps the backend's log: what happened, once, and not for every read.

use std::{
    collections::HashMap,
    fmt,
    sync::{LazyLock, Mutex, PoisonError},
    time::{Duration, Instant},
};

use crate::text::readable;

/// For how long a line is not repeated that is about the same.
const QUIET: Duration = Duration::from_secs(60);

/// How many different lines are remembered; then all are told anew.
const MOST_REMEMBERED: usize = 1_000;

/// Those who keep a log in this process; the newest writes.
static LOGS: Mutex<Vec<Box<dyn Log>>> = Mutex::new(Vec::new());

static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);

/// A log, wherever it is.
pub trait Log: fmt::Debug + Send {
    /// Writes a line.
    fn write(&self, line: Line);

    /// Whether it can be written to at all; what has gone does not come back.
    fn is_there(&self) -> bool;
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Line {
    /// What happened, in a sentence.
    pub message: String,
    /// Whether somebody should look.
    pub is_warning: bool,
    /// The same for machines; `event` says what it is.
    pub fields: Vec<(&'static str, Field)>,
}

/// A value that belongs to a line.
#[derive(Clone, Debug, PartialEq)]
pub enum Field {
    /// A text.
    Text(String),
    /// A number.
    Number(f64),
}

/// How often a line is told that is about the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Often {
    /// Once in the life of the process.
    Once,
    /// No more often than every minute.
    EveryMinute,
    /// Each time: whoever tells it knows that it is new.
    Always,
}

impl Line {
    /// A line for whoever wants to know.
    pub fn info(event: &str, message: impl Into<String>) -> Self {
        Self {
            message: readable(message),
            is_warning: false,
            fields: vec![("event", event.to_owned().into())],
        }
    }

    /// A line that somebody should look at.
    pub fn warning(event: &str, message: impl Into<String>) -> Self {
        Self {
            is_warning: true,
            ..Self::info(event, message)
        }
    }

    /// The same, with another field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Field>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl From<String> for Field {
    fn from(text: String) -> Self {
        Self::Text(readable(text))
    }
}

impl From<&str> for Field {
    fn from(text: &str) -> Self {
        Self::Text(readable(text))
    }
}

impl From<f64> for Field {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Field {
    fn from(number: u32) -> Self {
        Self::Number(number.into())
    }
}

/// Tells everything to this log from now on, as long as it is there.
pub fn tell_to(log: impl Log + 'static) {
    let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    logs.push(Box::new(log));
}

/// Tells of something, unless the same was told of just before: `about` says what is the same.
///
/// What nobody hears, because there is no log yet, was not told.
pub fn tell(often: Often, about: &str, line: impl FnOnce() -> Line) {
    let mut logs = LOGS.lock().unwrap_or_else(PoisonError::into_inner);
    logs.retain(|log| log.is_there());
    let Some(log) = logs.last() else {
        return;
    };
    let mut told = TOLD.lock().unwrap_or_else(PoisonError::into_inner);
    if told.is_new(often, about, Instant::now()) {
        log.write(line());
    }
}

#[derive(Debug, Default)]
struct Told(HashMap<String, Instant>);

impl Told {
    fn is_new(&mut self, often: Often, about: &str, now: Instant) -> bool {
        let told = self.0.get(about);
        let is_quiet = |told: &Instant| match often {
            Often::Once => true,
            Often::EveryMinute => now.saturating_duration_since(*told) < QUIET,
            Often::Always => false,
        };
        if told.is_some_and(is_quiet) {
            return false;
        }
        if self.0.len() >= MOST_REMEMBERED {
            self.0.clear();
        }
        self.0.insert(about.to_owned(), now);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_is_told_once_or_once_a_minute() {
        let mut told = Told::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(told.is_new(Often::EveryMinute, "limit", start));
        assert!(!told.is_new(Often::EveryMinute, "limit", at(59)));
        assert!(told.is_new(Often::EveryMinute, "limit", at(60)));
        assert!(told.is_new(Often::Once, "list", start));
        assert!(!told.is_new(Often::Once, "list", at(86_400)));
    }

    #[test]
    fn what_nobody_heard_is_told_to_who_comes_later() {
        #[derive(Clone, Debug, Default)]
        struct Heard(std::sync::Arc<Mutex<Vec<String>>>);

        impl Log for Heard {
            fn write(&self, line: Line) {
                let heard = self.0.lock();
                heard
                    .unwrap_or_else(PoisonError::into_inner)
                    .push(line.message);
            }

            fn is_there(&self) -> bool {
                true
            }
        }

        let about = "something of this test";
        let say = || tell(Often::Once, about, || Line::info("test", about));
        say();
        let log = Heard::default();
        tell_to(log.clone());
        say();
        say();
        let heard = log.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = heard.iter().filter(|message| *message == about).count();
        assert_eq!(count, 1);
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let mut told = Told::default();
        for number in 0..=MOST_REMEMBERED {
            assert!(told.is_new(Often::Once, &number.to_string(), Instant::now()));
        }
        assert!(told.0.len() <= MOST_REMEMBERED);
    }
}
