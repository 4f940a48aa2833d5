//! `search`: the files that match a glob, by a listing or in an archive.

mod contents;
mod everything;
mod listing;
mod update;
mod walk;

use std::{borrow::Cow, pin::pin, sync::Arc};

use tokio::sync::{Mutex, MutexGuard};

use self::{
    contents::contents,
    listing::{Listing, Listings},
};
pub use contents::Contents;

use super::{
    cache::{Key, StaleSlot, store},
    context::{ReadContext, ReadRequest},
    messages::{Purpose, ended},
    read_tree::{ForSearch, ReadTreeResponse, find},
    tree::Tree,
};
use crate::{
    error::Error,
    url::{AzureUrl, FileUrls, Pattern, SafeUrl},
};

/// A search for the files that match a glob.
///
/// The glob itself is matched by the caller: it asks for [`Self::candidates`], and hands the places of those
/// that match to [`Self::read`], which reads them, or says that there are other candidates.
#[derive(Debug)]
pub struct Search {
    listings: Listings,
    /// The glob by each spelling of it.
    patterns: Vec<Pattern>,
    stage: Mutex<Stage>,
}

/// How far a search is.
#[derive(Debug)]
enum Stage {
    /// Nothing is known of the repository, or what was known is outdated.
    Begin,
    /// What may match was listed.
    Listed(Arc<Listing>),
    /// What may match is in an archive.
    Archived(Arc<Archived>),
}

/// An archive that is searched.
#[derive(Debug)]
struct Archived {
    response: ReadTreeResponse,
    tree: Arc<Tree>,
    /// What stands before the paths in it.
    prefix: String,
    /// The glob by each spelling of it; the first that matches anything counts.
    patterns: Vec<Pattern>,
}

/// Paths that may match a glob.
#[derive(Clone, Debug)]
pub struct Candidates {
    /// The glob, in the spelling to match the paths with.
    pub pattern: Pattern,
    paths: Paths,
}

/// Where paths are that may match.
#[derive(Clone, Debug)]
enum Paths {
    Listed(Arc<Listing>),
    /// Those in an archive: it may be closed while the paths are still asked for.
    Archived(Arc<[Box<str>]>),
}

impl Candidates {
    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.paths {
            Paths::Listed(listing) => listing.len(),
            Paths::Archived(paths) => paths.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many bytes the longest path has.
    #[must_use]
    pub fn longest(&self) -> usize {
        let longest = match &self.paths {
            Paths::Listed(listing) => listing.files().map(|file| file.path_bytes()).max(),
            Paths::Archived(paths) => paths.iter().map(|path| path.len()).max(),
        };
        longest.unwrap_or_default()
    }

    /// The path at a place, without a slash before it.
    #[must_use]
    pub fn path(&self, place: usize) -> Option<Cow<'_, str>> {
        match &self.paths {
            Paths::Listed(listing) => listing.get(place).map(|file| file.path().into()),
            Paths::Archived(paths) => paths.get(place).map(|path| (&**path).into()),
        }
    }
}

/// The files that match.
#[derive(Debug)]
pub struct Found {
    /// The commit.
    pub etag: String,
    /// The last REST URL that was asked for.
    pub request: SafeUrl,
    /// The status of the answer; 0 where it is a stale one.
    pub status: u16,
    /// How it was read.
    pub context: Arc<ReadContext>,
    /// Where the contents are.
    pub files: FoundFiles,
}

/// Where the contents of the files are that match.
#[derive(Debug)]
pub enum FoundFiles {
    /// Each was read by itself, or with others in a zip.
    Contents(Contents),
    /// In the archive of a tree.
    Tree(Arc<Tree>),
}

impl Search {
    /// Begins a search.
    ///
    /// # Errors
    /// The URL names no repository, or no glob in one; there is no usable credential; the caller ended the read.
    pub async fn begin(read: ReadRequest, etag: Option<String>) -> Result<Self, Error> {
        let url = read.url.clone();
        let patterns = Pattern::spellings(&url);
        let pattern = patterns.first().ok_or_else(no_glob)?;
        // Messages name the repository, as those of Backstage's own reader do.
        let repository_url = SafeUrl::from(pattern.whole.clone());
        let repository = AzureUrl::of(&url)?;
        let commits = repository.to_newest_commit_url()?.into();
        let glob = repository.path().unwrap_or_default();
        let glob = glob.trim_start_matches('/').to_owned();
        let context =
            ReadContext::begin(Purpose::Tree, repository_url, repository, commits, read).await?;
        let key = Key::of_answer(&context.request, &glob, context.authorization());
        let last = StaleSlot::of(&store().commits, key, context.policy.max_stale);
        Ok(Self {
            listings: Listings {
                url,
                context,
                etag,
                last,
            },
            patterns,
            stage: Mutex::new(Stage::Begin),
        })
    }

    /// The paths that may match.
    ///
    /// # Errors
    /// As [`super::read_tree`].
    pub async fn candidates(&self) -> Result<Candidates, Error> {
        let found = pin!(self.find_candidates());
        self.until_ended(found).await
    }

    async fn find_candidates(&self) -> Result<Candidates, Error> {
        let mut stage = self.stage.lock().await;
        if matches!(*stage, Stage::Begin) {
            *stage = match self.listings.newest().await? {
                Some(listing) => Stage::Listed(Arc::new(listing)),
                None => self.search_repository().await?,
            };
        }
        candidates_of(&stage).await
    }

