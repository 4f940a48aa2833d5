//! The files of a repository at a commit, and the contents of those that match.

use std::{collections::HashMap, path::PathBuf, sync::Arc};

use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::{Response, StatusCode};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    blob,
    body::Body,
    exchange::Exchange,
    explain::{Purpose, Read},
    read_tree::{accept, newest_commit},
    read_url::{CredentialSource, authorize},
    tree::{Tree, blocking},
};
use crate::{
    error::{Error, ErrorKind},
    http::Client,
    rest::{self, Item},
    url::{AzureUrl, parse},
};

/// So few contents are asked for one by one.
const ONE_BY_ONE: usize = 4;

/// The most contents that one zip is asked for.
const PER_ZIP: usize = 500;

/// A search for files.
#[derive(Debug)]
pub struct Search {
    /// The web URL; its path is the pattern.
    pub url: String,
    /// Who reads.
    pub source: CredentialSource,
    /// The commit that the caller has already.
    pub etag: Option<String>,
    /// Ends the search when it is cancelled.
    pub cancellation: CancellationToken,
}

/// The files of a repository at a commit.
#[derive(Debug)]
pub struct Listing {
    /// The commit.
    pub etag: String,
    /// How it was read.
    pub exchange: Arc<Exchange>,
    url: AzureUrl,
    items: Vec<Item>,
}

/// The contents of files that were chosen.
#[derive(Debug)]
pub struct Contents {
    /// By the file's place in the listing.
    by_place: HashMap<u32, Content>,
}

#[derive(Debug)]
enum Content {
    Here(Arc<[u8]>),
    /// In a downloaded archive, at this place.
    In(Arc<Tree>, u32),
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
    let unable = |error: Error| Read::unable(Purpose::Tree, &input.url, &error);
    let url = AzureUrl::from_repo_url(&input.url)?;
    let commits = parse(&url.to_commits_url()?)?;
    let client = Client::shared().map_err(unable)?;
    let authorization = authorize(client, &commits, input.source)
        .await
        .map_err(unable)?;
    let etag = newest_commit(client, &input.url, commits, &authorization).await?;
    if input.etag.as_deref() == Some(&etag) {
        return Err(Read::unchanged(&input.url));
    }
    let url = url.at_commit(&etag);
    let folder = literal_folder(url.path().unwrap_or_default());
    let request = parse(&url.to_list_url(&folder)?)?;
    let exchange = Exchange {
        url: input.url.clone(),
        request,
        authorization,
        purpose: Purpose::Tree,
        status: StatusCode::OK.as_u16(),
        cancellation: input.cancellation,
    };
    let items = listed(client, &exchange).await?;
    Ok(items.map(|items| Listing {
        etag,
        items,
        url,
        exchange: Arc::new(exchange),
    }))
}

/// The files below the folder: none where there is no such folder, and nothing where the server
/// cannot say.
async fn listed(client: &Client, exchange: &Exchange) -> Result<Option<Vec<Item>>, Error> {
    let read = exchange.read();
    let request = exchange.request.clone();
    let answer = rest::list_items(client, request, read.authorization).await;
    let response = answer.map_err(|failure| read.failed(failure))?;
    match response.status() {
        StatusCode::NOT_FOUND => return Ok(Some(Vec::new())),
        StatusCode::BAD_REQUEST | StatusCode::METHOD_NOT_ALLOWED | StatusCode::NOT_IMPLEMENTED => {
            return Ok(None);
        }
        _ => {}
    }
    let response = accept(&read, response).await?;
    Ok(rest::items(response).await.ok())
}

/// The folder that stands before the pattern's first segment with a meaning of its own.
fn literal_folder(pattern: &str) -> String {
    let magic = [
        '*', '?', '[', ']', '{', '}', '(', ')', '!', '+', '@', '\\', '#',
    ];
    let segments = pattern.split('/').filter(|segment| !segment.is_empty());
    let literal =
        segments.take_while(|segment| !segment.contains(magic) && !matches!(*segment, "." | ".."));
    let mut folder = String::from("/");
    folder.push_str(&literal.collect::<Vec<_>>().join("/"));
    folder
}

