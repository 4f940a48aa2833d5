//! A tree that was downloaded: its files, as contents, on disk or as another zip.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io::{self, Write},
    mem,
    ops::Deref,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use futures_util::{FutureExt, future::BoxFuture};
use tokio::{
    sync::mpsc,
    task::{self, JoinError, JoinHandle},
};

use super::{
    exchange::Exchange,
    held::{Held, InFile, InUse},
    kept::{Key, kept},
    stored::{OnDisk, Stored},
};
use crate::{
    archive::{self, Archive, Placed},
    error::{Error, ErrorKind},
    fault,
    room::{Part, Shortage},
};

/// How much is handed on at once.
const PIECE: usize = 256 * 1024;

/// Contents of up to this size are inflated where they are asked for: it takes less time than to
/// hand them to another thread.
const AT_HAND: u64 = 256 * 1024;

/// How many pieces of an archive wait for who reads them.
const PIECES_AHEAD: usize = 4;

/// How the archive of a tree is had again where it was let go of.
pub(super) type Again =
    Arc<dyn Fn() -> BoxFuture<'static, Result<Arc<Stored>, Error>> + Send + Sync>;

/// The files of a downloaded archive that belong to the tree.
///
/// What nobody uses is let go of where there is too much of it, and had again when it is used.
#[derive(Debug)]
pub struct Tree {
    files: Arc<Held<Files>>,
    /// Until it is used for the first time, which comes at once.
    first: Mutex<Option<InUse<Files>>>,
    exchange: Arc<Exchange>,
    /// Where the archive is kept.
    key: Option<Key>,
}

/// The files of a tree, in an archive that is open.
#[derive(Debug)]
pub struct Files {
    archive: Archive,
    /// What stands before the paths in the archive.
    prefix: String,
    /// Which of the archive's entries are the tree's.
    indexes: Vec<usize>,
    place: OnDisk,
}

impl Tree {
    /// Reads what is in an archive.
    ///
    /// What turns out to be damaged is not kept under `key` any longer.
    ///
    /// # Errors
    /// It is no zip, or one that leads outside, has more in it than there may be, or is that of a
    /// single file.
    pub(super) async fn open(
        stored: Arc<Stored>,
        subpath: &str,
        exchange: Arc<Exchange>,
        key: Option<Key>,
        again: Again,
    ) -> Result<Arc<Self>, Error> {
        let opened = Files::open(stored, subpath.to_owned(), Arc::clone(&exchange)).await;
        let failed = |error: Error| failure(&exchange, key.as_ref(), &error);
        let files = opened.map_err(failed)?;
        // The zip of a file holds that file alone, under its name.
        let is_file = files.indexes.is_empty()
            && matches!(files.archive.entries(), [entry] if entry.path == archive::canonical(subpath));
        if is_file {
            let why = "it is a file and not a folder";
            return Err(exchange.read().unusable(ErrorKind::Input, why));
        }
        let (subpath, known) = (subpath.to_owned(), files.fingerprint());
        let reading = Arc::clone(&exchange);
        let open_again = move || {
            let (again, subpath) = (again(), subpath.clone());
            let reading = Arc::clone(&reading);
            async move {
                let files = Files::open(again.await?, subpath, reading).await?;
                if files.fingerprint() == known {
                    return Ok(files);
                }
                let why = "what came when the archive was asked for again has other files";
                Err(Error::new(ErrorKind::Damaged, why))
            }
            .boxed()
        };
        let first = Held::of(files, Box::new(open_again));
        Ok(Arc::new(Self {
            files: first.held(),
            first: Mutex::new(Some(first)),
            exchange,
            key,
        }))
    }

    /// The files, at once; nothing where the archive was let go of.
    #[must_use]
    pub fn files_now(&self) -> Option<impl Deref<Target = Files>> {
        self.take_first().or_else(|| self.files.here())
    }

    /// The files, once their archive is open.
    pub(super) async fn files(&self) -> Result<InUse<Files>, Error> {
        if let Some(first) = self.take_first() {
            return Ok(first);
        }
        let cancellation = &self.exchange.cancellation;
        let files = cancellation.run_until_cancelled(self.files.get()).await;
        let files = files.unwrap_or_else(|| Err(self.exchange.ended()));
        files.map_err(|error| match error.kind() {
            ErrorKind::Damaged => self.failed(&error),
            _ => error,
        })
    }

    fn take_first(&self) -> Option<InUse<Files>> {
        let mut first = self.first.lock().unwrap_or_else(PoisonError::into_inner);
        first.take()
    }

    /// The content of the file at a place among the files.
    ///
    /// # Errors
    /// The archive is damaged there, or there is no such file.
    pub async fn content(self: Arc<Self>, place: u32) -> Result<Vec<u8>, Error> {
        let files = self.files().await?;
        let size = files
            .file(place)
            .map_or(0, |(entry, _)| entry.size.max(entry.packed));
        let tree = Arc::clone(&self);
        let content = move || files.content(place, &tree.is_ended());
        let content = if size <= AT_HAND {
            content()
        } else {
            blocking(content).await
        };
        content.map_err(|error| self.failed(&error))
    }

