//! The queue of one reader at one host: all its requests pass here, whichever plugin asks.

use std::{
    borrow::Cow,
    collections::HashMap,
    num::NonZeroU32,
    pin::pin,
    sync::{Arc, LazyLock},
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, MutexGuard};

use reqwest::{StatusCode, header::HeaderMap};
use tokio::{
    sync::{Mutex as Turn, Notify},
    time::{Instant, sleep, sleep_until, timeout_at},
};

use super::{
    cool_down::{self, CoolDownKey},
    headers::LimitHeaders,
    policy::{Admission, Cause, Heard, Policy, Refusal},
    telemetry::{CoolDownBy, Operation, Telemetry},
};
use crate::{
    cache::RecentMap,
    credentials::{Authorization, Principal},
    fault,
    telemetry::metrics::{Counter, Labels},
};

/// From so many limiters on, those that nobody uses are forgotten.
const MANY: usize = 64;

/// How long a limiter that nobody uses is remembered at least.
const REMEMBERED: Duration = Duration::from_secs(600);

/// Of how many organizations a limiter remembers whether they let the reader in: of those that answered
/// last.
const MOST_ORGANIZATIONS: usize = 1000;

static LIMITERS: LazyLock<Mutex<Limiters>> = LazyLock::new(Mutex::default);

/// The limiters that are remembered.
#[derive(Debug, Default)]
struct Limiters {
    by_principal: HashMap<(Principal, String), Arc<Limiter>>,
    /// At how many of them it is looked again which nobody uses: twice as many as were left, so that
    /// this costs a request the same however many there are.
    next_look: usize,
}

impl Limiters {
    fn of(&mut self, reader: Principal, host: &str, new: impl FnOnce() -> Limiter) -> Arc<Limiter> {
        let key = (reader, host.to_owned());
        if let Some(limiter) = self.by_principal.get(&key) {
            return Arc::clone(limiter);
        }
        if self.by_principal.len() >= self.next_look.max(MANY) {
            self.by_principal
                .retain(|_, limiter| Arc::strong_count(limiter) > 1 || !limiter.is_forgotten());
            self.next_look = 2 * self.by_principal.len();
        }
        let limiter = Arc::new(new());
        self.by_principal.insert(key, Arc::clone(&limiter));
        limiter
    }
}

/// What the requests of one reader to one host pass, one after the other, in the order in which they
/// came, as fast as the host lets this reader ask.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// Whoever has it is the next to go; it is handed on in the order in which it was asked for.
    turn: Turn<()>,
    state: Mutex<State>,
    changed: Notify,
    telemetry: Telemetry,
}

#[derive(Debug)]
struct State {
    policy: Policy,
    /// Of the organizations that are known, whether they let the reader in.
    accepted: RecentMap<bool>,
    used_at: Instant,
    /// Where its cool-downs stand for other replicas, if they are shared.
    shared_as: Option<CoolDownKey>,
    /// When it was asked last whether another replica has closed it.
    news_at: Option<Instant>,
    /// Whether other replicas are being told of a cool-down.
    is_telling: bool,
}

/// There is less time than it takes to be let through.
#[derive(Clone, Copy, Debug)]
pub struct Throttled {
    /// For how long nothing is to be asked, if a server has said so.
    pub wait: Option<Duration>,
    /// What it would have waited for.
    pub cause: Cause,
}

impl Limiter {
    /// The limiter of whoever reads, at a host.
    pub(crate) fn of(authorization: &Authorization, host: &str) -> Arc<Self> {
        let limiter = {
            let mut limiters = LIMITERS.lock();
            limiters.of(authorization.principal(), host, || {
                let credential = authorization.identity().title();
                Self::new(Telemetry::new(host, credential, authorization.place()))
            })
        };
        limiter.state().shared_as = CoolDownKey::of(authorization, host);
        limiter
    }

    fn new(telemetry: Telemetry) -> Self {
        let now = Instant::now();
        Self {
            turn: Turn::default(),
            state: Mutex::new(State {
                policy: Policy::new(now),
                accepted: RecentMap::new(MOST_ORGANIZATIONS),
                used_at: now,
                shared_as: None,
                news_at: None,
                is_telling: false,
            }),
            changed: Notify::new(),
            telemetry,
        }
    }

