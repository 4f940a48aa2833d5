//! A download in a file without a name.

use std::{
    fs::File,
    io::{self, Seek, Write},
    mem,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::body::Body;
use crate::{
    archive,
    blocking::blocking,
    error::Error,
    limits::Limit,
    shortage::{self, Shortage},
};

/// How much is written at once.
const PIECE: usize = 256 * 1024;

/// A file without a name, so that nothing of it is left however the process ends.
#[derive(Debug)]
pub struct TemporaryFile {
    file: File,
    length: u64,
    place: OnDisk,
}

/// What a file without a name takes, and where.
#[derive(Clone, Debug)]
pub(crate) struct OnDisk {
    /// Its bytes on disk, where the system says it: it has whole blocks there.
    pub bytes: u64,
    /// The directory in whose file system it is.
    pub directory: Arc<Path>,
}

impl TemporaryFile {
    /// Stores what comes, which is no more than a limit allows, in a file in `directory`.
    ///
    /// # Errors
    /// The download broke off, was ended, or is too large; the file could not be written.
    pub(crate) async fn download(
        body: &mut Body,
        limit: Limit,
        directory: PathBuf,
    ) -> Result<Self, Error> {
        body.check(0, limit)?;
        let context = Arc::clone(body.context());
        let unwritable = |error: io::Error| context.unable_to(&no_store(&directory, error));
        let mut file = Storing::new(directory.clone()).await.map_err(unwritable)?;
        let mut length = 0;
        loop {
            match body.next().await {
                Ok(Some(piece)) => {
                    length += piece.len() as u64;
                    body.check(length, limit)?;
                    file.write_all(&piece).await.map_err(unwritable)?;
                }
                Ok(None) => break,
                Err(_) if !context.cancellation.is_cancelled() && body.restart().await? => {
                    body.check(0, limit)?;
                    length = 0;
                    file.empty().await.map_err(unwritable)?;
                }
                Err(error) => return Err(error),
            }
        }
        file.finish(&directory).await.map_err(unwritable)
    }

    /// Stores what is there already, in a file in `directory`.
    ///
    /// # Errors
    /// The file could not be written.
    pub(crate) fn write(content: &[u8], directory: &Path) -> io::Result<Self> {
        let file = new_file(directory)?;
        write_all(&file, content)?;
        Ok(Self::of(file, content.len() as u64, directory))
    }

    fn of(file: File, length: u64, directory: &Path) -> Self {
        let place = OnDisk {
            bytes: length.max(blocks(&file)),
            directory: directory.into(),
        };
        Self {
            file,
            length,
            place,
        }
    }

    /// All of it.
    pub(crate) fn read(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.copy_to(&mut content)?;
        Ok(content)
    }

    /// Writes all of it to somewhere else.
    pub(crate) fn copy_to(&self, to: impl Write) -> io::Result<()> {
        archive::copy(self.open()?, to).map_err(io::Error::other)
    }

    /// The file, to read at places: where it stands is shared with others who read it.
    pub(crate) fn open(&self) -> io::Result<File> {
        shortage::within(|| self.file.try_clone())
    }

    /// Its size in bytes.
    pub(crate) const fn length(&self) -> u64 {
        self.length
    }

    /// What it takes on disk, and where.
    pub(crate) const fn place(&self) -> &OnDisk {
        &self.place
    }
}

impl OnDisk {
    /// How many bytes are free where this is.
    pub(crate) fn free(&self) -> Free {
        Free(free(&self.directory))
    }
}

/// How many bytes are free in a file system, if that is known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Free(Option<u64>);

impl Free {
    /// How much may be kept for later, when so much is kept already: no more than stays free.
    pub(crate) fn share(self, kept: u64) -> u64 {
        self.0
            .map_or(u64::MAX, |free| free.saturating_add(kept) / 2)
    }
}

/// How many bytes are free in a directory's file system for this process, where the system says so.
fn free(directory: &Path) -> Option<u64> {
    #[cfg(unix)]
    let free = rustix::fs::statvfs(directory)
        .ok()
        .map(|it| it.f_bavail.saturating_mul(it.f_frsize));
    #[cfg(not(unix))]
    let free = {
        let _ = directory;
        None
    };
    free
}

/// How many bytes a file takes on disk, where the system says it.
fn blocks(file: &File) -> u64 {
    #[cfg(unix)]
    let bytes = {
        use std::os::unix::fs::MetadataExt;
        let metadata = file.metadata();
        // Of this size, whatever the disk's own block size.
        metadata.map_or(0, |metadata| metadata.blocks().saturating_mul(512))
    };
    #[cfg(not(unix))]
    let bytes = {
        let _ = file;
        0
    };
    bytes
}

/// Says why nothing can be stored, and what to do about it.
fn no_store(directory: &Path, error: io::Error) -> Error {
    let place = directory.display();
    let advice = match Shortage::of(&error) {
        Some(Shortage::Disk) => {
            let free = free(directory).map_or(String::new(), |free| {
                format!("{} MiB are free there, and ", free / (1024 * 1024))
            });
            format!(
                ": {free}no archive is kept any more that could make room. Give backend.workingDirectory a place with more"
            )
        }
        Some(Shortage::Files) => {
            ": nothing is kept open any more that could be closed. Let the process open more files (ulimit -n)".to_owned()
        }
        Some(Shortage::Memory) => String::new(),
        None => match error.kind() {
            io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
                ". Check backend.workingDirectory, or where that is not set the system's folder for temporary files: it must be a folder that is there".to_owned()
            }
            io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                ". Check backend.workingDirectory, or where that is not set the system's folder for temporary files: the backend must be able to write there".to_owned()
            }
            _ => String::new(),
        },
    };
    let message = format!("no archive could be stored in {place}: {error}{advice}");
    Error::other(message).because(error)
}

