//! Unread answers: each holds a connection, so their number is bounded.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Weak,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::{Mutex, MutexGuard};

use super::body::Body;
use crate::shortage::Part;

/// How many may wait.
static MOST: AtomicUsize = AtomicUsize::new(usize::MAX);

/// Those that wait, the oldest first, and some that no longer do.
static UNREAD: Mutex<VecDeque<Weak<Unread>>> = Mutex::new(VecDeque::new());

/// The body of an answer; `None` once it was taken, or dropped because of too many others.
pub(crate) type Unread = Mutex<Option<Body>>;

/// Notes one more; the oldest is dropped, with its connection, where there are too many.
pub(crate) fn note(body: &Arc<Unread>) {
    let mut unread = unread();
    unread.push_back(Arc::downgrade(body));
    let most = MOST.load(Ordering::Relaxed);
    if unread.len() > most {
        unread.retain(waits);
        let count = unread.len().saturating_sub(most);
        let_go(unread.drain(..count));
    }
}

/// Sets how many may wait.
pub(crate) fn wait_at_most(count: usize) {
    MOST.store(count, Ordering::Relaxed);
}

/// Drops unread answers. Returns whether there were any.
pub(crate) fn let_go_of_unread(part: Part) -> bool {
    let mut unread = unread();
    unread.retain(waits);
    let count = match part {
        Part::Half => unread.len().div_ceil(2),
        Part::All => unread.len(),
    };
    let_go(unread.drain(..count));
    count > 0
}

/// Whether it is unread, and holds a connection.
fn waits(body: &Weak<Unread>) -> bool {
    body.upgrade().is_some_and(|body| {
        let body = body.lock();
        body.as_ref().is_some_and(|body| body.whole().is_none())
    })
}

fn let_go(bodies: impl Iterator<Item = Weak<Unread>>) {
    for body in bodies.filter_map(|body| body.upgrade()) {
        body.lock().take();
    }
}

fn unread() -> MutexGuard<'static, VecDeque<Weak<Unread>>> {
    UNREAD.lock()
}
