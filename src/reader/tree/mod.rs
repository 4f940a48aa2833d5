//! A tree that was downloaded: its files as contents, on disk, or as another zip.

mod files;
mod packed;

use std::{ops::Deref, path::PathBuf, pin::pin, sync::Arc};

use futures_util::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;

pub use files::Files;
pub use packed::Packed;

use self::packed::Pieces;
use super::{
    cache::Key,
    context::ReadContext,
    transfer::{Opened, Reopenable, TemporaryFile},
};
use crate::{
    archive,
    blocking::blocking,
    error::{Error, ErrorKind},
    shortage::{Part, Shortage},
};

/// Contents of up to this size are inflated where they are asked for: it takes less time than to
/// hand them to another thread.
const AT_HAND: u64 = 256 * 1024;

/// How the archive of a tree is obtained again after it was closed.
pub(crate) type Again =
    Arc<dyn Fn() -> BoxFuture<'static, Result<Arc<TemporaryFile>, Error>> + Send + Sync>;

/// The files of a downloaded archive that belong to the tree.
///
/// Unused archives are closed where there are too many, and opened again when they are used.
#[derive(Debug)]
pub struct Tree {
    files: Arc<Reopenable<Files>>,
    /// Until it is used for the first time, which comes at once.
    first: Mutex<Option<Opened<Files>>>,
    context: Arc<ReadContext>,
    /// Where the archive is kept.
    key: Option<Key>,
}

impl Tree {
    /// Reads what is in an archive.
    ///
    /// What turns out to be damaged is not kept under `key` any longer.
    ///
    /// # Errors
    /// It is no zip, or one that leads outside, has more in it than there may be, or is that of a
    /// single file.
    pub(crate) async fn open(
        stored: Arc<TemporaryFile>,
        subpath: &str,
        context: Arc<ReadContext>,
        key: Option<Key>,
        again: Again,
    ) -> Result<Arc<Self>, Error> {
        let opened = Files::open(stored, subpath.to_owned(), Arc::clone(&context)).await;
        let failed = |error: Error| failure(&context, key.as_ref(), &error);
        let files = opened.map_err(failed)?;
        if files.is_one_file(subpath) {
            let why = "it is a file and not a folder";
            return Err(context.messages().unusable(ErrorKind::Input, why));
        }
        let (subpath, known) = (subpath.to_owned(), files.fingerprint());
        let reading = Arc::clone(&context);
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
        let first = Reopenable::of(files, Box::new(open_again));
        Ok(Arc::new(Self {
            files: first.held(),
            first: Mutex::new(Some(first)),
            context,
            key,
        }))
    }

    /// The files, at once; `None` where the archive was closed.
    #[must_use]
    pub fn files_now(&self) -> Option<impl Deref<Target = Files>> {
        self.take_first().or_else(|| self.files.here())
    }

    /// The files, once their archive is open.
    pub(crate) async fn files(&self) -> Result<Opened<Files>, Error> {
        if let Some(first) = self.take_first() {
            return Ok(first);
        }
        let files = pin!(self.files.get());
        let files = self.context.until_ended(files).await;
        files.map_err(|error| match error.kind() {
            ErrorKind::Damaged => self.failed(&error),
            _ => error,
        })
    }

    fn take_first(&self) -> Option<Opened<Files>> {
        self.first.lock().take()
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

    /// The contents of the files at these places, or an error for each.
    ///
    /// # Errors
    /// The work was interrupted, or the archive cannot be obtained again.
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
                // Everything at once: extraction starts over each time.
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
    /// The archive cannot be obtained again.
    pub async fn pack(self: Arc<Self>, places: Option<Vec<u32>>) -> Result<Packed, Error> {
        let files = self.files().await?;
        let tree = Arc::clone(&self);
        let work = move |writer: &mut Pieces| {
            let chosen = files.chosen(places.as_deref());
            archive::repack(&files.archive, &chosen, writer, &tree.is_ended())
        };
        let context = Arc::clone(&self.context);
        Ok(Packed::of(work, move |error| self.failed(error), context))
    }

    fn is_ended(&self) -> impl Fn() -> bool + Sync {
        || self.context.cancellation.is_cancelled()
    }

    fn failed(&self, error: &Error) -> Error {
        failure(&self.context, self.key.as_ref(), error)
    }
}

/// The error for a failure. A damaged archive is forgotten: the next download may be sound.
fn failure(context: &ReadContext, key: Option<&Key>, error: &Error) -> Error {
    if context.cancellation.is_cancelled() {
        return context.ended();
    }
    if error.kind() == ErrorKind::Damaged {
        packed::forget(key);
    }
    context.unable_to(error)
}

/// Frees all archives that are kept where a failure says that the machine is full. Returns whether there was
/// any.
fn let_all_go_for(error: &Error) -> bool {
    Shortage::of(error).is_some_and(|shortage| shortage.let_go(Part::All))
}
