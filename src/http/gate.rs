//! The queue of one reader at one host: all its requests pass here, whichever plugin asks.

use std::{
    borrow::Cow,
    collections::HashMap,
    num::NonZeroU32,
    pin::pin,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use reqwest::{Response, header::HeaderMap};
use tokio::{
    sync::{Mutex as Turn, Notify},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    client::{Failure, Received},
    closings::{self, Place},
    pace::{Admission, Cause, Heard, Pace, Refusal},
    report::{Asking, ClosedBy, Report},
    signals::Signals,
};
use crate::{
    cache::Lately,
    credentials::{Authorization, Reader},
    fault,
    metrics::Labels,
};

/// From so many gates on, those that nobody uses are forgotten.
const MANY: usize = 64;

/// How long a gate that nobody uses is remembered at least.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Of how many organizations a gate remembers whether they let the reader in: of those that answered
/// last.
const MOST_ORGANIZATIONS: usize = 1000;

static GATES: LazyLock<Mutex<Gates>> = LazyLock::new(Mutex::default);

/// The gates that are remembered.
#[derive(Debug, Default)]
struct Gates {
    by_reader: HashMap<(Reader, String), Arc<Gate>>,
    /// At how many of them it is looked again which nobody uses: twice as many as were left, so that
    /// this costs a request the same however many there are.
    next_look: usize,
}

impl Gates {
    fn of(&mut self, reader: Reader, host: &str, new: impl FnOnce() -> Gate) -> Arc<Gate> {
        let key = (reader, host.to_owned());
        if let Some(gate) = self.by_reader.get(&key) {
            return Arc::clone(gate);
        }
        if self.by_reader.len() >= self.next_look.max(MANY) {
            self.by_reader
                .retain(|_, gate| Arc::strong_count(gate) > 1 || !gate.is_forgotten());
            self.next_look = 2 * self.by_reader.len();
        }
        let gate = Arc::new(new());
        self.by_reader.insert(key, Arc::clone(&gate));
        gate
    }
}

/// What the requests of one reader to one host pass, one after the other, in the order in which they
/// came, as fast as the host lets this reader ask.
#[derive(Debug)]
pub(super) struct Gate {
    /// Whoever has it is the next to go; it is handed on in the order in which it was asked for.
    turn: Turn<()>,
    state: Mutex<State>,
    changed: Notify,
    report: Report,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    /// Of the organizations that are known, whether they let the reader in.
    accepted: Lately<bool>,
    used_at: Instant,
    /// Where its closings stand for other replicas, if they are shared.
    shared_as: Option<Place>,
    /// When it was asked last whether another replica has closed it.
    news_at: Option<Instant>,
    /// Whether other replicas are being told of a closing.
    is_telling: bool,
}

/// There is less time than it takes to be let through.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// For how long nothing is to be asked, if a server has said so.
    pub wait: Option<Duration>,
    /// What it would have waited for.
    pub cause: Cause,
}

impl Gate {
    /// The gate of whoever reads, at a host.
    pub(super) fn of(authorization: &Authorization, host: &str) -> Arc<Self> {
        let gate = {
            let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
            gates.of(authorization.reader(), host, || {
                let credential = authorization.identity().title();
                Self::new(Report::new(host, credential, authorization.place()))
            })
        };
        gate.state().shared_as = Place::of(authorization, host);
        gate
    }

    fn new(report: Report) -> Self {
        let now = Instant::now();
        Self {
            turn: Turn::default(),
            state: Mutex::new(State {
                pace: Pace::new(now),
                accepted: Lately::new(MOST_ORGANIZATIONS),
                used_at: now,
                shared_as: None,
                news_at: None,
                is_telling: false,
            }),
            changed: Notify::new(),
            report,
        }
    }

    /// Waits for its turn and until it may go; whoever drops this has left the queue.
    ///
    /// # Errors
    /// It would be let through after the deadline.
    pub(super) async fn enter(
        self: Arc<Self>,
        per_minute: Option<NonZeroU32>,
        deadline: Instant,
    ) -> Result<Pass, Closed> {
        let came = Instant::now();
        {
            // Measured however it ends.
            let waiting = self.report.waits();
            let entered = pin!(self.wait(per_minute, deadline));
            let cause = || self.cause(per_minute);
            let entered = waiting.told(timeout_at(deadline, entered), cause).await;
            entered.map_err(|_| Closed {
                wait: None,
                cause: cause(),
            })??;
        }
        let went = Instant::now();
        Ok(Pass {
            went,
            waited: went - came,
            gate: self,
            per_minute,
            deadline,
        })
    }

