//! The files of a repository at a commit, as far as a pattern may match them.

use std::{path::PathBuf, sync::Arc, time::Duration};

use reqwest::{Response, StatusCode};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    exchange::{Exchange, NOT_ASKED},
    explain::{Purpose, Read},
    kept::{Key, List, kept},
    last_good::{Answer, LastGood},
    read_tree::{accept, is_unknown, newest_commit},
    read_url::{CredentialSource, authorize},
    replicas::Replicas,
    spelling::Spellings,
    walk::Walk,
};
use crate::{
    config::{PlainHttp, Retry},
    credentials::Authorization,
    error::Error,
    http::Client,
    metrics::{Found, count_lookups},
    pattern::{Shape, literal_folder},
    rest::{self, Item, Refusal},
    secrets::Secrets,
    url::{AzureUrl, Pattern, parse, with_path},
};

/// How Azure DevOps says that a folder is not there. Whatever else is not found may be the call.
const NO_SUCH_FOLDER: &str = "TF401174";

/// A search for files.
#[derive(Debug)]
pub struct Search {
    /// The web URL; its path is the pattern.
    pub url: String,
    /// Who reads.
    pub source: CredentialSource,
    /// How patiently.
    pub retry: Retry,
    /// Whether its host is asked over plain HTTP.
    pub plain_http: Option<PlainHttp>,
    /// How old the commit may be that stands in while whoever reads is blocked.
    pub max_age: Option<Duration>,
    /// The commit that the caller has already.
    pub etag: Option<String>,
    /// Ends the search when it is cancelled.
    pub cancellation: CancellationToken,
    /// Where archives of contents are stored.
    pub directory: PathBuf,
}

/// Files of a repository at a commit: all that a pattern matches, and more.
#[derive(Debug)]
pub struct Listing {
    /// The commit.
    pub etag: String,
    /// How many files there are in the pattern's folder, where all of them were listed.
    pub total: Option<u32>,
    /// How old the commit is, where it is the last that was read and stands in for a new one.
    pub age: Option<Duration>,
    /// How it was read.
    pub exchange: Arc<Exchange>,
    /// The REST URL of its newest commit, which was asked for it; lists are perhaps kept.
    pub commits: Url,
    /// The pattern by the way to write it whose folder is there.
    pub pattern: Pattern,
    pub(super) url: AzureUrl,
    pub(super) items: Vec<Item>,
    pub(super) directory: PathBuf,
    pub(super) last: LastGood<String>,
    /// The other ways to write the pattern.
    left: Spellings,
    lists: Arc<Lists>,
}

/// Lists what may match the pattern, at the newest commit; nothing where the server does not list.
///
/// # Errors
/// As [`super::read_tree`].
pub async fn list(input: Search) -> Result<Option<Listing>, Error> {
    let cancellation = input.cancellation.clone();
    let url = input.url.clone();
    cancellation
        .run_until_cancelled(find(input))
        .await
        .unwrap_or_else(|| Err(Read::ended(Purpose::Tree, &url)))
}

async fn find(input: Search) -> Result<Option<Listing>, Error> {
    // Messages name the repository, as those of Backstage's own reader do.
    let web_url = Pattern::of(&input.url).map_or_else(|| input.url.clone(), |it| it.whole);
    let unable = |error: Error| Read::unable(Purpose::Tree, &web_url, &error);
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
    let pattern = url.path().unwrap_or_default().trim_start_matches('/');
    let last = LastGood::of_search(&commits, pattern, &authorization, input.max_age);
    let lists = Arc::new(Lists {
        pattern_url: input.url,
        web_url,
        etag: input.etag,
        directory: input.directory,
        authorization: authorization.clone(),
        cancellation: input.cancellation,
        last: last.clone(),
        commits: commits.clone(),
        url,
    });
    let newest = async {
        let commit = newest_commit(client, &lists.web_url, &commits, &authorization).await?;
        lists.at(commit, None).await
    };
    match last.or(&commits, &authorization, newest).await? {
        Answer::New(listing) => Ok(listing),
        // What was searched in an archive then was perhaps not listed.
        Answer::Last(commit) if lists.has_archive(&commit.value)? => Ok(None),
        Answer::Last(commit) => {
            let age = Some(commit.age());
            lists.at(commit.value, age).await
        }
    }
}

