//! Work that is done once for all who ask for it meanwhile.
//!
//! No crate is used for it: the work has to end, with its connection, when the last caller stops waiting,
//! and a failure must be shared and then forgotten.

use std::{
    collections::HashMap,
    fmt,
    hash::Hash,
    sync::{Arc, Weak},
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use parking_lot::Mutex;

use crate::{error::Error, fault, panic::caught};

/// From so many on, those that have ended are removed.
const FEW: usize = 16;

/// Values that are made once for all who ask for the same meanwhile, and then not kept.
pub struct Coalescer<K, V> {
    making: SingleFlight<K, Making<V>>,
}

/// A value that is being made, for all who wait for it.
type Making<V> = Shared<BoxFuture<'static, Result<V, Error>>>;

impl<K, V> Coalescer<K, V>
where
    K: Clone + Eq + Hash,
    V: Clone + 'static,
{
    /// The value that is being made for others, or is made from now on.
    ///
    /// Dropping the future leaves the other callers waiting; the work ends when the last one is dropped.
    ///
    /// # Errors
    /// Those of `make`, for all who wait.
    pub async fn run<F>(&self, key: &K, make: impl FnOnce() -> F) -> Result<V, Error>
    where
        F: Future<Output = Result<V, Error>> + Send + 'static,
    {
        let is_of_use = |making: &Making<V>| !matches!(making.peek(), Some(Err(_)));
        let start = || {
            let work = make();
            // A panic in a shared future would spread to all that wait for it, or leave them waiting.
            let making = caught(async move {
                fault::point("made for all");
                work.await
            });
            making.boxed().shared()
        };
        let making = self.making.join(key, is_of_use, start);
        Making::clone(&making).await
    }
}

impl<K, V> Default for Coalescer<K, V> {
    fn default() -> Self {
        Self {
            making: SingleFlight::default(),
        }
    }
}

impl<K, V> fmt::Debug for Coalescer<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Coalescer").finish_non_exhaustive()
    }
}

/// Work that is under way, by what it is for; it ends when the last who joined lets go.
#[derive(Debug)]
pub struct SingleFlight<K, T> {
    known: Mutex<Known<K, T>>,
}

#[derive(Debug)]
struct Known<K, T> {
    under_way: HashMap<K, Weak<T>>,
    /// From how many on those that have ended are removed: twice as many as were left, so that this costs
    /// each start the same however much is under way.
    next_look: usize,
}

impl<K: Clone + Eq + Hash, T> SingleFlight<K, T> {
    /// What is under way, if it is still of use; else what is started now.
    pub fn join(
        &self,
        key: &K,
        is_of_use: impl FnOnce(&T) -> bool,
        start: impl FnOnce() -> T,
    ) -> Arc<T> {
        let mut known = self.known.lock();
        let joined = known.under_way.get(key).and_then(Weak::upgrade);
        if let Some(joined) = joined.filter(|joined| is_of_use(joined)) {
            return joined;
        }
        let started = Arc::new(start());
        if known.under_way.len() >= known.next_look {
            known.under_way.retain(|_, work| work.strong_count() > 0);
            known.next_look = FEW.max(2 * known.under_way.len());
        }
        known
            .under_way
            .insert(key.clone(), Arc::downgrade(&started));
        started
    }
}

impl<K, T> Default for SingleFlight<K, T> {
    fn default() -> Self {
        let known = Known {
            under_way: HashMap::new(),
            next_look: FEW,
        };
        Self {
            known: known.into(),
        }
    }
}
