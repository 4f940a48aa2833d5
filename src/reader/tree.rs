//! A tree that was downloaded: its files, as contents, on disk or as another zip.

use std::{
    io::{self, Write},
    mem,
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::{self, JoinError, JoinHandle},
};

use super::{
    exchange::Exchange,
    kept::{Key, kept},
    stored::Stored,
};
use crate::{
    archive::{self, Archive, Entry, Placed},
    error::{Error, ErrorKind},
    fault,
};

/// How much is handed on at once.
const PIECE: usize = 256 * 1024;

/// Contents of up to this size are inflated where they are asked for: it takes less time than to
/// hand them to another thread.
const AT_HAND: u64 = 256 * 1024;

/// How many pieces of an archive wait for who reads them.
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
    /// Where the archive is kept.
    key: Option<Key>,
}

impl Tree {
    /// Reads what is in an archive.
    ///
    /// What turns out to be damaged is not kept under `key` any longer.
    ///
    /// # Errors
    /// It is no zip, or one that leads outside, or that of a single file.
    pub(super) async fn open(
        stored: Arc<Stored>,
        subpath: &str,
        exchange: Arc<Exchange>,
        key: Option<Key>,
    ) -> Result<Arc<Self>, Error> {
        let open = move || {
            let file = stored.open();
            Archive::open(file.map_err(|error| unreadable(&error))?)
        };
        let opened = blocking(open).await;
        let failed = |error: Error| {
            forget(key.as_ref());
            exchange.read().unable_to(&error)
        };
        let archive = opened.map_err(failed)?;
        let tree = Self::of(archive, subpath, exchange, key);
        // The zip of a file holds that file alone, under its name.
        let is_file = tree.files.is_empty()
            && matches!(tree.archive.entries(), [entry] if entry.path == subpath);
        if is_file {
            let why = "it is a file and not a folder";
            return Err(tree.exchange.read().unusable(ErrorKind::Input, why));
        }
        Ok(Arc::new(tree))
    }

    fn of(archive: Archive, subpath: &str, exchange: Arc<Exchange>, key: Option<Key>) -> Self {
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
            key,
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
        let size = self
            .file(place)
            .map_or(0, |(entry, _)| entry.size.max(entry.packed));
        if size <= AT_HAND {
            self.content_now(place)
        } else {
            blocking(move || self.content_now(place)).await
        }
    }

    /// The contents of the files at these places, or why there is none.
    ///
    /// # Errors
    /// The work was interrupted.
    pub async fn contents(
        self: Arc<Self>,
        places: Vec<u32>,
    ) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        blocking(move || {
            let files = self.chosen(Some(&places));
            let entries = files.iter().map(|(entry, _)| *entry);
            let contents = self.archive.contents(entries);
            let failed = |error| self.failed(&error);
            Ok(contents.map(|content| content.map_err(failed)).collect())
        })
        .await
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
            let extracted = archive::extract(&self.archive, &files, &directory, &is_ended);
            if is_ended() {
                return Err(self.exchange.ended());
            }
            extracted.map_err(|error| self.failed(&error))
        };
        blocking(work).await
    }

    /// A zip, made as it is read: of the files at these places, or of all below the tree's folder.
    #[must_use]
    pub fn pack(self: Arc<Self>, places: Option<Vec<u32>>) -> Packed {
        let tree = Arc::clone(&self);
        let work = move |writer: &mut Pieces| {
            let files = self.chosen(places.as_deref());
            archive::repack(&self.archive, &files, writer)
        };
        let exchange = Arc::clone(&tree.exchange);
        Packed::of(work, move |error| tree.failed(error), exchange)
    }

    fn failed(&self, error: &Error) -> Error {
        if error.kind() == ErrorKind::Damaged {
            forget(self.key.as_ref());
        }
        self.exchange.read().unable_to(error)
    }
}

fn unreadable(error: &io::Error) -> Error {
    Error::other(format!("the archive cannot be read: {error}"))
}

/// Another read asks for the archive again.
fn forget(key: Option<&Key>) {
    if let Some(key) = key {
        kept().archives.forget(key);
    }
}

/// A zip that is made as it is read.
#[derive(Debug)]
pub struct Packed {
    pieces: mpsc::Receiver<Result<Bytes, Error>>,
    /// What makes it, until it is known how that ended.
    work: Option<JoinHandle<()>>,
    exchange: Arc<Exchange>,
}

impl Packed {
    /// The archive as it came, even if it is one whose files would not be read.
    pub(super) fn copy(stored: Arc<Stored>, exchange: Arc<Exchange>, key: Key) -> Self {
        let work = move |writer: &mut Pieces| {
            let open = || stored.open().map_err(|error| unreadable(&error));
            // Who asks again may be sent a better one.
            if Archive::open(open()?).is_err() {
                forget(Some(&key));
            }
            archive::copy(open()?, writer)
        };
        let reading = Arc::clone(&exchange);
        let failed = move |error: &Error| reading.read().unable_to(error);
        Self::of(work, failed, exchange)
    }

    /// What the work writes, on a thread that may block.
    fn of(
        work: impl FnOnce(&mut Pieces) -> Result<(), Error> + Send + 'static,
        failed: impl FnOnce(&Error) -> Error + Send + 'static,
        exchange: Arc<Exchange>,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let work = task::spawn_blocking(move || {
            let mut writer = Pieces {
                piece: Vec::with_capacity(PIECE),
                sender: sender.clone(),
            };
            fault::point("packing");
            let packed = work(&mut writer);
            let flush = |()| writer.flush().map_err(|error| unreadable(&error));
            // Where nobody is left who reads, nothing has failed.
            if let Err(error) = packed.and_then(flush)
                && !sender.is_closed()
            {
                let _ = sender.blocking_send(Err(failed(&error)));
            }
        });
        Self {
            pieces,
            work: Some(work),
            exchange,
        }
    }

    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// The archive that it is made of is damaged; the read was ended.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let cancellation = &self.exchange.cancellation;
        match cancellation.run_until_cancelled(self.pieces.recv()).await {
            Some(Some(piece)) => piece.map(Some),
            Some(None) => self.end().await.map(|()| None),
            None => {
                self.close();
                Err(self.exchange.ended())
            }
        }
    }

    /// Makes sure that nothing more comes because it is whole, and not because the work broke off.
    async fn end(&mut self) -> Result<(), Error> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let ended = work.await.map_err(|end| Error::from(Interrupted::by(&end)));
        ended.map_err(|error| self.exchange.read().unable_to(&error))
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
    let work = || {
        fault::point("blocking work");
        work()
    };
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(end) => Err(Interrupted::by(&end).into()),
    }
}

/// Why work that blocks has no outcome.
pub(super) enum Interrupted {
    /// It panicked.
    Panicked,
    /// The runtime ended under it.
    Ended,
}

impl Interrupted {
    fn by(end: &JoinError) -> Self {
        if end.is_panic() {
            Self::Panicked
        } else {
            Self::Ended
        }
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Panicked => Self::panicked(),
            Interrupted::Ended => Self::other("the work on the archive was interrupted"),
        }
    }
}

impl From<Interrupted> for io::Error {
    fn from(interrupted: Interrupted) -> Self {
        Self::other(Error::from(interrupted))
    }
}
