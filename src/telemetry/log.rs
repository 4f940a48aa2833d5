//! The events of the log: each is written once, or once a minute, and not for every read.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    fmt,
    hash::{BuildHasher, Hash, RandomState},
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use crate::text::readable;

/// For how long a line is not repeated that is about the same.
const QUIET: Duration = Duration::from_secs(60);

/// For how long no more once-only lines of one event are written after too many.
const SILENCE: Duration = Duration::from_secs(3600);

/// How many different lines of one event and level are written in an hour (once-only ones), or
/// in a minute. They may be about URLs, and anyone who registers URLs can make up many.
const MOST_TOLD: usize = 1_000;

/// Those who keep a log in this process; the newest writes.
static LOGS: Mutex<Vec<Box<dyn Log>>> = Mutex::new(Vec::new());

static TOLD: LazyLock<Mutex<Told>> = LazyLock::new(Mutex::default);

/// Where events are written.
pub trait Log: fmt::Debug + Send {
    /// Writes a line.
    fn write(&self, line: Event);

    /// Whether it can be written to at all; what has gone does not come back.
    fn is_there(&self) -> bool;
}

/// How much a line matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Level {
    /// For who looks for the cause of something.
    Debug,
    /// For information.
    Info,
    /// An operator should look.
    Warn,
}

impl Level {
    /// The name of the level, and of the logger's method for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
        }
    }
}

/// A line of the log.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// What happened, in a sentence.
    pub message: String,
    /// Who should look.
    pub level: Level,
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

/// How often an event about the same thing is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Once in the life of the process.
    Once,
    /// No more often than every minute.
    EveryMinute,
    /// Each time: the caller knows that it is new.
    Always,
}

impl Event {
    /// An informational event.
    pub fn info(event: &str, message: impl Into<String>) -> Self {
        Self {
            message: readable(message),
            level: Level::Info,
            fields: vec![("event", event.to_owned().into())],
        }
    }

    /// An event for debugging.
    pub fn detail(event: &str, message: impl Into<String>) -> Self {
        Self {
            level: Level::Debug,
            ..Self::info(event, message)
        }
    }

    /// An event that an operator should look at.
    pub fn warning(event: &str, message: impl Into<String>) -> Self {
        Self {
            level: Level::Warn,
            ..Self::info(event, message)
        }
    }

    /// The same, with another field.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<Field>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// The event that it is of.
    fn event(&self) -> &str {
        match self.fields.first() {
            Some((_, Field::Text(event))) => event,
            _ => "",
        }
    }