/// The lists of what may match a pattern, one for each commit.
#[derive(Debug)]
struct Lists {
    /// The URL that the caller gave, and that of the repository.
    pattern_url: String,
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

impl Lists {
    /// The list at a commit, which the caller has not; nothing where the server does not list.
    async fn at(
        self: &Arc<Self>,
        etag: String,
        age: Option<Duration>,
    ) -> Result<Option<Listing>, Error> {
        if self.etag.as_ref() == Some(&etag) {
            return Err(self.last.unchanged(etag, age, &self.read()));
        }
        let spellings = Spellings::of_pattern(&self.url, &self.authorization);
        self.by(spellings, etag, age).await
    }

    /// The list by the first of these ways to write the pattern whose folder is there, or by the last of
    /// them.
    async fn by(
        self: &Arc<Self>,
        mut spellings: Spellings,
        etag: String,
        age: Option<Duration>,
    ) -> Result<Option<Listing>, Error> {
        while let Some(spelling) = spellings.next() {
            let path = spelling.url.path().unwrap_or_default();
            let pattern = path.trim_start_matches('/');
            let folder = literal_folder(pattern);
            let url = spelling.url.at_commit(&etag);
            let exchange = self.exchange(parse(&url.to_list_url(&folder)?)?, age);
            let Some(found) = found(&exchange, &url, &etag, pattern).await? else {
                return Ok(None);
            };
            if !found.is_folder_there {
                spelling.note_absent(&folder, &self.authorization);
                if spellings.has_more() {
                    continue;
                }
            }
            if age.is_some() {
                exchange.tell_stale();
            }
            let spelled = with_path(&self.pattern_url, path)?;
            let no_pattern = || Error::other("the URL names no pattern");
            return Ok(Some(Listing {
                pattern: Pattern::of(&spelled).ok_or_else(no_pattern)?,
                etag,
                total: found.total,
                age,
                exchange,
                commits: self.commits.clone(),
                items: found.items,
                url,
                directory: self.directory.clone(),
                last: self.last.clone(),
                left: spellings,
                lists: Arc::clone(self),
            }));
        }
        Err(spellings.failure())
    }

    fn read(&self) -> Read<'_> {
        Read {
            url: &self.web_url,
            request: &self.commits,
            authorization: &self.authorization,
            purpose: Purpose::Tree,
        }
    }

    fn exchange(&self, request: Url, age: Option<Duration>) -> Arc<Exchange> {
        Arc::new(Exchange {
            request,
            url: self.web_url.clone(),
            authorization: self.authorization.clone(),
            purpose: Purpose::Tree,
            status: age.map_or(StatusCode::OK.as_u16(), |_| NOT_ASKED),
            cancellation: self.cancellation.clone(),
        })
    }

