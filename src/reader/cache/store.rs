//! What the process keeps of repositories: lists, contents and archives that are addressed by a
//! commit or an object id, and so never change; and, where that is wanted, what was read last; each
//! for the reader who read it.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use tokio::time::Instant;

use super::{
    blob::{Blob, MOST_IN_MEMORY},
    keys::{Key, List},
    stale::{File, StaleAnswer},
};
use crate::{
    cache::{Cache, LruCache, SingleFlight, Weigh},
    reader::transfer::{
        Download, TemporaryFile, hold_at_most, idle_bytes, let_go_of_idle, let_go_of_unread,
        wait_at_most,
    },
    shortage::{Part, Shortage, when_short},
    telemetry::log::{Event, Repeat, emit},
};

/// How much memory lists and contents may take, where nothing else is configured.
const MEMORY: u64 = 64 * 1024 * 1024;

/// How much disk archives may take, where nothing else is configured.
const DISK: u64 = 512 * 1024 * 1024;

/// How many archives are kept at most: each is an open file.
const MOST_ARCHIVES: u64 = 1024;

/// They are at most this part of the files that the process may open: the rest is for what else it
/// does, its connections among it.
const PART_OF_FILES: u64 = 4;

/// How many unused archives of trees and searches stay open, and at most which part of the files that the
/// process may open.
const MOST_IDLE: u64 = 256;
const IDLE_PART_OF_FILES: u64 = 8;

/// How many answers with archives wait to be read, each with a connection, and at most
/// which part of the files that the process may open.
const MOST_UNREAD: u64 = 32;
const UNREAD_PART_OF_FILES: u64 = 16;

/// A folder that does not exist as it is written, and when that was seen.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absent(pub Instant);

impl Weigh for Absent {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64
    }
}

/// The commit at which everything below a folder was listed last.
#[derive(Clone, Debug)]
pub(crate) struct LastListed(pub String);

impl Weigh for LastListed {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.0.len()) as u64
    }
}

/// All that is kept.
#[derive(Debug)]
pub(crate) struct Store {
    /// What is in folders, or below them; `None` where a server could not say.
    pub lists: Cache<Key, Option<List>>,
    pub last_listed: Cache<Key, LastListed>,
    pub blobs: Cache<Key, Blob>,
    pub archives: LruCache<Key, Arc<TemporaryFile>>,
    /// The newest commits and files as they were read last: they may have changed since.
    pub commits: Cache<Key, StaleAnswer<String>>,
    pub files: Cache<Key, StaleAnswer<File>>,
    /// Folders that do not exist as they are written.
    pub absent: Cache<Key, Absent>,
    /// Archives that are on their way.
    pub downloads: SingleFlight<Key, Download>,
}

/// All that the process keeps.
pub(crate) fn store() -> &'static Store {
    static KEPT: LazyLock<Store> = LazyLock::new(|| {
        when_short(let_go);
        hold_at_most(part_of_files(MOST_IDLE, IDLE_PART_OF_FILES), DISK);
        wait_at_most(number(part_of_files(MOST_UNREAD, UNREAD_PART_OF_FILES)));
        Store {
            lists: Cache::new(MEMORY / 2),
            last_listed: Cache::new(MEMORY / 256),
            blobs: Cache::with_values_up_to(MOST_IN_MEMORY as u64, MEMORY / 2),
            archives: LruCache::new(DISK, number(part_of_files(MOST_ARCHIVES, PART_OF_FILES))),
            commits: Cache::new(MEMORY / 16),
            files: Cache::new(MEMORY / 4),
            absent: Cache::new(MEMORY / 256),
            downloads: SingleFlight::default(),
        }
    });
    &KEPT
}

/// So many, and no more than a part of the files that the process may open now: Node raises that limit
/// as far as it may when it starts.
fn part_of_files(most: u64, part: u64) -> u64 {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files: Option<u64> = None;
    files.map_or(most, |files| most.min(files / part))
}

fn number(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

/// Lets go of archives, of the oldest first, where the machine is short of something.
fn let_go(shortage: Shortage, part: Part) -> bool {
    let are_kept = store().archives.let_go(part);
    let are_idle = let_go_of_idle(part);
    let are_unread = shortage != Shortage::Disk && let_go_of_unread(part);
    are_kept || are_idle || are_unread
}

/// Keeps an archive, and no more of them than would leave as much of the disk free.
pub(crate) fn keep_archive(key: Key, archive: Arc<TemporaryFile>) {
    let archives = &store().archives;
    let place = archive.place().clone();
    let share = place
        .free()
        .share(archives.bytes().saturating_add(place.bytes));
    let is_beyond = archives.bytes().saturating_add(place.bytes) > share;
    if share < archives.room() && is_beyond {
        tell_of_share(archives.room(), share, &place.directory);
    }
    archives.put_within(share, key, archive);
}

fn tell_of_share(room: u64, share: u64, directory: &Path) {
    emit(Repeat::Once, "share of the disk", || {
        let mib = |bytes| bytes / (1024 * 1024);
        let message = format!(
            "No more than {} MiB of archives are kept in {} and not {} MiB (backend.reading.azureDevOps.cache.diskBytes), so that as much stays free: give backend.workingDirectory a place with more, or diskBytes less",
            mib(share),
            directory.display(),
            mib(room)
        );
        Event::warning("disk nearly full", message)
    });
}

/// Bounds what the process keeps: lists and contents, in memory, and archives, on disk, to so many
/// bytes each. `0` keeps nothing; without a number it is what this package thinks right. Gives the
/// bounds: of memory, and of disk.
#[must_use]
pub fn set_limits(memory: Option<u64>, disk: Option<u64>) -> (u64, u64) {
    let memory = memory.unwrap_or(MEMORY);
    store().lists.resize(memory / 2);
    store().last_listed.resize(memory / 256);
    store().blobs.resize(memory / 2);
    store().commits.resize(memory / 16);
    store().files.resize(memory / 4);
    store().absent.resize(memory / 256);
    let disk = disk.unwrap_or(DISK);
    store().archives.resize(disk);
    let files = part_of_files(MOST_IDLE, IDLE_PART_OF_FILES);
    hold_at_most(files, disk.max(DISK));
    (memory, disk)
}

/// How many bytes are kept of what.
#[must_use]
pub fn bytes_stored() -> [(&'static str, u64); 5] {
    let Store {
        lists,
        blobs,
        archives,
        commits,
        files,
        ..
    } = store();
    [
        ("lists", lists.bytes()),
        ("contents", blobs.bytes()),
        ("archives", archives.bytes()),
        ("open archives", idle_bytes()),
        ("last answers", commits.bytes() + files.bytes()),
    ]
}

impl Weigh for Option<List> {
    fn bytes(&self) -> u64 {
        self.as_ref().map_or(0, |list| list.bytes() as u64)
    }
}

impl Weigh for Arc<TemporaryFile> {
    fn bytes(&self) -> u64 {
        self.place().bytes
    }
}
