//! The limiter of one principal at one host: all its requests pass here, whichever plugin asks.

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
    operation::Operation,
    policy::{Admission, Cause, Observed, Policy, RateLimit},
    telemetry::{CoolDownBy, Telemetry},
};
use crate::{
    cache::RecentMap,
    credentials::{Authorization, Principal},
    fault,
    telemetry::metrics::{Counter, Labels},
};

/// From so many limiters on, unused ones are forgotten.
const MANY: usize = 64;

/// How long an unused limiter is remembered at least.
const REMEMBERED: Duration = Duration::from_secs(600);

/// For how many organizations a limiter remembers whether they let the principal in: those that answered
/// last.
const MOST_ORGANIZATIONS: usize = 1000;

static LIMITERS: LazyLock<Mutex<Limiters>> = LazyLock::new(Mutex::default);

/// The limiters that are remembered.
#[derive(Debug, Default)]
struct Limiters {
    /// By principal and host, so that neither is copied to look for one.
    by_principal: HashMap<Principal, HashMap<String, Arc<Limiter>>>,
    /// How many there are.
    number: usize,
    /// From how many of them on unused ones are looked for again: twice as many as were left, so that
    /// this costs a request the same however many there are.
    next_look: usize,
}

impl Limiters {
    fn of(
        &mut self,
        principal: &Principal,
        host: &str,
        new: impl FnOnce() -> Limiter,
    ) -> Arc<Limiter> {
        let of_principal = self.by_principal.get(principal);
        if let Some(limiter) = of_principal.and_then(|hosts| hosts.get(host)) {
            return Arc::clone(limiter);
        }
        if self.number >= self.next_look.max(MANY) {
            self.forget_unused();
            self.next_look = 2 * self.number;
        }
        let limiter = Arc::new(new());
        let hosts = self.by_principal.entry(principal.clone()).or_default();
        hosts.insert(host.to_owned(), Arc::clone(&limiter));
        self.number += 1;
        limiter
    }

    fn forget_unused(&mut self) {
        self.by_principal.retain(|_, hosts| {
            hosts.retain(|_, limiter| Arc::strong_count(limiter) > 1 || !limiter.is_forgotten());
            !hosts.is_empty()
        });
        self.number = self.by_principal.values().map(HashMap::len).sum();
    }

    fn all(&self) -> Vec<Arc<Limiter>> {
        let all = self.by_principal.values().flat_map(HashMap::values);
        all.cloned().collect()
    }
}

/// Lets requests of one principal through to one host, in the order in which they came, as fast as the host
/// allows.
#[derive(Debug)]
pub(crate) struct Limiter {
    /// Held by the next request to go; it is handed on in order.
    turn: Turn<()>,
    state: Mutex<State>,
    changed: Notify,
    telemetry: Telemetry,
}

/// Whether an organization let a principal in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Granted,
    Denied,
}

#[derive(Debug)]
struct State {
    policy: Policy,
    /// For each known organization, whether it let the principal in.
    access: RecentMap<Access>,
    used_at: Instant,
    /// Where its cool-downs are shared with other replicas, if they are.
    shared_as: Option<CoolDownKey>,
    /// When another replica's cool-down was last looked for.
    news_at: Option<Instant>,
    /// Whether a cool-down is being shared with other replicas.
    is_sharing: bool,
}

/// There is no permit before the deadline.
#[derive(Clone, Copy, Debug)]
pub struct Throttled {
    /// How much longer the cool-down lasts, if there is one.
    pub wait: Option<Duration>,
    /// What the request would have waited for.
    pub cause: Cause,
}

