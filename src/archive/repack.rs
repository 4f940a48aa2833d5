//! Entries of a zip as another zip, their compressed bytes copied as they are.

use std::io::{self, Write};

use rawzip::{Crc32Option, DataDescriptorOutput, ReaderAt, ZipArchiveWriter};

use super::{Archive, damaged, extract::Placed};
use crate::error::Error;

/// Writes a zip with the entries under their new paths.
///
/// # Errors
/// The archive is damaged, or `to` takes no more.
pub fn repack(archive: &Archive, entries: &[Placed<'_>], to: impl Write) -> Result<(), Error> {
    let mut zip = ZipArchiveWriter::new(to);
    for (entry, path) in entries {
        let mut file = zip
            .new_file(*path)
            .compression_method(entry.method)
            .unix_permissions(entry.mode)
            .crc32(Crc32Option::Custom(entry.crc32));
        if let Some(date) = entry.date {
            file = file.last_modified(date);
        }
        let (mut copy, _) = file.start().map_err(unwritable)?;
        let found = archive.zip.get_entry(entry.place).map_err(damaged)?;
        io::copy(&mut found.reader(), &mut copy).map_err(unwritable)?;
        copy.finish(DataDescriptorOutput::new(entry.crc32, entry.size))
            .map_err(unwritable)?;
    }
    zip.finish().map_err(unwritable)?;
    Ok(())
}

/// Writes the zip as it is.
///
/// # Errors
/// It cannot be read, or `to` takes no more.
pub fn copy(archive: &Archive, mut to: impl Write) -> Result<(), Error> {
    let mut piece = vec![0; 256 * 1024];
    let mut place = 0;
    loop {
        let read = archive.zip.get_ref().read_at(&mut piece, place);
        let read = read.map_err(unwritable)?;
        let Some(read) = piece.get(..read).filter(|read| !read.is_empty()) else {
            return Ok(());
        };
        to.write_all(read).map_err(unwritable)?;
        place += read.len() as u64;
    }
}

fn unwritable(error: impl std::error::Error + Send + Sync + 'static) -> Error {
    Error::other(format!("the archive could not be written: {error}")).because(error)
}
