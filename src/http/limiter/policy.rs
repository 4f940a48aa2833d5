//! How fast one principal may ask one host: the whole policy of a limiter.
//!
//! It knows neither HTTP nor a clock: the time is a parameter.

use std::{collections::VecDeque, num::NonZeroU32, time::Duration};

use tokio::time::Instant;

use super::headers::LimitHeaders;
use crate::backoff::Backoff;

/// How many requests go at once at first: as with TCP's initial congestion window.
const FIRST: f64 = 10.0;

/// The most requests at once.
const MOST: f64 = 100.0;

/// While more than this is left of a budget, only the number of requests at once is bounded.
const PLENTY: f64 = 0.2;

/// The requests a second where [`PLENTY`] is left of a budget, and where next to nothing is.
const FASTEST: f64 = 1000.0;
const SLOWEST: f64 = 0.2;

/// The requests a second, at least, where the stated budget is contradictory.
const SLOWEST_IN_DOUBT: f64 = 1.0;

/// The most time between two requests, where next to nothing is left: that of `SLOWEST`.
pub const LONGEST_GAP: Duration = Duration::from_secs(5);

/// How much the rate grows in a second without delays: where a host refuses without a warning, and where it
/// warns.
const EASE: f64 = 0.07;
const EASE_WITH_WARNING: f64 = 1.0;

/// The most time for which one answer raises the rate.
const LONGEST_EASE: f64 = 5.0;

/// From how many answers on the rate is measured; fewer say nothing.
const MEASURE: u32 = 20;

/// The share of the rate before a cool-down with which it goes on after it.
const AFTER_CLOSING: f64 = 0.9;

/// After this long without an answer, the measured rate says nothing any more.
const IDLE: Duration = Duration::from_secs(10);

/// How long after a limit an answer that asks to sign in counts as rate limited: Azure DevOps counts over
/// five minutes. After that it is about the credential.
const DOUBT: Duration = Duration::from_secs(300);

/// For how long a stated budget slows requests down: Azure DevOps counts over five minutes.
const BUDGET: Duration = Duration::from_secs(300);

/// The cool-downs where a server refuses without saying for how long.
const CLOSED: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(60),
};

const MINUTE: Duration = Duration::from_secs(60);

/// When the next request may go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Now; it is counted as in flight.
    Now,
    /// At this time, unless an answer changes it.
    At(Instant),
    /// When an answer comes.
    Later,
}

/// What a request waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The host rate limits the principal: it refuses, delays, or says that little is left of a budget.
    Limited,
    /// As many as configured have gone in the last minute.
    Configured(NonZeroU32),
    /// So many requests are in flight, and the host has not answered yet.
    Unanswered(u32),
}

/// What an answer means for waiting requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Observed {
    /// Nothing that holds them up.
    Nothing,
    /// A cool-down began, which ends then.
    CoolDown(Instant),
}

/// How it is known that an answer is rate limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RateLimit {
    /// It says so.
    Stated,
    /// It asks to sign in, shortly after a limit.
    Inferred,
}

/// How many requests go at once, how many a second, and not before when.
#[derive(Debug)]
pub struct Policy {
    /// How many requests may be in flight at once.
    most: f64,
    /// Up to how many that grows with every answer; beyond, with every round of answers.
    soon: f64,
    on_the_way: u32,
    cool_down_until: Option<Instant>,
    /// The end of the cool-down that the host itself caused.
    stated_cool_down_until: Option<Instant>,
    closed_at: Option<Instant>,
    /// The cool-downs in a row, without an answer in between.
    cool_down: u32,
    /// How many requests a second may go; any number where there is none.
    rate: Option<f64>,
    rated_at: Instant,
    /// Until when the rate comes from a stated budget.
    budget_until: Option<Instant>,
    went_at: Option<Instant>,
    /// Whether the host warns before it refuses.
    is_warned: bool,
    /// Delays on requests sent before this instant are already accounted for.
    narrowed_at: Option<Instant>,
    /// When the last cool-down ended, and how many requests were answered since.
    opened_at: Instant,
    answered: u32,
    last_minute: VecDeque<Instant>,
}

