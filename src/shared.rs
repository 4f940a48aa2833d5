//! The cache that the replicas of a backend share, for which nobody waits long: while it is down or
//! slow it is left alone, and each replica works by itself.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::BoxFuture;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::backoff::Backoff;

/// How long somebody waits who asks for an entry.
const GET_LIMIT: Duration = Duration::from_millis(250);

/// How long an entry may take to be written, for which nobody waits.
const SET_LIMIT: Duration = Duration::from_secs(2);

/// How long it is left alone after failures.
const LEFT_ALONE: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(5),
};

/// From so many failures in a row on the log is told: one may be no more than a busy moment.
const FAILURES_TO_TELL: u32 = 2;

/// How many entries are written at once, and how many bytes may wait for that; what is more than that
/// is not shared.
const WRITTEN_AT_ONCE: usize = 8;
const MOST_WAITING: usize = 32 * 1024 * 1024;

/// The caches of this process, by the plugins whose they are.
///
/// Backstage gives each plugin entries of its own, so that replicas meet where they have a plugin in
/// common.
static CACHES: Mutex<BTreeMap<String, Arc<SharedCache>>> = Mutex::new(BTreeMap::new());

/// A cache service gave no answer.
#[derive(Clone, Copy, Debug)]
pub struct NoAnswer;

/// A cache service, wherever it is.
pub trait CacheService: fmt::Debug + Send + Sync {
    /// Asks for an entry.
    fn get(&self, key: String) -> BoxFuture<'static, Result<Option<String>, NoAnswer>>;

    /// Writes an entry, which ends with its life.
    fn set(
        &self,
        key: String,
        value: String,
        life: Duration,
    ) -> BoxFuture<'static, Result<(), NoAnswer>>;

    /// Whether it can be asked at all; what has gone does not come back.
    fn is_there(&self) -> bool;

    /// Says something to the log.
    fn tell(&self, message: &str, is_warning: bool);
}

/// Shares with other replicas through a plugin's cache, in the place of what it had before.
pub fn share_through(plugin: String, service: impl CacheService + 'static) {
    let cache = Arc::new(SharedCache::new(service));
    caches().insert(plugin, cache);
}

fn caches() -> MutexGuard<'static, BTreeMap<String, Arc<SharedCache>>> {
    let mut caches = CACHES.lock().unwrap_or_else(PoisonError::into_inner);
    caches.retain(|_, cache| cache.service.is_there());
    caches
}

/// Every cache that there is: what all replicas must know stands in each.
#[must_use]
pub fn every_cache() -> Vec<Arc<SharedCache>> {
    caches().values().cloned().collect()
}

/// The cache for what is large: the same one in all replicas that have the same plugins.
#[must_use]
pub fn one_cache() -> Option<Arc<SharedCache>> {
    caches().values().next().cloned()
}

/// A cache service, and how it is.
#[derive(Debug)]
pub struct SharedCache {
    service: Box<dyn CacheService>,
    health: Mutex<Health>,
    waiting: Arc<Semaphore>,
    writing: Semaphore,
}

/// How often it failed in a row, when last, and until when it is left alone.
#[derive(Debug, Default)]
struct Health {
    failures: u32,
    failed_at: Option<Instant>,
    alone_until: Option<Instant>,
}

/// Something to write.
#[derive(Debug)]
pub struct Entry {
    /// Where.
    pub key: String,
    /// What.
    pub value: String,
    /// For how long.
    pub life: Duration,
}

impl SharedCache {
    fn new(service: impl CacheService + 'static) -> Self {
        Self {
            service: Box::new(service),
            health: Mutex::default(),
            waiting: Arc::new(Semaphore::new(MOST_WAITING)),
            writing: Semaphore::new(WRITTEN_AT_ONCE),
        }
    }

    /// The entry, if there is one.
    ///
    /// # Errors
    /// There was no answer in time, or it is left alone.
    pub async fn get(&self, key: &str) -> Result<Option<String>, NoAnswer> {
        let ask = || self.service.get(key.to_owned());
        self.ask(ask, GET_LIMIT).await
    }

