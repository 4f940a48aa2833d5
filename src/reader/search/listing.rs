//! The files of a repository at a commit, as far as a pattern may match them.

use std::{pin::pin, sync::Arc, time::Duration};

use reqwest::StatusCode;

use super::{
    everything::{all, first},
    walk::Walk,
};
use crate::{
    error::Error,
    glob::{Segment, Shape, literal_folder},
    reader::{
        cache::{FreshOrStale, Key, List, StaleSlot, store},
        context::{NOT_ASKED, ReadContext},
        read_tree::newest_commit,
        spelling::Spellings,
    },
    rest::{ItemList, Listed},
    url::{AzureUrl, Pattern, SafeUrl, with_path},
};

/// So many matches of a listing are read one by one even if they are all that it has.
const FEW_MATCHES: usize = 20;

/// A glob of more levels is not followed level by level: each takes a request after the other.
const MOST_LEVELS: usize = 4;

/// Files of a repository at a commit: all that a glob matches, and more.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The commit.
    pub etag: String,
    /// How many files there are in the glob's folder, where all of them were listed.
    pub total: Option<u32>,
    /// How old the commit is, where it is a stale answer.
    pub age: Option<Duration>,
    /// The REST URL whose answer named the commit.
    pub asked: SafeUrl,
    /// How it was read; its repository is at the commit.
    pub context: Arc<ReadContext>,
    /// The glob, in the spelling whose folder is there.
    pub pattern: Pattern,
    /// Files and folders of the repository.
    list: List,
    /// The places in the list of the files that may match.
    places: Vec<u32>,
    /// The other spellings of the glob.
    left: Spellings,
}

/// The listings of what may match a glob, one for each commit.
#[derive(Debug)]
pub(crate) struct Listings {
    /// The URL that the caller gave.
    pub url: SafeUrl,
    /// The read, in which the newest commit was asked for.
    pub context: ReadContext,
    /// The commit that the caller has already.
    pub etag: Option<String>,
    /// The last commit at which the same glob was searched to the end.
    pub last: StaleSlot<String>,
}

impl Listings {
    /// The listing at the newest commit, or at the stale one; `None` where the server does not list.
    pub(crate) async fn newest(&self) -> Result<Option<Listing>, Error> {
        let newest = pin!(async {
            if let Some(listing) = self.first().await? {
                return Ok(Some(listing));
            }
            let commit = newest_commit(&self.context).await?;
            self.at(commit, None).await
        });
        match self.last.or(&self.context, newest).await? {
            FreshOrStale::Fresh(listing) => Ok(listing),
            // What was searched in an archive then was perhaps not listed.
            FreshOrStale::Stale(commit) if self.has_archive(&commit.value)? => Ok(None),
            FreshOrStale::Stale(commit) => {
                let age = Some(commit.age());
                self.at(commit.value, age).await
            }
        }
    }

    /// The listing at a commit, unless the caller has it; `None` where the server does not list.
    async fn at(&self, etag: String, age: Option<Duration>) -> Result<Option<Listing>, Error> {
        if self.etag.as_ref() == Some(&etag) {
            return Err(self.last.unchanged(etag, age, &self.context));
        }
        let (url, authorization) = (self.context.api.url(), self.context.authorization());
        let spellings = Spellings::of_pattern(url, authorization);
        self.by(spellings, etag, age).await
    }

    /// The listing by another spelling of the glob, for where nothing matches it by this one; `None` where
    /// there is no other.
    pub(crate) async fn otherwise(&self, listing: &Listing) -> Result<Option<Listing>, Error> {
        if !listing.left.has_more() {
            return Ok(None);
        }
        let left = listing.left.clone();
        self.by(left, listing.etag.clone(), listing.age).await
    }

    /// The listing by the first of these spellings of the glob whose folder is there, or by the last of
    /// them.
    async fn by(
        &self,
        mut spellings: Spellings,
        etag: String,
        age: Option<Duration>,
    ) -> Result<Option<Listing>, Error> {
        while let Some(spelling) = spellings.next() {
            let path = spelling.url.path().unwrap_or_default();
            let pattern = path.trim_start_matches('/');
            let folder = literal_folder(pattern);
            let context = self.listing_at(&spelling.url, &folder, &etag)?;
            let Some(found) = found(&context, &folder, &etag, pattern).await? else {
                return Ok(None);
            };
            if !found.is_folder_there {
                spelling.note_absent(&folder, self.context.authorization());
                if spellings.has_more() {
                    continue;
                }
            }
            if age.is_some() {
                context.tell_stale();
            }
            let asked = self.context.request.clone();
            let at = At {
                etag,
                age,
                asked,
                context,
            };
            return self.listing(path, at, found, spellings).map(Some);
        }
        Err(spellings.failure())
    }

    /// The read of everything below a folder at a commit.
    fn listing_at(&self, url: &AzureUrl, folder: &str, etag: &str) -> Result<ReadContext, Error> {
        let url = url.at_commit(etag);
        Ok(ReadContext {
            request: url.to_list_url(folder)?.into(),
            api: self.context.api.at(url),
            ..self.context.clone()
        })
    }

    fn listing(
        &self,
        path: &str,
        At {
            etag,
            age,
            asked,
            context,
        }: At,
        found: FoundFiles,
        left: Spellings,
    ) -> Result<Listing, Error> {
        let no_pattern = || Error::other("the URL names no pattern");
        let pattern = Pattern::of(&with_path(&self.url, path)).ok_or_else(no_pattern)?;
        Ok(Listing {
            pattern,
            etag,
            total: found.total,
            age,
            asked,
            context: Arc::new(context),
            list: found.list,
            places: found.places,
            left,
        })
    }

