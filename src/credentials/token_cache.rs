//! The token cache of one credential: one request for all that wait, refreshed before it expires.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    panic::AssertUnwindSafe,
    sync::Arc,
    time::{Duration, SystemTime},
};

use parking_lot::{Mutex, MutexGuard};

use futures_util::{FutureExt, future::Shared};
use tokio::{
    sync::oneshot,
    time::{Instant, sleep, timeout},
};

use super::{
    identity::Identity,
    token::{Token, TokenError, TokenErrorKind, TokenProvider},
};
use crate::{
    backoff::Backoff,
    clock::{Clock, SystemClock},
    fault,
    telemetry::log::{Event, Repeat, emit},
    telemetry::metrics::{Metric, count},
};

/// A token is refreshed in the last minutes of its life, or in the last fifth of a short one.
const REFRESH_BEFORE: Duration = Duration::from_secs(10 * 60);

/// A token is not sent just before it expires, since it could expire on the way.
const STALE_BEFORE: Duration = Duration::from_secs(30);

/// How long a token is used that has expired when it arrives.
const DOUBTFUL_LIFE: Duration = Duration::from_secs(60);

/// How long one request for a token may take; a machine that boots may need a minute to find its
/// managed identity.
const LIMIT: Duration = Duration::from_secs(90);

/// Within one request, a provider that does not answer is asked again while no more than this has passed;
/// a wait that it asks for is kept if it ends within this.
const PATIENCE: Duration = Duration::from_secs(5);

/// The most attempts within one request.
const ATTEMPTS: u32 = 3;

/// The waits between those attempts.
const AGAIN: Backoff = Backoff {
    first: Duration::from_millis(200),
    longest: Duration::from_secs(1),
};

/// The waits after refusals.
const AFTER_DENIAL: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(5 * 60),
};

/// The waits after requests without an answer: once the outage is over, reads are not to fail for long.
const AFTER_SILENCE: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(30),
};

/// The waits where no provider is set up: looking again is cheap, but delays the read that waits for it.
const AFTER_ABSENCE: Backoff = Backoff {
    first: Duration::from_secs(10),
    longest: Duration::from_secs(60),
};

/// The longest wait that a server may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// The waits between renewals for an organization to which new tokens are no better than old ones.
const AFTER_REFUSAL: Backoff = Backoff {
    first: Duration::from_secs(30),
    longest: Duration::from_secs(30 * 60),
};

/// The same for one that has accepted tokens before, and may do so again soon.
const AFTER_REFUSAL_BY_ACQUAINTANCE: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: AFTER_REFUSAL.longest,
};

/// The most organizations that are remembered as refusing.
const MAX_REFUSALS: usize = 64;

/// How many of the last tokens are remembered as secrets: an answer may repeat an older one.
const MOST_REMEMBERED: usize = 2;

/// A token, or why there is none, for all that waited for it.
pub(super) type Outcome = Result<Arc<Token>, Arc<TokenError>>;

type Pending = Shared<oneshot::Receiver<Outcome>>;

/// The tokens of one credential.
///
/// - However many reads ask, one request is in flight. A read that stops waiting does not end it for the
///   others.
/// - While a token is valid it is given at once; near its end a new one is asked for meanwhile. In its
///   last moment it is given only where there is no other.
/// - After a failure the provider is left alone for a while, which grows from failure to failure and is at
///   least what the server asked for. The error is given meanwhile, or the old token while it is
///   valid.
/// - A token that Azure DevOps refuses is replaced; but for an organization that refused the new one
///   as well only now and then.
#[derive(Debug)]
pub(super) struct TokenCache {
    source: Box<dyn TokenProvider>,
    clock: Box<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// The tokens that came last, the newest at the end.
    came: VecDeque<Arc<Token>>,
    pending: Option<Pending>,
    failure: Option<Failure>,
    /// The organizations that ever accepted a token.
    accepted: HashSet<String>,
    /// The organizations for which a renewal did not help, or has not helped yet.
    refusals: HashMap<String, Refusal>,
}

