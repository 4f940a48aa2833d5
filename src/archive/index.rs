//! What is in a zip, read from its central directory.

use std::{collections::HashMap, fs::File, time::SystemTime};

use rawzip::{
    CompressionMethod, CreatorSystem, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive,
    ZipArchiveEntryWayfinder, ZipFileHeaderRecord,
    time::{UtcDateTime, ZipDateTimeKind},
};

use super::{
    damaged::damaged,
    ended::{IsEnded, unless},
    name::{self, Name, Shown},
};
use crate::{error::Error, limits::Limit};

/// What stands before the bytes of an entry takes at least so many.
const LEAST_HEADER: u64 = 30;

/// What a file is, in its mode: which bits say it, and what they say of a file and of a link.
const TYPE: u32 = 0o170_000;
const FILE: u32 = 0o100_000;
const LINK: u32 = 0o120_000;

/// Who may do what with it, in its mode.
const PERMISSIONS: u32 = 0o777;

/// The mode of a file that is nothing to execute, as git has it.
const PLAIN: u32 = FILE | 0o644;

/// The most entries for which the old end of a zip has a number.
const MOST_TOLD: u64 = 0xffff;

/// The longest place that a link is made to; a longer one stays the content of a file.
const LONGEST_LINK: u64 = 4096;

/// A zip in a file, and the files that it holds.
pub struct Archive {
    pub(super) zip: ZipArchive<FileReader>,
    entries: Vec<Entry>,
}

/// A file in a zip.
#[derive(Debug)]
pub struct Entry {
    /// Its path: relative, with `/` between its parts, none of them empty, `.` or `..`.
    pub path: String,
    /// Its size in bytes, as the zip says it.
    pub size: u64,
    /// How many bytes it takes in the zip, as that says it.
    pub packed: u64,
    /// Whether it may be executed.
    pub is_executable: bool,
    /// Whether its content is the place to which it points; not where that is longer than any.
    pub is_symlink: bool,
    /// Whether its content cannot be read without a password.
    pub(super) is_encrypted: bool,
    pub(super) method: CompressionMethod,
    pub(super) crc32: u32,
    pub(super) place: ZipArchiveEntryWayfinder,
    pub(super) date: Option<UtcDateTime>,
    /// The mode that it has as a file, which a link becomes in another zip.
    pub(super) mode: u32,
}

impl Archive {
    /// Reads the central directory; folders are left out.
    ///
    /// # Errors
    /// The file is no zip, or one whose entries lead outside, overlap, are more than there may be,
    /// or are not as many as it says; or the work was ended.
    pub fn open(file: File, is_ended: IsEnded<'_>) -> Result<Self, Error> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let zip = ZipArchive::from_file(file, &mut buffer).map_err(damaged)?;
        // What it says is no proof, but enough where it is too much.
        Limit::ArchiveEntries.check(zip.entries_hint(), "the archive")?;
        let mut index = Index::default();
        let mut records = zip.entries(&mut buffer);
        while let Some(record) = records.next_entry().map_err(damaged)? {
            unless(is_ended)?;
            index.add(&record, zip.directory_offset())?;
        }
        let (count, told) = (index.count, zip.entries_hint());
        if !is_told(count, told) {
            return Err(damaged(format!("it has {count} entries, and says {told}")));
        }
        index.check_names(is_ended)?;
        let entries = index.entries;
        Ok(Self { zip, entries })
    }

    /// The files, in the order of the central directory.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// What was read of a central directory, within the limits.
#[derive(Default)]
struct Index {
    entries: Vec<Entry>,
    /// How many there are, folders included.
    count: u64,
    /// How many bytes before the central directory they take.
    taken: u64,
    /// How many bytes they have inflated.
    inflated: u64,
    /// How many bytes their names have.
    names: u64,
    /// Which entries have another path than the zip says, and what that says.
    renamed: Vec<(usize, Box<str>)>,
}

impl Index {
    fn add(&mut self, record: &ZipFileHeaderRecord<'_>, room: u64) -> Result<(), Error> {
        self.count += 1;
        Limit::ArchiveEntries.check(self.count, "the archive")?;
        let name = name::of(record)?;
        self.check_path(&name)?;
        let packed = record.compressed_size_hint();
        // So none is larger than the file, and none is in another's place to be read many times.
        let taken = LEAST_HEADER.saturating_add(packed);
        self.taken = self.taken.saturating_add(taken);
        if self.taken > room {
            let path = Shown(&name.path);
            return Err(damaged(format!("{path} is larger than there is room for")));
        }
        if name.is_folder {
            return Ok(());
        }
        let size = record.uncompressed_size_hint();
        self.inflated = self.inflated.saturating_add(size);
        Limit::InflatedBytes.check(self.inflated, "what the archive holds")?;
        if let Some(original) = name.original {
            self.renamed.push((self.entries.len(), original));
        }
        self.entries.push(Entry::read(name.path, record));
        Ok(())
    }

