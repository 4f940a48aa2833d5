//! Trees across the boundary.

use std::{
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;

use napi::{
    Either, Env,
    bindgen_prelude::{Buffer, Float64Array, Null, PromiseRaw},
};
use napi_derive::napi;
use tokio::sync::Mutex as AsyncMutex;
use tokio_util::sync::CancellationToken;

use super::{
    asked::Asked,
    crossing::{Failure, cross},
    limits::buffer,
};
use crate::{
    archive::Entry,
    error::Error,
    fault, reader,
    shortage::{Part, Shortage},
};

/// A tree that is there, and not yet downloaded.
#[napi(object, object_from_js = false)]
pub struct ReadTreeResult {
    /// The commit.
    pub etag: String,
    /// The folder in the archive that is the tree; empty where the whole archive is.
    pub subpath: String,
    /// Its archive.
    pub archive: Archive,
    /// What was asked for it last.
    pub asked: Asked,
}

/// The files of a tree, in columns.
#[napi(object, object_from_js = false)]
pub struct TreeFiles {
    /// Their paths in the tree.
    pub paths: Vec<String>,
    /// Their sizes in bytes.
    pub sizes: Float64Array,
    /// When they were changed, in milliseconds since 1970; 0 where the archive does not say it.
    pub modified: Float64Array,
}

impl From<reader::ReadTreeResponse> for ReadTreeResult {
    fn from(response: reader::ReadTreeResponse) -> Self {
        Self {
            asked: Asked::of(&response.context, response.asked(), response.status),
            etag: response.etag.clone(),
            subpath: response.subpath.clone(),
            archive: Archive::new(response),
        }
    }
}

/// An archive that is there, or on its way.
#[napi(custom_finalize)]
pub struct Archive {
    /// `None` once it was released.
    response: Mutex<Option<reader::ReadTreeResponse>>,
    cancellation: CancellationToken,
}

impl Archive {
    fn new(response: reader::ReadTreeResponse) -> Self {
        Self {
            cancellation: response.context.cancellation.clone(),
            response: Mutex::new(Some(response)),
        }
    }

    fn take(&self) -> Option<reader::ReadTreeResponse> {
        self.response.lock().take()
    }
}

#[napi]
impl Archive {
    /// Downloads it, unless it is there already, and reads what is in it; once.
    #[napi(catch_unwind)]
    pub fn open<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Tree, Failure>>> {
        let response = self.take();
        let cancellation = self.cancellation.clone();
        cross(env, async move {
            let response = response.ok_or_else(closed)?;
            Ok(Tree::of(response.open().await?, cancellation))
        })
    }

    /// Downloads it, unless it is there already, and gives it as it came; once.
    #[napi(catch_unwind)]
    pub fn copy<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Packed, Failure>>> {
        let response = self.take();
        let cancellation = self.cancellation.clone();
        cross(env, async move {
            let response = response.ok_or_else(closed)?;
            Ok(Packed::new(response.copy().await?, cancellation))
        })
    }

    /// Releases it: a download that no other read waits for is ended.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.cancellation.cancel();
        self.take();
    }
}

/// A downloaded tree, until it is released.
#[napi(custom_finalize)]
pub struct Tree {
    tree: Mutex<Option<Arc<reader::Tree>>>,
    cancellation: CancellationToken,
}

impl Tree {
    pub(super) fn of(tree: Arc<reader::Tree>, cancellation: CancellationToken) -> Self {
        Self {
            tree: Mutex::new(Some(tree)),
            cancellation,
        }
    }

    pub(super) fn get(&self) -> Result<Arc<reader::Tree>, Error> {
        let tree = self.tree.lock();
        tree.clone().ok_or_else(closed)
    }
}

#[napi]
impl Tree {
    /// The files, to be asked for before their contents; none where it was released.
    #[napi(catch_unwind)]
    pub fn files(&self) -> napi::Result<TreeFiles> {
        let (mut paths, mut sizes, mut times) = (Vec::new(), Vec::new(), Vec::new());
        fault::point("files");
        if let Ok(tree) = self.get() {
            let tree = tree.files_now().ok_or_else(|| {
                napi::Error::from_reason("the files of a tree were asked for too late")
            })?;
            for (entry, path) in tree.all() {
                paths.push(path.to_owned());
                sizes.push(size(entry));
                times.push(modified(entry));
            }
        }
        Ok(TreeFiles {
            paths,
            sizes: sizes.into(),
            modified: times.into(),
        })
    }

