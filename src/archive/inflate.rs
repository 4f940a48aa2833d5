//! Contents of entries, verified by their checksums.

use std::{
    io::{self, Read, Write},
    mem,
};

use flate2::read::DeflateDecoder;
use libdeflater::{DecompressionError, Decompressor};
use rawzip::{CompressionMethod, ReaderAt};

use super::{
    damaged::damaged,
    ended::{IsEnded, UntilEnded, unless},
    index::{Archive, Entry},
};
use crate::{error::Error, limits::Limit};

/// Entries of up to this size, inflated or not, are inflated in memory at once, which is several times
/// faster than piece by piece; larger ones would need too much of it, on every thread.
pub(super) const AT_ONCE: u64 = 2 * 1024 * 1024;

/// The largest content that is given whole: no buffer of Node 20 is larger.
const LARGEST_CONTENT: u64 = 4 * 1024 * 1024 * 1024;

/// The most that deflate can make of one byte.
const MOST_EXPANSION: u64 = 1032;

/// Inflates entries, one after the other, with the same memory.
pub(super) struct Inflater {
    decompressor: Decompressor,
    compressed: Vec<u8>,
    content: Vec<u8>,
}

impl Inflater {
    pub(super) fn new() -> Self {
        Self {
            decompressor: Decompressor::new(),
            compressed: Vec::new(),
            content: Vec::new(),
        }
    }

    /// Writes the content of an entry.
    pub(super) fn write(
        &mut self,
        archive: &Archive,
        entry: &Entry,
        mut to: impl Write,
        is_ended: IsEnded<'_>,
    ) -> Result<(), Error> {
        check_size(entry)?;
        let failed = |error: io::Error| write_failed(entry, error);
        if is_large(entry) {
            return stream(archive, entry, to, is_ended);
        }
        to.write_all(self.content(archive, entry)?).map_err(failed)
    }

    /// The whole content of an entry that is not large.
    fn content(&mut self, archive: &Archive, entry: &Entry) -> Result<&[u8], Error> {
        let (start, end) = range(archive, entry)?;
        let length = size(end - start)?;
        self.compressed.resize(length, 0);
        let read = archive.zip.get_ref().read_at(&mut self.compressed, start);
        if read.map_err(damaged)? != length {
            return Err(damaged(format!("{} ends before its end", entry.path)));
        }
        let content = if entry.method == CompressionMethod::STORE {
            &self.compressed
        } else {
            self.content.resize(size(entry.size)?, 0);
            let inflated = self
                .decompressor
                .deflate_decompress(&self.compressed, &mut self.content);
            if inflated.map_err(|error| corrupt(entry, error))? != self.content.len() {
                return Err(damaged(format!("{} is shorter than it says", entry.path)));
            }
            &self.content
        };
        verify(entry, content.len() as u64, libdeflater::crc32(content))?;
        Ok(content)
    }

    /// The whole content of an entry, to keep.
    pub(super) fn take(
        &mut self,
        archive: &Archive,
        entry: &Entry,
        is_ended: IsEnded<'_>,
    ) -> Result<Vec<u8>, Error> {
        unless(is_ended)?;
        check_size(entry)?;
        if is_large(entry) {
            let mut content = room_for(entry)?;
            stream(archive, entry, &mut content, is_ended)?;
            return Ok(content);
        }
        self.content(archive, entry)?;
        Ok(mem::take(if entry.method == CompressionMethod::STORE {
            &mut self.compressed
        } else {
            &mut self.content
        }))
    }
}

impl Archive {
    /// The content of an entry.
    ///
    /// # Errors
    /// It is damaged, or larger than it may be; or the work was ended.
    pub fn content(&self, entry: &Entry, is_ended: IsEnded<'_>) -> Result<Vec<u8>, Error> {
        Inflater::new().take(self, entry, is_ended)
    }

