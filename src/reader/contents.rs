//! The contents of files that a search has found: as they are kept, one by one, or in zips.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::Arc,
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::{
    blob::{self, Blob},
    body::Body,
    exchange::Exchange,
    explain::Wanted,
    held::{Held, InFile},
    kept::{Key, MOST_BLOB, kept},
    last_good::Answer,
    listing::Listing,
    read_tree::{accept, is_not_taken, is_unknown},
    replicas::Replicas,
    stored::{OnDisk, Stored},
    tree::{Again, Files, Tree, blocking},
};
use crate::{
    error::{Error, ErrorKind},
    http::{Client, is_page},
    limits::Limit,
    metrics::{Found, count_lookups},
    rest::{self, Conditions},
    url::parse,
};

/// So few contents are asked for one by one.
const ONE_BY_ONE: usize = 4;

/// The most contents that one zip is asked for.
const PER_ZIP: usize = 500;

/// The contents of files that were chosen.
#[derive(Debug)]
pub struct Contents {
    /// By the id of the file's content.
    by_id: HashMap<String, Content>,
    listing: Arc<Listing>,
}

#[derive(Clone, Debug)]
enum Content {
    Here(Bytes),
    /// In a file of its own.
    Large(Arc<Held<Large>>),
    /// In a zip, at this place.
    In(Arc<Zip>, u32),
}

/// A content that is too large for memory.
#[derive(Debug)]
struct Large(Arc<Stored>);

impl InFile for Large {
    fn place(&self) -> &OnDisk {
        self.0.place()
    }
}

/// A zip of contents.
#[derive(Debug)]
pub(super) struct Zip {
    tree: Arc<Tree>,
    /// Where the contents are, by their ids.
    places: HashMap<String, u32>,
}

impl Contents {
    /// The content of the file at a place in the listing.
    ///
    /// # Errors
    /// It was not among those that were read.
    pub async fn get(&self, place: u32) -> Result<Vec<u8>, Error> {
        match self.by_id.get(&self.listing.item(place)?.id) {
            Some(Content::Here(content)) => Ok(content.to_vec()),
            Some(Content::Large(large)) => {
                let large = large.get().await?;
                Blob::Large(Arc::clone(&large.0)).content().await
            }
            Some(Content::In(zip, at)) => Arc::clone(&zip.tree).content(*at).await,
            None => Err(Error::other("the content of this file was not read")),
        }
    }
}

impl Listing {
    /// Reads the contents of the files at these places: few one by one, many in zips. Nothing where
    /// whoever reads is blocked meanwhile, and an earlier search may stand in for this one.
    ///
    /// # Errors
    /// A content is not to be had, or not what its id says; the search was ended.
    pub async fn contents(self: Arc<Self>, places: Vec<u32>) -> Result<Option<Contents>, Error> {
        let ids: Result<Vec<String>, Error> = places
            .iter()
            .map(|place| Ok(self.item(*place)?.id.clone()))
            .collect();
        let read = self.unless_blocked(self.read(ids?));
        let read = self.exchange.cancellation.run_until_cancelled(read).await;
        let by_id = read.unwrap_or_else(|| Err(self.exchange.ended()))?;
        Ok(by_id.map(|by_id| Contents {
            by_id,
            listing: self,
        }))
    }

    /// The last step of a search, after which it may stand in for a later one.
    async fn unless_blocked<T>(
        &self,
        read: impl Future<Output = Result<T, Error>>,
    ) -> Result<Option<T>, Error> {
        if self.age.is_some() {
            return read.await.map(Some);
        }
        let Exchange {
            request,
            authorization,
            ..
        } = &*self.exchange;
        match self.last.or_before(request, authorization, read).await? {
            Answer::New(read) => {
                self.last.put(self.etag.clone());
                Ok(Some(read))
            }
            Answer::Last(_) => Ok(None),
        }
    }

    async fn read(&self, mut ids: Vec<String>) -> Result<HashMap<String, Content>, Error> {
        ids.sort_unstable();
        ids.dedup();
        let mut found = HashMap::new();
        ids.retain(|id| {
            let kept = self.key(id).ok().and_then(|key| kept().blobs.get(&key));
            let Some(Blob::Small(content)) = kept else {
                return true;
            };
            found.insert(id.clone(), Content::Here(content));
            false
        });
        count_lookups("contents", Found::Here, found.len());
        for (id, content) in self.shared(&ids).await? {
            found.insert(id, Content::Here(content));
        }
        ids.retain(|id| !found.contains_key(id));
        count_lookups("contents", Found::Nowhere, ids.len());
        if ids.len() > ONE_BY_ONE {
            for ids in ids.chunks(PER_ZIP) {
                let Some(zipped) = self.zipped(ids).await? else {
                    break;
                };
                found.extend(zipped);
            }
        }
        // What a zip did not have is asked for as well.
        ids.retain(|id| !found.contains_key(id));
        let paths = self.paths_by_id(&ids);
        let singles: Vec<(String, Content)> = stream::iter(ids)
            .map(|id| self.single(paths.get(&id).copied(), id))
            .buffer_unordered(ONE_BY_ONE)
            .try_collect()
            .await?;
        found.extend(singles);
        Ok(found)
    }

