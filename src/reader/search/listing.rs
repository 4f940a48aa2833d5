//! The files of a repository at a commit, as far as a pattern may match them.

use std::{pin::pin, sync::Arc, time::Duration};

use reqwest::StatusCode;

use super::walk::Walk;
use crate::{
    error::Error,
    glob::{Shape, literal_folder},
    reader::{
        cache::{FreshOrStale, Key, List, Replicas, StaleSlot, store},
        context::{NOT_ASKED, ReadContext, Wanted, is_unknown},
        read_tree::newest_commit,
        spelling::Spellings,
    },
    rest::{self, Item, says_no_such_folder},
    telemetry::metrics::{Found, count_lookups},
    url::{Pattern, SafeUrl, with_path},
};

/// So many matches of a listing are read one by one even if they are all that it has.
const FEW_MATCHES: usize = 20;

/// Files of a repository at a commit: all that a glob matches, and more.
#[derive(Debug)]
pub(crate) struct Listing {
    /// The commit.
    pub etag: String,
    /// How many files there are in the glob's folder, where all of them were listed.
    pub total: Option<u32>,
    /// How old the commit is, where it is a stale answer.
    pub age: Option<Duration>,
    /// How it was read; its repository is at the commit.
    pub context: Arc<ReadContext>,
    /// The glob, in the spelling whose folder is there.
    pub pattern: Pattern,
    pub items: Vec<Item>,
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
            let url = spelling.url.at_commit(&etag);
            let context = ReadContext {
                request: url.to_list_url(&folder)?.into(),
                api: self.context.api.at(url),
                ..self.context.clone()
            };
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
            let no_pattern = || Error::other("the URL names no pattern");
            let pattern = Pattern::of(&with_path(&self.url, path)).ok_or_else(no_pattern)?;
            return Ok(Some(Listing {
                pattern,
                etag,
                total: found.total,
                age,
                context: Arc::new(context),
                items: found.items,
                left: spellings,
            }));
        }
        Err(spellings.failure())
    }

    /// Whether the archive of the repository at a commit is kept.
    fn has_archive(&self, commit: &str) -> Result<bool, Error> {
        let whole = self.context.api.url().at_path("").at_commit(commit);
        let key = Key::of(&whole.to_archive_url()?, self.context.authorization());
        Ok(store().archives.get(&key).is_some())
    }
}

/// What was found of a pattern.
struct FoundFiles {
    /// The files that may match.
    items: Vec<Item>,
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
        None => listed(context, folder, shape.as_ref()).await,
    }
}

async fn walked(
    context: &ReadContext,
    commit: &str,
    shape: Option<&Shape>,
) -> Result<Option<FoundFiles>, Error> {
    let Some((folder, levels)) = shape.and_then(Shape::levels) else {
        return Ok(None);
    };
    let walk = Walk::new(context, commit)?;
    let items = walk.files(folder, levels).await?;
    Ok(items.map(|items| FoundFiles {
        is_folder_there: !items.is_empty() || walk.is_there(folder),
        items,
        total: None,
    }))
}

async fn listed(
    context: &ReadContext,
    folder: &str,
    shape: Option<&Shape>,
) -> Result<Option<FoundFiles>, Error> {
    let all = all(context, folder).await?;
    Ok(all.map(|all| {
        let may_match = |item: &&Item| shape.is_none_or(|shape| shape.may_match(&item.path));
        let items = all.iter().filter(may_match).cloned();
        FoundFiles {
            items: items.collect(),
            total: Some(u32::try_from(all.len()).unwrap_or(u32::MAX)),
            is_folder_there: !all.is_empty(),
        }
    }))
}

/// The files below the folder: none where there is no such folder, and `None` where the server
/// cannot say.
async fn all(context: &ReadContext, folder: &str) -> Result<Option<List>, Error> {
    let key = Key::of(&context.request, context.authorization());
    if store().lists.get(&key).is_some() {
        count_lookups("lists", Found::Here, 1);
    }
    let for_all = context.for_all(context.request.clone());
    let ask = || shared_or_asked(key.clone(), for_all, folder.to_owned());
    let listed = store().lists.get_or_make(&key, ask).await?;
    if listed.is_none() {
        context.falls_back("lists of files", "archives are searched");
        // It may know better another time.
        store().lists.forget(&key);
    }
    Ok(listed)
}

/// As another replica has listed them, or as the server lists them now.
async fn shared_or_asked(
    key: Key,
    context: Arc<ReadContext>,
    folder: String,
) -> Result<Option<List>, Error> {
    let replicas = Replicas::of(context.authorization());
    let Some(replicas) = replicas else {
        return ask_for_all(&context, &folder).await;
    };
    if let Some(list) = replicas.list(&key).await {
        count_lookups("lists", Found::AtReplica, 1);
        return Ok(Some(list));
    }
    let list = ask_for_all(&context, &folder).await?;
    if let Some(list) = &list {
        replicas.share_list(&key, list);
    }
    Ok(list)
}

async fn ask_for_all(context: &ReadContext, folder: &str) -> Result<Option<List>, Error> {
    count_lookups("lists", Found::Nowhere, 1);
    let answer = context.send(context.api.list(folder)?).await?;
    if is_unknown(answer.status()) {
        return Ok(says_no_such_folder(answer).await.then(List::default));
    }
    let answer = context.accept(answer, Wanted::Any).await?;
    let items = rest::items(answer).await.ok();
    Ok(items.map(|items| items.into_iter().filter(|item| !item.is_folder).collect()))
}

impl Listing {
    /// The paths of the files, without a slash before them.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.path.as_str())
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

    pub(crate) fn item(&self, place: u32) -> Result<&Item, Error> {
        let item = usize::try_from(place)
            .ok()
            .and_then(|at| self.items.get(at));
        item.ok_or_else(|| Error::other("there is no such file in the list"))
    }
}