    async fn wait(&self, per_minute: Option<NonZeroU32>, deadline: Instant) -> Result<(), Closed> {
        let _turn = self.turn.lock().await;
        loop {
            self.hear_of_others().await;
            let changed = self.changed.notified();
            let now = Instant::now();
            match self.admit(now, per_minute) {
                Admission::Now => return Ok(()),
                Admission::At(at) if at > deadline => {
                    let until = self.state().pace.closed_until(now);
                    let wait = until.map(|until| until - now);
                    let cause = self.cause(per_minute);
                    return Err(Closed { wait, cause });
                }
                Admission::At(at) => {
                    tokio::select! {
                        () = sleep_until(at) => {}
                        () = changed => {}
                    }
                }
                Admission::Later => changed.await,
            }
        }
    }

    /// Waits until the gate is closed to a reader whom an organization has let in.
    pub(super) async fn closed(&self, organization: &str) {
        loop {
            let changed = self.changed.notified();
            if self.is_closed(organization) {
                return;
            }
            changed.await;
        }
    }

    /// Whether the gate is closed to a reader whom an organization has let in.
    pub(super) fn is_closed(&self, organization: &str) -> bool {
        let state = self.state();
        let is_closed = state.pace.closed_until(Instant::now()).is_some();
        is_closed && state.accepts(organization)
    }

    /// Learns whether another replica has closed it, if that was not asked just now. Whoever is next
    /// asks for all who wait.
    async fn hear_of_others(&self) {
        let Some(place) = self.state().needs_news(Instant::now()) else {
            return;
        };
        if let Some(until) = closings::heard(&place).await {
            self.close(until);
        }
    }

    /// Closes it, as another replica was told.
    fn close(&self, until: Instant) {
        let now = Instant::now();
        let heard = self.state().pace.close(now, until);
        self.changed.notify_waiters();
        if let Heard::Closed(until) = heard {
            self.report.closed(ClosedBy::Replica, until - now);
        }
    }

    /// Tells other replicas that it is closed, as long as it is: so that they hear of it also where
    /// their cache was down, or has forgotten it.
    fn tell_others(self: &Arc<Self>) {
        let telling = Telling {
            gate: Arc::clone(self),
            is_over: false,
        };
        tokio::spawn(async move {
            let gate = Arc::clone(&telling.gate);
            while let Some((place, until)) = gate.closing_to_tell() {
                let other = closings::tell(&place, until).await;
                if let Some(other) = other {
                    gate.close(other);
                }
                sleep(closings::CHECK_EVERY).await;
            }
            telling.end();
        });
    }

    /// Says that something is asked again, and why, after a wait.
    pub(super) fn asks_again(
        &self,
        of: &Asking<'_>,
        reason: impl Into<Cow<'static, str>>,
        wait: Duration,
    ) {
        self.report.asks_again(of, reason.into(), wait);
    }

    fn closing_to_tell(&self) -> Option<(Place, Instant)> {
        self.state().closing_to_tell(Instant::now())
    }

    /// What those who wait are waiting for.
    fn cause(&self, per_minute: Option<NonZeroU32>) -> Cause {
        self.state().pace.cause(Instant::now(), per_minute)
    }

    fn admit(&self, now: Instant, per_minute: Option<NonZeroU32>) -> Admission {
        let mut state = self.state();
        fault::point("locked gate");
        state.used_at = now;
        state.pace.admit(now, per_minute)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add_to(&self, limit: &mut Limit) {
        let now = Instant::now();
        let until = self.state().pace.closed_until(now);
        limit.waiting += self.report.waiting();
        limit.closed = limit
            .closed
            .max(until.map_or(Duration::ZERO, |until| until - now));
        for (labels, left) in self.report.all_left() {
            let least = limit.left.entry(labels).or_insert(left);
            *least = least.min(left);
        }
    }

    fn is_forgotten(&self) -> bool {
        let state = self.state();
        let is_open = state.pace.closed_until(Instant::now()).is_none();
        is_open && state.used_at.elapsed() > REMEMBERED
    }
}

/// One that tells other replicas, as long as it does: it ends early where its runtime does.
struct Telling {
    gate: Arc<Gate>,
    is_over: bool,
}

impl Telling {
    /// There is nothing more to tell of.
    fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for Telling {
    fn drop(&mut self) {
        if !self.is_over {
            self.gate.state().is_telling = false;
        }
    }
}

impl State {
    /// Where to ask whether another replica has closed it, if that is to be asked now.
    fn needs_news(&mut self, now: Instant) -> Option<Place> {
        let is_new = |at: Instant| now.saturating_duration_since(at) < closings::NEWS_AGE;
        if self.news_at.is_some_and(is_new) {
            return None;
        }
        let place = self.shared_as.clone()?;
        self.news_at = Some(now);
        Some(place)
    }