impl Policy {
    /// The policy for a principal without any answer yet.
    #[must_use]
    pub const fn new(now: Instant) -> Self {
        Self {
            most: FIRST,
            soon: MOST,
            on_the_way: 0,
            cool_down_until: None,
            stated_cool_down_until: None,
            closed_at: None,
            cool_down: 0,
            rate: None,
            rated_at: now,
            budget_until: None,
            went_at: None,
            is_warned: false,
            narrowed_at: None,
            opened_at: now,
            answered: 0,
            last_minute: VecDeque::new(),
        }
    }

    /// Lets a request through, if it may go now.
    pub fn admit(&mut self, now: Instant, per_minute: Option<NonZeroU32>) -> Admission {
        if let Some(until) = self.cool_down_until(now) {
            return Admission::At(until);
        }
        self.forget_budget(now);
        if f64::from(self.on_the_way) >= self.most.floor().max(1.0) {
            return Admission::Later;
        }
        let at = self.next(now).max(self.next_in_minute(now, per_minute));
        if at > now {
            return Admission::At(at);
        }
        self.go(now);
        if per_minute.is_some() {
            self.last_minute.push_back(now);
        }
        Admission::Now
    }

    /// What a request waits for that was not let through.
    #[must_use]
    pub fn cause(&mut self, now: Instant, per_minute: Option<NonZeroU32>) -> Cause {
        if self.cool_down_until(now).is_some() {
            return Cause::Limited;
        }
        if f64::from(self.on_the_way) >= self.most.floor().max(1.0) {
            // Delays have lowered it below its start.
            let is_narrowed = self.narrowed_at.is_some() && self.most < FIRST;
            return if is_narrowed {
                Cause::Limited
            } else {
                Cause::Unanswered(self.on_the_way)
            };
        }
        match per_minute {
            Some(most) if self.next_in_minute(now, per_minute) > self.next(now) => {
                Cause::Configured(most)
            }
            _ => Cause::Limited,
        }
    }

    /// The end of the cool-down, if there is one.
    #[must_use]
    pub fn cool_down_until(&self, now: Instant) -> Option<Instant> {
        self.cool_down_until.filter(|until| *until > now)
    }

    /// The end of the cool-down that the host itself caused, if there is one.
    #[must_use]
    pub fn stated_cool_down_until(&self, now: Instant) -> Option<Instant> {
        self.stated_cool_down_until.filter(|until| *until > now)
    }

    /// Whether the host stated a limit recently, and has answered nothing since.
    #[must_use]
    pub fn is_soon_after(&self, now: Instant) -> bool {
        let is_local = |until: Instant| now < until + DOUBT;
        self.cool_down > 0 && self.stated_cool_down_until.is_some_and(is_local)
    }

    /// Notes that a request is no longer in flight, however it ended.
    pub const fn finish(&mut self) {
        self.on_the_way = self.on_the_way.saturating_sub(1);
    }

    /// Begins a cool-down that another replica shares.
    pub fn cool_down(&mut self, now: Instant, until: Instant) -> Observed {
        self.stated_cool_down_until = self.stated_cool_down_until.max(Some(until));
        self.begin_cool_down(now, until)
    }

    fn begin_cool_down(&mut self, now: Instant, until: Instant) -> Observed {
        let was_open = self.cool_down_until(now).is_none();
        self.cool_down_until = self.cool_down_until.max(Some(until));
        if !was_open {
            return Observed::Nothing;
        }
        self.slow_down(until);
        self.closed_at = Some(now);
        self.cool_down = self.cool_down.saturating_add(1);
        Observed::CoolDown(until)
    }

