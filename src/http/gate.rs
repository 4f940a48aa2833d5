//! The queue of one reader at one host: all its requests pass here, whichever plugin asks.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroU32,
    sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError},
    time::{Duration, SystemTime},
};

use reqwest::header::HeaderMap;
use tokio::{
    sync::{Mutex as Turn, Notify},
    time::{Instant, sleep_until, timeout_at},
};

use super::{
    pace::{Admission, Heard, Pace},
    signals::Signals,
};
use crate::credentials::Reader;

/// From so many gates on, those that nobody uses are forgotten.
const MANY: usize = 64;

/// How long a gate that nobody uses is remembered at least.
const REMEMBERED: Duration = Duration::from_secs(600);

/// The most organizations of which a gate remembers that they let the reader in.
const MOST_ORGANIZATIONS: usize = 1000;

static GATES: LazyLock<Mutex<Gates>> = LazyLock::new(Mutex::default);

type Gates = HashMap<(Reader, String), Arc<Gate>>;

/// What the requests of one reader to one host pass, one after the other, in the order in which they
/// came, as fast as the host lets this reader ask.
#[derive(Debug)]
pub(super) struct Gate {
    /// Whoever has it is the next to go; it is handed on in the order in which it was asked for.
    turn: Turn<()>,
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug)]
struct State {
    pace: Pace,
    /// The organizations that let the reader in.
    accepted: HashSet<String>,
    used_at: Instant,
}

/// There is less time than it takes to be let through.
#[derive(Clone, Copy, Debug)]
pub struct Closed {
    /// For how long nothing is to be asked, if a server has said so.
    pub wait: Option<Duration>,
}

impl Gate {
    /// The gate of a reader at a host.
    pub(super) fn of(reader: Reader, host: &str) -> Arc<Self> {
        let mut gates = GATES.lock().unwrap_or_else(PoisonError::into_inner);
        if gates.len() >= MANY {
            gates.retain(|_, gate| Arc::strong_count(gate) > 1 || !gate.is_forgotten());
        }
        let gate = gates.entry((reader, host.to_owned()));
        Arc::clone(gate.or_insert_with(|| Arc::new(Self::new())))
    }

    fn new() -> Self {
        let now = Instant::now();
        Self {
            turn: Turn::default(),
            state: Mutex::new(State {
                pace: Pace::new(now),
                accepted: HashSet::new(),
                used_at: now,
            }),
            changed: Notify::new(),
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
        let entered = self.wait(per_minute, deadline);
        let late = |_| Closed { wait: None };
        timeout_at(deadline, entered).await.map_err(late)??;
        Ok(Pass {
            went: Instant::now(),
            gate: self,
        })
    }

    async fn wait(&self, per_minute: Option<NonZeroU32>, deadline: Instant) -> Result<(), Closed> {
        let _turn = self.turn.lock().await;
        loop {
            let changed = self.changed.notified();
            let now = Instant::now();
            match self.admit(now, per_minute) {
                Admission::Now => return Ok(()),
                Admission::At(at) if at > deadline => {
                    let wait = Some(at - now);
                    return Err(Closed { wait });
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
        is_closed && state.accepted.contains(organization)
    }

    fn admit(&self, now: Instant, per_minute: Option<NonZeroU32>) -> Admission {
        let mut state = self.state();
        state.used_at = now;
        state.pace.admit(now, per_minute)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_forgotten(&self) -> bool {
        let state = self.state();
        let is_open = state.pace.closed_until(Instant::now()).is_none();
        is_open && state.used_at.elapsed() > REMEMBERED
    }
}

/// One request on its way; the next may go when it is dropped.
#[derive(Debug)]
pub(super) struct Pass {
    gate: Arc<Gate>,
    went: Instant,
}

impl Pass {
    /// Whether a request to sign in means that the reader is blocked, and not that it is unknown.
    ///
    /// A blocked reader that goes on asking is answered as if nobody knew it.
    pub(super) fn is_blocked(&self, organization: &str) -> bool {
        let state = self.gate.state();
        let is_closed = state.pace.closed_until(Instant::now()).is_some();
        is_closed || (state.pace.is_doubted() && state.accepted.contains(organization))
    }

    /// Notes what an answer says of limits, and whether it is a refusal because of them.
    pub(super) fn heard(&self, headers: &HeaderMap, is_refusal: bool) -> Heard {
        let signals = Signals::read(headers, SystemTime::now());
        let times = (self.went, Instant::now());
        let mut state = self.gate.state();
        state
            .pace
            .heard(&signals, is_refusal, times, fastrand::f64())
    }

    /// Notes that an organization does not let the reader in.
    pub(super) fn refused(&self, organization: &str) {
        self.gate.state().accepted.remove(organization);
    }

    /// Notes that an organization let the reader in.
    pub(super) fn accepted(&self, organization: &str) {
        let accepted = &mut self.gate.state().accepted;
        if !accepted.contains(organization) && accepted.len() < MOST_ORGANIZATIONS {
            accepted.insert(organization.to_owned());
        }
    }
}

impl Drop for Pass {
    fn drop(&mut self) {
        self.gate.state().pace.came_back();
        self.gate.changed.notify_waiters();
    }
}