    fn check_path(&mut self, name: &Name) -> Result<(), Error> {
        let Name { path, original, .. } = name;
        let shown = || format!("the path {} in the archive", Shown(path));
        if path.len() as u64 > Limit::PathBytes.most() {
            return Err(Limit::PathBytes.exceeded(shown()));
        }
        if path.split('/').count() as u64 > Limit::PathDepth.most() {
            return Err(Limit::PathDepth.exceeded(shown()));
        }
        let length = path.len() + original.as_ref().map_or(0, |name| name.len());
        self.names = self.names.saturating_add(length as u64);
        Limit::JsonBytes.check(self.names, "the list of the files in the archive")
    }

    /// Makes sure that no two names have become one: one of the files would be lost. One name that
    /// is there twice is another matter, for that is how zips are written on.
    fn check_names(&self, is_ended: IsEnded<'_>) -> Result<(), Error> {
        let mut names: HashMap<&str, &str> = HashMap::with_capacity(self.renamed.len());
        let mut renamed = self.renamed.iter();
        for (index, original) in renamed.clone() {
            unless(is_ended)?;
            let path = self.path(*index);
            let other = names.insert(path, original);
            if let Some(other) = other.filter(|other| *other != &**original) {
                return Err(one_path(path, other, original));
            }
        }
        let mut next = renamed.next();
        for (index, entry) in self
            .entries
            .iter()
            .enumerate()
            .take_while(|_| !names.is_empty())
        {
            unless(is_ended)?;
            if next.is_some_and(|(renamed, _)| *renamed == index) {
                next = renamed.next();
            } else if let Some(other) = names.get(entry.path.as_str()) {
                return Err(one_path(&entry.path, other, &entry.path));
            }
        }
        Ok(())
    }

    fn path(&self, index: usize) -> &str {
        self.entries.get(index).map_or("", |entry| &entry.path)
    }
}

fn one_path(path: &str, one: &str, other: &str) -> Error {
    let (path, one, other) = (Shown(path), Shown(one), Shown(other));
    damaged(format!(
        "two names in it are one path, {path}: {one} and {other}"
    ))
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Archive");
        debug.field("entries", &self.entries.len());
        debug.finish_non_exhaustive()
    }
}

/// An entry, and its path below a directory.
pub type Placed<'a> = (&'a Entry, &'a str);

impl Entry {
    fn read(path: String, record: &ZipFileHeaderRecord<'_>) -> Self {
        let mode = mode(record);
        let is_link = mode & TYPE == LINK;
        Self {
            path,
            size: record.uncompressed_size_hint(),
            packed: record.compressed_size_hint(),
            is_executable: !is_link && mode & 0o111 != 0,
            is_symlink: is_link && record.uncompressed_size_hint() <= LONGEST_LINK,
            is_encrypted: record.flags().is_encrypted(),
            method: record.compression_method(),
            crc32: record.crc32(),
            place: record.wayfinder(),
            date: date(&record.last_modified()),
            mode: if is_link { PLAIN } else { mode },
        }
    }

    /// When it was changed, if the zip says it.
    #[must_use]
    pub fn modified(&self) -> Option<SystemTime> {
        self.date.as_ref().map(to_system_time)
    }

    /// Why its content cannot be read; an error only where it is asked for.
    pub(super) fn fault(&self) -> Option<String> {
        let (path, method) = (&self.path, self.method);
        if self.is_encrypted {
            return Some(format!("{path} is encrypted"));
        }
        let is_known = [CompressionMethod::STORE, CompressionMethod::DEFLATE].contains(&method);
        (!is_known).then(|| format!("{path} is compressed with {method}"))
    }
}

/// The mode of a file or a link, where the zip has one; else that of a plain file.
///
/// Some zips have it that say they were made elsewhere than on Unix, and then with its type: without
/// one, what stands in its place are attributes of Windows.
fn mode(record: &ZipFileHeaderRecord<'_>) -> u32 {
    let mode = record.external_attributes() >> 16;
    let permissions = mode & PERMISSIONS;
    let system = record.version_made_by().creator_system();
    let is_of_unix = matches!(system, CreatorSystem::UNIX | CreatorSystem::MACOS);
    match mode & TYPE {
        LINK => LINK,
        FILE if permissions != 0 => FILE | permissions,
        0 if permissions != 0 && is_of_unix => FILE | permissions,
        _ => PLAIN,
    }
}

/// Whether so many entries are as many as a zip says, which has two bytes for it where it is small.
const fn is_told(count: u64, told: u64) -> bool {
    count == told || (told <= MOST_TOLD && count % (MOST_TOLD + 1) == told)
}

/// The date, unless it is the one that stands for none. A date without a zone is taken for UTC, in
/// which Azure DevOps runs.
fn date(kind: &ZipDateTimeKind) -> Option<UtcDateTime> {
    let date = match kind {
        ZipDateTimeKind::Utc(date) => *date,
        ZipDateTimeKind::Local(date) => UtcDateTime::from_components(
            date.year(),
            date.month(),
            date.day(),
            date.hour(),
            date.minute(),
            date.second(),
            0,
        )?,
    };
    let is_none = (date.year(), date.month(), date.day()) == (1980, 1, 1) && date.hour() == 0;
    (!is_none).then_some(date)
}

fn to_system_time(date: &UtcDateTime) -> SystemTime {
    let seconds = u64::try_from(date.to_unix()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds)
}
