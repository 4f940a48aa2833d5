//! `readTree`: a repository, or a folder of one, as an archive at a fixed commit.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use futures_util::FutureExt;
use reqwest::{Response, StatusCode};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    download::Download,
    exchange::{Exchange, NOT_ASKED},
    explain::{Purpose, Read, Wanted},
    kept::{Key, keep_archive, kept},
    last_good::{Answer, LastGood},
    read_url::{CredentialSource, authorize, is_success},
    replicas::Replicas,
    spelling::{Spellings, remember_absent},
    stored::Stored,
    tree::{Again, Packed, Tree},
};
use crate::{
    config::{PlainHttp, Retry},
    credentials::Authorization,
    error::{Error, ErrorKind},
    http::{Client, is_page},
    metrics::{Found, count_lookups},
    rest::{self, InvalidAnswer, Refusal},
    url::{AzureUrl, parse},
};

/// A tree to read.
#[derive(Debug)]
pub struct ReadTree {
    /// Its web URL.
    pub url: String,
    /// Who reads.
    pub source: CredentialSource,
    /// How patiently.
    pub retry: Retry,
    /// Whether its host is asked over plain HTTP.
    pub plain_http: Option<PlainHttp>,
    /// The pattern that is searched for in it, where it is read for a search.
    pub pattern: Option<String>,
    /// The newest commit, where that was asked just now.
    pub commit: Option<String>,
    /// How old the commit may be that stands in while whoever reads is blocked.
    pub max_age: Option<Duration>,
    /// The commit that the caller has already.
    pub etag: Option<String>,
    /// Ends the read when it is cancelled, with all that comes of it.
    pub cancellation: CancellationToken,
    /// Where the archive is stored.
    pub directory: PathBuf,
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
    /// How it was read.
    pub exchange: Arc<Exchange>,
    /// The REST URL of its newest commit.
    commits: Url,
    source: Source,
    again: Again,
    key: Key,
    last: LastGood<String>,
}

/// Where the archive comes from.
#[derive(Clone, Debug)]
enum Source {
    /// Somebody has read it before.
    Kept(Arc<Stored>),
    /// Azure DevOps sends it.
    Coming(Arc<Download>),
}

impl ReadTreeResponse {
    /// The last REST URL that was asked for it: that of the commit, where the archive is there already.
    #[must_use]
    pub fn asked(&self) -> &Url {
        match &self.source {
            Source::Kept(_) => &self.commits,
            Source::Coming(_) => &self.exchange.request,
        }
    }

    /// The tree, once its archive is there.
    ///
    /// # Errors
    /// The download broke off, or was ended; the archive could not be stored; what came is no zip,
    /// or one that leads outside.
    pub async fn open(self) -> Result<Arc<Tree>, Error> {
        let stored = self.stored().await?;
        let (exchange, key) = (self.exchange, Some(self.key));
        let tree = Tree::open(stored, &self.subpath, exchange, key, self.again).await?;
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
        Ok(Packed::copy(stored, self.exchange, self.key))
    }

