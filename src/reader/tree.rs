//! A tree that was downloaded: its files, as contents, on disk or as another zip.

use std::{
    io::{self, Write},
    mem,
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use tokio::{
    io::{AsyncWriteExt, BufWriter},
    sync::mpsc,
    task,
};
use tokio_util::sync::CancellationToken;

use super::{body::Body, exchange::Exchange, explain::Read};
use crate::{
    archive::{self, Archive, Entry, Placed},
    error::Error,
};

/// How much is written to the file, or handed on, at once.
const PIECE: usize = 256 * 1024;

/// Contents of up to this size are inflated where they are asked for: it takes less time than to
/// hand them to another thread.
const AT_HAND: u64 = 256 * 1024;

/// How many pieces of a repacked archive wait for who reads them.
const PIECES_AHEAD: usize = 4;

/// The files of a downloaded archive that belong to the tree.
#[derive(Debug)]
pub struct Tree {
    archive: Archive,
    /// What stands before the paths in the archive.
    prefix: String,
    /// Which of the archive's entries are the tree's.
    files: Vec<usize>,
    exchange: Arc<Exchange>,
}

impl Tree {
    /// Downloads the archive to a file in `directory` that has no name, so that nothing is left of
    /// it however the process ends, and reads what is in it.
    ///
    /// # Errors
    /// The download broke off, or was ended; the file could not be written; what came is no zip, or
    /// one that leads outside.
    pub async fn download(
        body: &mut Body,
        subpath: &str,
        directory: PathBuf,
        exchange: Arc<Exchange>,
    ) -> Result<Arc<Self>, Error> {
        let unwritable = |error: io::Error| {
            let message = format!("no archive could be stored: {error}");
            exchange
                .read()
                .unable_to(&Error::other(message).because(error))
        };
        let file = blocking(move || tempfile::tempfile_in(directory)).await;
        let file = tokio::fs::File::from_std(file.map_err(unwritable)?);
        let mut file = BufWriter::with_capacity(PIECE, file);
        while let Some(piece) = body.next().await? {
            file.write_all(&piece).await.map_err(unwritable)?;
        }
        file.flush().await.map_err(unwritable)?;
        let file = file.into_inner().into_std().await;
        let opened = blocking(move || Archive::open(file)).await;
        let archive = opened.map_err(|error| exchange.read().unable_to(&error))?;
        Ok(Arc::new(Self::of(archive, subpath, exchange)))
    }

    fn of(archive: Archive, subpath: &str, exchange: Arc<Exchange>) -> Self {
        let prefix = match subpath {
            "" => String::new(),
            folder => format!("{folder}/"),
        };
        let is_in_tree = |entry: &Entry| entry.path.starts_with(&prefix);
        let entries = archive.entries().iter().enumerate();
        let files = entries.filter(|(_, entry)| is_in_tree(entry));
        Self {
            files: files.map(|(index, _)| index).collect(),
            archive,
            prefix,
            exchange,
        }
    }

    /// The files, each with its path in the tree.
    pub fn files(&self) -> impl Iterator<Item = Placed<'_>> {
        self.files.iter().filter_map(|index| self.placed(*index))
    }

    fn placed(&self, index: usize) -> Option<Placed<'_>> {
        let entry = self.archive.entries().get(index)?;
        Some((entry, entry.path.get(self.prefix.len()..)?))
    }

    fn file(&self, place: u32) -> Option<Placed<'_>> {
        let index = self.files.get(usize::try_from(place).ok()?)?;
        self.placed(*index)
    }

    /// The files at these places among [`Self::files`]; all where there are none.
    fn chosen(&self, places: Option<&[u32]>) -> Vec<Placed<'_>> {
        let Some(places) = places else {
            return self.files().collect();
        };
        let files = places.iter().filter_map(|place| self.file(*place));
        files.collect()
    }

    /// The content of the file at a place among [`Self::files`].
    ///
    /// # Errors
    /// The archive is damaged there, or there is no such file.
    pub async fn content(self: Arc<Self>, place: u32) -> Result<Vec<u8>, Error> {
        let size = self.file(place).map_or(0, |(entry, _)| entry.size);
        if size <= AT_HAND {
            self.content_now(place)
        } else {
            blocking(move || self.content_now(place)).await
        }
    }

    /// The same, where it is called.
    pub(super) fn content_now(&self, place: u32) -> Result<Vec<u8>, Error> {
        let content = self.file(place).map_or_else(
            || Err(Error::other("there is no such file in the archive")),
            |(entry, _)| self.archive.content(entry),
        );
        content.map_err(|error| self.failed(&error))
    }

    /// How many files there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.files.len()).unwrap_or(u32::MAX)
    }

    /// Writes the files at these places, or all, to a directory.
    ///
    /// # Errors
    /// The archive is damaged, a file cannot be written, or the read was ended. See
    /// [`archive::extract`].
    pub async fn extract(
        self: Arc<Self>,
        directory: PathBuf,
        places: Option<Vec<u32>>,
    ) -> Result<(), Error> {
        let work = move || {
            let files = self.chosen(places.as_deref());
            let cancellation = &self.exchange.cancellation;
            let is_ended = || cancellation.is_cancelled();
            archive::extract(&self.archive, &files, &directory, &is_ended)
                .map_err(|error| self.failed(&error))?;
            if is_ended() {
                return Err(Read::ended(self.exchange.purpose, &self.exchange.url));
            }
            Ok(())
        };
        blocking(work).await
    }

    /// The files at these places, or all, as another zip, made as it is read.
    #[must_use]
    pub fn repack(self: Arc<Self>, places: Option<Vec<u32>>) -> Repacked {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        task::spawn_blocking(move || {
            let files = self.chosen(places.as_deref());
            let mut writer = Pieces {
                piece: Vec::with_capacity(PIECE),
                sender: sender.clone(),
            };
            let packed = archive::repack(&self.archive, &files, &mut writer);
            let ended = packed.and_then(|()| {
                writer
                    .flush()
                    .map_err(|error| Error::other(error.to_string()))
            });
            if let Err(error) = ended {
                // Nobody may be left who reads.
                let _ = sender.blocking_send(Err(self.failed(&error)));
            }
        });
        Repacked { pieces }
    }

    fn failed(&self, error: &Error) -> Error {
        self.exchange.read().unable_to(error)
    }
}

/// A zip that is made as it is read.
#[derive(Debug)]
pub struct Repacked {
    pieces: mpsc::Receiver<Result<Bytes, Error>>,
}

impl Repacked {
    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// The archive that it is made of is damaged.
    pub async fn next(&mut self, cancellation: &CancellationToken) -> Result<Option<Bytes>, Error> {
        let next = cancellation.run_until_cancelled(self.pieces.recv());
        next.await.flatten().transpose()
    }

    /// Makes no more.
    pub fn close(&mut self) {
        self.pieces.close();
    }
}

/// Hands on what is written, in pieces.
struct Pieces {
    piece: Vec<u8>,
    sender: mpsc::Sender<Result<Bytes, Error>>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE - self.piece.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(piece.into()));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the archive"))
    }
}

/// Does what blocks on a thread that may block.
pub(super) async fn blocking<T: Send + 'static, E: From<Interrupted> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(_) => Err(Interrupted.into()),
    }
}

/// The work panicked, or the runtime ended under it.
pub(super) struct Interrupted;

impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Self {
        Self::other("the work on the archive was interrupted")
    }
}

impl From<Interrupted> for io::Error {
    fn from(_: Interrupted) -> Self {
        Self::other("the work on the archive was interrupted")
    }
}