#[derive(Debug)]
struct Held {
    token: Arc<Token>,
    refresh_at: SystemTime,
    stale_at: SystemTime,
    ends_at: SystemTime,
}

#[derive(Debug)]
struct Failure {
    error: Arc<TokenError>,
    count: u32,
    since: SystemTime,
    wait: Duration,
}

#[derive(Debug)]
struct Refusal {
    count: u32,
    since: SystemTime,
    wait: Duration,
}

enum Step {
    Done(Outcome),
    Wait(Pending),
}

/// What became of a request with a renewed token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renewal {
    /// It was let in, or was refused for another reason.
    Helped,
    /// It was refused as the token before.
    Refused,
}

impl TokenCache {
    pub(super) fn new(source: impl TokenProvider + 'static) -> Arc<Self> {
        Self::with_clock(source, SystemClock)
    }

    fn with_clock(source: impl TokenProvider + 'static, clock: impl Clock + 'static) -> Arc<Self> {
        Arc::new(Self {
            source: Box::new(source),
            clock: Box::new(clock),
            state: Mutex::default(),
        })
    }

    /// A valid token, cached or new.
    ///
    /// # Errors
    /// None can be obtained now.
    pub(super) async fn get(self: &Arc<Self>) -> Outcome {
        let outcome = match self.step() {
            Step::Done(outcome) => outcome,
            Step::Wait(pending) => self.wait(pending).await,
        };
        outcome.or_else(|error| self.in_its_last_moment().ok_or(error))
    }

    /// The token that should not be sent any more but has not expired.
    fn in_its_last_moment(&self) -> Option<Arc<Token>> {
        let state = self.lock();
        let held = state.held.as_ref()?;
        (self.clock.now() < held.ends_at).then(|| Arc::clone(&held.token))
    }

    /// The current token.
    pub(super) fn held(&self) -> Option<Arc<Token>> {
        let state = self.lock();
        state.held.as_ref().map(|held| Arc::clone(&held.token))
    }

    /// The last tokens, each of which may have been sent.
    pub(super) fn last(&self) -> Vec<Arc<Token>> {
        self.lock().came.iter().map(Arc::clone).collect()
    }

    /// A new token instead of this one, which `organization` refused; `None` where a new one would not help.
    ///
    /// # Errors
    /// No other can be obtained now.
    pub(super) async fn renew(
        self: &Arc<Self>,
        refused: &Arc<Token>,
        organization: &str,
    ) -> Result<Option<Arc<Token>>, Arc<TokenError>> {
        let pending = {
            let mut state = self.lock();
            let now = self.clock.now();
            // Another read may have been faster.
            if let Some(held) = &state.held
                && !Arc::ptr_eq(&held.token, refused)
            {
                return Ok(Some(Arc::clone(&held.token)));
            }
            // A request that is in flight already costs nothing more.
            if let Some(pending) = &state.pending {
                pending.clone()
            } else if !state.may_renew(organization, now) {
                return Ok(None);
            } else if let Some(error) = state.blocked(now) {
                return Err(error);
            } else {
                self.start(&mut state)
            }
        };
        let token = self.wait(pending).await?;
        let (now, chance) = (self.clock.now(), self.clock.chance());
        self.lock().replaced_for(organization, now, chance);
        Ok(Some(token))
    }

    /// Notes that `organization` accepted a token.
    pub(super) fn accepted(&self, organization: &str) {
        let mut state = self.lock();
        if !state.accepted.contains(organization) {
            state.accepted.insert(organization.to_owned());
        }
    }

    /// Notes whether a renewed token helped with `organization`.
    pub(super) fn renewed(&self, organization: &str, outcome: Renewal) {
        let mut state = self.lock();
        match outcome {
            Renewal::Helped => {
                state.refusals.remove(organization);
            }
            Renewal::Refused => {
                state.refuse(organization, self.clock.now(), self.clock.chance());
            }
        }
    }