    async fn stored(&self) -> Result<Arc<Stored>, Error> {
        let cancellation = &self.exchange.cancellation;
        let stored = cancellation.run_until_cancelled(self.source.stored()).await;
        stored.unwrap_or_else(|| Err(self.exchange.ended()))
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
    async fn stored(&self) -> Result<Arc<Stored>, Error> {
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
pub async fn read_tree(input: ReadTree) -> Result<ReadTreeResponse, Error> {
    let cancellation = input.cancellation.clone();
    let url = input.url.clone();
    cancellation
        .run_until_cancelled(find(input))
        .await
        .unwrap_or_else(|| Err(Read::ended(Purpose::Tree, &url)))
}

async fn find(input: ReadTree) -> Result<ReadTreeResponse, Error> {
    let unable = |error: Error| Read::unable(Purpose::Tree, &input.url, &error);
    let url = AzureUrl::from_repo_url(&input.url)?;
    let commits = url.to_newest_commit_url()?;
    let client = Client::shared().map_err(unable)?;
    let authorization = authorize(
        client,
        &commits,
        input.source,
        input.retry,
        input.plain_http,
    )
    .await
    .map_err(unable)?;
    let pattern = input.pattern.as_deref().unwrap_or_default();
    let last = LastGood::of_search(&commits, pattern, &authorization, input.max_age);
    let trees = Trees {
        client,
        web_url: input.url,
        url,
        etag: input.etag,
        directory: input.directory,
        authorization: authorization.clone(),
        cancellation: input.cancellation,
        last: last.clone(),
        commits: commits.clone(),
    };
    // On the heap, as is what stands in: together they would make every read a large one.
    let newest = Box::pin(trees.newest(input.commit));
    match last.or(&commits, &authorization, newest).await? {
        Answer::New(tree) => Ok(tree),
        Answer::Last(commit) => {
            let age = Some(commit.age());
            Box::pin(trees.at(commit.value, age)).await
        }
    }
}

/// The newest commit.
pub(super) async fn newest_commit(
    client: &Client,
    url: &str,
    request: &Url,
    authorization: &Authorization,
) -> Result<String, Error> {
    let read = Read {
        url,
        request,
        authorization,
        purpose: Purpose::Tree,
    };
    let answer = rest::get_newest_commit(client, request.clone(), authorization).await;
    let answer = answer.map_err(|failure| read.failed(failure))?;
    let response = accept_unless_page(&read, answer, Wanted::Json).await?;
    let id = rest::commit_id(response).await;
    let id = id.map_err(|InvalidAnswer(why)| read.unusable(ErrorKind::Other, &why))?;
    id.ok_or_else(|| read.unusable(ErrorKind::NotFound, "the repository has no commits"))
}

/// The trees of a repository or folder, one for each commit.
struct Trees {
    client: &'static Client,
    web_url: String,
    url: AzureUrl,
    /// The commit that the caller has already.
    etag: Option<String>,
    directory: PathBuf,
    authorization: Authorization,
    cancellation: CancellationToken,
    last: LastGood<String>,
    /// The REST URL of the newest commit.
    commits: Url,
}

impl Trees {
    /// The tree of the newest commit; all of it, where it may stand in one day.
    async fn newest(&self, known: Option<String>) -> Result<ReadTreeResponse, Error> {
        let commit = if let Some(commit) = known {
            commit
        } else {
            let (url, commits) = (&self.web_url, &self.commits);
            newest_commit(self.client, url, commits, &self.authorization).await?
        };
        let tree = self.at(commit, None).await?;
        if self.last.is_wanted() {
            tree.stored().await?;
        }
        Ok(tree)
    }

    /// The tree of a commit, which the caller has not.
    async fn at(&self, etag: String, age: Option<Duration>) -> Result<ReadTreeResponse, Error> {
        if self.etag.as_ref() == Some(&etag) {
            return Err(self.last.unchanged(etag, age, &self.read()));
        }
        let FoundArchive {
            source,
            request,
            status,
            again,
            key,
            subpath,
        } = self.find(&etag).await?;
        let exchange = Arc::new(Exchange {
            url: self.web_url.clone(),
            request,
            authorization: self.authorization.clone(),
            purpose: Purpose::Tree,
            status: if age.is_some() { NOT_ASKED } else { status },
            cancellation: self.cancellation.clone(),
        });
        if age.is_some() {
            exchange.tell_stale();
        }
        Ok(ReadTreeResponse {
            etag,
            subpath,
            age,
            exchange,
            commits: self.commits.clone(),
            source,
            again,
            key,
            last: self.last.clone(),
        })
    }

    fn read(&self) -> Read<'_> {
        Read {
            url: &self.web_url,
            request: &self.commits,
            authorization: &self.authorization,
            purpose: Purpose::Tree,
        }
    }

    /// The archive of a commit, by the first way to write the folder that is there.
    async fn find(&self, commit: &str) -> Result<FoundArchive, Error> {
        let mut spellings = Spellings::of_folder(&self.url, &self.authorization);
        while let Some(spelling) = spellings.next() {
            let url = spelling.url.at_commit(commit);
            let key = Key::of(&parse(&url.to_archive_url()?)?, &self.authorization);
            let archive = Archive {
                client: self.client,
                web_url: self.web_url.clone(),
                authorization: self.authorization.clone(),
            };
            let again = archive.again(url.clone(), key.clone(), self.directory.clone());
            match archive.find(url, &key, self.directory.clone()).await {
                Err(error) => spellings.note(&spelling, error)?,
                Ok((source, request, status)) => {
                    if spellings.is_written_missing() {
                        let written = self.url.path().unwrap_or_default();
                        remember_absent(&self.url, written, &self.authorization);
                    }
                    return Ok(FoundArchive {
                        source,
                        request,
                        status,
                        again,
                        key,
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
    /// What it was asked for as, and how that was answered.
    request: Url,
    status: u16,
    again: Again,
    key: Key,
    subpath: String,
}

/// How archives are asked for.
#[derive(Clone)]
struct Archive {
    client: &'static Client,
    web_url: String,
    authorization: Authorization,
}

impl Archive {
    /// How it is had again: as it is kept or comes for somebody else then, or as it was asked for.
    fn again(&self, url: AzureUrl, key: Key, directory: PathBuf) -> Again {
        let archive = self.clone();
        Arc::new(move || {
            let (archive, url) = (archive.clone(), url.clone());
            let (key, directory) = (key.clone(), directory.clone());
            async move {
                let (source, ..) = archive.find(url, &key, directory).await?;
                source.stored().await
            }
            .boxed()
        })
    }

    /// The archive as it is kept, or on its way: for somebody else already, or from now on.
    async fn find(
        self,
        url: AzureUrl,
        key: &Key,
        directory: PathBuf,
    ) -> Result<(Source, Url, u16), Error> {
        if let Some(stored) = self.known(key, &directory).await? {
            let request = parse(&url.to_archive_url()?)?;
            return Ok((Source::Kept(stored), request, StatusCode::OK.as_u16()));
        }
        let start = || {
            let key = key.clone();
            let replicas = Replicas::of(&self.authorization);
            let keep = |stored: Arc<Stored>| {
                if let Some(replicas) = replicas {
                    replicas.share_archive(key.clone(), Arc::clone(&stored));
                }
                keep_archive(key, stored);
            };
            let ask = move || self.clone().ask(url.clone());
            Download::of(ask, directory, keep)
        };
        let download = kept().downloads.join(key, Download::is_of_use, start);
        let head = download.head().await?;
        let request = head.request.clone();
        Ok((Source::Coming(download), request, head.status))
    }

    /// The archive as this process keeps it, or as another replica has read it.
    async fn known(&self, key: &Key, directory: &Path) -> Result<Option<Arc<Stored>>, Error> {
        if let Some(stored) = kept().archives.get(key) {
            count_lookups("archives", Found::Here, 1);
            return Ok(Some(stored));
        }
        let Some(replicas) = Replicas::of(&self.authorization) else {
            return Ok(None);
        };
        let (of, directory) = (key.clone(), directory.to_owned());
        let ask = || async move { Ok(replicas.archive(&of, directory).await) };
        let found = kept().shared_archives.get_or_make(key, ask).await?;
        if let Some(stored) = &found {
            count_lookups("archives", Found::AtReplica, 1);
            keep_archive(key.clone(), Arc::clone(stored));
        }
        Ok(found)
    }

    /// Asks for the archive: with the modes of files first, where the host may know how.
    async fn ask(self, url: AzureUrl) -> Result<(Arc<Exchange>, Response), Error> {
        count_lookups("archives", Found::Nowhere, 1);
        if let Some(with_modes) = url.to_archive_url_with_modes()? {
            let request = parse(&with_modes)?;
            let response = self.answer(&request).await?;
            if response.status() != StatusCode::BAD_REQUEST {
                return self.accept(request, response).await;
            }
        }
        let request = parse(&url.to_archive_url()?)?;
        let response = self.answer(&request).await?;
        self.accept(request, response).await
    }

    async fn answer(&self, request: &Url) -> Result<Response, Error> {
        let answer = rest::get_archive(self.client, request.clone(), &self.authorization).await;
        answer.map_err(|failure| self.read(request).failed(failure))
    }

    async fn accept(
        self,
        request: Url,
        response: Response,
    ) -> Result<(Arc<Exchange>, Response), Error> {
        let read = self.read(&request);
        let response = accept_unless_page(&read, response, Wanted::Archive).await?;
        let exchange = Exchange {
            url: self.web_url,
            request,
            authorization: self.authorization,
            purpose: Purpose::Tree,
            status: response.status().as_u16(),
            // It ends with the last of those who wait for it, and not with the first who asked.
            cancellation: CancellationToken::new(),
        };
        Ok((Arc::new(exchange), response))
    }

    fn read<'a>(&'a self, request: &'a Url) -> Read<'a> {
        Read {
            url: &self.web_url,
            request,
            authorization: &self.authorization,
            purpose: Purpose::Tree,
        }
    }
}

/// The answer, where it has what was asked for and no page in place of what was asked for.
pub(super) async fn accept_unless_page(
    read: &Read<'_>,
    response: Response,
    wanted: Wanted,
) -> Result<Response, Error> {
    if is_success(response.status()) && is_page(&response) {
        return Err(read.page(response.status(), wanted));
    }
    accept(read, response).await
}

/// The answer, where it has what was asked for.
pub(super) async fn accept(read: &Read<'_>, response: Response) -> Result<Response, Error> {
    if response.status() == StatusCode::OK {
        return Ok(response);
    }
    Err(read.refused(&Refusal::read(response, &read.secrets()).await))
}

/// Whether a server says in this way that it does not know a call.
pub(super) const fn is_unknown(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 404 | 405 | 406 | 501)
}

/// Whether a server, or a proxy before it that lets only some requests through, says in this way that
/// it does not take what is posted.
pub(super) const fn is_not_taken(status: StatusCode) -> bool {
    is_unknown(status) || matches!(status.as_u16(), 403 | 411 | 413 | 415)
}

/// A zip of a folder holds its entries under the folder's last segment.
fn last_segment(path: Option<&str>) -> String {
    let mut segments = path.unwrap_or_default().split('/');
    let last = segments.rfind(|segment| !segment.is_empty());
    last.unwrap_or_default().to_owned()
}