impl Limiter {
    /// The limiter of a principal at a host.
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
                access: RecentMap::new(MOST_ORGANIZATIONS),
                used_at: now,
                shared_as: None,
                news_at: None,
                is_sharing: false,
            }),
            changed: Notify::new(),
            telemetry,
        }
    }

    /// Waits for a permit; dropping the future leaves the queue.
    ///
    /// # Errors
    /// The permit would come after the deadline.
    pub(crate) async fn acquire(
        self: Arc<Self>,
        per_minute: Option<NonZeroU32>,
        deadline: Instant,
    ) -> Result<Permit, Throttled> {
        let came = Instant::now();
        {
            // Measured however it ends.
            let waiting = self.telemetry.waits();
            let acquired = pin!(self.wait(per_minute, deadline));
            let cause = || self.cause(per_minute);
            let acquired = waiting.told(timeout_at(deadline, acquired), cause).await;
            acquired.map_err(|_| Throttled {
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
            self.look_for_others().await;
            let changed = self.changed.notified();
            let now = Instant::now();
            match self.admit(now, per_minute) {
                Admission::Now => return Ok(()),
                Admission::At(at) if at > deadline => {
                    let until = self.state().policy.cool_down_until(now);
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

    /// Waits until there is a cool-down for a principal that an organization has let in.
    pub(crate) async fn throttled(&self, organization: &str) {
        loop {
            let changed = self.changed.notified();
            if self.is_throttled(organization) {
                return;
            }
            changed.await;
        }
    }

    /// Whether there is a cool-down for a principal that an organization has let in.
    pub(crate) fn is_throttled(&self, organization: &str) -> bool {
        let state = self.state();
        let is_throttled = state.policy.cool_down_until(Instant::now()).is_some();
        is_throttled && state.accepts(organization)
    }

    /// Looks for another replica's cool-down, if that was not done just now. The next in the queue asks for
    /// all who wait.
    async fn look_for_others(&self) {
        let Some(place) = self.state().needs_news(Instant::now()) else {
            return;
        };
        if let Some(until) = cool_down::heard(&place).await {
            self.cool_down(until);
        }
    }

    /// Begins a cool-down that another replica shares.
    fn cool_down(&self, until: Instant) {
        let now = Instant::now();
        let heard = self.state().policy.cool_down(now, until);
        self.changed.notify_waiters();
        if let Observed::CoolDown(until) = heard {
            self.telemetry.cooled_down(CoolDownBy::Replica, until - now);
        }
    }

    /// Shares the cool-down with other replicas for as long as it lasts: so they learn of it even where
    /// their cache was down, or has forgotten it.
    fn share_cool_down(self: &Arc<Self>) {
        let sharing_now = CoolDownSharing {
            limiter: Arc::clone(self),
            is_over: false,
        };
        tokio::spawn(async move {
            let limiter = Arc::clone(&sharing_now.limiter);
            while let Some((place, until)) = limiter.cool_down_to_share() {
                let other = cool_down::announce(&place, until).await;
                if let Some(other) = other {
                    limiter.cool_down(other);
                }
                sleep(cool_down::CHECK_EVERY).await;
            }
            sharing_now.end();
        });
    }

    /// Reports that a request is retried, and why, after a wait.
    pub(crate) fn retries(
        &self,
        of: &Operation<'_>,
        reason: impl Into<Cow<'static, str>>,
        wait: Duration,
    ) {
        self.telemetry.retries(of, reason.into(), wait);
    }

    fn cool_down_to_share(&self) -> Option<(CoolDownKey, Instant)> {
        self.state().cool_down_to_share(Instant::now())
    }

    /// What waiting requests wait for.
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
        let until = self.state().policy.cool_down_until(now);
        limit.waiting += self.telemetry.waiting();
        limit.cool_down = limit
            .cool_down
            .max(until.map_or(Duration::ZERO, |until| until - now));
        for (labels, left) in self.telemetry.all_left() {
            let least = limit.left.entry(labels).or_insert(left);
            *least = least.min(left);
        }
    }

    fn is_forgotten(&self) -> bool {
        let state = self.state();
        let is_open = state.policy.cool_down_until(Instant::now()).is_none();
        is_open && state.used_at.elapsed() > REMEMBERED
    }
}

/// The sharing of a cool-down, for as long as it goes on: it ends early where its runtime does.
struct CoolDownSharing {
    limiter: Arc<Limiter>,
    is_over: bool,
}

impl CoolDownSharing {
    /// The cool-down is over.
    fn end(mut self) {
        self.is_over = true;
    }
}

impl Drop for CoolDownSharing {
    fn drop(&mut self) {
        if !self.is_over {
            self.limiter.state().is_sharing = false;
        }
    }
}

impl State {
    /// Where to look for another replica's cool-down, if it is time to.
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
        self.access.get(organization) == Some(&Access::Granted)
    }

    /// Remembers whether an organization let the principal in, within bounds.
    fn note(&mut self, organization: &str, access: Access) {
        self.access.set(organization, access);
    }

    /// Whether a cool-down is to be shared that is not being shared yet.
    const fn starts_to_share(&mut self) -> bool {
        let starts = self.shared_as.is_some() && !self.is_sharing;
        self.is_sharing |= starts;
        starts
    }

    /// The cool-down to share; `None` when it is over.
    fn cool_down_to_share(&mut self, now: Instant) -> Option<(CoolDownKey, Instant)> {
        let cool_down = self.policy.stated_cool_down_until(now);
        let cool_down = self.shared_as.clone().zip(cool_down);
        self.is_sharing = cool_down.is_some();
        cool_down
    }
}

/// The state of the limiters of one kind of credential at a host.
#[derive(Clone, Debug, Default)]
pub struct Limit {
    /// How many requests wait.
    pub waiting: u32,
    /// How long the longest cool-down still lasts; zero where there is none.
    pub cool_down: Duration,
    /// What is left of each organization's budget, between 0 and 1.
    pub left: HashMap<Labels, f64>,
}

/// The state of all limiters, by principal and host.
#[must_use]
pub fn limits() -> HashMap<Labels, Limit> {
    let limiters = LIMITERS.lock().all();
    let mut limits = HashMap::new();
    for limiter in limiters {
        let limit: &mut Limit = limits.entry(limiter.telemetry.labels()).or_default();
        limiter.add_to(limit);
    }
    limits
}

/// Leave for one request; dropping it lets the next one go.
#[derive(Debug)]
pub(crate) struct Permit {
    limiter: Arc<Limiter>,
    went: Instant,
    /// How long the request waited for it.
    waited: Duration,
    per_minute: Option<NonZeroU32>,
    deadline: Instant,
}

impl Permit {
    /// Whether an answer that asks to sign in means that the principal is rate limited, and not that it is
    /// unknown.
    ///
    /// A rate-limited principal that goes on asking is answered as if it were unknown.
    pub(crate) fn means_rate_limit(&self, organization: &str) -> bool {
        let now = Instant::now();
        let state = self.limiter.state();
        let is_throttled = state.policy.cool_down_until(now).is_some();
        is_throttled || (state.policy.is_soon_after(now) && state.accepts(organization))
    }

    /// Waits until one more request may be sent with this permit.
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

    /// Notes what an answer says of limits, and, where it is a refusal because of them, how that is known.
    pub(crate) fn observe(
        &self,
        organization: &str,
        headers: &HeaderMap,
        refusal: Option<RateLimit>,
    ) {
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
        if refusal == Some(RateLimit::Stated) && state.access.get(organization).is_none() {
            // A host can rate limit only a principal that it knows.
            state.note(organization, Access::Granted);
        }
        let policy = &mut state.policy;
        let known = policy.stated_cool_down_until(times.1);
        let heard = policy.observe(&limits, refusal, times, fastrand::f64());
        let is_to_tell = policy.stated_cool_down_until(times.1) > known && state.starts_to_share();
        drop(state);
        if is_to_tell {
            self.limiter.share_cool_down();
        }
        if let Observed::CoolDown(until) = heard {
            telemetry.cooled_down(CoolDownBy::Host(organization), until - times.1);
        }
    }

    /// Measures a request, which was answered with this status, or not at all.
    pub(in crate::http) fn measure(
        &self,
        of: &Operation<'_>,
        status: Option<StatusCode>,
        time: Duration,
    ) {
        self.limiter
            .telemetry
            .requested(of, status, time, self.waited);
    }

    /// Where the bytes of a content are counted.
    pub(in crate::http) fn received(&self, of: &Operation<'_>) -> Counter {
        self.limiter.telemetry.received(of)
    }

    /// Notes that an organization does not let the principal in.
    pub(crate) fn refused(&self, organization: &str) {
        self.limiter.state().note(organization, Access::Denied);
    }

    /// Notes that an organization let the principal in.
    pub(crate) fn accepted(&self, organization: &str) {
        self.limiter.state().note(organization, Access::Granted);
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limiter.state().policy.finish();
        self.limiter.changed.notify_waiters();
    }
}