    fn accepts(&self, organization: &str) -> bool {
        self.accepted.get(organization).is_some_and(|is_in| *is_in)
    }

    /// Remembers whether an organization lets the reader in, within bounds.
    fn note(&mut self, organization: &str, lets_in: bool) {
        self.accepted.set(organization, lets_in);
    }

    /// Whether a closing is to be told of that nobody tells of yet.
    const fn starts_to_tell(&mut self) -> bool {
        let starts = self.shared_as.is_some() && !self.is_telling;
        self.is_telling |= starts;
        starts
    }

    /// Of what other replicas are to be told; nothing when it is open again.
    fn closing_to_tell(&mut self, now: Instant) -> Option<(Place, Instant)> {
        let closing = self.pace.limited_until(now);
        let closing = self.shared_as.clone().zip(closing);
        self.is_telling = closing.is_some();
        closing
    }
}

/// What is known of the gates of one kind of credential at a host now.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    /// How many wait.
    pub waiting: u32,
    /// How long nothing will be asked through the one that is closed longest; zero where all are
    /// open.
    pub closed: Duration,
    /// What is left of each organization's budget, between 0 and 1.
    pub left: HashMap<Labels, f64>,
}

/// What is known of all gates now, by who reads, and where.
#[must_use]
pub fn limits() -> HashMap<Labels, Limit> {
    let gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
    let gates: Vec<Arc<Gate>> = gates.by_reader.values().cloned().collect();
    let mut limits = HashMap::new();
    for gate in gates {
        let limit: &mut Limit = limits.entry(gate.report.labels()).or_default();
        gate.add_to(limit);
    }
    limits
}

/// One request on its way; the next may go when it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    went: Instant,
    /// How long it waited to go.
    waited: Duration,
    per_minute: Option<NonZeroU32>,
    deadline: Instant,
}

impl Pass {
    /// Whether a request to sign in means that the reader is blocked, and not that it is unknown.
    ///
    /// A blocked reader that goes on asking is answered as if nobody knew it.
    pub(super) fn is_blocked(&self, organization: &str) -> bool {
        let now = Instant::now();
        let state = self.gate.state();
        let is_closed = state.pace.closed_until(now).is_some();
        is_closed || (state.pace.is_doubted(now) && state.accepts(organization))
    }

    /// Waits until one more request may be made on the same way.
    ///
    /// # Errors
    /// That would be after the deadline.
    pub(super) async fn again(&self) -> Result<(), Closed> {
        loop {
            let admitted = {
                let mut state = self.gate.state();
                state.pace.admit_more(Instant::now(), self.per_minute)
            };
            match admitted {
                Ok(()) => return Ok(()),
                Err(at) if at > self.deadline => {
                    let cause = self.gate.cause(self.per_minute);
                    return Err(Closed { wait: None, cause });
                }
                Err(at) => sleep_until(at).await,
            }
        }
    }

    /// Notes what an answer says of limits, and why it is a refusal, where it is one because of them.
    pub(super) fn heard(&self, organization: &str, headers: &HeaderMap, refusal: Option<Refusal>) {
        let signals = Signals::read(headers, SystemTime::now());
        let report = &self.gate.report;
        if let Some(left) = signals.left {
            report.left(organization, left);
        }
        for doubt in &signals.doubts {
            report.doubts(doubt);
        }
        let times = (self.went, Instant::now());
        let mut state = self.gate.state();
        if refusal == Some(Refusal::Told) && state.accepted.get(organization).is_none() {
            // Only of somebody whom it knows it can say so.
            state.note(organization, true);
        }
        let pace = &mut state.pace;
        let known = pace.limited_until(times.1);
        let heard = pace.heard(&signals, refusal, times, fastrand::f64());
        let is_to_tell = pace.limited_until(times.1) > known && state.starts_to_tell();
        drop(state);
        if is_to_tell {
            self.gate.tell_others();
        }
        if let Heard::Closed(until) = heard {
            report.closed(ClosedBy::Host(organization), until - times.1);
        }
    }

    /// Measures a request, and counts what comes of its content.
    pub(super) fn measure(
        &self,
        of: &Asking<'_>,
        answer: &mut Result<Response, Failure>,
        time: Duration,
    ) {
        let report = &self.gate.report;
        report.asked(of, answer, time, self.waited);
        if let Ok(answer) = answer {
            let received = Received(report.received(of));
            answer.extensions_mut().insert(received);
        }
    }

    /// Notes that an organization does not let the reader in.
    pub(super) fn refused(&self, organization: &str) {
        self.gate.state().note(organization, false);
    }

    /// Notes that an organization let the reader in.
    pub(super) fn accepted(&self, organization: &str) {
        self.gate.state().note(organization, true);
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.state().pace.came_back();
        self.gate.changed.notify_waiters();
    }
}