    /// Stops handing out the token.
    pub(super) fn forget(&self, token: &Arc<Token>) {
        let mut state = self.lock();
        if let Some(held) = &state.held
            && Arc::ptr_eq(&held.token, token)
        {
            state.held = None;
        }
    }

    fn step(self: &Arc<Self>) -> Step {
        let mut state = self.lock();
        let now = self.clock.now();
        let valid = state.held.as_ref().filter(|held| now < held.stale_at);
        if let Some(held) = valid {
            let token = Arc::clone(&held.token);
            let is_near_its_end = held.refresh_at <= now;
            if is_near_its_end && !state.is_asking() && state.blocked(now).is_none() {
                drop(self.start(&mut state));
            }
            return Step::Done(Ok(token));
        }
        if let Some(pending) = &state.pending {
            return Step::Wait(pending.clone());
        }
        match state.blocked(now) {
            Some(error) => Step::Done(Err(error)),
            None => Step::Wait(self.start(&mut state)),
        }
    }

    async fn wait(self: &Arc<Self>, pending: Pending) -> Outcome {
        if let Ok(outcome) = pending.clone().await {
            return outcome;
        }
        // The runtime ended under the request, as it may when a worker thread ends: ask again.
        let again = {
            let mut state = self.lock();
            let is_still_that = |next: &mut Pending| next.ptr_eq(&pending);
            state.pending.take_if(is_still_that);
            match state.pending.clone() {
                Some(next) => next,
                None => self.start(&mut state),
            }
        };
        again.await.unwrap_or_else(|_| {
            let message = "the request for a token was interrupted";
            Err(Arc::new(TokenError::unreachable(message)))
        })
    }

    /// Asks for a token, in a task of its own: callers may stop waiting.
    fn start(self: &Arc<Self>, state: &mut State) -> Pending {
        let (sender, receiver) = oneshot::channel();
        let tokens = Arc::clone(self);
        tokio::spawn(async move {
            fault::point("token for all");
            let outcome = tokens.keep(tokens.ask().await);
            // All callers may have stopped waiting.
            let _ = sender.send(outcome);
        });
        let pending = receiver.shared();
        state.pending = Some(pending.clone());
        pending
    }

    async fn ask(&self) -> Result<Token, TokenError> {
        let started = Instant::now();
        let mut attempt = 1;
        loop {
            let answer = self.ask_once().await;
            count_request(&answer);
            let error = match answer {
                Ok(token) => return Ok(token),
                Err(error) => error,
            };
            let asked_for = error.retry_after.unwrap_or_default();
            let may_help = error.kind == TokenErrorKind::Unreachable
                && !error.is_lasting
                && started.elapsed() + asked_for <= PATIENCE;
            if !may_help || attempt == ATTEMPTS {
                return Err(error);
            }
            let wait = AGAIN.wait(attempt, self.clock.chance());
            sleep(wait.max(asked_for)).await;
            attempt += 1;
        }
    }

    async fn ask_once(&self) -> Result<Token, TokenError> {
        let token = async {
            fault::point("token");
            self.source.token().await
        };
        let asked = AssertUnwindSafe(token).catch_unwind();
        match timeout(LIMIT, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(TokenError::unreachable("asking for a token panicked")),
            Err(_) => Err(TokenError::unreachable(format!(
                "there was no token within {} seconds",
                LIMIT.as_secs()
            ))),
        }
    }

