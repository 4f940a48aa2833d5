//! What the process keeps of repositories: lists, contents and archives that are addressed by a
//! commit or an object id, and so never change; and, where that is wanted, what was read last; each
//! for the reader who read it.

use std::sync::{Arc, LazyLock};

use url::Url;

use super::{
    blob::Blob,
    contents::Zip,
    download::Download,
    last_good::{File, Good},
    spelling::Absent,
    stored::Stored,
};
use crate::{
    cache::{Cache, CacheKey, Flights, Recent, Weigh},
    credentials::{Authorization, Reader},
    rest::Item,
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
    static KEPT: LazyLock<Kept> = LazyLock::new(|| Kept {
        lists: Cache::new(MEMORY / 2),
        blobs: Cache::with_values_up_to(MOST_BLOB as u64, MEMORY / 2),
        folders: Cache::new(0),
        zips: Cache::new(0),
        archives: Recent::new(DISK, most_archives()),
        commits: Cache::new(MEMORY / 16),
        files: Cache::new(MEMORY / 4),
        absent: Cache::new(MEMORY / 256),
        shared_archives: Cache::new(0),
        downloads: Flights::default(),
    });
    &KEPT
}

/// How many archives may be kept, by the limit of open files that the process has now: Node raises
/// it as far as it may when it starts.
fn most_archives() -> usize {
    #[cfg(unix)]
    let files = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    #[cfg(not(unix))]
    let files: Option<u64> = None;
    let most = files.map_or(MOST_ARCHIVES, |files| {
        MOST_ARCHIVES.min(files / PART_OF_FILES)
    });
    usize::try_from(most).unwrap_or(usize::MAX)
}

/// Bounds what the process keeps: lists and contents, in memory, and archives, on disk, to so many
/// bytes each. `0` keeps nothing; without a number it is what this package thinks right.
pub fn keep_at_most(memory: Option<u64>, disk: Option<u64>) {
    let memory = memory.unwrap_or(MEMORY);
    kept().lists.resize(memory / 2);
    kept().blobs.resize(memory / 2);
    kept().commits.resize(memory / 16);
    kept().files.resize(memory / 4);
    kept().absent.resize(memory / 256);
    kept().archives.resize(disk.unwrap_or(DISK));
}

/// How many bytes are kept of what.
#[must_use]
pub fn bytes_kept() -> [(&'static str, u64); 4] {
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
        self.on_disk()
    }
}