    /// The contents that other replicas have read.
    async fn shared(&self, ids: &[String]) -> Result<Vec<(String, Bytes)>, Error> {
        let Some(replicas) = Replicas::of(&self.exchange.authorization) else {
            return Ok(Vec::new());
        };
        let wanted = ids.iter().map(|id| Ok((id.clone(), self.key(id)?)));
        let found = replicas.blobs(wanted.collect::<Result<_, Error>>()?).await;
        count_lookups("contents", Found::AtReplica, found.len());
        let keep = |(id, key, content): (String, Key, Bytes)| {
            kept().blobs.put(key, Blob::Small(content.clone()));
            (id, content)
        };
        Ok(found.into_iter().map(keep).collect())
    }

    fn key(&self, id: &str) -> Result<Key, Error> {
        let url = parse(&self.url.to_blobs_url(Some(id))?)?;
        Ok(Key::of(&url, &self.exchange.authorization))
    }

    async fn single(&self, path: Option<&str>, id: String) -> Result<(String, Content), Error> {
        let request = parse(&self.url.to_blobs_url(Some(&id))?)?;
        let key = Key::of(&request, &self.exchange.authorization);
        let path = format!("/{}", path.unwrap_or_default());
        let file = self.url.at_path(&path).to_file_url()?;
        let as_file = self.exchange.for_all(parse(&file)?);
        let as_blob = self.exchange.for_all(request);
        let single = Single {
            ways: [as_blob, as_file],
            id: id.clone(),
            key,
            directory: self.directory.clone(),
        };
        let content = match single.clone().read().await? {
            Blob::Small(content) => Content::Here(content),
            Blob::Large(stored) => Content::Large(single.held(stored)),
        };
        Ok((id, content))
    }

    /// The contents that a zip has; nothing where the server gives no such zips.
    async fn zipped(&self, ids: &[String]) -> Result<Option<Vec<(String, Content)>>, Error> {
        let request = parse(&self.url.to_blobs_url(None)?)?;
        let authorization = &self.exchange.authorization;
        let key = Key::of_answer(&request, &ids.concat(), authorization);
        let exchange = self.exchange.for_all(request);
        let keys: Result<HashMap<String, Key>, Error> = ids
            .iter()
            .map(|id| Ok((id.clone(), self.key(id)?)))
            .collect();
        let keys = keys?;
        let zip = kept()
            .zips
            .get_or_make(&key, || zip(exchange, keys, self.directory.clone()));
        let zip = zip.await?;
        Ok(zip.map(|zip| {
            let known = ids.iter().filter_map(|id| Some((id, *zip.places.get(id)?)));
            let known = known.map(|(id, place)| (id.clone(), Content::In(Arc::clone(&zip), place)));
            known.collect()
        }))
    }

    /// For each of these ids a file that has this content.
    fn paths_by_id(&self, ids: &[String]) -> HashMap<String, &str> {
        let wanted: HashSet<&String> = ids.iter().collect();
        let items = self.items.iter().filter(|item| wanted.contains(&item.id));
        items
            .map(|item| (item.id.clone(), item.path.as_str()))
            .collect()
    }
}

/// A content that is asked for by itself.
#[derive(Clone)]
struct Single {
    ways: [Arc<Exchange>; 2],
    id: String,
    key: Key,
    directory: PathBuf,
}

impl Single {
    /// The content as it is kept, or comes.
    async fn read(self) -> Result<Blob, Error> {
        let Self {
            ways,
            id,
            key,
            directory,
        } = self;
        let ask = || blob_to_share(key.clone(), ways, id, directory);
        kept().blobs.get_or_make(&key, ask).await
    }

    /// A large one, which is read again where it was let go of.
    fn held(self, stored: Arc<Stored>) -> Arc<Held<Large>> {
        let again = move || {
            let single = self.clone();
            async move {
                match single.read().await? {
                    Blob::Large(stored) => Ok(Large(stored)),
                    Blob::Small(_) => Err(Error::other("what came again is another content")),
                }
            }
            .boxed()
        };
        Held::of(Large(stored), Box::new(again)).held()
    }
}

/// Reads one content, for other replicas as well.
async fn blob_to_share(
    key: Key,
    ways: [Arc<Exchange>; 2],
    id: String,
    directory: PathBuf,
) -> Result<Blob, Error> {
    let replicas = Replicas::of(&ways[0].authorization);
    let blob = blob(ways, id, directory).await?;
    if let (Some(replicas), Blob::Small(content)) = (replicas, &blob) {
        replicas.share_blob(&key, content);
    }
    Ok(blob)
}