    fn keep(&self, answer: Result<Token, TokenError>) -> Outcome {
        let mut state = self.lock();
        let now = self.clock.now();
        state.pending = None;
        match answer {
            Ok(token) => {
                let held = Held::new(token, now);
                let token = Arc::clone(&held.token);
                state.held = Some(held);
                state.remember(&token);
                state.failure = None;
                Ok(token)
            }
            Err(error) => {
                let count = state
                    .failure
                    .as_ref()
                    .map_or(1, |failure| failure.count + 1);
                let backoff = match error.kind {
                    TokenErrorKind::Absent => AFTER_ABSENCE,
                    TokenErrorKind::Refused => AFTER_DENIAL,
                    TokenErrorKind::Unreachable => AFTER_SILENCE,
                };
                let wait = backoff.wait(count, self.clock.chance());
                if let Some(held) = &state.held {
                    tell_of(&error, held.token.identity);
                }
                let error = Arc::new(error);
                state.failure = Some(Failure {
                    error: Arc::clone(&error),
                    count,
                    since: now,
                    wait: error
                        .retry_after
                        .map_or(wait, |asked| asked.clamp(wait, LONGEST_ASKED)),
                });
                Err(error)
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock()
    }
}

fn count_request(answer: &Result<Token, TokenError>) {
    let result = answer
        .as_ref()
        .err()
        .map_or("ok", |error| match error.kind {
            TokenErrorKind::Absent => "absent",
            TokenErrorKind::Refused => "refused",
            TokenErrorKind::Unreachable => "unreachable",
        });
    count(Metric::TokenRequests, vec![("result", result.into())]);
}

/// Logs that a token could not be renewed: no read fails while the old one is valid.
fn tell_of(error: &TokenError, identity: Identity) {
    let why = error.to_string();
    let about = format!("{identity}: {why}");
    emit(Repeat::EveryMinute, &about, || {
        let message = format!("The token of {identity} could not be renewed: {why}");
        Event::warning("token not renewed", message)
    });
}

impl Held {
    fn new(token: Token, now: SystemTime) -> Self {
        let life = token.expires_on.duration_since(now).unwrap_or_default();
        // By this machine's clock it has expired already, and the clock may be wrong.
        let life = if life.is_zero() { DOUBTFUL_LIFE } else { life };
        Self {
            refresh_at: now + life - REFRESH_BEFORE.min(life / 5),
            stale_at: now + life - STALE_BEFORE.min(life / 20),
            ends_at: now + life,
            token: Arc::new(token),
        }
    }
}

impl State {
    /// Whether a request is in flight: one whose runtime has ended is not.
    fn is_asking(&self) -> bool {
        let pending = self.pending.as_ref();
        pending.is_some_and(|pending| !matches!(pending.clone().now_or_never(), Some(Err(_))))
    }

    fn remember(&mut self, token: &Arc<Token>) {
        if self.came.len() >= MOST_REMEMBERED {
            self.came.pop_front();
        }
        self.came.push_back(Arc::clone(token));
    }

    /// Why the provider is not to be asked now.
    fn blocked(&self, now: SystemTime) -> Option<Arc<TokenError>> {
        let failure = self.failure.as_ref()?;
        is_within(failure.since, failure.wait, now).then(|| Arc::clone(&failure.error))
    }

    /// Whether a new token could be accepted where the current one was refused.
    fn may_renew(&mut self, organization: &str, now: SystemTime) -> bool {
        let longest = AFTER_REFUSAL.longest * 2;
        self.refusals
            .retain(|_, refusal| is_within(refusal.since, longest, now));
        let before = self.refusals.get(organization);
        if before.is_some_and(|it| is_within(it.since, it.wait, now)) {
            return false;
        }
        self.accepted.contains(organization) || before.is_some() || self.has_room()
    }

    /// Notes that there is a new token for an organization. For one that never accepted any it is
    /// noted as if it did not help, until it does: so asking for one organization after another does
    /// not ask for one token after another.
    fn replaced_for(&mut self, organization: &str, now: SystemTime, chance: f64) {
        let is_known = self.refusals.contains_key(organization) || self.has_room();
        if !self.accepted.contains(organization) && is_known {
            self.refuse(organization, now, chance);
        }
    }

    fn has_room(&self) -> bool {
        self.refusals.len() < MAX_REFUSALS
    }

    /// Does not renew for `organization` for a while, which grows each time.
    fn refuse(&mut self, organization: &str, now: SystemTime, chance: f64) {
        let before = self.refusals.get(organization);
        // One wait for all that were refused together.
        if before.is_some_and(|it| is_within(it.since, it.wait, now)) {
            return;
        }
        let count = before.map_or(1, |refusal| refusal.count + 1);
        let backoff = if self.accepted.contains(organization) {
            AFTER_REFUSAL_BY_ACQUAINTANCE
        } else {
            AFTER_REFUSAL
        };
        let refusal = Refusal {
            count,
            since: now,
            wait: backoff.wait(count, chance),
        };
        self.refusals.insert(organization.to_owned(), refusal);
    }
}

/// Whether no more than `wait` has passed. A clock that was set back counts as passed.
fn is_within(since: SystemTime, wait: Duration, now: SystemTime) -> bool {
    now.duration_since(since).is_ok_and(|passed| passed < wait)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use async_trait::async_trait;

    use super::*;
    use crate::clock::tests::TurnedClock;

    const HOUR: Duration = Duration::from_secs(3599);
    const IN_ITS_LAST_MOMENT: Duration = Duration::from_secs(3599 - 10);
    const NEAR_ITS_END: Duration = Duration::from_secs(3599 - 5 * 60);

    /// Gives tokens that live for a while, or fails, after a moment; and counts.
    #[derive(Clone, Debug)]
    struct Giver {
        clock: TurnedClock,
        life: Duration,
        asked: Arc<AtomicUsize>,
        kind: Arc<Mutex<Option<TokenErrorKind>>>,
        wait: Arc<Mutex<Option<Duration>>>,
    }

    impl Giver {
        fn new(life: Duration) -> Self {
            Self {
                clock: TurnedClock::new(),
                life,
                asked: Arc::default(),
                kind: Arc::default(),
                wait: Arc::default(),
            }
        }

        fn tokens(&self) -> Arc<TokenCache> {
            TokenCache::with_clock(self.clone(), self.clock.clone())
        }

        fn asked(&self) -> usize {
            self.asked.load(Ordering::SeqCst)
        }

        fn fails(&self, kind: impl Into<Option<TokenErrorKind>>) {
            *self.kind.lock() = kind.into();
        }

        fn asks_to_wait(&self, wait: Duration) {
            *self.wait.lock() = Some(wait);
        }
    }

    #[async_trait]
    impl TokenProvider for Giver {
        async fn token(&self) -> Result<Token, TokenError> {
            self.asked.fetch_add(1, Ordering::SeqCst);
            sleep(Duration::from_millis(50)).await;
            match *self.kind.lock() {
                Some(kind) => Err(TokenError::new(kind, "no").after(*self.wait.lock())),
                None => Ok(Token::new(
                    "token".into(),
                    self.clock.now() + self.life,
                    Identity::ServicePrincipal,
                )),
            }
        }
    }

    async fn token(tokens: &Arc<TokenCache>) -> Arc<Token> {
        let token = tokens.get().await;
        token.unwrap_or_else(|error| unreachable!("{error}"))
    }

    /// Lets what was started in the background end.
    async fn settle() {
        sleep(Duration::from_secs(10)).await;
    }

    #[tokio::test(start_paused = true)]
    async fn a_hundred_first_reads_ask_once() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let reads = (0..100).map(|_| tokens.get());
        let all = futures_util::future::join_all(reads).await;
        assert!(all.iter().all(Result::is_ok));
        assert_eq!(giver.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn who_stops_waiting_does_not_end_it_for_the_others() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let impatient = timeout(Duration::from_millis(1), tokens.get());
        let (gave_up, patient) = tokio::join!(impatient, tokens.get());
        assert!(gave_up.is_err());
        assert!(patient.is_ok());
        assert_eq!(giver.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn near_its_end_a_token_is_used_and_refreshed_meanwhile() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let old = token(&tokens).await;
        giver.clock.turn(NEAR_ITS_END);
        assert!(Arc::ptr_eq(&token(&tokens).await, &old));
        settle().await;
        assert!(!Arc::ptr_eq(&token(&tokens).await, &old));
        assert_eq!(giver.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failed_refresh_leaves_the_old_token_and_backs_off() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let old = token(&tokens).await;
        giver.clock.turn(NEAR_ITS_END);
        giver.fails(TokenErrorKind::Refused);
        for _ in 0..100 {
            assert!(Arc::ptr_eq(&token(&tokens).await, &old));
            settle().await;
        }
        assert_eq!(giver.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn while_refused_the_refusal_is_told_without_asking() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        giver.fails(TokenErrorKind::Refused);
        let mut refused = 0;
        for _ in 0..600 {
            refused += usize::from(tokens.get().await.is_err());
            giver.clock.turn(Duration::from_secs(1));
        }
        assert_eq!((refused, giver.asked()), (600, 10));
        giver.fails(None);
        giver.clock.turn(AFTER_DENIAL.longest);
        assert!(tokens.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_asked_again_at_once() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        giver.fails(TokenErrorKind::Unreachable);
        assert!(tokens.get().await.is_err());
        assert_eq!(giver.asked(), ATTEMPTS as usize);
    }

    #[tokio::test(start_paused = true)]
    async fn a_day_of_reads_asks_no_more_than_tokens_expire() {
        for (life, most) in [(HOUR, 30), (Duration::from_secs(24 * 60 * 60), 2)] {
            let giver = Giver::new(life);
            let tokens = giver.tokens();
            for _ in 0..24 * 60 * 2 {
                token(&tokens).await;
                settle().await;
                giver.clock.turn(Duration::from_secs(30));
            }
            assert!(giver.asked() <= most, "{} of {life:?}", giver.asked());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_revoked_token_is_replaced_each_time() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        for _ in 0..5 {
            let old = token(&tokens).await;
            tokens.accepted("org");
            let reads = (0..20).map(|_| tokens.renew(&old, "org"));
            for renewed in futures_util::future::join_all(reads).await {
                assert!(matches!(renewed, Ok(Some(new)) if !Arc::ptr_eq(&new, &old)));
            }
        }
        assert_eq!(giver.asked(), 6);
    }

    #[tokio::test(start_paused = true)]
    async fn an_organization_that_refuses_every_token_does_not_make_each_read_ask() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        for _ in 0..100 {
            let refused = token(&tokens).await;
            let renewed = tokens.renew(&refused, "org").await;
            assert!(renewed.is_ok());
            tokens.renewed("org", Renewal::Refused);
        }
        assert_eq!(giver.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn an_organization_that_accepts_and_refuses_does_not_make_each_read_ask() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        for _ in 0..100 {
            let held = token(&tokens).await;
            tokens.accepted("org");
            if let Ok(Some(_)) = tokens.renew(&held, "org").await {
                tokens.renewed("org", Renewal::Refused);
            }
        }
        assert_eq!(giver.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_that_has_expired_when_it_comes_does_not_make_each_read_ask() {
        let giver = Giver::new(Duration::ZERO);
        let tokens = giver.tokens();
        for _ in 0..50 {
            token(&tokens).await;
        }
        assert_eq!(giver.asked(), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_server_asks_for_is_waited() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        giver.fails(TokenErrorKind::Unreachable);
        giver.asks_to_wait(Duration::from_secs(100));
        assert!(tokens.get().await.is_err());
        giver.clock.turn(Duration::from_secs(99));
        assert!(tokens.get().await.is_err());
        assert_eq!(giver.asked(), 1);
        giver.fails(None);
        giver.clock.turn(Duration::from_secs(1));
        assert!(tokens.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_token_is_not_used_in_its_last_moment() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let old = token(&tokens).await;
        giver.clock.turn(IN_ITS_LAST_MOMENT);
        assert!(!Arc::ptr_eq(&token(&tokens).await, &old));
    }

    #[tokio::test(start_paused = true)]
    async fn a_clock_that_is_put_back_does_not_prolong_a_failure() {
        let giver = Giver::new(HOUR);
        giver.clock.turn(HOUR);
        let tokens = giver.tokens();
        giver.fails(TokenErrorKind::Refused);
        assert!(tokens.get().await.is_err());
        giver.fails(None);
        giver.clock.turn_back(HOUR);
        assert!(tokens.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn many_organizations_that_refuse_cannot_make_it_ask_without_end() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        for organization in 0..1000 {
            let refused = token(&tokens).await;
            let renewed = tokens.renew(&refused, &organization.to_string()).await;
            assert!(renewed.is_ok());
        }
        assert_eq!(giver.asked(), 1 + MAX_REFUSALS);
    }

    #[tokio::test(start_paused = true)]
    async fn first_reads_whose_token_was_revoked_all_get_the_next_one() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let old = token(&tokens).await;
        let reads = (0..20).map(|_| tokens.renew(&old, "org"));
        for renewed in futures_util::future::join_all(reads).await {
            assert!(matches!(renewed, Ok(Some(new)) if !Arc::ptr_eq(&new, &old)));
        }
        assert_eq!(giver.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_renewal_that_failed_does_not_count_against_the_organization() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let old = token(&tokens).await;
        giver.fails(TokenErrorKind::Refused);
        assert!(tokens.renew(&old, "org").await.is_err());
        giver.fails(None);
        giver.clock.turn(AFTER_DENIAL.first);
        assert!(matches!(tokens.renew(&old, "org").await, Ok(Some(_))));
    }

    #[tokio::test(start_paused = true)]
    async fn who_did_not_answer_for_long_is_asked_again_before_long() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        giver.fails(TokenErrorKind::Unreachable);
        for _ in 0..60 {
            assert!(tokens.get().await.is_err());
            giver.clock.turn(Duration::from_secs(60));
        }
        giver.clock.turn_back(Duration::from_secs(60));
        giver.fails(None);
        giver.clock.turn(Duration::from_secs(30));
        assert!(tokens.get().await.is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_short_wait_that_the_server_asks_for_is_waited_within_the_read() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        giver.fails(TokenErrorKind::Unreachable);
        giver.asks_to_wait(Duration::from_secs(1));
        let started = Instant::now();
        let recovery = async {
            sleep(Duration::from_millis(500)).await;
            giver.fails(None);
        };
        let (first, ()) = tokio::join!(tokens.get(), recovery);
        assert!(first.is_ok());
        assert!(started.elapsed() >= Duration::from_secs(1));
        assert_eq!(giver.asked(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn in_its_last_moment_a_token_is_used_where_there_is_no_other() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let old = token(&tokens).await;
        giver.fails(TokenErrorKind::Unreachable);
        giver.clock.turn(IN_ITS_LAST_MOMENT);
        let just_failed = token(&tokens).await;
        let blocked = token(&tokens).await;
        assert!(Arc::ptr_eq(&just_failed, &old) && Arc::ptr_eq(&blocked, &old));
        giver.clock.turn(Duration::from_secs(10));
        assert!(tokens.get().await.is_err());
    }

    #[test]
    fn a_runtime_that_ends_takes_its_request_with_it_and_not_the_next() {
        let giver = Giver::new(HOUR);
        let tokens = giver.tokens();
        let runtime = || {
            tokio::runtime::Builder::new_current_thread()
                .enable_time()
                .build()
                .unwrap_or_else(|error| unreachable!("{error}"))
        };
        let impatient = async { timeout(Duration::from_millis(1), tokens.get()).await };
        let gave_up = runtime().block_on(impatient);
        assert!(gave_up.is_err());
        assert!(runtime().block_on(tokens.get()).is_ok());
        assert_eq!(giver.asked(), 2);
    }
}
