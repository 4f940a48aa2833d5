//! Measurements: counts and times.

use std::{
    borrow::Cow,
    collections::HashMap,
    mem,
    sync::{
        Arc, LazyLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use crate::telemetry::log::{Event, Repeat, emit};

/// The most series that are counted each by itself; a few hosts, credentials and operations make no
/// more than some dozens. Others are counted together: first those of all other organizations, then those
/// of other hosts as well, and beyond as many again whatever they are.
const MOST_SERIES: usize = 2_000;

/// What a label says of all those that are counted together.
const OTHER: &str = "other";

/// The most times of one metric that wait to be taken: where that is not done often, later ones are
/// missing, which is logged.
const MOST_TIMES: usize = 16_384;

/// Whether times are collected; until then none is kept.
static ARE_TIMES_TAKEN: AtomicBool = AtomicBool::new(false);

static COUNTS: LazyLock<Mutex<HashMap<Series, Counter>>> = LazyLock::new(Mutex::default);
static TIMES: LazyLock<Mutex<Times>> = LazyLock::new(Mutex::default);

/// What is measured, by the names of its OpenTelemetry instruments.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Metric {
    /// Requests for anything but tokens, however they ended.
    Requests,
    /// Requests that were made again.
    Retries,
    /// Bytes of contents that came.
    Received,
    /// Times in which a host lets a principal ask nothing.
    Cooldowns,
    /// Answers in whose place an earlier one stood.
    StaleAnswers,
    /// Cache lookups.
    Lookups,
    /// Requests for tokens.
    TokenRequests,
    /// How long a request took, until the head of its answer.
    RequestTime,
    /// How long a request waited for leave to go.
    QueueWait,
}

impl Metric {
    /// The name of the instrument.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Requests => "azure_devops.requests",
            Self::Retries => "azure_devops.retries",
            Self::Received => "azure_devops.received",
            Self::Cooldowns => "azure_devops.throttle.cooldowns",
            Self::StaleAnswers => "azure_devops.stale_answers",
            Self::Lookups => "azure_devops.cache.lookups",
            Self::TokenRequests => "azure_devops.token.requests",
            Self::RequestTime => "azure_devops.request.duration",
            Self::QueueWait => "azure_devops.queue.wait.duration",
        }
    }
}

/// The labels of a series: names and values, none of them a secret or as many as there are reads.
pub type Labels = Vec<(&'static str, Cow<'static, str>)>;

/// The labels of a principal: its host, its kind of credential, and the place of that in the
/// app-config.
#[must_use]
pub fn reader_labels(host: &str, credential: &'static str, place: &str) -> Labels {
    vec![
        ("host", host.to_owned().into()),
        ("credential", credential.into()),
        ("place", place.to_owned().into()),
    ]
}

/// One metric with one set of labels.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Series {
    /// What is measured.
    pub metric: Metric,
    /// Of what.
    pub labels: Labels,
}

impl Series {
    /// Those in whose place `other` stands for these labels.
    fn with_other(&self, is_other: impl Fn(&str) -> bool) -> Self {
        let labels = self.labels.iter().map(|(name, value)| {
            let other = is_other(name).then_some(Cow::Borrowed(OTHER));
            (*name, other.unwrap_or_else(|| value.clone()))
        });
        Self {
            metric: self.metric,
            labels: labels.collect(),
        }
    }
}

/// The count of one series.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

impl Counter {
    /// The counter of a series; that of what is counted together, where there are too many.
    #[must_use]
    pub fn of(metric: Metric, labels: Labels) -> Self {
        let (counter, is_together) = find(&mut counts(), Series { metric, labels });
        if is_together {
            tell_together();
        }
        counter
    }

    /// Counts so many.
    pub fn add(&self, number: u64) {
        self.0.fetch_add(number, Ordering::Relaxed);
    }

    fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The counter of a series, and whether others are counted there as well.
fn find(counts: &mut HashMap<Series, Counter>, series: Series) -> (Counter, bool) {
    if let Some(counter) = counts.get(&series) {
        return (counter.clone(), false);
    }
    if counts.len() < MOST_SERIES {
        return (counts.entry(series).or_default().clone(), false);
    }
    let steps: [(usize, &[&str]); 2] = [
        (MOST_SERIES + MOST_SERIES / 4, &["organization"]),
        (2 * MOST_SERIES, &["organization", "host", "place"]),
    ];
    for (most, labels) in steps {
        let together = series.with_other(|label| labels.contains(&label));
        if counts.len() < most || counts.contains_key(&together) {
            return (counts.entry(together).or_default().clone(), true);
        }
    }
    let any = series.with_other(|_| true);
    (counts.entry(any).or_default().clone(), true)
}

fn tell_together() {
    emit(Repeat::Once, "series", || {
        let message = format!(
            "There are more than {MOST_SERIES} series of measurements: what is new is counted together, under '{OTHER}'"
        );
        Event::warning("series", message)
    });
}

/// Counts one.
pub fn count(metric: Metric, labels: Labels) {
    Counter::of(metric, labels).add(1);
}

/// The outcome of a cache lookup.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// This process had it.
    Here,
    /// Another replica had it.
    AtReplica,
    /// Azure DevOps was asked for it.
    Nowhere,
}

