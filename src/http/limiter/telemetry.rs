//! Measurements and log events about one principal's requests to one host.

use std::{
    borrow::Cow,
    collections::HashMap,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use reqwest::StatusCode;
use tokio::time::{Instant, timeout};

use super::{counters::Counters, headers::Doubt, operation::Operation, policy::Cause};
use crate::{
    telemetry::log::{Event, Repeat, emit, emit_details},
    telemetry::metrics::{self, Counter, Labels, Metric, reader_labels},
};

/// From this on, a wait for a permit is logged.
const LONG_WAIT: Duration = Duration::from_secs(5);

/// For how long a reported budget is believed: Azure DevOps counts over five minutes.
const BUDGET_AGE: Duration = Duration::from_secs(300);

/// The most organizations of one host whose budgets are remembered each by itself; of the others the
/// smallest is.
const MOST_BUDGETS: usize = 1000;

/// The name under which they are counted together.
const OTHER_ORGANIZATIONS: &str = "other";

/// What the place of every configured credential contains.
const CREDENTIALS: &str = "credentials[";

/// Why a request is retried that a rate limit refused.
pub(crate) const LIMITED: &str = "limited";

/// The principal and host, and their current state.
#[derive(Debug)]
pub(crate) struct Telemetry {
    host: String,
    credential: &'static str,
    /// The credential's place in the app-config, or where else it comes from.
    place: Arc<str>,
    waiting: AtomicU32,
    counters: Counters,
    /// What was left of each organization's budget, and when that was reported.
    budgets: Mutex<HashMap<String, (f64, Instant)>>,
}

/// What caused a cool-down.
#[derive(Clone, Copy, Debug)]
pub(crate) enum CoolDownBy<'a> {
    /// An answer for this organization.
    Host(&'a str),
    /// Another replica, which shares it.
    Replica,
}

/// A request that waits for a permit, for as long as it does.
pub(crate) struct Waiting<'a> {
    telemetry: &'a Telemetry,
    since: Instant,
}

impl Telemetry {
    pub(crate) fn new(host: &str, credential: &'static str, place: Arc<str>) -> Self {
        Self {
            host: host.to_owned(),
            credential,
            place,
            waiting: AtomicU32::new(0),
            counters: Counters::new(),
            budgets: Mutex::default(),
        }
    }

