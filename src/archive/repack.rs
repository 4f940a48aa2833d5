//! Entries of a zip as another zip, their compressed bytes copied as they are.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Write},
};

use rawzip::{
    Crc32Option, DataDescriptorOutput, FileReader, Header, ReaderAt, ZipArchiveWriter,
    extra_fields::ExtraFieldId, path::EntryPath,
};

use super::{
    damaged::damaged,
    ended::{IsEnded, UntilEnded, unless},
    index::{Archive, Placed},
    inflate::range,
    name::names_drive,
};
use crate::error::Error;

/// Writes a zip with the entries under their new paths. A link becomes a file with the place in it,
/// as in Backstage's own reader: it may lead out of what it is unpacked to.
///
/// # Errors
/// The archive is damaged, or `to` takes no more; or the work was ended.
pub fn repack(
    archive: &Archive,
    entries: &[Placed<'_>],
    to: impl Write,
    is_ended: IsEnded<'_>,
) -> Result<(), Error> {
    check_names(entries, is_ended)?;
    let mut zip = ZipArchiveWriter::new(to);
    for (entry, path) in entries {
        unless(is_ended)?;
        let path = without_drive(path);
        range(archive, entry)?;
        let mut file = zip
            .new_file(name(path))
            .compression_method(entry.method)
            .unix_permissions(entry.mode)
            .crc32(Crc32Option::Custom(entry.crc32));
        if let Some(date) = entry.date {
            file = file.last_modified(date);
        }
        if is_unmarked(path) {
            let field = unicode_path(path);
            file = file
                .extra_field(
                    ExtraFieldId::INFO_ZIP_UNICODE_PATH,
                    &field,
                    Header::default(),
                )
                .map_err(unwritable)?;
        }
        let (mut copy, _) = file.start().map_err(unwritable)?;
        let found = archive.zip.get_entry(entry.place).map_err(damaged)?;
        let mut reader = UntilEnded {
            from: found.reader(),
            is_ended,
        };
        io::copy(&mut reader, &mut copy).map_err(unwritable)?;
        copy.finish(DataDescriptorOutput::new(entry.crc32, entry.size))
            .map_err(unwritable)?;
    }
    zip.finish().map_err(unwritable)?;
    Ok(())
}

/// The path without what a zip takes for a drive at its start, as in Backstage's own reader; and
/// without what would lead outside then.
fn without_drive(path: &str) -> &str {
    let is_word = |word: &str| {
        let mut letters = word.chars();
        !word.is_empty() && letters.all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    let Some((word, mut rest)) = path.split_once(':') else {
        return path;
    };
    if !is_word(word) {
        return path;
    }
    while let Some(("" | "." | "..", below)) = rest.split_once('/') {
        rest = below;
    }
    match rest {
        "" | "." | ".." => path,
        rest if names_drive(rest) => without_drive(rest),
        rest => rest,
    }
}

/// Makes sure that no two entries have one name without their drives.
fn check_names(entries: &[Placed<'_>], is_ended: IsEnded<'_>) -> Result<(), Error> {
    let mut shortened = HashMap::new();
    for (_, path) in entries {
        unless(is_ended)?;
        let name = without_drive(path);
        if name.len() < path.len() {
            shortened.insert(name, *path);
        }
    }
    if shortened.is_empty() {
        return Ok(());
    }
    for (_, path) in entries {
        unless(is_ended)?;
        let name = without_drive(path);
        if let Some(other) = shortened.get(name).filter(|other| *other != path) {
            return Err(Error::other(format!(
                "no archive can have both {path} and {other}: the name of each would be {name}"
            )));
        }
    }
    Ok(())
}

/// The name of an entry. One with a colon stands as it is, for it would be cut there otherwise.
fn name(path: &str) -> EntryPath<'_> {
    if path.contains(':') {
        EntryPath::verbatim(path.as_bytes())
    } else {
        EntryPath::conformant(path)
    }
}

/// Whether the name is UTF-8 without the flag that says so.
fn is_unmarked(path: &str) -> bool {
    path.contains(':') && !path.is_ascii()
}

/// The extra field that says in UTF-8 what a name is that has another meaning without it.
///
/// <https://pkware.cachefly.net/webdocs/APPNOTE/APPNOTE-6.3.10.TXT>, 4.6.9
fn unicode_path(path: &str) -> Vec<u8> {
    let crc32 = libdeflater::crc32(path.as_bytes()).to_le_bytes();
    [&[1], crc32.as_slice(), path.as_bytes()].concat()
}

/// Writes the zip in a file as it is.
///
/// # Errors
/// It cannot be read, or `to` takes no more.
pub fn copy(file: File, mut to: impl Write) -> Result<(), Error> {
    let file = FileReader::from(file);
    let mut piece = vec![0; 256 * 1024];
    let mut place = 0;
    loop {
        let read = file.read_at(&mut piece, place).map_err(unwritable)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_without_a_drive_leads_inside() {
        for (path, expected) in [
            ("a/b:c", "a/b:c"),
            ("w:x/y", "x/y"),
            ("w:/x", "x"),
            ("w:../x", "x"),
            ("w:.././../x", "x"),
            ("w:C:/x", "x"),
            ("w:../C:/x", "x"),
            ("w:..", "w:.."),
            ("w:", "w:"),
        ] {
            assert_eq!(without_drive(path), expected, "{path}");
        }
    }
}