    /// Learns from an answer to a request that was sent at `went`: its limits, and how it is known to be
    /// rate limited, if it is.
    pub fn observe(
        &mut self,
        headers: &LimitHeaders,
        refusal: Option<RateLimit>,
        (went, now): (Instant, Instant),
        chance: f64,
    ) -> Observed {
        self.is_warned |= headers.left.is_some() || headers.delay.is_some();
        let is_old = self.closed_at.is_some_and(|closed| went <= closed);
        let guess = || {
            let reset = headers.reset.filter(|reset| *reset <= CLOSED.longest);
            reset.unwrap_or_else(|| CLOSED.wait(self.cool_down.saturating_add(1), chance))
        };
        // Requests sent before the cool-down are refused for the same reason.
        let wait = headers
            .retry_after
            .or_else(|| (refusal.is_some() && !is_old).then(guess));
        let is_named = headers.retry_after.is_some() || refusal == Some(RateLimit::Stated);
        match wait {
            Some(wait) if is_named => return self.cool_down(now, now + wait),
            Some(wait) => return self.begin_cool_down(now, now + wait),
            None => {}
        }
        // Delays on requests sent before this instant are already accounted for.
        if refusal.is_none() && !is_old {
            self.answered = self.answered.saturating_add(1);
            self.cool_down = 0;
            self.follow(headers, went, now);
        }
        Observed::Nothing
    }

    /// Fewer at once, and no more a second than were answered, counting the time of the cool-down.
    fn slow_down(&mut self, until: Instant) {
        if self.answered >= MEASURE {
            let time = until
                .saturating_duration_since(self.opened_at)
                .as_secs_f64();
            let rate = f64::from(self.answered) / time.max(1.0) * AFTER_CLOSING;
            self.rate = Some(rate.max(SLOWEST));
            self.budget_until = None;
        }
        self.rated_at = until;
        self.soon = (self.most / 2.0).max(1.0);
        self.most = 1.0;
        self.opened_at = until;
        self.answered = 0;
    }

    fn follow(&mut self, headers: &LimitHeaders, went: Instant, now: Instant) {
        let is_late = headers.delay.is_some();
        if is_late {
            self.narrow(went, now);
        } else {
            self.widen();
        }
        if let Some(left) = headers.left {
            self.most = self.most.min((MOST * left.powf(1.5)).max(2.0));
        }
        match headers.left.filter(|left| *left < PLENTY) {
            Some(left) => {
                let rate = FASTEST * (SLOWEST / FASTEST).powf(1.0 - left / PLENTY);
                let least = if headers.doubts_reset() {
                    SLOWEST_IN_DOUBT
                } else {
                    SLOWEST
                };
                self.rate = Some(rate.max(least));
                self.rated_at = now;
                self.budget_until = Some(now + BUDGET);
            }
            None if !is_late => self.ease(now),
            None => {}
        }
    }

    /// Half as many at once, once for all that were in flight together.
    fn narrow(&mut self, went: Instant, now: Instant) {
        if self.narrowed_at.is_none_or(|at| went > at) {
            self.most = (self.most / 2.0).max(1.0);
            self.soon = self.most;
            self.narrowed_at = Some(now);
        }
    }

    /// One more at once; above the number before a cool-down, one more for each round.
    fn widen(&mut self) {
        let more = if self.most < self.soon {
            1.0
        } else {
            1.0 / self.most
        };
        self.most = (self.most + more).min(MOST);
    }

    fn ease(&mut self, now: Instant) {
        if let Some(rate) = self.rate {
            let by = if self.is_warned {
                EASE_WITH_WARNING
            } else {
                EASE
            };
            let time = now.saturating_duration_since(self.rated_at).as_secs_f64();
            let rate = rate * by.mul_add(time.min(LONGEST_EASE), 1.0);
            self.rate = (rate < FASTEST).then_some(rate);
            self.rated_at = self.rated_at.max(now);
        }
    }

    /// Forgets a budget that has not been mentioned for long.
    fn forget_budget(&mut self, now: Instant) {
        if self.budget_until.is_some_and(|until| until <= now) {
            self.budget_until = None;
            self.rate = None;
        }
    }

    fn next(&self, now: Instant) -> Instant {
        match (self.rate, self.went_at) {
            (Some(rate), Some(went)) => {
                let gap = Duration::from_secs_f64(1.0 / rate.max(SLOWEST));
                went + gap.min(LONGEST_GAP)
            }
            _ => now,
        }
    }

