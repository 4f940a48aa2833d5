//! Shortages of disk, files and memory, and what is freed for them.
//!
//! A cache, such as that of archives on disk, registers how it frees what it keeps ([`when_short`]). Work
//! that runs into a shortage has it freed, and tries again ([`within`]).

use std::{error::Error as StdError, io};

use parking_lot::Mutex;

/// How often work is tried again: each time half of what is kept has been freed.
const MOST_TIMES: usize = 16;

/// What there is no more of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shortage {
    /// Room on a disk, or what is left of a quota.
    Disk,
    /// Files that the process, or the machine, may open: connections are some.
    Files,
    /// Memory.
    Memory,
}

/// How much to free.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The half that was used longest ago.
    Half,
    /// All.
    All,
}

/// Frees what is kept for later. Returns whether there was any.
type LetGo = fn(Shortage, Part) -> bool;

static KEEPERS: Mutex<Vec<LetGo>> = Mutex::new(Vec::new());

/// Has this called when the machine is short of something.
pub fn when_short(let_go: LetGo) {
    let mut keepers = KEEPERS.lock();
    keepers.push(let_go);
}

impl Shortage {
    /// What has run out, as a failure or one of its causes says it.
    #[must_use]
    pub fn of(failure: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(failure);
        while let Some(cause) = next {
            let of_io = cause.downcast_ref::<io::Error>().and_then(Self::of_io);
            if of_io.is_some() {
                return of_io;
            }
            next = cause.source();
        }
        None
    }

    fn of_io(error: &io::Error) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Some(Self::Disk),
            io::ErrorKind::OutOfMemory => Some(Self::Memory),
            _ if is_of_files(error) => Some(Self::Files),
            // An error may stand in another one's place, which is not its cause.
            _ => error.get_ref().and_then(|inner| Self::of(inner)),
        }
    }

    /// Has everything freed that is kept for later. Returns whether there was any.
    #[must_use]
    pub fn let_go(self, part: Part) -> bool {
        let keepers = KEEPERS.lock();
        let keepers = keepers.clone();
        // Each of them, and not only the first that has something.
        let gone = keepers.iter().map(|let_go| let_go(self, part));
        gone.fold(false, |any, gone| any | gone)
    }
}

/// Whether no more files can be opened: a failed name resolution does not always say so.
#[must_use]
pub fn is_short_of_files() -> bool {
    #[cfg(unix)]
    let tried = std::fs::File::open("/dev/null");
    #[cfg(not(unix))]
    let tried = std::fs::File::open("NUL");
    tried.is_err_and(|error| is_of_files(&error))
}

#[cfg(unix)]
fn is_of_files(error: &io::Error) -> bool {
    use rustix::io::Errno;
    let errno = Errno::from_io_error(error);
    errno.is_some_and(|errno| errno == Errno::MFILE || errno == Errno::NFILE)
}

/// By the numbers of `ERROR_TOO_MANY_OPEN_FILES` and `WSAEMFILE`.
#[cfg(not(unix))]
fn is_of_files(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(4 | 10024))
}

/// Does work that may run into a shortage; then frees what is kept for later, the oldest first, and does it
/// again.
///
/// # Errors
/// Those of the work, where nothing is left to free.
pub fn within<T, E>(mut work: impl FnMut() -> Result<T, E>) -> Result<T, E>
where
    E: StdError + 'static,
{
    for _ in 0..MOST_TIMES {
        match work() {
            Err(error)
                if Shortage::of(&error).is_some_and(|shortage| shortage.let_go(Part::Half)) => {}
            done => return done,
        }
    }
    work()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::error::Error;

    fn full() -> io::Error {
        io::ErrorKind::StorageFull.into()
    }

    #[test]
    fn a_shortage_is_known_by_the_failure_or_its_causes() {
        assert_eq!(Shortage::of(&full()), Some(Shortage::Disk));
        let told = Error::other("no archive").because(full());
        assert_eq!(Shortage::of(&told), Some(Shortage::Disk));
        assert_eq!(Shortage::of(&io::Error::other(told)), Some(Shortage::Disk));
        let quota = io::Error::from(io::ErrorKind::QuotaExceeded);
        assert_eq!(Shortage::of(&quota), Some(Shortage::Disk));
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        assert_eq!(Shortage::of(&denied), None);
    }

    #[cfg(unix)]
    #[test]
    fn files_run_out_for_the_process_and_for_the_machine() {
        for errno in [rustix::io::Errno::MFILE, rustix::io::Errno::NFILE] {
            let error = io::Error::from(errno);
            assert_eq!(Shortage::of(&error), Some(Shortage::Files));
        }
        assert!(!is_short_of_files());
    }

    #[test]
    fn it_is_tried_again_as_long_as_there_is_something_to_let_go_of() {
        static KEPT: AtomicUsize = AtomicUsize::new(3);
        when_short(|shortage, _| {
            let one_less = |kept: usize| kept.checked_sub(1);
            let gone = KEPT.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
            shortage == Shortage::Memory && gone.is_ok()
        });
        let mut tried = 0;
        let done = within(|| {
            tried += 1;
            Err::<(), _>(io::Error::from(io::ErrorKind::OutOfMemory))
        });
        assert!(done.is_err());
        assert_eq!((tried, KEPT.load(Ordering::Relaxed)), (4, 0));
        assert!(within(|| Ok::<_, io::Error>(1)).is_ok());
    }
}