    /// The listing at the newest commit, in one request, which says as well which commit that is; `None` where
    /// the commit is asked for first: since the caller may have it, or some of what is at it may be kept.
    async fn first(&self) -> Result<Option<Listing>, Error> {
        let (url, authorization) = (self.context.api.url(), self.context.authorization());
        let mut spellings = Spellings::of_pattern(url, authorization);
        let Some(spelling) = spellings.next() else {
            return Ok(None);
        };
        let path = spelling.url.path().unwrap_or_default();
        let pattern = path.trim_start_matches('/');
        let (folder, shape) = (literal_folder(pattern), Shape::of(pattern));
        let is_followed = shape.as_ref().and_then(levels).is_some();
        if self.etag.is_some() || is_followed || spellings.has_more() {
            return Ok(None);
        }
        let Some((etag, list)) = first(&self.context, &folder).await? else {
            return Ok(None);
        };
        let context = self.listing_at(url, &folder, &etag)?;
        let at = At {
            etag,
            age: None,
            asked: url.to_list_url(&folder)?.into(),
            context,
        };
        let found = FoundFiles::of(list, shape.as_ref());
        if !found.is_folder_there {
            return Ok(None);
        }
        self.listing(path, at, found, spellings).map(Some)
    }

    /// Whether the archive of the repository at a commit is kept.
    fn has_archive(&self, commit: &str) -> Result<bool, Error> {
        let whole = self.context.api.url().at_path("").at_commit(commit);
        let key = Key::of(&whole.to_archive_url()?, self.context.authorization());
        Ok(store().archives.get(&key).is_some())
    }
}

/// A commit, and how it is read.
struct At {
    etag: String,
    age: Option<Duration>,
    asked: SafeUrl,
    context: ReadContext,
}

/// What was found of a pattern.
struct FoundFiles {
    list: List,
    /// The places in it of the files that may match.
    places: Vec<u32>,
    /// How many there are in the folder, where all of them were listed.
    total: Option<u32>,
    is_folder_there: bool,
}

/// What there is of a glob: level by level where that is the way, else of all below its folder;
/// `None` where the server does not list.
async fn found(
    context: &ReadContext,
    folder: &str,
    commit: &str,
    pattern: &str,
) -> Result<Option<FoundFiles>, Error> {
    let shape = Shape::of(pattern);
    match walked(context, commit, shape.as_ref()).await? {
        Some(found) => Ok(Some(found)),
        None => listed(context, folder, commit, shape.as_ref()).await,
    }
}

/// The levels of a glob, where it is followed level by level.
fn levels(shape: &Shape) -> Option<(&str, &[Segment])> {
    shape
        .levels()
        .filter(|(_, levels)| levels.len() <= MOST_LEVELS)
}

async fn walked(
    context: &ReadContext,
    commit: &str,
    shape: Option<&Shape>,
) -> Result<Option<FoundFiles>, Error> {
    let Some((folder, levels)) = shape.and_then(levels) else {
        return Ok(None);
    };
    let walk = Walk::new(context, commit)?;
    let files = walk.files(folder, levels).await?;
    Ok(files.map(|files| FoundFiles {
        is_folder_there: !files.is_empty() || walk.is_there(folder),
        places: places(&files, |_| true),
        list: Arc::new(files),
        total: None,
    }))
}

async fn listed(
    context: &ReadContext,
    folder: &str,
    commit: &str,
    shape: Option<&Shape>,
) -> Result<Option<FoundFiles>, Error> {
    let all = all(context, folder, commit).await?;
    Ok(all.map(|all| FoundFiles::of(all, shape)))
}

impl FoundFiles {
    /// What there is in a list of everything.
    fn of(all: List, shape: Option<&Shape>) -> Self {
        let total = all.files();
        Self {
            places: places(&all, |name| shape.is_none_or(|shape| shape.may_match(name))),
            total: Some(u32::try_from(total).unwrap_or(u32::MAX)),
            is_folder_there: total > 0,
            list: all,
        }
    }
}

/// The places of the files in a list whose names may match.
fn places(list: &ItemList, may_match: impl Fn(&str) -> bool) -> Vec<u32> {
    let files = list.iter().zip(0..);
    let matching = files.filter(|(item, _)| !item.is_folder && may_match(item.name));
    matching.map(|(_, place)| place).collect()
}

impl Listing {
    /// How many files there are that may match.
    pub(crate) const fn len(&self) -> usize {
        self.places.len()
    }

    /// The file at a place among those that may match.
    pub(crate) fn get(&self, place: usize) -> Option<Listed<'_>> {
        let place = usize::try_from(*self.places.get(place)?).ok()?;
        self.list.get(place)
    }

    /// The files that may match.
    pub(crate) fn files(&self) -> impl Iterator<Item = Listed<'_>> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// The status of the answer; 0 where it is a stale one.
    pub(crate) fn status(&self) -> u16 {
        self.age.map_or(StatusCode::OK.as_u16(), |_| NOT_ASKED)
    }

    /// Whether one archive costs less than so many contents one by one: where more than a few files match,
    /// and these are most of all.
    pub(crate) fn is_most(&self, matches: usize) -> bool {
        let is_more_than_half = |all| usize::try_from(all).is_ok_and(|all| 2 * matches > all);
        matches > FEW_MATCHES && self.total.is_some_and(is_more_than_half)
    }

    /// The file at a place that a caller names.
    pub(crate) fn file(&self, place: u32) -> Result<Listed<'_>, Error> {
        let file = usize::try_from(place)
            .ok()
            .and_then(|place| self.get(place));
        file.ok_or_else(|| Error::other("there is no such file in the list"))
    }
}