/// A file that is being written. Where its disk is full, what is kept there is freed, and the write is tried
/// again: nothing has to be downloaded twice.
struct Storing {
    file: Arc<File>,
    /// What waits to be written together.
    piece: Vec<u8>,
    length: u64,
}

impl Storing {
    async fn new(directory: PathBuf) -> io::Result<Self> {
        let file = blocking(move || new_file(&directory)).await?;
        Ok(Self {
            file: Arc::new(file),
            piece: Vec::with_capacity(PIECE),
            length: 0,
        })
    }

    async fn write_all(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        while !bytes.is_empty() {
            let (now, later) = bytes.split_at(bytes.len().min(PIECE - self.piece.len()));
            self.piece.extend_from_slice(now);
            bytes = later;
            if self.piece.len() == PIECE {
                self.flush().await?;
            }
        }
        Ok(())
    }

    async fn flush(&mut self) -> io::Result<()> {
        let (file, mut piece) = (Arc::clone(&self.file), mem::take(&mut self.piece));
        self.length += piece.len() as u64;
        let written = blocking(move || {
            write_all(&file, &piece)?;
            piece.clear();
            Ok::<_, io::Error>(piece)
        });
        self.piece = written.await?;
        Ok(())
    }

    /// Begins anew.
    async fn empty(&mut self) -> io::Result<()> {
        self.piece.clear();
        self.length = 0;
        let file = Arc::clone(&self.file);
        blocking(move || {
            file.set_len(0)?;
            (&*file).rewind()
        })
        .await
    }

    async fn finish(mut self, directory: &Path) -> io::Result<TemporaryFile> {
        self.flush().await?;
        // No other task has it any more.
        let file = Arc::try_unwrap(self.file).or_else(|file| file.try_clone())?;
        Ok(TemporaryFile::of(file, self.length, directory))
    }
}

fn new_file(directory: &Path) -> io::Result<File> {
    shortage::within(|| tempfile::tempfile_in(directory))
}

/// Writes all bytes; where the disk is full, frees some room and goes on.
fn write_all(mut file: &File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        let written = match shortage::within(|| file.write(bytes)) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => 0,
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            written => written?,
        };
        bytes = bytes.get(written..).unwrap_or_default();
    }
    Ok(())
}
