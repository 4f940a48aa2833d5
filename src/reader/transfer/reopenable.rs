//! Something open that may be closed while it is unused, and opened again, such as the archive of a tree.
//!
//! JavaScript does not say when it is done with an object, and its garbage collector may run late. So what
//! is unused stays open only within bounds; beyond them what was used longest ago is closed, with its file,
//! and opened again when it is used.

use std::{
    collections::BTreeMap,
    fmt,
    ops::Deref,
    sync::{
        Arc, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use parking_lot::{Mutex, MutexGuard};

use futures_util::future::BoxFuture;
use tokio::sync::Mutex as AsyncMutex;

use super::temporary_file::OnDisk;
use crate::{error::Error, shortage::Part};

/// For how long after it was used it counts as in use: a caller that reads contents one by one does
/// something else in between.
const BUSY: Duration = Duration::from_secs(1);

/// What is open in the process and unused.
static IDLERS: Idlers = Idlers::new();

/// Something in a file.
pub(crate) trait InFile: Send + Sync + 'static {
    /// Where the file is.
    fn place(&self) -> &OnDisk;
}

/// How something is opened again.
type Again<T> = Box<dyn Fn() -> BoxFuture<'static, Result<T, Error>> + Send + Sync>;

/// Something that is open, or will be again when it is used.
pub(crate) struct Reopenable<T: InFile> {
    state: Mutex<State<T>>,
    /// Held by the caller that opens it again, for all that wait.
    opening: AsyncMutex<()>,
    again: Again<T>,
    idlers: &'static Idlers,
}

struct State<T> {
    open: Option<Arc<T>>,
    users: usize,
    /// Its place among what is unused.
    place: Option<u64>,
}

/// Something that is open, as long as this is there.
pub(crate) struct Opened<T: InFile> {
    open: Arc<T>,
    held: Arc<Reopenable<T>>,
    is_brief: bool,
}

impl<T: InFile> Reopenable<T> {
    /// Something that is open, and in use.
    pub(crate) fn of(open: T, again: Again<T>) -> Opened<T> {
        Self::among(&IDLERS, open, again)
    }

    fn among(idlers: &'static Idlers, open: T, again: Again<T>) -> Opened<T> {
        let open = Arc::new(open);
        let held = Self {
            state: Mutex::new(State {
                open: Some(Arc::clone(&open)),
                users: 1,
                place: None,
            }),
            opening: AsyncMutex::default(),
            again,
            idlers,
        };
        Opened {
            open,
            held: Arc::new(held),
            is_brief: true,
        }
    }

    /// Its value, if it is open.
    pub(crate) fn here(self: &Arc<Self>) -> Option<Opened<T>> {
        let mut state = self.state();
        let open = Arc::clone(state.open.as_ref()?);
        if let Some(place) = state.place.take() {
            self.idlers.lock().remove(place);
        }
        state.users += 1;
        Some(Opened {
            open,
            held: Arc::clone(self),
            is_brief: false,
        })
    }

    /// Its value, opened again if it is closed.
    ///
    /// # Errors
    /// It cannot be opened again.
    pub(crate) async fn get(self: &Arc<Self>) -> Result<Opened<T>, Error> {
        if let Some(open) = self.here() {
            return Ok(open);
        }
        let _opening = self.opening.lock().await;
        if let Some(open) = self.here() {
            return Ok(open);
        }
        let open = Arc::new((self.again)().await?);
        let mut state = self.state();
        state.open = Some(Arc::clone(&open));
        state.users += 1;
        Ok(Opened {
            open,
            held: Arc::clone(self),
            is_brief: false,
        })
    }

    fn state(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock()
    }
}

impl<T: InFile> Opened<T> {
    /// What opens it again.
    pub(crate) fn held(&self) -> Arc<Reopenable<T>> {
        Arc::clone(&self.held)
    }
}

impl<T: InFile> Deref for Opened<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.open
    }
}

