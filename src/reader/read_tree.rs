//! `readTree`: a repository, or a folder of one, as an archive at a fixed commit.

use std::{
    sync::{Arc, LazyLock},
    time::Duration,
};

use futures_util::FutureExt;
use reqwest::StatusCode;

use super::{
    cache::{FreshOrStale, Key, Replicas, StaleSlot, keep_archive, store},
    context::{NOT_ASKED, ReadContext, ReadRequest, Wanted},
    messages::{Purpose, ended},
    spelling::{Spellings, remember_absent},
    transfer::{Download, TemporaryFile},
    tree::{Again, Packed, Tree},
};
use crate::{
    cache::Coalescer,
    error::{Error, ErrorKind},
    http::Answer,
    rest::{InvalidAnswer, commit_id},
    telemetry::metrics::{Found, count_lookups},
    url::{AzureUrl, SafeUrl},
};

/// The archives that are being fetched from other replicas.
static FROM_REPLICAS: LazyLock<Coalescer<Key, Option<Arc<TemporaryFile>>>> =
    LazyLock::new(Coalescer::default);

/// A tree to read.
#[derive(Debug)]
pub struct ReadTree {
    /// What all reads have in common.
    pub read: ReadRequest,
    /// The commit that the caller has already.
    pub etag: Option<String>,
}

/// Which archive is read for a search.
#[derive(Debug, Default)]
pub(super) struct ForSearch {
    /// The glob that is searched for in it.
    pub glob: String,
    /// The newest commit, where that was asked for just now.
    pub commit: Option<String>,
}

/// A tree that is there, and not yet downloaded.
#[derive(Clone)]
pub struct ReadTreeResponse {
    /// The commit.
    pub etag: String,
    /// The folder in the archive that is the tree; the whole archive where it is empty.
    pub subpath: String,
    /// How old the commit is, where it is the last that was read and stands in for a new one.
    pub age: Option<Duration>,
    /// The status of the answer; 0 where it is a stale one.
    pub status: u16,
    /// How it was read.
    pub context: Arc<ReadContext>,
    /// The REST URL of its newest commit.
    commits: SafeUrl,
    source: Source,
    again: Again,
    key: Key,
    last: StaleSlot<String>,
}

/// Where the archive comes from.
#[derive(Clone, Debug)]
enum Source {
    /// It was read before.
    Kept(Arc<TemporaryFile>),
    /// Azure DevOps sends it.
    Coming(Arc<Download>),
}

impl ReadTreeResponse {
    /// The last REST URL that was asked for it: that of the commit, where the archive is there already.
    #[must_use]
    pub fn asked(&self) -> &SafeUrl {
        match &self.source {
            Source::Kept(_) => &self.commits,
            Source::Coming(_) => &self.context.request,
        }
    }

    /// The tree, once its archive is there.
    ///
    /// # Errors
    /// The download broke off, or was ended; the archive could not be stored; what came is no zip,
    /// or one that leads outside.
    pub async fn open(self) -> Result<Arc<Tree>, Error> {
        let stored = self.stored().await?;
        let (context, key) = (self.context, Some(self.key));
        let tree = Tree::open(stored, &self.subpath, context, key, self.again).await?;
        if self.age.is_none() {
            self.last.put(self.etag);
        }
        Ok(tree)
    }

    /// The whole archive as it comes, whatever its entries are.
    ///
    /// # Errors
    /// The download broke off, or was ended; the archive could not be stored.
    pub async fn copy(self) -> Result<Packed, Error> {
        let stored = self.stored().await?;
        Ok(Packed::copy(stored, self.context, self.key))
    }

    async fn stored(&self) -> Result<Arc<TemporaryFile>, Error> {
        self.context.until_ended(self.source.stored()).await
    }
}

impl std::fmt::Debug for ReadTreeResponse {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = formatter.debug_struct("ReadTreeResponse");
        debug.field("etag", &self.etag).finish_non_exhaustive()
    }
}

impl Source {
    /// The archive, once all of it is there.
    async fn stored(&self) -> Result<Arc<TemporaryFile>, Error> {
        match self {
            Self::Kept(stored) => Ok(Arc::clone(stored)),
            Self::Coming(download) => download.stored().await,
        }
    }
}

