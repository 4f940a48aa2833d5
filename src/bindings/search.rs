//! Searches across the boundary.

use std::sync::Arc;

use napi::{
    Either, Env,
    bindgen_prelude::{Buffer, Float64Array, Null, PromiseRaw, Uint32Array},
};
use napi_derive::napi;
use parking_lot::Mutex;

use super::{
    asked::Asked,
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
    /// The last candidates.
    last: Arc<Mutex<Option<reader::Candidates>>>,
}

/// Paths that may match a glob.
#[napi(object, object_from_js = false)]
pub struct Candidates {
    /// The glob, in the spelling to match the paths with.
    pub glob: String,
    /// How many steps it takes to match a character of a path with it, at most; infinite where that
    /// is not known.
    pub weight: f64,
    /// How many paths there are.
    pub count: u32,
    /// How many bytes the longest of them has.
    pub longest: u32,
}

/// The files that match.
#[napi(object, object_from_js = false)]
pub struct FoundFiles {
    /// The commit.
    pub etag: String,
    /// Their contents, where they were read by themselves.
    pub contents: Option<FoundContents>,
    /// The tree in whose archive they are, where they were not.
    pub tree: Option<FoundTree>,
    /// What was asked for it last.
    pub asked: Asked,
}

/// Contents that were read by themselves.
#[napi(object, object_from_js = false)]
pub struct FoundContents {
    /// The contents.
    pub contents: Contents,
    /// Their sizes in bytes.
    pub sizes: Float64Array,
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
            last: Arc::default(),
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
        let (search, last) = (Arc::clone(&self.search), Arc::clone(&self.last));
        cross(env, async move {
            let candidates = search.candidates().await?;
            *last.lock() = Some(candidates.clone());
            Ok(Candidates {
                weight: weight(&candidates.pattern.glob),
                count: number(candidates.len()),
                longest: number(candidates.longest()),
                glob: candidates.pattern.glob,
            })
        })
    }

    /// The paths of the last candidates from a place on and before another, without a slash before them;
    /// between two of them a character that is in none, since one string crosses faster than many.
    #[napi(catch_unwind)]
    pub fn paths(&self, start: u32, end: u32) -> String {
        let mut paths = String::new();
        self.each_path(start..end, |path| {
            paths.push_str(path);
            paths.push(BETWEEN);
        });
        paths.pop();
        paths
    }

    /// Reads the files at these places among the last candidates; `null` where there are other candidates
    /// now: by another spelling of the glob, in an archive, or at an earlier commit.
    #[napi(catch_unwind)]
    pub fn read<'env>(
        &self,
        env: &'env Env,
        places: Uint32Array,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<FoundFiles, Null>, Failure>>> {
        let search = Arc::clone(&self.search);
        let places = places.to_vec();
        cross(env, async move {
            Ok(match search.read(&places).await? {
                Some(found) => Either::A(found_files(found, &places)?),
                None => Either::B(Null),
            })
        })
    }

    /// The web URLs of the files at these places among the last candidates, as [`Self::paths`] gives paths.
    #[napi(catch_unwind)]
    pub fn urls(&self, places: Uint32Array) -> String {
        let file_urls = self.search.file_urls();
        let mut urls = String::new();
        self.each_path(places.iter().copied(), |path| {
            urls.push_str(&file_urls.of(path));
            urls.push(BETWEEN);
        });
        urls.pop();
        urls
    }

    fn each_path(&self, places: impl Iterator<Item = u32>, mut each: impl FnMut(&str)) {
        let last = self.last.lock();
        let Some(candidates) = last.as_ref() else {
            return;
        };
        for place in places {
            let path = usize::try_from(place).ok();
            if let Some(path) = path.and_then(|place| candidates.path(place)) {
                each(&path);
            }
        }
    }
}

/// What is between two paths or URLs: no path in git has it.
const BETWEEN: char = '\0';

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn found_files(found: reader::Found, places: &[u32]) -> Result<FoundFiles, Error> {
    let asked = Asked::of(&found.context, &found.request, found.status);
    let (contents, tree) = match found.files {
        reader::FoundFiles::Contents(contents) => (Some(FoundContents::of(contents, places)), None),
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
        asked,
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

impl FoundContents {
    #[expect(clippy::cast_precision_loss, reason = "no file has 2^53 bytes")]
    fn of(contents: reader::Contents, places: &[u32]) -> Self {
        let sizes = places.iter().map(|place| contents.size(*place) as f64);
        Self {
            sizes: sizes.collect::<Vec<_>>().into(),
            contents: Contents {
                contents: Arc::new(contents),
            },
        }
    }
}

#[napi]
impl Contents {
    /// The contents of the files at these places among the candidates, or an error for each.
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
        let contents = Arc::clone(&self.contents);
        cross(env, async move {
            let contents = contents.get(&places).await?.into_iter();
            let either = |content: Result<Vec<u8>, Error>| match content.and_then(buffer) {
                Ok(content) => Either::A(content),
                Err(error) => Either::B(error.into()),
            };
            Ok(contents.map(either).collect())
        })
    }
}