    /// The contents of the files at these places, or why there is none.
    ///
    /// # Errors
    /// The work was interrupted, or the archive is not to be had again.
    pub async fn contents(
        self: Arc<Self>,
        places: Vec<u32>,
    ) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        let files = self.files().await?;
        blocking(move || {
            let chosen = files.chosen(Some(&places));
            let entries = chosen.iter().map(|(entry, _)| *entry);
            let is_ended = self.is_ended();
            let contents = files.archive.contents(entries, &is_ended);
            let failed = |error| self.failed(&error);
            Ok(contents.map(|content| content.map_err(failed)).collect())
        })
        .await
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
        let files = self.files().await?;
        let work = move || {
            let chosen = files.chosen(places.as_deref());
            let is_ended = self.is_ended();
            let extract = || archive::extract(&files.archive, &chosen, &directory, &is_ended);
            let extracted = match extract() {
                // All of it at once: it begins anew each time.
                Err(error) if !is_ended() && let_all_go_for(&error) => extract(),
                extracted => extracted,
            };
            extracted.map_err(|error| self.failed(&error))
        };
        blocking(work).await
    }

    /// A zip, made as it is read: of the files at these places, or of all below the tree's folder.
    ///
    /// # Errors
    /// The archive is not to be had again.
    pub async fn pack(self: Arc<Self>, places: Option<Vec<u32>>) -> Result<Packed, Error> {
        let files = self.files().await?;
        let tree = Arc::clone(&self);
        let work = move |writer: &mut Pieces| {
            let chosen = files.chosen(places.as_deref());
            archive::repack(&files.archive, &chosen, writer, &tree.is_ended())
        };
        let exchange = Arc::clone(&self.exchange);
        Ok(Packed::of(work, move |error| self.failed(error), exchange))
    }

    fn is_ended(&self) -> impl Fn() -> bool + Sync {
        || self.exchange.cancellation.is_cancelled()
    }

    fn failed(&self, error: &Error) -> Error {
        failure(&self.exchange, self.key.as_ref(), error)
    }
}

impl Files {
    async fn open(
        stored: Arc<Stored>,
        subpath: String,
        exchange: Arc<Exchange>,
    ) -> Result<Self, Error> {
        blocking(move || {
            let is_ended = || exchange.cancellation.is_cancelled();
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

    fn file(&self, place: u32) -> Option<Placed<'_>> {
        let index = self.indexes.get(usize::try_from(place).ok()?)?;
        self.placed(*index)
    }

    /// The files at these places among [`Self::all`]; all where there are none.
    fn chosen(&self, places: Option<&[u32]>) -> Vec<Placed<'_>> {
        let Some(places) = places else {
            return self.all().collect();
        };
        let files = places.iter().filter_map(|place| self.file(*place));
        files.collect()
    }

    /// The content of the file at a place among [`Self::all`].
    pub(super) fn content(
        &self,
        place: u32,
        is_ended: &(impl Fn() -> bool + Sync),
    ) -> Result<Vec<u8>, Error> {
        self.file(place).map_or_else(
            || Err(Error::other("there is no such file in the archive")),
            |(entry, _)| self.archive.content(entry, is_ended),
        )
    }

    /// How many files there are.
    pub(super) fn len(&self) -> u32 {
        u32::try_from(self.indexes.len()).unwrap_or(u32::MAX)
    }

    /// What tells whether an archive has the same files at the same places as another.
    fn fingerprint(&self) -> u64 {
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

/// What is told of a failure. An archive that turned out to be damaged is forgotten: who asks again
/// may be sent a better one.
fn failure(exchange: &Exchange, key: Option<&Key>, error: &Error) -> Error {
    if exchange.cancellation.is_cancelled() {
        return exchange.ended();
    }
    if error.kind() == ErrorKind::Damaged {
        forget(key);
    }
    exchange.read().unable_to(error)
}

/// Lets go of all archives that are kept where a failure says that the machine is full; tells whether
/// there was any.
fn let_all_go_for(error: &Error) -> bool {
    Shortage::of(error).is_some_and(|shortage| shortage.let_go(Part::All))
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
        let (reading, copying) = (Arc::clone(&exchange), Arc::clone(&exchange));
        let work = move |writer: &mut Pieces| {
            let open = || stored.open().map_err(|error| unreadable(&error));
            let is_ended = || copying.cancellation.is_cancelled();
            // Who asks again may be sent a better one.
            let opened = Archive::open(open()?, &is_ended);
            if opened.is_err_and(|error| error.kind() == ErrorKind::Damaged) {
                forget(Some(&key));
            }
            archive::copy(open()?, writer)
        };
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