/// Reads one content: as a blob, or as the file that has it where the server gives no blobs, or
/// another one.
async fn blob(
    [as_blob, as_file]: [Arc<Exchange>; 2],
    id: String,
    directory: PathBuf,
) -> Result<Blob, Error> {
    let client = Client::shared()?;
    let request = as_blob.request.clone();
    let answer = rest::get_blob(client, request, &as_blob.authorization).await;
    let answer = answer.map_err(|failure| as_blob.read().failed(failure))?;
    if !is_unknown(answer.status()) {
        let response = accept(&as_blob.read(), answer).await?;
        let received = Blob::receive(response, &as_blob, &id, directory.clone());
        if let Some(blob) = received.await? {
            return Ok(blob);
        }
    }
    as_blob.falls_back("blobs", "contents are read as files");
    let (request, conditions) = (as_file.request.clone(), Conditions::default());
    let answer = rest::get_item(client, request, &as_file.authorization, &conditions).await;
    let answer = answer.map_err(|failure| as_file.read().failed(failure))?;
    let response = accept(&as_file.read(), answer).await?;
    let (status, is_page) = (response.status(), is_page(&response));
    let received = Blob::receive(response, &as_file, &id, directory).await?;
    received.ok_or_else(|| {
        if is_page {
            return as_file.read().page(status, Wanted::File);
        }
        let why = format!("what came is something else than {id}");
        as_file.read().unusable(ErrorKind::Other, &why)
    })
}

/// Reads contents in a zip; nothing where the server gives no such zips.
async fn zip(
    exchange: Arc<Exchange>,
    keys: HashMap<String, Key>,
    directory: PathBuf,
) -> Result<Option<Arc<Zip>>, Error> {
    let ids: Arc<[String]> = keys.keys().cloned().collect();
    let stored = stored_zip(&exchange, &ids, directory.clone()).await?;
    let again = zip_again(Arc::clone(&exchange), ids, directory);
    let zip = match stored {
        Some(stored) => opened(stored, Arc::clone(&exchange), keys, again)
            .await
            .ok(),
        None => None,
    };
    if zip.is_none() {
        exchange.falls_back("zips of blobs", "contents are read one by one");
    }
    Ok(zip.map(Arc::new))
}

/// Asks for contents in a zip, and stores that.
async fn stored_zip(
    exchange: &Arc<Exchange>,
    ids: &[String],
    directory: PathBuf,
) -> Result<Option<Stored>, Error> {
    let read = exchange.read();
    let ids: Vec<&String> = ids.iter().collect();
    let (client, request) = (Client::shared()?, exchange.request.clone());
    let answer = rest::get_blobs(client, request, read.authorization, &ids).await;
    let response = answer.map_err(|failure| read.failed(failure))?;
    if is_not_taken(response.status()) || is_page(&response) {
        return Ok(None);
    }
    let response = accept(&read, response).await?;
    let mut body = Body::of(response, Arc::clone(exchange)).await;
    let stored = Stored::download(&mut body, Limit::ArchiveBytes, directory, exchange).await?;
    Ok(Some(stored))
}

/// How a zip is had again that was let go of.
fn zip_again(exchange: Arc<Exchange>, ids: Arc<[String]>, directory: PathBuf) -> Again {
    Arc::new(move || {
        let (exchange, ids) = (Arc::clone(&exchange), Arc::clone(&ids));
        let directory = directory.clone();
        async move {
            let stored = stored_zip(&exchange, &ids, directory).await?;
            let none = || Error::other("the server gives no zips of contents any more");
            stored.map(Arc::new).ok_or_else(none)
        }
        .boxed()
    })
}

/// The zip in a file, and what is where in it.
async fn opened(
    stored: Stored,
    exchange: Arc<Exchange>,
    keys: HashMap<String, Key>,
    again: Again,
) -> Result<Zip, Error> {
    let replicas = Replicas::of(&exchange.authorization);
    let reading = Arc::clone(&exchange);
    let tree = Tree::open(Arc::new(stored), "", exchange, None, again).await?;
    let files = tree.files().await?;
    blocking(move || {
        let is_ended = || reading.cancellation.is_cancelled();
        let places = identified(&files, &keys, replicas.as_ref(), &is_ended)?;
        Ok(Zip { tree, places })
    })
    .await
}

/// Where the contents of a zip are, by their ids, whatever the zip calls them; small ones are kept,
/// and shared.
fn identified(
    files: &Files,
    keys: &HashMap<String, Key>,
    replicas: Option<&Replicas>,
    is_ended: &(impl Fn() -> bool + Sync),
) -> Result<HashMap<String, u32>, Error> {
    let like = keys.keys().next().map_or("", String::as_str);
    let mut places = HashMap::new();
    for place in 0..files.len() {
        let content = files.content(place, is_ended)?;
        let id = blob::id(&content, like);
        if let Some(key) = keys.get(&id).filter(|_| content.len() <= MOST_BLOB) {
            if let Some(replicas) = replicas {
                replicas.share_blob(key, &content);
            }
            kept().blobs.put(key.clone(), Blob::Small(content.into()));
        }
        places.insert(id, place);
    }
    Ok(places)
}
