//! Searches across the boundary.

use std::sync::Arc;

use napi::{
    Either, Env,
    bindgen_prelude::{Buffer, Float64Array, Null, PromiseRaw},
};
use napi_derive::napi;
use parking_lot::Mutex;

use super::{
    crossing::{Failure, cross},
    limits::buffer,
    tree::{Tree, modified, size},
};
use crate::{error::Error, glob::weight, reader};

/// A search for the files that match a glob.
///
/// JavaScript matches the glob: it asks for candidates, and hands the places of those that match to `read`.
#[napi(custom_finalize)]
pub struct Search {
    search: Arc<reader::Search>,
    /// The paths of the last candidates.
    paths: Arc<Mutex<Vec<String>>>,
}

/// Paths that may match a glob.
#[napi(object, object_from_js = false)]
pub struct Candidates {
    /// The glob, in the spelling to match the paths with.
    pub glob: String,
    /// How many steps it takes to match a character of a path with it, at most; infinite where that
    /// is not known.
    pub weight: f64,
    /// The paths, without a slash before them.
    pub paths: Vec<String>,
}

/// The files that match.
#[napi(object, object_from_js = false)]
pub struct FoundFiles {
    /// The commit.
    pub etag: String,
    /// Their contents, where they were read by themselves.
    pub contents: Option<Contents>,
    /// The tree in whose archive they are, where they were not.
    pub tree: Option<FoundTree>,
    /// The last REST URL that was asked for.
    pub request: String,
    /// The kind of credential in plain words.
    pub credential: &'static str,
    /// The credential's place in the app-config, or where else it comes from.
    pub place: String,
    /// The host, and the organization or collection on it.
    pub scope: String,
    /// The answer's status; 0 where it is a stale one.
    pub status: u16,
}

/// Files of a tree that match, in columns.
#[napi(object, object_from_js = false)]
pub struct FoundTree {
    /// The tree.
    pub tree: Tree,
    /// Their sizes in bytes.
    pub sizes: Float64Array,
    /// When they were changed, in milliseconds since 1970; 0 where the archive does not say it.
    pub modified: Float64Array,
}

impl From<reader::Search> for Search {
    fn from(search: reader::Search) -> Self {
        Self {
            search: Arc::new(search),
            paths: Arc::default(),
        }
    }
}

#[napi]
impl Search {
    /// The paths that may match.
    #[napi(catch_unwind)]
    pub fn candidates<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Candidates, Failure>>> {
        let (search, paths) = (Arc::clone(&self.search), Arc::clone(&self.paths));
        cross(env, async move {
            let candidates = search.candidates().await?;
            paths.lock().clone_from(&candidates.paths);
            Ok(Candidates {
                weight: weight(&candidates.pattern.glob),
                glob: candidates.pattern.glob,
                paths: candidates.paths,
            })
        })
    }

    /// Reads the files at these places among the last candidates; `null` where there are other candidates
    /// now: by another spelling of the glob, in an archive, or at an earlier commit.
    #[napi(catch_unwind)]
    pub fn read<'env>(
        &self,
        env: &'env Env,
        places: Vec<u32>,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<FoundFiles, Null>, Failure>>> {
        let search = Arc::clone(&self.search);
        cross(env, async move {
            Ok(match search.read(&places).await? {
                Some(found) => Either::A(found_files(found, &places)?),
                None => Either::B(Null),
            })
        })
    }

    /// The web URLs of the files at these places among the last candidates.
    #[napi(catch_unwind)]
    pub fn urls(&self, places: Vec<u32>) -> Vec<String> {
        let paths = self.paths.lock();
        let at = |place: &u32| usize::try_from(*place).ok().and_then(|at| paths.get(at));
        self.search.urls(places.iter().filter_map(at))
    }
}

fn found_files(found: reader::Found, places: &[u32]) -> Result<FoundFiles, Error> {
    let authorization = found.context.authorization();
    let (contents, tree) = match found.files {
        reader::FoundFiles::Contents(contents) => (Some(contents.into()), None),
        reader::FoundFiles::Tree(tree) => {
            let cancellation = found.context.cancellation.clone();
            (
                None,
                Some(FoundTree::of(Tree::of(tree, cancellation), places)?),
            )
        }
    };
    Ok(FoundFiles {
        contents,
        tree,
        request: found.request.to_string(),
        credential: authorization.identity().title(),
        place: authorization.place().to_string(),
        scope: found.context.scope(),
        status: found.status,
        etag: found.etag,
    })
}

impl FoundTree {
    fn of(tree: Tree, places: &[u32]) -> Result<Self, Error> {
        let (mut sizes, mut times) = (Vec::new(), Vec::new());
        {
            let files = tree.get()?;
            let files = files
                .files_now()
                .ok_or_else(|| Error::other("the files of a tree were asked for too late"))?;
            for place in places {
                let entry = files.entry(*place);
                sizes.push(entry.map_or(0.0, size));
                times.push(entry.map_or(0.0, modified));
            }
        }
        Ok(Self {
            tree,
            sizes: sizes.into(),
            modified: times.into(),
        })
    }
}

/// The contents of files that match.
#[napi(custom_finalize)]
pub struct Contents {
    contents: Arc<reader::Contents>,
}

impl From<reader::Contents> for Contents {
    fn from(contents: reader::Contents) -> Self {
        Self {
            contents: Arc::new(contents),
        }
    }
}

#[napi]
impl Contents {
    /// The content of the file at a place among the candidates.
    #[napi(catch_unwind)]
    pub fn get<'env>(
        &self,
        env: &'env Env,
        place: u32,
    ) -> napi::Result<PromiseRaw<'env, Either<Buffer, Failure>>> {
        let contents = Arc::clone(&self.contents);
        cross(env, async move { buffer(contents.get(place).await?) })
    }
}