/// Finds the newest commit, and asks for the archive of that commit where the caller has it not.
///
/// # Errors
/// The URL names no repository; there is no usable credential; Azure DevOps has no such repository,
/// version or folder ([`ErrorKind::NotFound`]), asks to sign in ([`ErrorKind::Authentication`]), or
/// refuses; the commit is the one that the caller has ([`ErrorKind::NotModified`]); there are no
/// commits; there is no answer; the caller ended the read.
pub async fn read_tree(tree: ReadTree) -> Result<ReadTreeResponse, Error> {
    let ReadTree { read, etag } = tree;
    let url = read.url.clone();
    let cancellation = read.cancellation.clone();
    let found = begin(url.clone(), read, etag, None);
    let found = cancellation.run_until_cancelled(found).await;
    found.unwrap_or_else(|| Err(ended(Purpose::Tree, &url)))
}

async fn begin(
    url: SafeUrl,
    read: ReadRequest,
    etag: Option<String>,
    search: Option<ForSearch>,
) -> Result<ReadTreeResponse, Error> {
    let repository = AzureUrl::of(&url)?;
    let commits = repository.to_newest_commit_url()?.into();
    let context = ReadContext::begin(Purpose::Tree, url, repository, commits, read).await?;
    find(context, etag, search).await
}

/// Finds the tree of a read that was begun: of the newest commit, or of the stale one.
pub(super) async fn find(
    context: ReadContext,
    etag: Option<String>,
    search: Option<ForSearch>,
) -> Result<ReadTreeResponse, Error> {
    let is_for_search = search.is_some();
    let ForSearch { glob, commit } = search.unwrap_or_default();
    let key = Key::of_answer(&context.request, &glob, context.authorization());
    let max_stale = context.policy.max_stale.filter(|_| is_for_search);
    let trees = Trees {
        last: StaleSlot::of(&store().commits, key, max_stale),
        context,
        etag,
    };
    // On the heap, as is the stale one: together they would make every read a large one.
    let newest = Box::pin(trees.newest(commit));
    match trees.last.or(&trees.context, newest).await? {
        FreshOrStale::Fresh(tree) => Ok(tree),
        FreshOrStale::Stale(commit) => {
            let age = Some(commit.age());
            Box::pin(trees.at(commit.value, age)).await
        }
    }
}

/// The newest commit.
pub(super) async fn newest_commit(context: &ReadContext) -> Result<String, Error> {
    let call = context.api.newest_commit()?;
    let answer = context.fetch(call, Wanted::Json).await?;
    let messages = context.messages();
    let id = commit_id(answer).await;
    let id = id.map_err(|InvalidAnswer(why)| messages.unusable(ErrorKind::Other, &why))?;
    id.ok_or_else(|| messages.unusable(ErrorKind::NotFound, "the repository has no commits"))
}

/// The trees of a repository or folder, one for each commit.
struct Trees {
    /// The read, in which the newest commit was asked for last.
    context: ReadContext,
    /// The commit that the caller has already.
    etag: Option<String>,
    last: StaleSlot<String>,
}

impl Trees {
    /// The tree of the newest commit; downloaded in full, where it may become a stale answer.
    async fn newest(&self, known: Option<String>) -> Result<ReadTreeResponse, Error> {
        let commit = match known {
            Some(commit) => commit,
            None => newest_commit(&self.context).await?,
        };
        let tree = self.at(commit, None).await?;
        if self.last.is_wanted() {
            tree.stored().await?;
        }
        Ok(tree)
    }

    /// The tree of a commit, unless the caller has it.
    async fn at(&self, etag: String, age: Option<Duration>) -> Result<ReadTreeResponse, Error> {
        if self.etag.as_ref() == Some(&etag) {
            return Err(self.last.unchanged(etag, age, &self.context));
        }
        let FoundArchive {
            source,
            request,
            status,
            again,
            key,
            subpath,
        } = self.find(&etag).await?;
        let context = Arc::new(self.context.asking(request));
        if age.is_some() {
            context.tell_stale();
        }
        Ok(ReadTreeResponse {
            etag,
            subpath,
            age,
            status: if age.is_some() { NOT_ASKED } else { status },
            context,
            commits: self.context.request.clone(),
            source,
            again,
            key,
            last: self.last.clone(),
        })
    }