impl<T: InFile> Drop for Opened<T> {
    fn drop(&mut self) {
        let on_disk = self.open.place();
        let free = on_disk.free();
        let mut state = self.held.state();
        state.users -= 1;
        if state.users > 0 || state.open.is_none() {
            return;
        }
        let held: Weak<dyn LetGo> = Arc::<Reopenable<T>>::downgrade(&self.held);
        let until = (!self.is_brief).then(|| Instant::now() + BUSY);
        let idlers = self.held.idlers;
        let mut idle = idlers.lock();
        let share = free.share(idle.bytes.saturating_add(on_disk.bytes));
        state.place = Some(idle.add(held, on_disk.bytes, until));
        let beyond = idle.beyond(idlers.files(), idlers.bytes().min(share));
        drop(idle);
        drop(state);
        let_go(beyond);
    }
}

impl<T: InFile> Drop for Reopenable<T> {
    fn drop(&mut self) {
        let state = self.state.get_mut();
        if let Some(place) = state.place.take() {
            self.idlers.lock().remove(place);
        }
    }
}

impl<T: InFile> fmt::Debug for Reopenable<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Reopenable").finish_non_exhaustive()
    }
}

impl<T: InFile> fmt::Debug for Opened<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Opened").finish_non_exhaustive()
    }
}

/// What can be closed while it is unused.
trait LetGo: Send + Sync {
    /// Closes it, if it is still unused, at this place.
    fn let_go(&self, place: u64);
}

impl<T: InFile> LetGo for Reopenable<T> {
    fn let_go(&self, place: u64) {
        let mut state = self.state();
        if state.place == Some(place) {
            state.place = None;
            let open = state.open.take();
            drop(state);
            // After the lock: a file may take time to close.
            drop(open);
        }
    }
}

/// What is unused, and its bounds.
struct Idlers {
    idle: Mutex<Idle>,
    most_files: AtomicU64,
    most_bytes: AtomicU64,
}

impl Idlers {
    const fn new() -> Self {
        Self {
            idle: Mutex::new(Idle {
                by_use: BTreeMap::new(),
                bytes: 0,
                used: 0,
            }),
            most_files: AtomicU64::new(u64::MAX),
            most_bytes: AtomicU64::new(u64::MAX),
        }
    }

    fn files(&self) -> u64 {
        self.most_files.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.most_bytes.load(Ordering::Relaxed)
    }

    fn lock(&self) -> MutexGuard<'_, Idle> {
        self.idle.lock()
    }

    fn hold_at_most(&self, files: u64, bytes: u64) {
        self.most_files.store(files, Ordering::Relaxed);
        self.most_bytes.store(bytes, Ordering::Relaxed);
        let beyond = self.lock().beyond(files, bytes);
        let_go(beyond);
    }

    fn let_go(&self, part: Part) -> bool {
        let mut idle = self.lock();
        let count = match part {
            Part::Half => idle.by_use.len().div_ceil(2),
            Part::All => idle.by_use.len(),
        };
        let beyond = idle.oldest(count);
        // What lets go has its own lock first, and this one then.
        drop(idle);
        let_go(beyond);
        count > 0
    }
}

fn let_go(beyond: Vec<(u64, Idler)>) {
    for (place, idler) in beyond {
        if let Some(held) = idler.held.upgrade() {
            held.let_go(place);
        }
    }
}

/// What is unused, in the order of last use.
struct Idle {
    by_use: BTreeMap<u64, Idler>,
    bytes: u64,
    used: u64,
}

struct Idler {
    held: Weak<dyn LetGo>,
    bytes: u64,
    /// Until when it counts as in use, where it does.
    busy_until: Option<Instant>,
}

impl Idle {
    fn add(&mut self, held: Weak<dyn LetGo>, bytes: u64, busy_until: Option<Instant>) -> u64 {
        self.used += 1;
        self.bytes += bytes;
        let idler = Idler {
            held,
            bytes,
            busy_until,
        };
        self.by_use.insert(self.used, idler);
        self.used
    }

    fn remove(&mut self, place: u64) -> Option<Idler> {
        let idler = self.by_use.remove(&place)?;
        self.bytes -= idler.bytes;
        Some(idler)
    }