impl Listing {
    /// The paths of the files, without a slash before them.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.items.iter().map(|item| item.path.as_str())
    }

    /// Reads the contents of the files at these places: few one by one, many in zips that are
    /// stored in `directory`, in files without a name.
    ///
    /// # Errors
    /// A content is not to be had, or not what its id says; the search was ended.
    pub async fn contents(
        self: Arc<Self>,
        places: Vec<u32>,
        directory: PathBuf,
    ) -> Result<Contents, Error> {
        let cancellation = self.exchange.cancellation.clone();
        let read = self.read_contents(&places, directory);
        let read = cancellation.run_until_cancelled(read).await;
        read.unwrap_or_else(|| Err(Read::ended(Purpose::Tree, &self.exchange.url)))
    }

    async fn read_contents(&self, places: &[u32], directory: PathBuf) -> Result<Contents, Error> {
        let mut by_place = HashMap::new();
        if places.len() > ONE_BY_ONE {
            for places in places.chunks(PER_ZIP) {
                by_place.extend(self.zipped(places, directory.clone()).await?);
            }
        }
        // What a zip did not have is asked for as well.
        let missing = places.iter().filter(|place| !by_place.contains_key(place));
        let singles: Vec<(u32, Content)> = stream::iter(missing.copied().collect::<Vec<_>>())
            .map(|place| self.single(place))
            .buffer_unordered(ONE_BY_ONE)
            .try_collect()
            .await?;
        by_place.extend(singles);
        Ok(Contents { by_place })
    }

    fn item(&self, place: u32) -> Result<&Item, Error> {
        let item = usize::try_from(place)
            .ok()
            .and_then(|at| self.items.get(at));
        item.ok_or_else(|| Error::other("there is no such file in the list"))
    }

    async fn single(&self, place: u32) -> Result<(u32, Content), Error> {
        let item = self.item(place)?;
        let request = parse(&self.url.to_blobs_url(Some(&item.id))?)?;
        let exchange = self.exchange_of(request);
        let answer = rest::get_blob(
            Client::shared()?,
            exchange.request.clone(),
            &exchange.authorization,
        );
        let response = self.accepted(&exchange, answer.await).await?;
        let mut body = Body::of(response, Arc::clone(&exchange)).await;
        let content = body.collect().await?;
        if blob::id(&content, &item.id) != item.id {
            let why = format!("what came for {} is something else", item.path);
            return Err(exchange.read().unusable(ErrorKind::Other, &why));
        }
        Ok((place, Content::Here(content.into())))
    }

    /// The contents that a zip has; nothing where the server gives no such zips.
    async fn zipped(
        &self,
        places: &[u32],
        directory: PathBuf,
    ) -> Result<HashMap<u32, Content>, Error> {
        let items: Result<Vec<&Item>, Error> = places.iter().map(|at| self.item(*at)).collect();
        let ids: Vec<&str> = items?.iter().map(|item| item.id.as_str()).collect();
        let exchange = self.exchange_of(parse(&self.url.to_blobs_url(None)?)?);
        let answer = rest::get_blobs(
            Client::shared()?,
            exchange.request.clone(),
            &exchange.authorization,
            &ids,
        );
        let response = answer
            .await
            .map_err(|failure| exchange.read().failed(failure))?;
        if matches!(response.status().as_u16(), 400 | 404 | 405 | 501) {
            return Ok(HashMap::new());
        }
        let response = accept(&exchange.read(), response).await?;
        let mut body = Body::of(response, Arc::clone(&exchange)).await;
        let tree = Tree::download(&mut body, "", directory, exchange).await?;
        let found = by_id(Arc::clone(&tree), ids.first().map_or(0, |id| id.len())).await?;
        let pairs = places.iter().zip(&ids);
        let known = pairs.filter_map(|(place, id)| Some((*place, *found.get(*id)?)));
        Ok(known
            .map(|(place, at)| (place, Content::In(Arc::clone(&tree), at)))
            .collect())
    }

    async fn accepted(
        &self,
        exchange: &Exchange,
        answer: Result<Response, crate::http::Failure>,
    ) -> Result<Response, Error> {
        let read = exchange.read();
        accept(&read, answer.map_err(|failure| read.failed(failure))?).await
    }

    fn exchange_of(&self, request: Url) -> Arc<Exchange> {
        Arc::new(Exchange {
            url: self.exchange.url.clone(),
            request,
            authorization: self.exchange.authorization.clone(),
            purpose: Purpose::Tree,
            status: StatusCode::OK.as_u16(),
            cancellation: self.exchange.cancellation.clone(),
        })
    }
}

/// Where the contents of an archive are, by their ids, whatever the archive calls them.
async fn by_id(tree: Arc<Tree>, length: usize) -> Result<HashMap<String, u32>, Error> {
    blocking(move || {
        let like = "0".repeat(length);
        let mut found = HashMap::new();
        for place in 0..tree.len() {
            found.insert(blob::id(&tree.content_now(place)?, &like), place);
        }
        Ok(found)
    })
    .await
}

impl Contents {
    /// The content of the file at a place in the listing.
    ///
    /// # Errors
    /// It was not among those that were read.
    pub async fn get(&self, place: u32) -> Result<Vec<u8>, Error> {
        match self.by_place.get(&place) {
            Some(Content::Here(content)) => Ok(content.to_vec()),
            Some(Content::In(tree, at)) => Arc::clone(tree).content(*at).await,
            None => Err(Error::other("the content of this file was not read")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_ends_where_the_pattern_begins() {
        for (pattern, folder) in [
            ("/**/catalog-info.yaml", "/"),
            ("/services/*/catalog-info.yaml", "/services"),
            ("/a/b.c/{d,e}/f", "/a/b.c"),
            ("a/!(b)/c", "/a"),
            ("/a/@(b)/*.yaml", "/a"),
            ("*", "/"),
            ("a/../b/*", "/a"),
        ] {
            assert_eq!(literal_folder(pattern), folder, "{pattern}");
        }
    }
}
