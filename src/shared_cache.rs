//! The cache that the replicas of a backend share. No read waits long for it: while it is down or
//! slow it is left alone, and each replica works by itself.

use std::{
    collections::BTreeMap,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::{Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout},
};

use crate::{
    backoff::Backoff,
    telemetry::log::{Event, Repeat, emit},
};

/// How long a lookup may take.
const GET_LIMIT: Duration = Duration::from_millis(250);

/// How long the lookup of a large entry may take: a slow one is no sign of an outage.
const LARGE_LIMIT: Duration = Duration::from_secs(2);

/// How long an entry may take to be written, in the background.
const SET_LIMIT: Duration = Duration::from_secs(2);

/// How long it is left alone after failures.
const LEFT_ALONE: Backoff = Backoff {
    first: Duration::from_secs(1),
    longest: Duration::from_secs(5),
};

/// From so many failures in a row on an event is logged: one may be no more than a busy moment.
const FAILURES_TO_TELL: u32 = 2;

/// How many entries are written at once, and how many bytes may wait for that; what is more than that
/// is not shared.
const WRITTEN_AT_ONCE: usize = 8;
const MOST_WAITING: usize = 32 * 1024 * 1024;

/// The caches of this process, by the plugins whose they are.
///
/// Backstage gives each plugin entries of its own, so that replicas meet where they have a plugin in
/// common. Of several of one plugin, as of worker threads, the newest that is there is asked.
static CACHES: Mutex<BTreeMap<String, Vec<Arc<SharedCache>>>> = Mutex::new(BTreeMap::new());

/// What lines of the log are about here.
const EVENT: &str = "shared cache";

/// The state that was logged last: the plugins' caches have one store, and come and go
/// together.
static IS_LOGGED_AS_DOWN: AtomicBool = AtomicBool::new(false);

/// Whether the caches work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Up,
    Down,
}

/// Logs that the caches work again, or do not any more; nothing where that is what was logged last.
fn log_change(to: State, event: impl FnOnce() -> Event) {
    let is_down = to == State::Down;
    if IS_LOGGED_AS_DOWN.swap(is_down, Ordering::Relaxed) != is_down {
        emit(Repeat::Always, EVENT, event);
    }
}

/// A cache service gave no answer.
#[derive(Clone, Copy, Debug)]
pub struct NoAnswer;

/// A cache service of Backstage.
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
}

/// Shares with other replicas through a plugin's cache, as long as it is there; then through the one
/// that the plugin had before.
pub fn share_through(plugin: String, service: impl CacheService + 'static) {
    let cache = Arc::new(SharedCache::new(service));
    caches().entry(plugin).or_default().push(cache);
}

fn caches() -> MutexGuard<'static, BTreeMap<String, Vec<Arc<SharedCache>>>> {
    let mut caches = CACHES.lock();
    caches.retain(|_, caches| {
        caches.retain(|cache| cache.service.is_there());
        !caches.is_empty()
    });
    caches
}

/// All caches: what every replica must know is written to each.
#[must_use]
pub fn every_cache() -> Vec<Arc<SharedCache>> {
    let caches = caches();
    let newest = caches.values().filter_map(|caches| caches.last());
    newest.cloned().collect()
}

/// The cache for what is large: the same one in all replicas that have the same plugins.
#[must_use]
pub fn one_cache() -> Option<Arc<SharedCache>> {
    caches().values().next()?.last().cloned()
}

/// A cache service, and whether it works.
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

    /// A large entry, if there is one; that it is late says nothing of the cache.
    ///
    /// # Errors
    /// As [`Self::get`].
    pub async fn get_large(&self, key: &str) -> Result<Option<String>, NoAnswer> {
        let began = Instant::now();
        if !self.may_be_asked(began, LARGE_LIMIT) {
            return Err(NoAnswer);
        }
        let answer = timeout(LARGE_LIMIT, self.service.get(key.to_owned())).await;
        let answer = answer.map_err(|_| NoAnswer)?;
        self.note(&answer, began);
        answer
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
            // A failure here concerns no caller.
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
        self.note(&answer, began);
        answer
    }

    fn note<T>(&self, answer: &Result<T, NoAnswer>, began: Instant) {
        match answer {
            Ok(_) => self.answered(),
            Err(NoAnswer) => self.failed(began),
        }
    }

    /// Whether it is not to be asked now.
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
            log_change(State::Up, || Event::info(EVENT, message));
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
            log_change(State::Down, || Event::warning(EVENT, message));
        }
    }

    fn health(&self) -> MutexGuard<'_, Health> {
        self.health.lock()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::{collections::HashMap, sync::atomic::AtomicUsize};

    use futures_util::FutureExt;

    use super::*;
    use crate::telemetry::log::{Level, Log, tell_to, tests::TURN};

    /// A cache service that can fall silent.
    #[derive(Clone, Debug, Default)]
    pub(crate) struct Service(Arc<Inner>);

    #[derive(Debug, Default)]
    struct Inner {
        entries: Mutex<HashMap<String, String>>,
        is_gone: AtomicBool,
        is_silent: AtomicBool,
        asked: AtomicUsize,
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

        /// Ends, as with the thread whose it is.
        pub(crate) fn go(&self) {
            self.0.is_gone.store(true, Ordering::Relaxed);
        }

        pub(crate) fn entries(&self) -> MutexGuard<'_, HashMap<String, String>> {
            self.0.entries.lock()
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
            !self.0.is_gone.load(Ordering::Relaxed)
        }
    }

    /// Which lines about caches were warnings.
    #[derive(Clone, Debug, Default)]
    struct Told(Arc<Mutex<Vec<bool>>>);

    impl Log for Told {
        fn write(&self, line: Event) {
            if line.fields.contains(&("event", EVENT.into())) {
                self.0.lock().push(line.level == Level::Warn);
            }
        }

        fn is_there(&self) -> bool {
            true
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
    async fn a_large_entry_that_is_late_is_no_outage() {
        let (service, cache) = cache();
        service.fall_silent(true);
        let began = Instant::now();
        assert!(cache.get_large("a").await.is_err());
        assert_eq!(began.elapsed(), LARGE_LIMIT);
        assert!(!cache.is_left_alone());
        service.fall_silent(false);
        assert!(cache.get("a").await.is_ok());
    }

    #[tokio::test]
    async fn a_plugin_has_its_cache_again_when_a_newer_one_is_gone() {
        let plugin = "a plugin of this test";
        let found = || {
            let caches = caches();
            caches.get(plugin).and_then(|caches| caches.last()).cloned()
        };
        let [main, worker] = [Service::default(), Service::default()];
        main.entries().insert("whose".to_owned(), "main".to_owned());
        share_through(plugin.to_owned(), main.clone());
        share_through(plugin.to_owned(), worker.clone());
        worker.go();
        let Some(cache) = found() else {
            unreachable!("the first one is there");
        };
        let whose = cache.get("whose").await.ok().flatten();
        assert_eq!(whose.as_deref(), Some("main"));
        main.go();
        assert!(found().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn the_log_is_told_once_when_it_goes_and_once_when_it_is_back() {
        let _turn = TURN.lock().await;
        let told = Told::default();
        tell_to(told.clone());
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
        let told = told.0.lock();
        assert_eq!(*told, [true, false]);
    }
}