    /// Waits for its turn and until it may go; whoever drops this has left the queue.
    ///
    /// # Errors
    /// It would be let through after the deadline.
    pub(crate) async fn enter(
        self: Arc<Self>,
        per_minute: Option<NonZeroU32>,
        deadline: Instant,
    ) -> Result<Permit, Throttled> {
        let came = Instant::now();
        {
            // Measured however it ends.
            let waiting = self.telemetry.waits();
            let entered = pin!(self.wait(per_minute, deadline));
            let cause = || self.cause(per_minute);
            let entered = waiting.told(timeout_at(deadline, entered), cause).await;
            entered.map_err(|_| Throttled {
                wait: None,
                cause: cause(),
            })??;
        }
        let went = Instant::now();
        Ok(Permit {
            went,
            waited: went - came,
            limiter: self,
            per_minute,
            deadline,
        })
    }

    async fn wait(
        &self,
        per_minute: Option<NonZeroU32>,
        deadline: Instant,
    ) -> Result<(), Throttled> {
        let _turn = self.turn.lock().await;
        loop {
            self.hear_of_others().await;
            let changed = self.changed.notified();
            let now = Instant::now();
            match self.admit(now, per_minute) {
                Admission::Now => return Ok(()),
                Admission::At(at) if at > deadline => {
                    let until = self.state().policy.closed_until(now);
                    let wait = until.map(|until| until - now);
                    let cause = self.cause(per_minute);
                    return Err(Throttled { wait, cause });
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

    /// Waits until the limiter is closed to a reader whom an organization has let in.
    pub(crate) async fn closed(&self, organization: &str) {
        loop {
            let changed = self.changed.notified();
            if self.is_closed(organization) {
                return;
            }
            changed.await;
        }
    }

    /// Whether the limiter is closed to a reader whom an organization has let in.
    pub(crate) fn is_closed(&self, organization: &str) -> bool {
        let state = self.state();
        let is_closed = state.policy.closed_until(Instant::now()).is_some();
        is_closed && state.accepts(organization)
    }

    /// Learns whether another replica has closed it, if that was not asked just now. Whoever is next
    /// asks for all who wait.
    async fn hear_of_others(&self) {
        let Some(place) = self.state().needs_news(Instant::now()) else {
            return;
        };
        if let Some(until) = cool_down::heard(&place).await {
            self.close(until);
        }
    }

    /// Closes it, as another replica was told.
    fn close(&self, until: Instant) {
        let now = Instant::now();
        let heard = self.state().policy.close(now, until);
        self.changed.notify_waiters();
        if let Heard::Closed(until) = heard {
            self.telemetry.closed(CoolDownBy::Replica, until - now);
        }
    }

    /// Tells other replicas that it is closed, as long as it is: so that they hear of it also where
    /// their cache was down, or has forgotten it.
    fn tell_others(self: &Arc<Self>) {
        let telling = Telling {
            limiter: Arc::clone(self),
            is_over: false,
        };
        tokio::spawn(async move {
            let limiter = Arc::clone(&telling.limiter);
            while let Some((place, until)) = limiter.closing_to_tell() {
                let other = cool_down::announce(&place, until).await;
                if let Some(other) = other {
                    limiter.close(other);
                }
                sleep(cool_down::CHECK_EVERY).await;
            }
            telling.end();
        });
    }

    /// Says that something is asked again, and why, after a wait.
    pub(crate) fn asks_again(
        &self,
        of: &Operation<'_>,
        reason: impl Into<Cow<'static, str>>,
        wait: Duration,
    ) {
        self.telemetry.asks_again(of, reason.into(), wait);
    }

    fn closing_to_tell(&self) -> Option<(CoolDownKey, Instant)> {
        self.state().closing_to_tell(Instant::now())
    }

    /// What those who wait are waiting for.
    fn cause(&self, per_minute: Option<NonZeroU32>) -> Cause {
        self.state().policy.cause(Instant::now(), per_minute)
    }

    fn admit(&self, now: Instant, per_minute: Option<NonZeroU32>) -> Admission {
        let mut state = self.state();
        fault::point("locked gate");
        state.used_at = now;
        state.policy.admit(now, per_minute)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }

    fn add_to(&self, limit: &mut Limit) {
        let now = Instant::now();
        let until = self.state().policy.closed_until(now);
        limit.waiting += self.telemetry.waiting();
        limit.closed = limit
            .closed
            .max(until.map_or(Duration::ZERO, |until| until - now));
        for (labels, left) in self.telemetry.all_left() {
            let least = limit.left.entry(labels).or_insert(left);
            *least = least.min(left);
        }
    }

    fn is_forgotten(&self) -> bool {
        let state = self.state();
        let is_open = state.policy.closed_until(Instant::now()).is_none();
        is_open && state.used_at.elapsed() > REMEMBERED
    }
}

/// One that tells other replicas, as long as it does: it ends early where its runtime does.
struct Telling {
    limiter: Arc<Limiter>,
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
            self.limiter.state().is_telling = false;
        }
    }
}

impl State {
    /// Where to ask whether another replica has closed it, if that is to be asked now.
    fn needs_news(&mut self, now: Instant) -> Option<CoolDownKey> {
        let is_new = |at: Instant| now.saturating_duration_since(at) < cool_down::NEWS_AGE;
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

    /// Whether a cool-down is to be told of that nobody tells of yet.
    const fn starts_to_tell(&mut self) -> bool {
        let starts = self.shared_as.is_some() && !self.is_telling;
        self.is_telling |= starts;
        starts
    }

    /// Of what other replicas are to be told; nothing when it is open again.
    fn closing_to_tell(&mut self, now: Instant) -> Option<(CoolDownKey, Instant)> {
        let cool_down = self.policy.limited_until(now);
        let cool_down = self.shared_as.clone().zip(cool_down);
        self.is_telling = cool_down.is_some();
        cool_down
    }
}

/// What is known of the limiters of one kind of credential at a host now.
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

/// What is known of all limiters now, by who reads, and where.
#[must_use]
pub fn limits() -> HashMap<Labels, Limit> {
    let limiters = LIMITERS.lock();
    let limiters: Vec<Arc<Limiter>> = limiters.by_principal.values().cloned().collect();
    let mut limits = HashMap::new();
    for limiter in limiters {
        let limit: &mut Limit = limits.entry(limiter.telemetry.labels()).or_default();
        limiter.add_to(limit);
    }
    limits
}

/// One request on its way; the next may go when it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    went: Instant,
    /// How long it waited to go.
    waited: Duration,
    per_minute: Option<NonZeroU32>,
    deadline: Instant,
}

impl Permit {
    /// Whether a request to sign in means that the reader is blocked, and not that it is unknown.
    ///
    /// A blocked reader that goes on operation is answered as if nobody knew it.
    pub(crate) fn is_blocked(&self, organization: &str) -> bool {
        let now = Instant::now();
        let state = self.limiter.state();
        let is_closed = state.policy.closed_until(now).is_some();
        is_closed || (state.policy.is_doubted(now) && state.accepts(organization))
    }

    /// Waits until one more request may be made on the same way.
    ///
    /// # Errors
    /// That would be after the deadline.
    pub(crate) async fn again(&self) -> Result<(), Throttled> {
        loop {
            let admitted = {
                let mut state = self.limiter.state();
                state.policy.admit_more(Instant::now(), self.per_minute)
            };
            match admitted {
                Ok(()) => return Ok(()),
                Err(at) if at > self.deadline => {
                    let cause = self.limiter.cause(self.per_minute);
                    return Err(Throttled { wait: None, cause });
                }
                Err(at) => sleep_until(at).await,
            }
        }
    }

    /// Notes what an answer says of limits, and why it is a refusal, where it is one because of them.
    pub(crate) fn heard(&self, organization: &str, headers: &HeaderMap, refusal: Option<Refusal>) {
        let limits = LimitHeaders::read(headers, SystemTime::now());
        let telemetry = &self.limiter.telemetry;
        if let Some(left) = limits.left {
            telemetry.left(organization, left);
        }
        for doubt in &limits.doubts {
            telemetry.doubts(doubt);
        }
        let times = (self.went, Instant::now());
        let mut state = self.limiter.state();
        if refusal == Some(Refusal::Told) && state.accepted.get(organization).is_none() {
            // Only of somebody whom it knows it can say so.
            state.note(organization, true);
        }
        let policy = &mut state.policy;
        let known = policy.limited_until(times.1);
        let heard = policy.heard(&limits, refusal, times, fastrand::f64());
        let is_to_tell = policy.limited_until(times.1) > known && state.starts_to_tell();
        drop(state);
        if is_to_tell {
            self.limiter.tell_others();
        }
        if let Heard::Closed(until) = heard {
            telemetry.closed(CoolDownBy::Host(organization), until - times.1);
        }
    }

    /// Measures a request, which was answered with this status, or not at all.
    pub(in crate::http) fn measure(
        &self,
        of: &Operation<'_>,
        status: Option<StatusCode>,
        time: Duration,
    ) {
        self.limiter.telemetry.asked(of, status, time, self.waited);
    }

    /// Where the bytes of a content are counted.
    pub(in crate::http) fn received(&self, of: &Operation<'_>) -> Counter {
        self.limiter.telemetry.received(of)
    }

    /// Notes that an organization does not let the reader in.
    pub(crate) fn refused(&self, organization: &str) {
        self.limiter.state().note(organization, false);
    }

    /// Notes that an organization let the reader in.
    pub(crate) fn accepted(&self, organization: &str) {
        self.limiter.state().note(organization, true);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.state().policy.came_back();
        self.limiter.changed.notify_waiters();
    }
}
