//! The files of a tree, in an archive that is open.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::Arc,
};

use crate::{
    archive::{self, Archive, Entry, Placed},
    blocking::blocking,
    error::{Error, ErrorKind},
    reader::{
        context::ReadContext,
        transfer::{InFile, OnDisk, TemporaryFile},
    },
};

/// The files of a tree, in an archive that is open.
#[derive(Debug)]
pub struct Files {
    pub(super) archive: Archive,
    /// What stands before the paths in the archive.
    prefix: String,
    /// Which of the archive's entries are the tree's.
    indexes: Vec<usize>,
    place: OnDisk,
}

impl Files {
    pub(super) async fn open(
        stored: Arc<TemporaryFile>,
        subpath: String,
        context: Arc<ReadContext>,
    ) -> Result<Self, Error> {
        blocking(move || {
            let is_ended = || context.cancellation.is_cancelled();
            let file = stored.open().map_err(|error| unreadable(&error))?;
            let archive = Archive::open(file, &is_ended)?;
            Self::of(archive, &subpath, stored.place().clone())
        })
        .await
    }

    fn of(archive: Archive, subpath: &str, place: OnDisk) -> Result<Self, Error> {
        let prefix = match subpath {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        Ok(Self {
            indexes: files_below(&prefix, &archive)?,
            archive,
            prefix,
            place,
        })
    }

    /// The files, each with its path in the tree.
    pub fn all(&self) -> impl Iterator<Item = Placed<'_>> {
        self.indexes.iter().filter_map(|index| self.placed(*index))
    }

    fn placed(&self, index: usize) -> Option<Placed<'_>> {
        let entry = self.archive.entries().get(index)?;
        Some((entry, entry.path.get(self.prefix.len()..)?))
    }

    /// The entry of the file at a place among [`Self::all`].
    #[must_use]
    pub fn entry(&self, place: u32) -> Option<&Entry> {
        self.file(place).map(|(entry, _)| entry)
    }

    pub(super) fn file(&self, place: u32) -> Option<Placed<'_>> {
        let index = self.indexes.get(usize::try_from(place).ok()?)?;
        self.placed(*index)
    }

    /// The files at these places among [`Self::all`]; all where there are none.
    pub(super) fn chosen(&self, places: Option<&[u32]>) -> Vec<Placed<'_>> {
        let Some(places) = places else {
            return self.all().collect();
        };
        let files = places.iter().filter_map(|place| self.file(*place));
        files.collect()
    }

    /// The content of the file at a place among [`Self::all`].
    pub(crate) fn content(
        &self,
        place: u32,
        is_ended: &(impl Fn() -> bool + Sync),
    ) -> Result<Vec<u8>, Error> {
        self.file(place).map_or_else(
            || Err(Error::other("there is no such file in the archive")),
            |(entry, _)| self.archive.content(entry, is_ended),
        )
    }

    /// Whether the archive is that of a single file: it holds that file alone, under its name.
    pub(super) fn is_one_file(&self, name: &str) -> bool {
        self.indexes.is_empty()
            && matches!(self.archive.entries(), [entry] if entry.path == archive::canonical(name))
    }

    /// How many files there are.
    pub(crate) fn len(&self) -> u32 {
        u32::try_from(self.indexes.len()).unwrap_or(u32::MAX)
    }

    /// A hash by which archives with the same files at the same places are recognised.
    pub(super) fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        for (entry, path) in self.all() {
            (path, entry.size).hash(&mut hasher);
        }
        hasher.finish()
    }
}

impl InFile for Files {
    fn place(&self) -> &OnDisk {
        &self.place
    }
}

/// Which of an archive's entries are below a folder.
///
/// # Errors
/// One of them has an absolute path there.
fn files_below(prefix: &str, archive: &Archive) -> Result<Vec<usize>, Error> {
    let mut files = Vec::new();
    for (index, entry) in archive.entries().iter().enumerate() {
        let Some(path) = entry.path.strip_prefix(prefix) else {
            continue;
        };
        if archive::names_drive(path) {
            let message = format!(
                "the archive has an absolute path below {}: {path}",
                prefix.trim_end_matches('/')
            );
            return Err(Error::new(ErrorKind::Damaged, message));
        }
        files.push(index);
    }
    Ok(files)
}

pub(super) fn unreadable(error: &io::Error) -> Error {
    Error::other(format!("the archive cannot be read: {error}"))
}
