//! [`Cache`]: values within a bound of bytes.

use std::{fmt, hash::Hash};

use quick_cache::{
    DefaultHashBuilder, OptionsBuilder, Weighter,
    sync::{self, DefaultLifecycle},
};

use super::{
    single_flight::Coalescer,
    traits::{CacheKey, Weigh},
};
use crate::error::Error;

/// Values that never change, by their keys, within so many bytes.
///
/// What is used least goes first. A value that is larger than the whole bound is not kept.
pub struct Cache<K, V> {
    kept: sync::Cache<K, V, ByBytes>,
    /// The bytes of the largest value that is kept: larger ones would push out too many others.
    most: u64,
    making: Coalescer<K, V>,
}

impl<K, V> Cache<K, V>
where
    K: CacheKey + Weigh,
    V: Clone + Weigh + 'static,
{
    /// An empty cache with room for so many bytes.
    #[must_use]
    pub fn new(bytes: u64) -> Self {
        Self::with_values_up_to(u64::MAX, bytes)
    }

    /// An empty cache with room for so many bytes, in which no larger values than this are kept.
    #[must_use]
    pub fn with_values_up_to(most: u64, bytes: u64) -> Self {
        Self {
            kept: one_shard(bytes),
            most,
            making: Coalescer::default(),
        }
    }

    /// Makes more room, or less; none at all keeps nothing.
    pub fn resize(&self, bytes: u64) {
        self.kept.set_capacity(bytes);
    }

    /// The value, if it is kept.
    pub fn get(&self, key: &K) -> Option<V> {
        self.kept.get(key)
    }

    /// How many bytes there is room for.
    pub fn room(&self) -> u64 {
        self.kept.capacity()
    }

    /// How many bytes are kept.
    pub fn bytes(&self) -> u64 {
        self.kept.weight()
    }

    /// Keeps a value, if there is room and it is not too large.
    pub fn put(&self, key: K, value: V) {
        if value.bytes() <= self.most && key.may_be_kept() {
            self.kept.insert(key, value);
        }
    }

    /// Keeps a value no longer, as when it turned out to be damaged.
    pub fn forget(&self, key: &K) {
        self.kept.remove(key);
    }

    /// The value as it is kept, or made now, for all that ask for it meanwhile.
    ///
    /// Dropping the future leaves the other callers waiting; the work ends when the last one is dropped.
    ///
    /// # Errors
    /// Those of `make`, for all who wait. They are not kept.
    pub async fn get_or_make<F>(&self, key: &K, make: impl FnOnce() -> F) -> Result<V, Error>
    where
        F: Future<Output = Result<V, Error>> + Send + 'static,
    {
        if let Some(value) = self.get(key) {
            return Ok(value);
        }
        let value = self.making.run(key, make).await?;
        self.put(key.clone(), value.clone());
        Ok(value)
    }
}

impl<K, V> fmt::Debug for Cache<K, V> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Cache").finish_non_exhaustive()
    }
}

/// All the room in one piece: of several, each would keep nothing that is larger than itself.
fn one_shard<K, V>(bytes: u64) -> sync::Cache<K, V, ByBytes>
where
    K: Eq + Hash + Weigh,
    V: Clone + Weigh,
{
    let options = OptionsBuilder::new()
        .shards(1)
        // An estimate of how many values there will be.
        .estimated_items_capacity(1_000)
        .weight_capacity(bytes)
        .build();
    #[expect(
        clippy::expect_used,
        reason = "the only error is that one of the two capacities is missing"
    )]
    let options = options.expect("both capacities are given");
    let hasher = DefaultHashBuilder::default();
    sync::Cache::with_options(options, ByBytes, hasher, DefaultLifecycle::default())
}

#[derive(Clone)]
struct ByBytes;

impl<K: Weigh, V: Weigh> Weighter<K, V> for ByBytes {
    fn weight(&self, key: &K, value: &V) -> u64 {
        key.bytes() + value.bytes()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        time::Duration,
    };

    use tokio::{sync::oneshot, task, time::timeout};

    use super::*;