    /// Writes an entry.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn set(&self, entry: Entry) -> Result<(), NoAnswer> {
        let Entry { key, value, life } = entry;
        let ask = || self.service.set(key, value, life);
        self.ask(ask, SET_LIMIT).await
    }

    /// Writes an entry without anybody's waiting for it, if there is room for it.
    pub fn set_later(self: &Arc<Self>, entry: Entry) {
        let room = u32::try_from(entry.value.len()).ok();
        let room =
            room.and_then(|size| Arc::clone(&self.waiting).try_acquire_many_owned(size).ok());
        let Some(room) = room.filter(|_| !self.is_left_alone()) else {
            return;
        };
        let cache = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = cache.writing.acquire().await;
            // Where this fails there is nobody to tell.
            let _ = cache.set(entry).await;
            drop(room);
        });
    }

    async fn ask<T>(
        &self,
        ask: impl FnOnce() -> BoxFuture<'static, Result<T, NoAnswer>>,
        limit: Duration,
    ) -> Result<T, NoAnswer> {
        let began = Instant::now();
        if !self.may_be_asked(began, limit) {
            return Err(NoAnswer);
        }
        let answer = timeout(limit, ask()).await.unwrap_or(Err(NoAnswer));
        match &answer {
            Ok(_) => self.answered(),
            Err(NoAnswer) => self.failed(began),
        }
        answer
    }

    /// Whether nobody is to ask it now.
    #[must_use]
    pub fn is_left_alone(&self) -> bool {
        let now = Instant::now();
        self.health().alone_until.is_some_and(|until| until > now)
    }

    /// While it fails, one at a time tries whether it is back.
    fn may_be_asked(&self, now: Instant, limit: Duration) -> bool {
        let mut health = self.health();
        match health.alone_until {
            None => true,
            Some(until) if until > now => false,
            Some(_) => {
                health.alone_until = Some(now + limit);
                true
            }
        }
    }

    fn answered(&self) {
        let Health { failures, .. } = std::mem::take(&mut *self.health());
        if failures >= FAILURES_TO_TELL {
            let message = "The shared cache answers again: what is read of Azure DevOps, and its limits, are shared with the other replicas";
            self.service.tell(message, false);
        }
    }

    /// Those that were asked together fail together, and count as one.
    fn failed(&self, began: Instant) {
        let now = Instant::now();
        let mut health = self.health();
        if health.failed_at.is_some_and(|failed| began < failed) {
            return;
        }
        health.failures = health.failures.saturating_add(1);
        health.failed_at = Some(now);
        health.alone_until = Some(now + LEFT_ALONE.wait(health.failures, fastrand::f64()));
        let is_to_tell = health.failures == FAILURES_TO_TELL;
        drop(health);
        if is_to_tell {
            let message = "The shared cache does not answer: Azure DevOps is read without it, and nothing is shared with the other replicas meanwhile";
            self.service.tell(message, true);
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{
        collections::HashMap,
        sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    };

    use futures_util::FutureExt;

    use super::*;

    /// A cache service that can fall silent.
    #[derive(Clone, Debug, Default)]
    struct Service(Arc<Inner>);

    #[derive(Debug, Default)]
    struct Inner {
        entries: Mutex<HashMap<String, String>>,
        is_silent: AtomicBool,
        asked: AtomicUsize,
        told: Mutex<Vec<bool>>,
    }

    impl Service {
        fn fall_silent(&self, is_silent: bool) {
            self.0.is_silent.store(is_silent, Ordering::Relaxed);
        }

        fn asked(&self) -> usize {
            self.0.asked.swap(0, Ordering::Relaxed)
        }

        fn answer<T: Send + 'static>(&self, answer: T) -> BoxFuture<'static, Result<T, NoAnswer>> {
            self.0.asked.fetch_add(1, Ordering::Relaxed);
            if self.0.is_silent.load(Ordering::Relaxed) {
                return std::future::pending().boxed();
            }
            async { Ok(answer) }.boxed()
        }

        fn entries(&self) -> MutexGuard<'_, HashMap<String, String>> {
            self.0
                .entries
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
        }
    }

    impl CacheService for Service {
        fn get(&self, key: String) -> BoxFuture<'static, Result<Option<String>, NoAnswer>> {
            let value = self.entries().get(&key).cloned();
            self.answer(value)
        }

        fn set(
            &self,
            key: String,
            value: String,
            _life: Duration,
        ) -> BoxFuture<'static, Result<(), NoAnswer>> {
            self.entries().insert(key, value);
            self.answer(())
        }

        fn is_there(&self) -> bool {
            true
        }

        fn tell(&self, _message: &str, is_warning: bool) {
            let told = self.0.told.lock();
            told.unwrap_or_else(PoisonError::into_inner)
                .push(is_warning);
        }
    }

    fn cache() -> (Service, Arc<SharedCache>) {
        let service = Service::default();
        (service.clone(), Arc::new(SharedCache::new(service)))
    }

    fn entry(key: &str) -> Entry {
        Entry {
            key: key.to_owned(),
            value: "value".to_owned(),
            life: Duration::from_secs(1),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_written_is_there() {
        let (_, cache) = cache();
        assert!(cache.set(entry("a")).await.is_ok());
        cache.set_later(entry("b"));
        tokio::time::sleep(Duration::from_millis(1)).await;
        for (key, value) in [("a", Some("value")), ("b", Some("value")), ("c", None)] {
            let found = cache.get(key).await.ok().flatten();
            assert_eq!(found.as_deref(), value, "{key}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_waits_longer_than_the_limit_and_then_nobody_waits() {
        let (service, cache) = cache();
        service.fall_silent(true);
        let began = Instant::now();
        let all = futures_util::future::join_all((0..9).map(|_| cache.get("a")));
        assert!(all.await.iter().all(Result::is_err));
        assert_eq!(began.elapsed(), GET_LIMIT);
        assert_eq!(service.asked(), 9);
        assert!(cache.get("a").await.is_err());
        cache.set_later(entry("b"));
        assert_eq!(began.elapsed(), GET_LIMIT);
        assert_eq!(service.asked(), 0, "it is left alone");
    }

    #[tokio::test(start_paused = true)]
    async fn the_log_is_told_once_when_it_goes_and_once_when_it_is_back() {
        let (service, cache) = cache();
        service.fall_silent(true);
        for _ in 0..60 {
            let _ = cache.get("a").await;
            tokio::time::sleep(Duration::from_secs(1)).await;
        }
        assert!(service.asked() < 20);
        service.fall_silent(false);
        tokio::time::sleep(LEFT_ALONE.longest).await;
        for _ in 0..3 {
            assert!(cache.get("a").await.is_ok());
        }
        let told = service.0.told.lock();
        assert_eq!(*told.unwrap_or_else(PoisonError::into_inner), [true, false]);
    }
}