/// Counts so many things that were looked for in a cache.
pub fn count_lookups(cache: &'static str, found: Found, number: usize) {
    if number > 0 {
        let found = match found {
            Found::Here => "hit",
            Found::AtReplica => "replica",
            Found::Nowhere => "miss",
        };
        let labels = vec![("cache", cache.into()), ("result", found.into())];
        Counter::of(Metric::Lookups, labels).add(number as u64);
    }
}

/// Notes how long something took, if times are collected.
pub fn time(metric: Metric, labels: impl FnOnce() -> Labels, time: Duration) {
    if !ARE_TIMES_TAKEN.load(Ordering::Relaxed) {
        return;
    }
    let labels = labels();
    let is_noted = times().note(Series { metric, labels }, time);
    if !is_noted {
        emit(Repeat::Once, "times", || {
            let message = format!(
                "More than {MOST_TIMES} times of {} came between two collections of the measurements: later ones are missing. Collect them more often",
                metric.name()
            );
            Event::warning("times", message)
        });
    }
}

/// From now on notes how long things take, for [`take_times`].
pub fn start_times() {
    ARE_TIMES_TAKEN.store(true, Ordering::Relaxed);
}

/// All that was counted since the process began.
#[must_use]
pub fn counted() -> Vec<(Series, u64)> {
    let counts = counts();
    let counted = counts.iter();
    counted
        .map(|(series, counter)| (series.clone(), counter.value()))
        .collect()
}

/// What took how long since this was asked last.
#[must_use]
pub fn take_times() -> Vec<(Series, Vec<Duration>)> {
    mem::take(&mut *times()).by_series.into_iter().collect()
}

#[derive(Debug, Default)]
struct Times {
    by_series: HashMap<Series, Vec<Duration>>,
    by_metric: HashMap<Metric, usize>,
}

impl Times {
    /// Whether there was room for it.
    fn note(&mut self, series: Series, time: Duration) -> bool {
        let number = self.by_metric.entry(series.metric).or_default();
        let has_room = *number < MOST_TIMES;
        if has_room {
            *number += 1;
            self.by_series.entry(series).or_default().push(time);
        }
        has_room
    }
}

fn counts() -> MutexGuard<'static, HashMap<Series, Counter>> {
    COUNTS.lock()
}

fn times() -> MutexGuard<'static, Times> {
    TIMES.lock()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(host: &'static str) -> Labels {
        vec![("host", host.into())]
    }

    #[test]
    fn one_series_has_one_count() {
        for _ in 0..3 {
            count(Metric::StaleAnswers, labels("one"));
        }
        count(Metric::StaleAnswers, labels("other"));
        let counted: HashMap<Series, u64> = counted().into_iter().collect();
        let of = |host| {
            let (metric, labels) = (Metric::StaleAnswers, labels(host));
            counted.get(&Series { metric, labels }).copied()
        };
        assert_eq!((of("one"), of("other")), (Some(3), Some(1)));
    }

    #[test]
    fn however_many_series_there_are_nothing_is_missing_and_memory_is_bounded() {
        let mut counts = HashMap::new();
        let mut count = |host: u32, status: u32| {
            let labels = vec![
                ("host", host.to_string().into()),
                ("status", status.to_string().into()),
            ];
            let metric = Metric::Requests;
            find(&mut counts, Series { metric, labels }).0.add(1);
        };
        for host in 0..3_000 {
            count(host, 200);
        }
        for status in 0..7_000 {
            count(0, 1_000 + status);
        }
        count(0, 200);
        let all: u64 = counts.values().map(Counter::value).sum();
        assert_eq!(all, 10_001);
        assert!(counts.len() <= 2 * MOST_SERIES + 1);
        let of = |host: &'static str, status: &'static str| {
            let labels = vec![("host", host.into()), ("status", status.into())];
            let metric = Metric::Requests;
            counts.get(&Series { metric, labels }).map(Counter::value)
        };
        assert_eq!(of("0", "200"), Some(2));
        assert_eq!(of("2400", "200"), Some(1));
        assert_eq!(of("other", "200"), Some(500));
        assert!(of("other", "other").is_some_and(|count| count > 0));
    }

    #[test]
    fn no_more_times_wait_than_there_is_room_for() {
        let mut times = Times::default();
        let series = Series {
            metric: Metric::QueueWait,
            labels: labels("host"),
        };
        let time = Duration::from_millis(1);
        let noted = (0..=MOST_TIMES).filter(|_| times.note(series.clone(), time));
        assert_eq!(noted.count(), MOST_TIMES);
        assert_eq!(times.by_series[&series].len(), MOST_TIMES);
        // One metric leaves no less room for another.
        let other = Series {
            metric: Metric::RequestTime,
            ..series
        };
        assert!(times.note(other, time));
    }
}