    /// What is written instead of one line too many of an event, and of those after it.
    fn too_many(&self, often: Repeat) -> Self {
        let event = self.event();
        let (time, until) = match often {
            Repeat::EveryMinute => (" in a minute", " in this minute"),
            _ => (" in an hour", " for an hour"),
        };
        let message = format!(
            "More than {MOST_TOLD} different lines of the event '{event}' were told{time}; others are not told{until}"
        );
        let line = Self::info("not told", message).with("of", event);
        Self {
            level: self.level,
            ..line
        }
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

/// Writes events to this log from now on, as long as it is there.
pub fn tell_to(log: impl Log + 'static) {
    let mut logs = LOGS.lock();
    logs.push(Box::new(log));
}

/// Writes an event, unless one about the same was written just before: `about` says what is the same.
///
/// An event without a log to write to does not count as written.
pub fn emit(often: Repeat, about: &(impl Hash + ?Sized), line: impl FnOnce() -> Event) {
    // Nearly always it was: then no log is looked at.
    let now = Instant::now();
    if TOLD.lock().is_told(often, about, now) {
        return;
    }
    let mut logs = LOGS.lock();
    logs.retain(|log| log.is_there());
    let Some(log) = logs.last() else {
        return;
    };
    let mut told = TOLD.lock();
    if let Some(line) = told.of(often, about, line, now) {
        log.write(line);
    }
}

/// Whether details are written.
static IS_DETAILED: AtomicBool = AtomicBool::new(false);

/// Turns details on or off: the events of the level `debug`.
pub fn detail(is_wanted: bool) {
    IS_DETAILED.store(is_wanted, Ordering::Relaxed);
}

/// Writes a detail, each time. Where details are off the event is not built.
pub fn emit_details(line: impl FnOnce() -> Event) {
    if IS_DETAILED.load(Ordering::Relaxed) {
        emit(Repeat::Always, "", line);
    }
}

/// What was written before, so that it is not written again: by its hash, which takes the same little
/// memory however long the text is.
#[derive(Debug, Default)]
struct Told {
    hasher: RandomState,
    once: HashSet<u64>,
    recent_map: HashMap<u64, Instant>,
    /// When `recent_map` was last rid of what is too old.
    tidied: Option<Instant>,
    /// By how often, level and name: what is only informational does not silence warnings.
    events: HashMap<(Repeat, Level, String), Allowance>,
}

/// How many lines of one event were written in this hour, or in this minute.
#[derive(Debug)]
struct Allowance {
    since: Instant,
    lines: usize,
    /// The once-only lines, the oldest first.
    once: VecDeque<u64>,
}

impl Allowance {
    const fn new(now: Instant) -> Self {
        Self {
            since: now,
            lines: 0,
            once: VecDeque::new(),
        }
    }

    /// Counts from zero again once its time has passed. Returns the once-only lines that are forgotten.
    fn renew(&mut self, often: Repeat, now: Instant) -> Vec<u64> {
        let time = if often == Repeat::Once {
            SILENCE
        } else {
            QUIET
        };
        if now.saturating_duration_since(self.since) < time {
            return Vec::new();
        }
        self.since = now;
        self.lines = 0;
        let oldest = self.once.len().saturating_sub(MOST_TOLD);
        self.once.drain(..oldest).collect()
    }
}

impl Told {
    /// The lines to write: none where it was written before; after too many lines of an event, one
    /// that says so, and then none.
    fn of(
        &mut self,
        often: Repeat,
        about: &(impl Hash + ?Sized),
        line: impl FnOnce() -> Event,
        now: Instant,
    ) -> Option<Event> {
        if often == Repeat::Always {
            return Some(line());
        }
        if self.is_told(often, about, now) {
            return None;
        }
        let about = self.hasher.hash_one((often, about));
        let line = line();
        let key = (often, line.level, line.event().to_owned());
        let event = self
            .events
            .entry(key)
            .or_insert_with(|| Allowance::new(now));
        for oldest in event.renew(often, now) {
            self.once.remove(&oldest);
        }
        event.lines = event.lines.saturating_add(1);
        let lines = event.lines;
        if lines > MOST_TOLD {
            return (lines == MOST_TOLD + 1).then(|| line.too_many(often));
        }
        if often == Repeat::Once {
            event.once.push_back(about);
        }
        self.remember(often, about, now);
        Some(line)
    }

    /// Whether a line about this was written before, and is not written again yet.
    fn is_told(&self, often: Repeat, about: &(impl Hash + ?Sized), now: Instant) -> bool {
        let about = self.hasher.hash_one((often, about));
        match often {
            Repeat::Once => self.once.contains(&about),
            Repeat::EveryMinute => self
                .recent_map
                .get(&about)
                .is_some_and(|told| is_quiet(*told, now)),
            Repeat::Always => false,
        }
    }

    fn remember(&mut self, often: Repeat, about: u64, now: Instant) {
        if often == Repeat::Once {
            self.once.insert(about);
            return;
        }
        if self.tidied.is_none_or(|tidied| !is_quiet(tidied, now)) {
            self.recent_map.retain(|_, told| is_quiet(*told, now));
            self.tidied = Some(now);
        }
        self.recent_map.insert(about, now);
    }
}

fn is_quiet(told: Instant, now: Instant) -> bool {
    now.saturating_duration_since(told) < QUIET
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// The log is the process's: tests that listen to it take turns.
    pub(crate) static TURN: tokio::sync::Mutex<()> = tokio::sync::Mutex::const_new(());

    impl Told {
        fn line(&mut self, often: Repeat, about: &str, now: Instant) -> Option<String> {
            let line = || Event::info("test", about);
            self.of(often, about, line, now).map(|line| line.message)
        }

        fn is_new(&mut self, often: Repeat, about: &str, now: Instant) -> bool {
            self.line(often, about, now).is_some()
        }
    }

    #[test]
    fn the_same_is_told_once_or_once_a_minute() {
        let mut told = Told::default();
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        assert!(told.is_new(Repeat::EveryMinute, "limit", start));
        assert!(!told.is_new(Repeat::EveryMinute, "limit", at(59)));
        assert!(told.is_new(Repeat::EveryMinute, "limit", at(60)));
        assert!(told.is_new(Repeat::Once, "list", start));
        assert!(!told.is_new(Repeat::Once, "list", at(86_400)));
    }

    #[test]
    fn what_nobody_heard_is_told_to_who_comes_later() {
        #[derive(Clone, Debug, Default)]
        struct Heard(std::sync::Arc<Mutex<Vec<String>>>);

        impl Log for Heard {
            fn write(&self, line: Event) {
                self.0.lock().push(line.message);
            }

            fn is_there(&self) -> bool {
                true
            }
        }

        let _turn = TURN.blocking_lock();
        LOGS.lock().clear();
        let about = "something of this test";
        let say = || emit(Repeat::Once, about, || Event::info("test", about));
        say();
        let log = Heard::default();
        tell_to(log.clone());
        say();
        say();
        let heard = log.0.lock();
        let count = heard.iter().filter(|message| *message == about).count();
        assert_eq!(count, 1);
    }

    #[test]
    fn of_what_never_ends_it_is_told_once_that_no_more_is_told() {
        let mut told = Told::default();
        let now = Instant::now();
        let mut lines = Vec::new();
        for _ in 0..4 {
            for number in 0..MOST_TOLD + 500 {
                lines.extend(told.line(Repeat::Once, &number.to_string(), now));
            }
        }
        assert_eq!(lines.len(), MOST_TOLD + 1);
        let last = "More than 1000 different lines of the event 'test' were told in an hour; others are not told for an hour";
        assert_eq!(lines.last().map(String::as_str), Some(last));
        assert_eq!(told.once.len(), MOST_TOLD);
    }

    #[test]
    fn what_is_told_every_minute_is_told_again_in_the_next() {
        let mut told = Told::default();
        let start = Instant::now();
        for minute in 0..3 {
            let now = start + Duration::from_secs(60 * minute);
            let abouts = (0..MOST_TOLD + 500).map(|number| number.to_string());
            let count = abouts
                .filter(|about| told.is_new(Repeat::EveryMinute, about, now))
                .count();
            assert_eq!(count, MOST_TOLD + 1);
            assert!(told.recent_map.len() <= MOST_TOLD);
        }
    }

    #[test]
    fn the_silence_ends_after_an_hour_and_memory_is_bounded() {
        let mut told = Told::default();
        let start = Instant::now();
        for hour in 0..5 {
            let now = start + SILENCE * hour;
            let abouts = (0..MOST_TOLD + 500).map(|number| format!("{hour} {number}"));
            let count = abouts
                .filter(|about| told.is_new(Repeat::Once, about, now))
                .count();
            assert_eq!(count, MOST_TOLD + 1);
            assert!(told.once.len() <= 2 * MOST_TOLD);
        }
        assert!(!told.is_new(Repeat::Once, "4 0", start + SILENCE * 5));
    }

    #[test]
    fn what_is_only_to_be_known_does_not_silence_warnings() {
        let mut told = Told::default();
        let now = Instant::now();
        for number in 0..2 * MOST_TOLD {
            told.is_new(Repeat::Once, &number.to_string(), now);
        }
        let mut warnings = (0..=MOST_TOLD).map(|number| {
            let about = format!("warning {number}");
            told.of(Repeat::Once, &about, || Event::warning("test", "x"), now)
        });
        assert!(warnings.all(|line| line.is_some_and(|line| line.level == Level::Warn)));
    }

    #[test]
    fn one_event_does_not_silence_another() {
        let mut told = Told::default();
        let now = Instant::now();
        for number in 0..2 * MOST_TOLD {
            told.is_new(Repeat::Once, &number.to_string(), now);
        }
        let line = told.of(Repeat::Once, "x", || Event::warning("other", "x"), now);
        assert!(line.is_some());
    }
}