    /// One more request waits, until the result is dropped.
    pub(crate) fn waits(&self) -> Waiting<'_> {
        self.waiting.fetch_add(1, Ordering::Relaxed);
        Waiting {
            telemetry: self,
            since: Instant::now(),
        }
    }

    /// How many requests wait.
    pub(crate) fn waiting(&self) -> u32 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// A request got its permit, or left the queue.
    fn waited(&self, time: Duration) {
        metrics::time(Metric::QueueWait, || self.labels(), time);
    }

    /// A request has waited for long, and what for.
    fn waits_for_long(&self, time: Duration, cause: Cause) {
        let (cause, because) = match cause {
            Cause::Limited => ("limited", "Azure DevOps throttles them".to_owned()),
            Cause::Configured(most) => (
                "maxApiRequestsPerMinute",
                format!("maxApiRequestsPerMinute lets {most} go in a minute"),
            ),
            Cause::Unanswered(number) => (
                "unanswered",
                format!("{} answers slowly: {number} are on their way", self.host),
            ),
        };
        self.emit(&format!("waits {cause}"), || {
            let (host, who) = (&self.host, self.who());
            let (waiting, seconds) = (self.waiting(), time.as_secs_f64());
            let message = format!(
                "Reads of {host} with {who} wait, because {because}. One has waited {seconds:.1} s, {waiting} are waiting"
            );
            self.line(Event::info("waiting", message))
                .with("cause", cause)
                .with("seconds", seconds)
                .with("waiting", waiting)
        });
    }

    /// The credential, in words for a message.
    fn who(&self) -> String {
        let is_configured = self.place.contains(CREDENTIALS);
        let place = if is_configured {
            format!(" ({})", self.place)
        } else {
            String::new()
        };
        format!("{}{place}", self.credential)
    }

    /// A request was answered, or failed.
    pub(crate) fn requested(
        &self,
        operation: &Operation<'_>,
        status: Option<StatusCode>,
        time: Duration,
        waited: Duration,
    ) {
        let in_words = |status: &Option<StatusCode>| {
            let status = status.as_ref().map_or("none", StatusCode::as_str);
            status.to_owned()
        };
        emit_details(|| {
            let status = in_words(&status);
            let (seconds, waited) = (time.as_secs_f64(), waited.as_secs_f64());
            let Operation { name, organization } = operation;
            let message = format!(
                "Asked {}, organization {organization}, with {} ({name}): {} after {:.0} ms, having waited {:.0} ms",
                self.host,
                self.who(),
                status,
                1000.0 * seconds,
                1000.0 * waited
            );
            self.line(Event::detail("request", message))
                .with("operation", *name)
                .with("organization", *organization)
                .with("status", &*status)
                .with("seconds", seconds)
                .with("waited", waited)
        });
        metrics::time(Metric::RequestTime, || self.labels_of(operation), time);
        let labels = || {
            with(
                self.labels_of(operation),
                "status",
                in_words(&status).into(),
            )
        };
        let counter = self
            .counters
            .of(Metric::Requests, operation, status, labels);
        counter.add(1);
    }

    /// Where the bytes of a content are counted.
    pub(crate) fn received(&self, operation: &Operation<'_>) -> Counter {
        let labels = || self.labels_of(operation);
        self.counters.of(Metric::Received, operation, None, labels)
    }

    /// A request is made again.
    pub(crate) fn retries(
        &self,
        operation: &Operation<'_>,
        reason: Cow<'static, str>,
        wait: Duration,
    ) {
        // A rate limit is logged as a cool-down, with its length.
        if reason != LIMITED {
            self.emit_retry(operation.name, &reason, wait);
        }
        let labels = with(self.labels_of(operation), "reason", reason);
        metrics::count(Metric::Retries, labels);
    }

    fn emit_retry(&self, operation: &'static str, reason: &str, wait: Duration) {
        self.emit(&format!("again {operation} {reason}"), || {
            let (host, seconds) = (&self.host, wait.as_secs_f64());
            let is_status = reason.bytes().all(|byte| byte.is_ascii_digit());
            let answered = if is_status { "answered " } else { "" };
            let message =
                format!("Asking {host} again ({operation}) in {seconds:.1} s: {answered}{reason}");
            self.line(Event::info("retried", message))
                .with("operation", operation)
                .with("reason", reason)
                .with("seconds", seconds)
        });
    }

    /// A cool-down began.
    pub(crate) fn cooled_down(&self, by: CoolDownBy<'_>, time: Duration) {
        let (source, organization) = match by {
            CoolDownBy::Host(organization) => ("host", organization),
            CoolDownBy::Replica => ("replica", ""),
        };
        let labels = with(self.labels(), "source", source.into());
        metrics::count(Metric::Cooldowns, labels);
        self.emit(&format!("closed {organization}"), || {
            let (host, who) = (&self.host, self.who());
            let seconds = time.as_secs_f64();
            let (place, why) = match by {
                CoolDownBy::Host(organization) => {
                    (format!("{host}, organization {organization}"), "")
                }
                CoolDownBy::Replica => (host.clone(), ", as another replica reports"),
            };
            let message = format!(
                "Azure DevOps throttles {who} at {place}: no requests for {seconds:.1} s{why}"
            );
            self.line(Event::warning("throttled", message))
                .with("organization", organization)
                .with("seconds", seconds)
                .with("source", source)
        });
    }

    /// An answer stated limits that cannot be.
    pub(crate) fn doubts(
        &self,
        Doubt {
            header,
            said,
            believed,
        }: &Doubt,
    ) {
        self.emit(&format!("doubts {header}"), || {
            let (host, who) = (&self.host, self.who());
            let message = format!(
                "{host} answers {who} with {header}: {said}, which is beyond what Azure DevOps asks for: {believed}"
            );
            self.line(Event::warning("doubted", message))
                .with("header", *header)
                .with("said", said.as_str())
        });
    }

    /// An answer stated what is left of an organization's budget.
    pub(crate) fn left(&self, organization: &str, left: f64) {
        let said = Instant::now();
        let mut budgets = self.budgets();
        if let Some(known) = budgets.get_mut(organization) {
            *known = (left, said);
        } else if budgets.len() < MOST_BUDGETS {
            budgets.insert(organization.to_owned(), (left, said));
        } else {
            let others = budgets.entry(OTHER_ORGANIZATIONS.to_owned());
            let least = others.or_insert((left, said));
            if left <= least.0 || least.1.elapsed() >= BUDGET_AGE {
                *least = (left, said);
            }
        }
    }

    /// What is left of each organization's budget, as far as that was stated recently.
    pub(crate) fn all_left(&self) -> Vec<(Labels, f64)> {
        let mut budgets = self.budgets();
        budgets.retain(|_, (_, said)| said.elapsed() < BUDGET_AGE);
        let labelled = budgets.iter().map(|(organization, (left, _))| {
            let organization = organization.clone().into();
            (with(self.labels(), "organization", organization), *left)
        });
        labelled.collect()
    }

    pub(crate) fn labels(&self) -> Labels {
        reader_labels(&self.host, self.credential, &self.place)
    }

    fn labels_of(&self, operation: &Operation<'_>) -> Labels {
        let organization = operation.organization.to_owned().into();
        let labels = with(self.labels(), "organization", organization);
        with(labels, "operation", operation.name.into())
    }

    fn emit(&self, about: &str, line: impl FnOnce() -> Event) {
        let about = [&self.host, self.credential, &self.place, about].join("\0");
        emit(Repeat::EveryMinute, &about, line);
    }

    fn line(&self, line: Event) -> Event {
        line.with("host", self.host.as_str())
            .with("credential", self.credential)
            .with("place", &*self.place)
    }

    fn budgets(&self) -> MutexGuard<'_, HashMap<String, (f64, Instant)>> {
        self.budgets.lock()
    }
}

impl Waiting<'_> {
    /// Awaits something; a long wait is logged while it lasts, and not when it is over.
    pub(crate) async fn told<T>(
        &self,
        awaited: impl Future<Output = T>,
        cause: impl Fn() -> Cause,
    ) -> T {
        let mut awaited = pin!(awaited);
        if let Ok(awaited) = timeout(LONG_WAIT, &mut awaited).await {
            return awaited;
        }
        self.telemetry.waits_for_long(self.since.elapsed(), cause());
        awaited.await
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.telemetry.waiting.fetch_sub(1, Ordering::Relaxed);
        self.telemetry.waited(self.since.elapsed());
    }
}

fn with(mut labels: Labels, name: &'static str, value: Cow<'static, str>) -> Labels {
    labels.push((name, value));
    labels
}