    /// The contents of entries, each as [`Self::content`] gives it.
    pub fn contents<'a>(
        &'a self,
        entries: impl Iterator<Item = &'a Entry>,
        is_ended: IsEnded<'a>,
    ) -> impl Iterator<Item = Result<Vec<u8>, Error>> {
        let mut inflater = Inflater::new();
        entries.map(move |entry| inflater.take(self, entry, is_ended))
    }
}

fn is_large(entry: &Entry) -> bool {
    entry.size.max(entry.packed) > AT_ONCE
}

/// Makes sure that an entry may be as large as it says.
pub(super) fn check_size(entry: &Entry) -> Result<(), Error> {
    Limit::FileBytes.check(entry.size, &entry.path)
}

/// Memory for a large content, if there is as much: to run out of it would end the process.
fn room_for(entry: &Entry) -> Result<Vec<u8>, Error> {
    let mut room = Vec::new();
    let size = size(entry.size)?;
    let is_room = entry.size <= LARGEST_CONTENT && room.try_reserve_exact(size).is_ok();
    if is_room {
        return Ok(room);
    }
    let (path, size) = (&entry.path, entry.size);
    let message = format!("{path} has {size} bytes, which is more than a content can have here");
    Err(Error::other(message))
}

/// Where the compressed bytes are.
pub(super) fn range(archive: &Archive, entry: &Entry) -> Result<(u64, u64), Error> {
    if let Some(fault) = entry.fault() {
        return Err(damaged(fault));
    }
    let found = archive.zip.get_entry(entry.place).map_err(damaged)?;
    let (start, end) = found.compressed_data_range();
    let length = end.saturating_sub(start);
    let is_possible = if entry.method == CompressionMethod::STORE {
        entry.size == length
    } else {
        entry.size <= length.saturating_mul(MOST_EXPANSION)
    };
    if is_possible {
        Ok((start, end))
    } else {
        let path = &entry.path;
        Err(damaged(format!("{path} cannot have the size that it says")))
    }
}

/// Inflates piece by piece.
fn stream(
    archive: &Archive,
    entry: &Entry,
    mut to: impl Write,
    is_ended: IsEnded<'_>,
) -> Result<(), Error> {
    range(archive, entry)?;
    let found = archive.zip.get_entry(entry.place).map_err(damaged)?;
    // Asked where it reads, for there is deflated data of any length that inflates to nothing.
    let reader = UntilEnded {
        from: found.reader(),
        is_ended,
    };
    let mut content: Box<dyn Read + '_> = if entry.method == CompressionMethod::STORE {
        Box::new(reader)
    } else {
        Box::new(DeflateDecoder::new(reader))
    };
    let mut checksum = libdeflater::Crc::new();
    let mut length = 0;
    let mut piece = vec![0; 256 * 1024];
    loop {
        let read = content.read(&mut piece);
        let read = read.map_err(|error| corrupt(entry, error))?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            break;
        };
        length += read.len() as u64;
        if length > entry.size {
            break;
        }
        checksum.update(read);
        to.write_all(read)
            .map_err(|error| write_failed(entry, error))?;
    }
    verify(entry, length, checksum.sum())
}

fn verify(entry: &Entry, length: u64, crc32: u32) -> Result<(), Error> {
    let path = &entry.path;
    if length != entry.size {
        return Err(damaged(format!("{path} has not the size that it says")));
    }
    if crc32 != entry.crc32 {
        return Err(damaged(format!("{path} does not match its checksum")));
    }
    Ok(())
}

fn corrupt(entry: &Entry, error: impl Into<Corrupt>) -> Error {
    let Corrupt(why) = error.into();
    damaged(format!("{} cannot be inflated, {why}", entry.path))
}

struct Corrupt(String);

impl From<io::Error> for Corrupt {
    fn from(error: io::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<DecompressionError> for Corrupt {
    fn from(error: DecompressionError) -> Self {
        Self(error.to_string())
    }
}

fn write_failed(entry: &Entry, error: io::Error) -> Error {
    Error::other(format!("{} could not be written: {error}", entry.path)).because(error)
}

fn size(length: u64) -> Result<usize, Error> {
    usize::try_from(length).map_err(|_| damaged("an entry is larger than memory can be"))
}