    /// Reads the files at these places among the last candidates; `None` where there are other candidates
    /// now: by another spelling of the glob, in an archive, or at an earlier commit.
    ///
    /// # Errors
    /// As [`super::read_tree`]; a content cannot be obtained, or does not match its id.
    pub async fn read(&self, places: &[u32]) -> Result<Option<Found>, Error> {
        let read = pin!(self.read_or_go_on(places));
        self.until_ended(read).await
    }

    async fn read_or_go_on(&self, places: &[u32]) -> Result<Option<Found>, Error> {
        let mut stage = self.stage.lock().await;
        match &*stage {
            Stage::Begin => Ok(None),
            Stage::Listed(listing) => {
                let listing = Arc::clone(listing);
                self.read_listed(&listing, places, &mut stage).await
            }
            Stage::Archived(archived) => {
                if places.is_empty() && archived.patterns.len() > 1 {
                    let next = Arc::new(archived.with_next_pattern());
                    *stage = Stage::Archived(next);
                    return Ok(None);
                }
                Ok(Some(archived.found()))
            }
        }
    }

    async fn read_listed(
        &self,
        listing: &Arc<Listing>,
        places: &[u32],
        stage: &mut MutexGuard<'_, Stage>,
    ) -> Result<Option<Found>, Error> {
        if places.is_empty()
            && let Some(other) = self.listings.otherwise(listing).await?
        {
            **stage = Stage::Listed(Arc::new(other));
            return Ok(None);
        }
        if listing.is_most(places.len()) {
            **stage = self.search_folder(listing).await?;
            return Ok(None);
        }
        let Some(contents) = contents(listing, places, &self.listings.last).await? else {
            // The principal is throttled meanwhile: what was found before stands in.
            **stage = Stage::Begin;
            return Ok(None);
        };
        Ok(Some(Found {
            etag: listing.etag.clone(),
            request: listing.asked.clone(),
            status: listing.status(),
            context: Arc::clone(&listing.context),
            files: FoundFiles::Contents(contents),
        }))
    }

    /// The web URLs of files in its repository, by their paths.
    #[must_use]
    pub fn file_urls(&self) -> FileUrls {
        FileUrls::beside(&self.listings.url)
    }

    /// Searches the archive of the whole repository, where the server does not list.
    async fn search_repository(&self) -> Result<Stage, Error> {
        let pattern = self.patterns.first().ok_or_else(no_glob)?;
        let whole = pattern.whole.clone().into();
        self.search_archive(whole, String::new(), self.patterns.clone(), None)
            .await
    }

    /// Searches the archive of the glob's folder, of which most files match.
    async fn search_folder(&self, listing: &Listing) -> Result<Stage, Error> {
        let pattern = listing.pattern.clone();
        let commit = listing.age.is_none().then(|| listing.etag.clone());
        let within = pattern.within.clone().into();
        self.search_archive(within, pattern.folder.clone(), vec![pattern], commit)
            .await
    }

    async fn search_archive(
        &self,
        url: SafeUrl,
        prefix: String,
        patterns: Vec<Pattern>,
        commit: Option<String>,
    ) -> Result<Stage, Error> {
        let context = &self.listings.context;
        let repository = AzureUrl::of(&url)?;
        let context = ReadContext {
            url,
            request: repository.to_newest_commit_url()?.into(),
            api: context.api.at(repository),
            ..context.clone()
        };
        let glob = patterns.first().map(|pattern| pattern.glob.clone());
        let search = ForSearch {
            glob: glob.unwrap_or_default(),
            commit,
        };
        let response = find(context, self.listings.etag.clone(), Some(search)).await?;
        let tree = response.clone().open().await?;
        Ok(Stage::Archived(Arc::new(Archived {
            response,
            tree,
            prefix,
            patterns,
        })))
    }

    async fn until_ended<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let Listings { url, context, .. } = &self.listings;
        let done = context.cancellation.run_until_cancelled(work).await;
        done.unwrap_or_else(|| Err(ended(Purpose::Tree, url)))
    }
}

impl Archived {
    /// The same archive, to be searched for the next spelling of the glob.
    fn with_next_pattern(&self) -> Self {
        Self {
            response: self.response.clone(),
            tree: Arc::clone(&self.tree),
            prefix: self.prefix.clone(),
            patterns: self.patterns.iter().skip(1).cloned().collect(),
        }
    }

    fn found(&self) -> Found {
        Found {
            etag: self.response.etag.clone(),
            request: self.response.asked().clone(),
            status: self.response.status,
            context: Arc::clone(&self.response.context),
            files: FoundFiles::Tree(Arc::clone(&self.tree)),
        }
    }
}

async fn candidates_of(stage: &Stage) -> Result<Candidates, Error> {
    match stage {
        Stage::Begin => Err(Error::other("the search has no candidates")),
        Stage::Listed(listing) => Ok(Candidates {
            pattern: listing.pattern.clone(),
            paths: Paths::Listed(Arc::clone(listing)),
        }),
        Stage::Archived(archived) => {
            let pattern = archived.patterns.first().cloned().ok_or_else(no_glob)?;
            let files = archived.tree.files().await?;
            let paths = files
                .all()
                .map(|(_, path)| [&archived.prefix, path].concat().into_boxed_str());
            Ok(Candidates {
                pattern,
                paths: Paths::Archived(paths.collect()),
            })
        }
    }
}

fn no_glob() -> Error {
    Error::other("the URL names no pattern")
}
