//! What is in a zip, read from its central directory.

use std::{fs::File, time::SystemTime};

use rawzip::{
    CompressionMethod, CreatorSystem, FileReader, RECOMMENDED_BUFFER_SIZE, ZipArchive,
    ZipArchiveEntryWayfinder, ZipFileHeaderRecord,
    time::{UtcDateTime, ZipDateTimeKind},
};

use super::{damaged, name};
use crate::error::Error;

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
    /// Its path, relative, with `/` between the parts.
    pub path: String,
    /// Its size in bytes, as the zip says it.
    pub size: u64,
    /// How many bytes it takes in the zip, as that says it.
    pub packed: u64,
    /// When it was changed, if the zip says it.
    pub modified: Option<SystemTime>,
    /// Whether it may be executed.
    pub is_executable: bool,
    /// Whether its content is the place to which it points; not where that is longer than any.
    pub is_symlink: bool,
    pub(super) method: CompressionMethod,
    /// Why its content cannot be had, which matters to nobody who does not want it.
    pub(super) fault: Option<String>,
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
    /// The file is no zip, or one whose entries lead outside, overlap, or are not as many as it says.
    pub fn open(file: File) -> Result<Self, Error> {
        let mut buffer = vec![0; RECOMMENDED_BUFFER_SIZE];
        let zip = ZipArchive::from_file(file, &mut buffer).map_err(damaged)?;
        let mut entries = Vec::new();
        let (mut count, mut taken) = (0_u64, 0_u64);
        let mut records = zip.entries(&mut buffer);
        while let Some(record) = records.next_entry().map_err(damaged)? {
            let entry = Entry::read(&record)?;
            count += 1;
            // So none is larger than the file, and none is in another's place to be read many times.
            taken = taken.saturating_add(LEAST_HEADER.saturating_add(entry.packed));
            if taken > zip.directory_offset() {
                let path = &entry.path;
                return Err(damaged(format!("{path} is larger than there is room for")));
            }
            if !entry.path.ends_with('/') {
                entries.push(entry);
            }
        }
        if !is_told(count, zip.entries_hint()) {
            let told = zip.entries_hint();
            return Err(damaged(format!("it has {count} entries, and says {told}")));
        }
        Ok(Self { zip, entries })
    }

    /// The files, in the order of the central directory.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

impl std::fmt::Debug for Archive {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("Archive");
        debug.field("entries", &self.entries.len());
        debug.finish_non_exhaustive()
    }
}

impl Entry {
    fn read(record: &ZipFileHeaderRecord<'_>) -> Result<Self, Error> {
        let flags = record.flags();
        let path = name::of(record)?;
        let method = record.compression_method();
        let is_known = [CompressionMethod::STORE, CompressionMethod::DEFLATE].contains(&method);
        let fault = if flags.is_encrypted() {
            Some(format!("{path} is encrypted"))
        } else {
            (!is_known).then(|| format!("{path} is compressed with {method}"))
        };
        let date = date(&record.last_modified());
        let mode = mode(record);
        let is_link = mode & TYPE == LINK;
        Ok(Self {
            path,
            size: record.uncompressed_size_hint(),
            packed: record.compressed_size_hint(),
            modified: date.map(|date| to_system_time(&date)),
            is_executable: !is_link && mode & 0o111 != 0,
            is_symlink: is_link && record.uncompressed_size_hint() <= LONGEST_LINK,
            method,
            fault,
            crc32: record.crc32(),
            place: record.wayfinder(),
            date,
            mode: if is_link { PLAIN } else { mode },
        })
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