    /// Counts one more request with the same permit, if it may be sent now.
    ///
    /// # Errors
    /// It may be sent at this time, and not before.
    pub fn admit_more(
        &mut self,
        now: Instant,
        per_minute: Option<NonZeroU32>,
    ) -> Result<(), Instant> {
        let at = self.next_in_minute(now, per_minute);
        if at > now {
            return Err(at);
        }
        if per_minute.is_some() {
            self.last_minute.push_back(now);
        }
        Ok(())
    }

    fn next_in_minute(&mut self, now: Instant, per_minute: Option<NonZeroU32>) -> Instant {
        let Some(most) = per_minute else { return now };
        let is_over = |went: &Instant| now.saturating_duration_since(*went) >= MINUTE;
        while self.last_minute.front().is_some_and(is_over) {
            self.last_minute.pop_front();
        }
        let most = usize::try_from(most.get()).unwrap_or(usize::MAX);
        let too_many = self.last_minute.len().checked_sub(most);
        let first = too_many.and_then(|index| self.last_minute.get(index));
        first.map_or(now, |went| *went + MINUTE)
    }

    fn go(&mut self, now: Instant) {
        let is_idle = self
            .went_at
            .is_some_and(|went| now.saturating_duration_since(went) > IDLE);
        if self.on_the_way == 0 && is_idle {
            self.opened_at = now;
            self.answered = 0;
        }
        self.on_the_way = self.on_the_way.saturating_add(1);
        self.went_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOTHING: LimitHeaders = LimitHeaders {
        retry_after: None,
        delay: None,
        left: None,
        reset: None,
        doubts: Vec::new(),
    };

    fn seconds(number: f64) -> Duration {
        Duration::from_secs_f64(number)
    }

    /// As many as go at once.
    fn admitted(policy: &mut Policy, now: Instant) -> u32 {
        let mut count = 0;
        while policy.admit(now, None) == Admission::Now {
            count += 1;
        }
        count
    }

    fn answer(
        policy: &mut Policy,
        headers: &LimitHeaders,
        went: Instant,
        now: Instant,
    ) -> Observed {
        policy.finish();
        policy.observe(headers, None, (went, now), 1.0)
    }

    #[test]
    fn few_go_at_first_and_more_with_every_answer() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        assert_eq!(admitted(&mut policy, start), 10);
        for _ in 0..10 {
            answer(&mut policy, &NOTHING, start, start);
        }
        assert_eq!(admitted(&mut policy, start), 20);
        for _ in 0..1000 {
            answer(&mut policy, &NOTHING, start, start);
        }
        assert_eq!(admitted(&mut policy, start), 100);
    }