    /// Whether the archive of the repository at a commit is kept.
    fn has_archive(&self, commit: &str) -> Result<bool, Error> {
        let whole = self.url.at_path("").at_commit(commit);
        let key = Key::of(&parse(&whole.to_archive_url()?)?, &self.authorization);
        Ok(kept().archives.get(&key).is_some())
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

/// What there is of a pattern: level by level where that is the way, else of all below its folder;
/// nothing where the server does not list.
async fn found(
    exchange: &Arc<Exchange>,
    url: &AzureUrl,
    commit: &str,
    pattern: &str,
) -> Result<Option<FoundFiles>, Error> {
    let shape = Shape::of(pattern);
    match walked(exchange, url, commit, shape.as_ref()).await? {
        Some(found) => Ok(Some(found)),
        None => listed(exchange, shape.as_ref()).await,
    }
}

async fn walked(
    exchange: &Arc<Exchange>,
    url: &AzureUrl,
    commit: &str,
    shape: Option<&Shape>,
) -> Result<Option<FoundFiles>, Error> {
    let Some((folder, levels)) = shape.and_then(Shape::levels) else {
        return Ok(None);
    };
    let request = parse(&url.to_folders_url()?)?;
    let walk = Walk::new(Arc::clone(exchange), request, commit.to_owned());
    let items = walk.files(folder, levels).await?;
    Ok(items.map(|items| FoundFiles {
        is_folder_there: !items.is_empty() || walk.is_there(folder),
        items,
        total: None,
    }))
}

async fn listed(
    exchange: &Arc<Exchange>,
    shape: Option<&Shape>,
) -> Result<Option<FoundFiles>, Error> {
    let all = all(exchange).await?;
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

/// The files below the folder: none where there is no such folder, and nothing where the server
/// cannot say.
async fn all(exchange: &Arc<Exchange>) -> Result<Option<List>, Error> {
    let key = Key::of(&exchange.request, &exchange.authorization);
    if kept().lists.get(&key).is_some() {
        count_lookups("lists", Found::Here, 1);
    }
    let ask = || shared_or_asked(key.clone(), exchange.for_all(exchange.request.clone()));
    let listed = kept().lists.get_or_make(&key, ask).await?;
    if listed.is_none() {
        exchange.falls_back("lists of files", "patterns are looked for in archives");
        // It may know better another time.
        kept().lists.forget(&key);
    }
    Ok(listed)
}

/// As another replica has listed them, or as the server lists them now.
async fn shared_or_asked(key: Key, exchange: Arc<Exchange>) -> Result<Option<List>, Error> {
    let replicas = Replicas::of(&exchange.authorization);
    let Some(replicas) = replicas else {
        return ask_for_all(exchange).await;
    };
    if let Some(list) = replicas.list(&key).await {
        count_lookups("lists", Found::AtReplica, 1);
        return Ok(Some(list));
    }
    let list = ask_for_all(exchange).await?;
    if let Some(list) = &list {
        replicas.share_list(&key, list);
    }
    Ok(list)
}

async fn ask_for_all(exchange: Arc<Exchange>) -> Result<Option<List>, Error> {
    count_lookups("lists", Found::Nowhere, 1);
    let read = exchange.read();
    let request = exchange.request.clone();
    let answer = rest::list_items(Client::shared()?, request, read.authorization).await;
    let response = answer.map_err(|failure| read.failed(failure))?;
    if is_unknown(response.status()) {
        return Ok(says_no_such_folder(response).await.then(List::default));
    }
    let response = accept(&read, response).await?;
    let items = rest::items(response).await.ok();
    Ok(items.map(|items| items.into_iter().filter(|item| !item.is_folder).collect()))
}

/// Whether an answer that is no list says that there is no such folder.
pub(super) async fn says_no_such_folder(response: Response) -> bool {
    let words = Refusal::read(response, &Secrets::default()).await.words;
    words.is_some_and(|words| words.starts_with(NO_SUCH_FOLDER))
}

impl Listing {
    /// The list by another way to write the pattern, for where nothing matches it by this way; nothing
    /// where there is none.
    ///
    /// # Errors
    /// As [`list`].
    pub async fn otherwise(&self) -> Result<Option<Self>, Error> {
        if !self.left.has_more() {
            return Ok(None);
        }
        let left = self.left.clone();
        let again = self.lists.by(left, self.etag.clone(), self.age);
        let cancellation = &self.exchange.cancellation;
        let again = cancellation.run_until_cancelled(again).await;
        again.unwrap_or_else(|| Err(self.exchange.ended()))
    }

    /// The paths of the files, without a slash before them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.path.as_str())
    }

    pub(super) fn item(&self, place: u32) -> Result<&Item, Error> {
        let item = usize::try_from(place)
            .ok()
            .and_then(|at| self.items.get(at));
        item.ok_or_else(|| Error::other("there is no such file in the list"))
    }
}