    impl Weigh for &'static str {
        fn bytes(&self) -> u64 {
            0
        }
    }

    impl CacheKey for &'static str {
        fn may_be_kept(&self) -> bool {
            !self.starts_with("callers")
        }
    }

    impl Weigh for u64 {
        fn bytes(&self) -> u64 {
            *self
        }
    }

    fn cache(bytes: u64) -> Arc<Cache<&'static str, u64>> {
        Arc::new(Cache::new(bytes))
    }

    #[tokio::test]
    async fn what_may_not_be_kept_is_made_again() {
        let cache = cache(100);
        for value in [1, 2] {
            let made = cache.get_or_make(&"callers", || async move { Ok(value) });
            assert_eq!(made.await.ok(), Some(value));
        }
        assert_eq!(cache.get(&"callers"), None);
    }

    #[tokio::test]
    async fn what_is_kept_is_not_made_again() {
        let cache = cache(100);
        let made = AtomicUsize::new(0);
        for _ in 0..3 {
            let value = cache.get_or_make(&"a", || {
                made.fetch_add(1, Ordering::Relaxed);
                async { Ok(10) }
            });
            assert_eq!(value.await.ok(), Some(10));
        }
        assert_eq!(made.into_inner(), 1);
    }

    #[tokio::test]
    async fn a_failure_is_not_kept() {
        let cache = cache(100);
        let failed = cache.get_or_make(&"a", || async { Err(Error::other("no")) });
        assert!(failed.await.is_err());
        assert_eq!(
            cache.get_or_make(&"a", || async { Ok(1) }).await.ok(),
            Some(1)
        );
    }

    #[tokio::test]
    async fn whoever_waits_for_what_panics_learns_of_it() {
        let cache = cache(100);
        let (go, gone) = oneshot::channel::<()>();
        let first = task::spawn({
            let cache = Arc::clone(&cache);
            let make = || async move {
                let _ = gone.await;
                unreachable!("the test has it panic")
            };
            async move { cache.get_or_make(&"a", make).await.is_err() }
        });
        task::yield_now().await;
        let second = task::spawn({
            let cache = Arc::clone(&cache);
            let make = || async { Ok(1) };
            async move { cache.get_or_make(&"a", make).await.is_err() }
        });
        task::yield_now().await;
        drop(go);
        for waiting in [second, first] {
            let outcome = timeout(Duration::from_secs(5), waiting).await;
            assert_eq!(outcome.ok().and_then(Result::ok), Some(true));
        }
        let next = cache.get_or_make(&"a", || async { Ok(2) });
        assert_eq!(next.await.ok(), Some(2));
    }

    #[test]
    fn a_value_may_take_nearly_all_the_room() {
        let cache = cache(100);
        cache.put("a", 90);
        assert_eq!(cache.get(&"a"), Some(90));
    }

    #[test]
    fn what_is_too_large_pushes_out_nothing() {
        let cache: Cache<&str, u64> = Cache::with_values_up_to(10, 100);
        for key in ["a", "b", "c", "d", "e"] {
            cache.put(key, 10);
        }
        cache.put("large", 90);
        assert_eq!(cache.get(&"large"), None);
        assert_eq!(cache.bytes(), 50);
    }

    #[test]
    fn there_is_never_more_than_there_is_room_for() {
        let cache = cache(100);
        for (key, bytes) in [("a", 60), ("b", 30), ("c", 50), ("d", 101), ("e", 90)] {
            cache.put(key, bytes);
            assert!(cache.bytes() <= 100, "{key}");
        }
        cache.resize(0);
        assert_eq!(cache.bytes(), 0);
        cache.put("a", 1);
        assert_eq!(cache.get(&"a"), None);
    }

    #[tokio::test]
    async fn whoever_asks_meanwhile_waits_for_the_same_and_may_leave() {
        let cache = cache(0);
        let (finish, finished) = oneshot::channel();
        let first = task::spawn({
            let cache = Arc::clone(&cache);
            async move {
                let make = || async move { finished.await.map_err(|_| Error::other("dropped")) };
                cache.get_or_make(&"a", make).await
            }
        });
        task::yield_now().await;
        let second = task::spawn({
            let cache = Arc::clone(&cache);
            async move { cache.get_or_make(&"a", || async { Ok(2) }).await }
        });
        task::yield_now().await;
        first.abort();
        task::yield_now().await;
        assert_eq!(finish.send(1), Ok(()));
        assert_eq!(second.await.ok().and_then(Result::ok), Some(1));
    }

    #[tokio::test]
    async fn making_ends_when_the_last_one_leaves() {
        let cache = cache(100);
        let (finish, finished) = oneshot::channel::<u64>();
        let only = task::spawn(async move {
            let make = || async move { finished.await.map_err(|_| Error::other("dropped")) };
            cache.get_or_make(&"a", make).await
        });
        task::yield_now().await;
        only.abort();
        let _ = only.await;
        assert_eq!(finish.send(1), Err(1));
    }
}