    #[test]
    fn nobody_goes_before_the_time_that_an_answer_names() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let headers = LimitHeaders {
            retry_after: Some(seconds(30.0)),
            ..NOTHING
        };
        assert_eq!(policy.admit(start, None), Admission::Now);
        let until = start + seconds(30.0);
        assert_eq!(
            answer(&mut policy, &headers, start, start),
            Observed::CoolDown(until)
        );
        assert_eq!(
            policy.admit(until - seconds(0.1), None),
            Admission::At(until)
        );
        assert_eq!(admitted(&mut policy, until), 1);
        for round in [2, 4] {
            for _ in 0..round / 2 {
                answer(&mut policy, &NOTHING, until, until);
            }
            assert_eq!(admitted(&mut policy, until), round);
        }
    }

    #[test]
    fn who_was_on_the_way_closes_it_no_second_time() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        admitted(&mut policy, start);
        let refused = |policy: &mut Policy, at: f64| {
            policy.finish();
            let refusal = Some(RateLimit::Stated);
            policy.observe(&NOTHING, refusal, (start, start + seconds(at)), 1.0)
        };
        let until = start + seconds(1.1);
        assert_eq!(refused(&mut policy, 0.1), Observed::CoolDown(until));
        assert_eq!(refused(&mut policy, 0.2), Observed::Nothing);
        assert_eq!(policy.cool_down_until(start), Some(until));
        for _ in 0..8 {
            answer(&mut policy, &NOTHING, start, start + seconds(0.3));
        }
        assert_eq!(admitted(&mut policy, until), 1);
    }

    #[test]
    fn it_stays_closed_longer_each_time() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let mut now = start;
        let waits = [1, 2, 4].map(|_| {
            assert_eq!(policy.admit(now, None), Admission::Now);
            policy.finish();
            policy.observe(&NOTHING, Some(RateLimit::Stated), (now, now), 1.0);
            let until = policy.cool_down_until(now).unwrap_or(now);
            let wait = until.saturating_duration_since(now).as_secs();
            now = until;
            wait
        });
        assert_eq!(waits, [1, 2, 4]);
    }

    #[test]
    fn what_was_answered_before_a_closing_is_the_rate_after_it() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        for _ in 0..100 {
            assert_eq!(policy.admit(start, None), Admission::Now);
            answer(&mut policy, &NOTHING, start, start);
        }
        policy.cool_down(start, start + seconds(10.0));
        let opened = start + seconds(10.0);
        assert_eq!(policy.admit(opened, None), Admission::Now);
        answer(&mut policy, &NOTHING, opened, opened);
        // 100 in 10 seconds, and nine tenths of that.
        let Admission::At(next) = policy.admit(opened, None) else {
            unreachable!("it goes on at once");
        };
        let wait = (next - opened).as_secs_f64();
        assert!((wait - 1.0 / 9.0).abs() < 0.001, "{wait}");
    }

    #[test]
    fn the_less_is_left_the_slower_it_goes() {
        let start = Instant::now();
        let waits = [0.5, 0.1, 0.05, 0.0].map(|left| {
            let mut policy = Policy::new(start);
            let headers = LimitHeaders {
                left: Some(left),
                ..NOTHING
            };
            assert_eq!(policy.admit(start, None), Admission::Now);
            answer(&mut policy, &headers, start, start);
            match policy.admit(start, None) {
                Admission::At(next) => (next - start).as_secs_f64(),
                _ => 0.0,
            }
        });
        assert!(waits.is_sorted(), "{waits:?}");
        assert!(waits[0] < 0.001 && waits[3] > 4.0, "{waits:?}");
    }

    #[test]
    fn an_empty_budget_that_is_never_whole_lets_one_a_second_through_and_is_forgotten() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let doubt = crate::http::limiter::headers::Doubt {
            header: "x-ratelimit-reset",
            said: "1e300".to_owned(),
            believed: "",
        };
        let empty = LimitHeaders {
            left: Some(0.0),
            doubts: vec![doubt],
            ..NOTHING
        };
        let mut now = start;
        for _ in 0..600 {
            assert_eq!(policy.admit(now, None), Admission::Now);
            answer(&mut policy, &empty, now, now);
            let next = now + seconds(1.0);
            assert_eq!(policy.admit(now, None), Admission::At(next));
            now = next;
        }
        let later = now + BUDGET;
        assert_eq!(policy.admit(later, None), Admission::Now);
        assert_eq!(policy.admit(later, None), Admission::Now);
    }

    #[test]
    fn an_empty_budget_slows_nobody_down_for_longer_than_it_lasts() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let empty = LimitHeaders {
            left: Some(0.0),
            ..NOTHING
        };
        assert_eq!(policy.admit(start, None), Admission::Now);
        answer(&mut policy, &empty, start, start);
        // Nothing more is answered: requests stay in flight.
        let mut now = start;
        let mut times = Vec::new();
        while now < start + BUDGET {
            if let Admission::At(next) = policy.admit(now, None) {
                now = next;
            } else {
                policy.finish();
                times.push(now);
            }
        }
        let longest = times.windows(2).map(|two| two[1] - two[0]).max();
        assert_eq!(longest, Some(seconds(5.0)));
        assert_eq!(policy.admit(now, None), Admission::Now);
        assert_eq!(policy.admit(now, None), Admission::Now);
    }

    #[test]
    fn what_a_server_repeats_for_ever_never_makes_anybody_wait_for_long() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let empty = LimitHeaders {
            left: Some(0.0),
            delay: Some(seconds(3_600.0)),
            ..NOTHING
        };
        let mut now = start;
        for _ in 0..1_000 {
            if let Admission::At(next) = policy.admit(now, None) {
                assert!(next - now <= LONGEST_GAP);
                now = next;
            } else {
                answer(&mut policy, &empty, now, now);
            }
        }
    }

    #[test]
    fn delays_halve_it_once_for_all_that_are_on_their_way() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let late = LimitHeaders {
            delay: Some(seconds(1.0)),
            ..NOTHING
        };
        assert_eq!(admitted(&mut policy, start), 10);
        let later = start + seconds(1.0);
        for _ in 0..10 {
            answer(&mut policy, &late, start, later);
        }
        assert_eq!(admitted(&mut policy, later), 5);
    }

    #[test]
    fn delays_slow_it_down_where_a_budget_is_named_as_well() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let late = LimitHeaders {
            delay: Some(seconds(1.0)),
            left: Some(0.5),
            ..NOTHING
        };
        assert_eq!(admitted(&mut policy, start), 10);
        let later = start + seconds(1.0);
        for _ in 0..10 {
            answer(&mut policy, &late, start, later);
        }
        assert_eq!(admitted(&mut policy, later), 5);
    }

    #[test]
    fn a_request_to_sign_in_is_doubted_for_five_minutes_after_a_limit() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        assert!(!policy.is_soon_after(start));
        let headers = LimitHeaders {
            retry_after: Some(seconds(30.0)),
            ..NOTHING
        };
        policy.observe(&headers, Some(RateLimit::Stated), (start, start), 1.0);
        let mut now = start;
        // Refusals as unknown in all that time do not extend it.
        while policy.is_soon_after(now) {
            now = policy.cool_down_until(now).unwrap_or(now) + seconds(1.0);
            policy.observe(&NOTHING, Some(RateLimit::Inferred), (now, now), 1.0);
        }
        let doubted = (now - start).as_secs();
        assert!((330..400).contains(&doubted), "{doubted}");
    }

    #[test]
    fn nothing_is_doubted_once_something_was_answered() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        policy.cool_down(start, start + seconds(1.0));
        let later = start + seconds(2.0);
        assert!(policy.is_soon_after(later));
        answer(&mut policy, &NOTHING, later, later);
        assert!(!policy.is_soon_after(later));
    }

    #[test]
    fn who_waits_is_told_what_for() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        assert_eq!(admitted(&mut policy, start), 10);
        assert_eq!(policy.cause(start, None), Cause::Unanswered(10));
        let most = NonZeroU32::MIN;
        let mut policy = Policy::new(start);
        assert_eq!(policy.admit(start, Some(most)), Admission::Now);
        assert_eq!(policy.cause(start, Some(most)), Cause::Configured(most));
        let refused = LimitHeaders {
            retry_after: Some(seconds(30.0)),
            ..NOTHING
        };
        answer(&mut policy, &refused, start, start);
        assert_eq!(policy.cause(start, Some(most)), Cause::Limited);
        let mut policy = Policy::new(start);
        let little_left = LimitHeaders {
            left: Some(0.0),
            ..NOTHING
        };
        assert_eq!(policy.admit(start, None), Admission::Now);
        answer(&mut policy, &little_left, start, start);
        assert_eq!(policy.cause(start, None), Cause::Limited);
    }

    #[test]
    fn no_minute_has_more_than_its_number() {
        let start = Instant::now();
        let mut policy = Policy::new(start);
        let most = NonZeroU32::new(3);
        let mut now = start;
        let mut went = Vec::new();
        while went.len() < 10 {
            match policy.admit(now, most) {
                Admission::Now => {
                    went.push(now);
                    answer(&mut policy, &NOTHING, now, now);
                    now += seconds(7.0);
                }
                Admission::At(next) => now = next,
                Admission::Later => unreachable!("nobody is on the way"),
            }
        }
        for four in went.windows(4) {
            assert!(four[3] - four[0] >= MINUTE, "{four:?}");
        }
    }
}