    /// The contents of the files at these places, or an error for each.
    #[napi(catch_unwind)]
    #[allow(
        clippy::type_complexity,
        reason = "the declarations are made from the type as it is written"
    )]
    pub fn contents<'env>(
        &self,
        env: &'env Env,
        places: Vec<u32>,
    ) -> napi::Result<PromiseRaw<'env, Either<Vec<Either<Buffer, Failure>>, Failure>>> {
        let tree = self.get();
        cross(env, async move {
            let contents = tree?.contents(places).await?.into_iter();
            let either = |content: Result<Vec<u8>, Error>| match content.and_then(buffer) {
                Ok(content) => Either::A(content),
                Err(error) => Either::B(error.into()),
            };
            Ok(contents.map(either).collect())
        })
    }

    /// Writes the files at these places, or all, to a directory.
    #[napi(catch_unwind)]
    pub fn extract<'env>(
        &self,
        env: &'env Env,
        directory: String,
        places: Option<Vec<u32>>,
    ) -> napi::Result<PromiseRaw<'env, Either<Null, Failure>>> {
        let tree = self.get();
        cross(env, async move {
            tree?.extract(PathBuf::from(directory), places).await?;
            Ok(Null)
        })
    }

    /// A zip of the files at these places, or of all.
    #[napi(catch_unwind)]
    pub fn pack<'env>(
        &self,
        env: &'env Env,
        places: Option<Vec<u32>>,
    ) -> napi::Result<PromiseRaw<'env, Either<Packed, Failure>>> {
        let tree = self.get();
        let cancellation = self.cancellation.clone();
        // On the runtime, which the work needs.
        cross(env, async move {
            Ok(Packed::new(tree?.pack(places).await?, cancellation))
        })
    }

    /// Releases it, and its archive with the last user: it takes room on disk until then.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        let mut tree = self.tree.lock();
        tree.take();
    }
}

/// A zip that is made as it is read.
#[napi(custom_finalize)]
pub struct Packed {
    pull: Arc<AsyncMutex<reader::Packed>>,
    cancellation: CancellationToken,
}

impl Packed {
    fn new(packed: reader::Packed, cancellation: CancellationToken) -> Self {
        let pull = Arc::new(AsyncMutex::new(packed));
        Self { pull, cancellation }
    }
}

#[napi]
impl Packed {
    /// The next piece; `null` at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<Buffer, Null>, Failure>>> {
        let pull = Arc::clone(&self.pull);
        cross(env, async move {
            let piece = pull.lock().await.next().await?;
            Ok(piece.map_or(Either::B(Null), |bytes| Either::A(Vec::from(bytes).into())))
        })
    }

    /// Makes no more; what is being pulled fails.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.cancellation.cancel();
        // A pull in progress releases it itself.
        if let Ok(mut packed) = self.pull.try_lock() {
            packed.close();
        }
    }
}

/// Frees archives that are kept for later, where the code of an error of Node's names a shortage. Returns
/// whether there was any.
#[napi(catch_unwind)]
pub fn make_room(code: String) -> bool {
    let shortage = match code.as_str() {
        "ENOSPC" | "EDQUOT" => Shortage::Disk,
        "EMFILE" | "ENFILE" => Shortage::Files,
        _ => return false,
    };
    shortage.let_go(Part::All)
}

fn closed() -> Error {
    Error::other("the archive is closed")
}

/// The size of a file in bytes.
#[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
pub(super) const fn size(entry: &Entry) -> f64 {
    entry.size as f64
}

/// When a file was changed, in milliseconds since 1970; 0 where the archive does not say it.
pub(super) fn modified(entry: &Entry) -> f64 {
    entry.modified().map_or(0.0, since_1970)
}

fn since_1970(time: SystemTime) -> f64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs_f64() * 1000.0
}