    /// Takes out what is beyond so many files and bytes. What was used last stays, however large it
    /// is: it would have to come again for the next of its contents.
    fn beyond(&mut self, files: u64, bytes: u64) -> Vec<(u64, Idler)> {
        let files = usize::try_from(files).unwrap_or(usize::MAX).max(1);
        let mut beyond = self.oldest(self.by_use.len().saturating_sub(files));
        if self.bytes > bytes {
            beyond.extend(self.beyond_bytes(bytes, Instant::now()));
        }
        beyond
    }

    fn beyond_bytes(&mut self, most: u64, now: Instant) -> Vec<(u64, Idler)> {
        let mut left = self.bytes;
        let others = self.by_use.len().saturating_sub(1);
        let is_idle =
            |(_, idler): &(&u64, &Idler)| idler.busy_until.is_none_or(|until| until <= now);
        let idlers = self.by_use.iter().take(others).filter(is_idle);
        let beyond = idlers.take_while(|(_, idler)| {
            let is_beyond = left > most;
            left -= idler.bytes;
            is_beyond
        });
        let places: Vec<u64> = beyond.map(|(place, _)| *place).collect();
        self.take(places)
    }

    fn oldest(&mut self, count: usize) -> Vec<(u64, Idler)> {
        let places = self.by_use.keys().take(count).copied().collect();
        self.take(places)
    }

    fn take(&mut self, places: Vec<u64>) -> Vec<(u64, Idler)> {
        let taken = places.into_iter();
        taken
            .filter_map(|place| Some((place, self.remove(place)?)))
            .collect()
    }
}

/// Bounds what is open and not used: to so many files, and to so many bytes on disk.
pub(crate) fn hold_at_most(files: u64, bytes: u64) {
    IDLERS.hold_at_most(files, bytes);
}

/// Closes what is unused. Returns whether there was any.
pub(crate) fn let_go_of_idle(part: Part) -> bool {
    IDLERS.let_go(part)
}

/// How many bytes on disk are open and unused.
pub(crate) fn idle_bytes() -> u64 {
    IDLERS.lock().bytes
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use futures_util::FutureExt;

    use super::*;

    struct Open(OnDisk);

    impl InFile for Open {
        fn place(&self) -> &OnDisk {
            &self.0
        }
    }

    fn open(bytes: u64) -> Open {
        // Of a directory that is not there it is not known how much is free.
        Open(OnDisk {
            bytes,
            directory: Path::new("/nowhere/at/all").into(),
        })
    }

    /// What the test holds, beside what the process does.
    static OWN: Idlers = Idlers::new();

    fn held(bytes: u64) -> Arc<Reopenable<Open>> {
        let again = move || async move { Ok(open(bytes)) }.boxed();
        Reopenable::among(&OWN, open(bytes), Box::new(again)).held()
    }

    #[tokio::test]
    async fn what_nobody_uses_is_open_within_bounds_and_is_opened_again() {
        OWN.hold_at_most(3, 100);
        let all: Vec<_> = (0..5).map(|_| held(10)).collect();
        let are_open = || {
            let open = all.iter().map(|held| held.state().open.is_some());
            open.collect::<Vec<_>>()
        };
        assert_eq!(are_open(), [false, false, true, true, true]);
        let first = all[0].get().await;
        assert!(first.is_ok());
        assert_eq!(are_open(), [true, false, true, true, true]);
        drop(first);
        assert_eq!(are_open(), [true, false, false, true, true]);

        // What was used last stays open whatever its size, and so does what was read just now.
        let large = held(1_000);
        assert!(large.state().open.is_some());
        assert_eq!(are_open(), [true, false, false, false, false]);
        assert_eq!(OWN.lock().bytes, 1_010);
        drop(large);
        assert_eq!(OWN.lock().bytes, 10);

        assert!(OWN.let_go(Part::All));
        assert!(!OWN.let_go(Part::All));
        assert_eq!((are_open(), OWN.lock().bytes), (vec![false; 5], 0));
        let both = tokio::join!(all[1].get(), all[1].get());
        assert!(both.0.is_ok() && both.1.is_ok());
        assert_eq!(OWN.lock().bytes, 0, "what is used is not counted");
    }
}
