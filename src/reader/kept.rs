//! What the process keeps of repositories: lists, contents and archives that are addressed by a
//! commit or an object id, and so never change; and, where that is wanted, what was read last; each
//! for the reader who read it.

use std::{
    path::Path,
    sync::{Arc, LazyLock},
};

use url::Url;

use super::{
    blob::Blob,
    contents::Zip,
    download::Download,
    held::{hold_at_most, idle_bytes, let_go_of_idle},
    last_good::{File, Good},
    spelling::Absent,
    stored::Stored,
    unread::{let_go_of_unread, wait_at_most},
};
use crate::{
    cache::{Cache, CacheKey, Flights, Recent, Weigh},
    credentials::{Authorization, Reader},
    log::{Line, Often, tell},
    rest::Item,
    room::{Part, Shortage, when_short},
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

/// How many archives of trees and searches stay open that nobody uses at the moment, and at most
/// which part of the files that the process may open.
const MOST_IDLE: u64 = 256;
const IDLE_PART_OF_FILES: u64 = 8;

/// How many answers with archives wait for whoever wants them, each with a connection, and at most
/// which part of the files that the process may open.
const MOST_UNREAD: u64 = 32;
const UNREAD_PART_OF_FILES: u64 = 16;

/// Contents above this size are not kept in memory: they would push out too many others.
pub(super) const MOST_BLOB: usize = 1024 * 1024;

/// What an item takes beside its texts.
const PER_ITEM: usize = size_of::<Item>();

/// The address of what is kept, and for whom.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Key {
    reader: Reader,
    address: String,
    may_be_kept: bool,
}

impl Key {
    /// What a REST URL gives that names a commit or an object.
    pub(super) fn of(url: &Url, authorization: &Authorization) -> Self {
        Self::at(url.to_string(), authorization)
    }

    /// What a REST URL gives for a question.
    pub(super) fn of_answer(url: &Url, question: &str, authorization: &Authorization) -> Self {
        Self::at(format!("{url} {question}"), authorization)
    }

    fn at(address: String, authorization: &Authorization) -> Self {
        Self {
            reader: authorization.reader(),
            address,
            may_be_kept: !authorization.is_callers(),
        }
    }

    /// The address, whoever reads.
    pub(super) fn address(&self) -> &str {
        &self.address
    }
}

impl Weigh for Key {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.address.len()) as u64
    }
}

impl CacheKey for Key {
    fn may_be_kept(&self) -> bool {
        self.may_be_kept
    }
}

/// What is in a folder, or below it.
pub(super) type List = Arc<[Item]>;

/// All that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    /// What is in folders, or below them; nothing where a server could not say.
    pub lists: Cache<Key, Option<List>>,
    pub blobs: Cache<Key, Blob>,
    /// Answers for many at once, each of which is kept by itself: shared while they come, and then
    /// gone.
    pub folders: Cache<Key, Option<Arc<[List]>>>,
    pub zips: Cache<Key, Option<Arc<Zip>>>,
    pub archives: Recent<Key, Arc<Stored>>,
    /// The newest commits and files as they were read last: they may have changed since.
    pub commits: Cache<Key, Good<String>>,
    pub files: Cache<Key, Good<File>>,
    /// Folders that do not exist as they are written.
    pub absent: Cache<Key, Absent>,
    /// Archives that other replicas have read: shared while they come, and then kept as others.
    pub shared_archives: Cache<Key, Option<Arc<Stored>>>,
    /// Archives that are on their way.
    pub downloads: Flights<Key, Download>,
}

/// All that the process keeps.
pub(super) fn kept() -> &'static Kept {
    static KEPT: LazyLock<Kept> = LazyLock::new(|| {
        when_short(let_go);
        hold_at_most(part_of_files(MOST_IDLE, IDLE_PART_OF_FILES), DISK);
        wait_at_most(number(part_of_files(MOST_UNREAD, UNREAD_PART_OF_FILES)));
        Kept {
            lists: Cache::new(MEMORY / 2),
            blobs: Cache::with_values_up_to(MOST_BLOB as u64, MEMORY / 2),
            folders: Cache::new(0),
            zips: Cache::new(0),
            archives: Recent::new(DISK, number(part_of_files(MOST_ARCHIVES, PART_OF_FILES))),
            commits: Cache::new(MEMORY / 16),
            files: Cache::new(MEMORY / 4),
            absent: Cache::new(MEMORY / 256),
            shared_archives: Cache::new(0),
            downloads: Flights::default(),
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
    let are_kept = kept().archives.let_go(part);
    let are_idle = let_go_of_idle(part);
    let are_unread = shortage != Shortage::Disk && let_go_of_unread(part);
    are_kept || are_idle || are_unread
}

/// Keeps an archive, and no more of them than would leave as much of the disk free.
pub(super) fn keep_archive(key: Key, archive: Arc<Stored>) {
    let archives = &kept().archives;
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
    tell(Often::Once, "share of the disk", || {
        let mib = |bytes| bytes / (1024 * 1024);
        let message = format!(
            "No more than {} MiB of archives are kept in {} and not {} MiB (backend.reading.azureDevOps.cache.diskBytes), so that as much stays free: give backend.workingDirectory a place with more, or diskBytes less",
            mib(share),
            directory.display(),
            mib(room)
        );
        Line::warning("disk nearly full", message)
    });
}

/// Bounds what the process keeps: lists and contents, in memory, and archives, on disk, to so many
/// bytes each. `0` keeps nothing; without a number it is what this package thinks right. Gives the
/// bounds: of memory, and of disk.
#[must_use]
pub fn keep_at_most(memory: Option<u64>, disk: Option<u64>) -> (u64, u64) {
    let memory = memory.unwrap_or(MEMORY);
    kept().lists.resize(memory / 2);
    kept().blobs.resize(memory / 2);
    kept().commits.resize(memory / 16);
    kept().files.resize(memory / 4);
    kept().absent.resize(memory / 256);
    let disk = disk.unwrap_or(DISK);
    kept().archives.resize(disk);
    let files = part_of_files(MOST_IDLE, IDLE_PART_OF_FILES);
    hold_at_most(files, disk.max(DISK));
    (memory, disk)
}

/// How many bytes are kept of what.
#[must_use]
pub fn bytes_kept() -> [(&'static str, u64); 5] {
    let Kept {
        lists,
        blobs,
        archives,
        commits,
        files,
        ..
    } = kept();
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
        let items = self.iter().flat_map(|items| items.iter());
        let bytes = items.map(|item| PER_ITEM + item.path.len() + item.id.len());
        bytes.sum::<usize>() as u64
    }
}

impl Weigh for Option<Arc<[List]>> {
    fn bytes(&self) -> u64 {
        1
    }
}

impl Weigh for Option<Arc<Zip>> {
    fn bytes(&self) -> u64 {
        1
    }
}

impl Weigh for Option<Arc<Stored>> {
    fn bytes(&self) -> u64 {
        1
    }
}

impl Weigh for Arc<Stored> {
    fn bytes(&self) -> u64 {
        self.place().bytes
    }
}
