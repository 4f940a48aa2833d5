//! Telemetry across the boundary: measurements on request, and events as they happen.

use std::{collections::HashMap, fmt, time::Duration};

use napi::{
    Either, Status,
    bindgen_prelude::FnArgs,
    threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode},
};
use napi_derive::napi;

use crate::{
    fault,
    http::{self, Limit, limits},
    reader::bytes_stored,
    telemetry::log::{self, Event, Field, Repeat},
    telemetry::metrics::{self, Labels},
    text::readable,
};

/// Values of a line or a measurement, by their names.
type Fields = HashMap<&'static str, Either<String, f64>>;

type Write = ThreadsafeFunction<
    FnArgs<(String, &'static str, Fields)>,
    (),
    FnArgs<(String, &'static str, Fields)>,
    Status,
    false,
    true,
>;

/// One value of one instrument.
#[napi(object, object_from_js = false)]
pub struct Measurement {
    /// The instrument's name.
    pub name: &'static str,
    /// Its labels.
    pub attributes: HashMap<&'static str, String>,
    /// The value: a number of things or bytes, a share between 0 and 1, or seconds.
    pub value: f64,
}

/// How long things of one kind took.
#[napi(object, object_from_js = false)]
pub struct Durations {
    /// The instrument's name.
    pub name: &'static str,
    /// Their labels.
    pub attributes: HashMap<&'static str, String>,
    /// Each one's time, in seconds.
    pub seconds: Vec<f64>,
}

/// All that is measured.
#[napi(object, object_from_js = false)]
pub struct Measurements {
    /// What was counted since the process began.
    pub counts: Vec<Measurement>,
    /// The current values.
    pub levels: Vec<Measurement>,
    /// What ended since this was asked last.
    pub durations: Vec<Durations>,
}

/// All that this process has measured of what it read. What took how long is given once.
#[napi(catch_unwind)]
pub fn measurements() -> Measurements {
    fault::point("measurements");
    let counts = metrics::counted().into_iter();
    let times = metrics::take_times().into_iter();
    Measurements {
        counts: counts
            .map(|(series, count)| measurement(series.metric.name(), &series.labels, number(count)))
            .collect(),
        levels: limits()
            .iter()
            .flat_map(|(labels, limit)| levels(labels, limit))
            .chain(sizes())
            .collect(),
        durations: times
            .map(|(series, times)| Durations {
                name: series.metric.name(),
                attributes: attributes(&series.labels),
                seconds: times.iter().map(Duration::as_secs_f64).collect(),
            })
            .collect(),
    }
}

/// Notes from now on how long things take, for [`measurements`].
#[napi(catch_unwind)]
pub fn start_times() {
    metrics::start_times();
}

/// Writes all log events to `write` from now on: a message, the level, and fields.
#[napi(
    catch_unwind,
    ts_args_type = "write: (message: string, level: 'debug' | 'info' | 'warn', fields: Record<string, string | number>) => void"
)]
pub fn log_to(write: Write) {
    log::tell_to(LogFunction(write));
}

/// The proxies that the environment names, in words that show no secret; what names none says why.
#[napi(catch_unwind)]
pub fn proxies() -> Vec<String> {
    http::proxies()
}

/// Logs that a search found nothing, and why, once a minute.
#[napi(catch_unwind)]
pub fn tell_not_found(message: String) {
    log::emit(Repeat::EveryMinute, &message, || {
        Event::info("not found", message.as_str())
    });
}

/// Whether each request is logged, at the level `debug`.
#[napi(catch_unwind)]
pub fn log_details(is_wanted: bool) {
    log::detail(is_wanted);
}

struct LogFunction(Write);

impl log::Log for LogFunction {
    fn write(&self, line: Event) {
        fault::point("log");
        let fields = line.fields.into_iter().map(|(name, value)| {
            let value = match value {
                Field::Text(text) => Either::A(text),
                Field::Number(number) => Either::B(number),
            };
            (name, value)
        });
        let level = line.level.name();
        let arguments = (line.message, level, fields.collect()).into();
        self.0
            .call(arguments, ThreadsafeFunctionCallMode::NonBlocking);
    }

    fn is_there(&self) -> bool {
        !self.0.aborted()
    }
}

impl fmt::Debug for LogFunction {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LogFunction")
    }
}

fn levels(labels: &Labels, limit: &Limit) -> Vec<Measurement> {
    let of = |name, value| measurement(name, labels, value);
    let closed = limit.cool_down.as_secs_f64();
    let mut levels = vec![
        of("azure_devops.queue.length", limit.waiting.into()),
        of("azure_devops.throttle.remaining", closed),
    ];
    let left = limit.left.iter();
    levels.extend(
        left.map(|(labels, left)| measurement("azure_devops.throttle.budget", labels, *left)),
    );
    levels
}

fn sizes() -> impl Iterator<Item = Measurement> {
    bytes_stored().into_iter().map(|(cache, bytes)| {
        let labels = vec![("cache", cache.into())];
        measurement("azure_devops.cache.size", &labels, number(bytes))
    })
}

fn measurement(name: &'static str, labels: &Labels, value: f64) -> Measurement {
    Measurement {
        name,
        attributes: attributes(labels),
        value,
    }
}

fn attributes(labels: &Labels) -> HashMap<&'static str, String> {
    let labels = labels.iter();
    labels
        .map(|(name, value)| (*name, readable(value.clone())))
        .collect()
}

#[expect(
    clippy::cast_precision_loss,
    reason = "JavaScript has no other numbers, and no count here comes near their end"
)]
pub(super) const fn number(count: u64) -> f64 {
    count as f64
}