    /// The archive of a commit, by the first spelling of the folder that is there.
    async fn find(&self, commit: &str) -> Result<FoundArchive, Error> {
        let (written, authorization) = (self.context.api.url(), self.context.authorization());
        let mut spellings = Spellings::of_folder(written, authorization);
        while let Some(spelling) = spellings.next() {
            let api = self.context.api.at(spelling.url.at_commit(commit));
            let request: SafeUrl = api.url().to_archive_url()?.into();
            let archive = Archive {
                key: Key::of(&request, authorization),
                context: ReadContext {
                    api,
                    ..(*self.context.for_all(request)).clone()
                },
            };
            match archive.find().await {
                Err(error) => spellings.note(&spelling, error)?,
                Ok((source, request, status)) => {
                    if spellings.is_written_missing() {
                        let folder = written.path().unwrap_or_default();
                        remember_absent(written, folder, authorization);
                    }
                    return Ok(FoundArchive {
                        source,
                        request,
                        status,
                        key: archive.key.clone(),
                        again: archive.again(),
                        subpath: last_segment(spelling.url.path()),
                    });
                }
            }
        }
        Err(spellings.failure())
    }
}

/// An archive that is there, or on its way.
struct FoundArchive {
    source: Source,
    /// What it was asked for as, and the status of the answer.
    request: SafeUrl,
    status: u16,
    again: Again,
    key: Key,
    subpath: String,
}

/// An archive of a folder at a commit, for all who read it.
#[derive(Clone)]
struct Archive {
    key: Key,
    /// It ends with the last of those who wait for the archive, and not with the first who asked.
    context: ReadContext,
}

impl Archive {
    /// How it is obtained again: from the cache, from a download for another read, or from Azure DevOps.
    fn again(self) -> Again {
        Arc::new(move || {
            let archive = self.clone();
            async move {
                let (source, ..) = archive.find().await?;
                source.stored().await
            }
            .boxed()
        })
    }

    /// The archive as it is kept, or its download, which others may have started.
    async fn find(&self) -> Result<(Source, SafeUrl, u16), Error> {
        if let Some(stored) = self.known().await? {
            let request = self.context.request.clone();
            return Ok((Source::Kept(stored), request, StatusCode::OK.as_u16()));
        }
        let start = || {
            let key = self.key.clone();
            let replicas = Replicas::of(self.context.authorization());
            let keep = |stored: Arc<TemporaryFile>| {
                if let Some(replicas) = replicas {
                    replicas.share_archive(key.clone(), Arc::clone(&stored));
                }
                keep_archive(key, stored);
            };
            let context = self.context.clone();
            let directory = context.policy.directory.clone();
            let ask = move || ask(context.clone());
            Download::of(ask, directory, keep)
        };
        let downloads = &store().downloads;
        let download = downloads.join(&self.key, Download::is_of_use, start);
        let head = download.head().await?;
        let request = head.context.request.clone();
        Ok((Source::Coming(download), request, head.status.as_u16()))
    }

    /// The archive as this process keeps it, or as another replica has read it.
    async fn known(&self) -> Result<Option<Arc<TemporaryFile>>, Error> {
        if let Some(stored) = store().archives.get(&self.key) {
            count_lookups("archives", Found::Here, 1);
            return Ok(Some(stored));
        }
        let Some(replicas) = Replicas::of(self.context.authorization()) else {
            return Ok(None);
        };
        let (key, directory) = (self.key.clone(), self.context.policy.directory.clone());
        let ask = || async move { Ok(replicas.archive(&key, directory).await) };
        let found = FROM_REPLICAS.run(&self.key, ask).await?;
        if let Some(stored) = &found {
            count_lookups("archives", Found::AtReplica, 1);
            keep_archive(self.key.clone(), Arc::clone(stored));
        }
        Ok(found)
    }
}

/// Asks for the archive: with the modes of files first, where the host may know how.
async fn ask(context: ReadContext) -> Result<(Arc<ReadContext>, Answer), Error> {
    count_lookups("archives", Found::Nowhere, 1);
    if let Some(call) = context.api.archive_with_modes()? {
        let answer = context.send(call).await?;
        if answer.status() != StatusCode::BAD_REQUEST {
            let answer = context.accept(answer, Wanted::Archive).await?;
            return Ok((Arc::new(context), answer));
        }
    }
    let answer = context
        .fetch(context.api.archive()?, Wanted::Archive)
        .await?;
    Ok((Arc::new(context), answer))
}

/// A zip of a folder holds its entries under the folder's last segment.
fn last_segment(path: Option<&str>) -> String {
    let mut segments = path.unwrap_or_default().split('/');
    let last = segments.rfind(|segment| !segment.is_empty());
    last.unwrap_or_default().to_owned()
}
