//! The contents of files that a search has found: as they are kept, one by one, or in zips.

use std::{
    collections::{HashMap, HashSet},
    pin::pin,
    sync::{Arc, LazyLock},
};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt, TryStreamExt, stream};

use super::listing::Listing;
use crate::{
    cache::Coalescer,
    error::{Error, ErrorKind},
    limits::Limit,
    reader::{
        blocking::blocking,
        cache::{
            Blob, FreshOrStale, Key, MOST_IN_MEMORY, Replicas, StaleSlot, id as blob_id, store,
        },
        context::{ReadContext, Wanted, is_not_taken, is_unknown},
        transfer::{Body, InFile, OnDisk, Reopenable, TemporaryFile},
        tree::{Again, Files, Tree},
    },
    rest::Conditions,
    telemetry::metrics::{Found, count_lookups},
};

/// The zips of contents that are on their way; each content in them is kept by itself.
static ZIPS: LazyLock<Coalescer<Key, Option<Arc<Zip>>>> = LazyLock::new(Coalescer::default);

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
    Large(Arc<Reopenable<Large>>),
    /// In a zip, at this place.
    In(Arc<Zip>, u32),
}

/// A content that is too large for memory.
#[derive(Debug)]
struct Large(Arc<TemporaryFile>);

impl InFile for Large {
    fn place(&self) -> &OnDisk {
        self.0.place()
    }
}

/// A zip of contents.
#[derive(Debug)]
struct Zip {
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

/// Reads the contents of the files at these places of a listing: few one by one, many in zips. `None` where
/// the principal is throttled meanwhile, and a stale answer may stand in for this search.
///
/// # Errors
/// A content cannot be obtained, or does not match its id; the search was ended.
pub(crate) async fn contents(
    listing: &Arc<Listing>,
    places: &[u32],
    last: &StaleSlot<String>,
) -> Result<Option<Contents>, Error> {
    let ids: Result<Vec<String>, Error> = places
        .iter()
        .map(|place| Ok(listing.item(*place)?.id.clone()))
        .collect();
    let reading = Reading { listing };
    let read = pin!(reading.read(ids?));
    let read = unless_throttled(listing, last, read);
    let by_id = listing.context.until_ended(read).await?;
    Ok(by_id.map(|by_id| Contents {
        by_id,
        listing: Arc::clone(listing),
    }))
}

/// The last step of a search, after which it may stand in for a later one.
async fn unless_throttled<T>(
    listing: &Listing,
    last: &StaleSlot<String>,
    read: impl Future<Output = Result<T, Error>>,
) -> Result<Option<T>, Error> {
    if listing.age.is_some() {
        return read.await.map(Some);
    }
    match last.or_before(&listing.context, read).await? {
        FreshOrStale::Fresh(read) => {
            last.put(listing.etag.clone());
            Ok(Some(read))
        }
        FreshOrStale::Stale(_) => Ok(None),
    }
}

/// The contents of a listing's files, as they are read.
#[derive(Clone, Copy)]
struct Reading<'a> {
    listing: &'a Listing,
}

impl<'a> Reading<'a> {
    async fn read(self, mut ids: Vec<String>) -> Result<HashMap<String, Content>, Error> {
        ids.sort_unstable();
        ids.dedup();
        let mut found = HashMap::new();
        ids.retain(|id| {
            let kept = self.key(id).ok().and_then(|key| store().blobs.get(&key));
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
    async fn shared(self, ids: &[String]) -> Result<Vec<(String, Bytes)>, Error> {
        let Some(replicas) = Replicas::of(self.listing.context.authorization()) else {
            return Ok(Vec::new());
        };
        let wanted = ids.iter().map(|id| Ok((id.clone(), self.key(id)?)));
        let found = replicas.blobs(wanted.collect::<Result<_, Error>>()?).await;
        count_lookups("contents", Found::AtReplica, found.len());
        let keep = |(id, key, content): (String, Key, Bytes)| {
            store().blobs.put(key, Blob::Small(content.clone()));
            (id, content)
        };
        Ok(found.into_iter().map(keep).collect())
    }

    fn key(self, id: &str) -> Result<Key, Error> {
        let context = &self.listing.context;
        let url = context.api.url().to_blobs_url(Some(id))?;
        Ok(Key::of(&url, context.authorization()))
    }

    async fn single(self, path: Option<&str>, id: String) -> Result<(String, Content), Error> {
        let context = &self.listing.context;
        let url = context.api.url();
        let request = url.to_blobs_url(Some(&id))?;
        let key = Key::of(&request, context.authorization());
        let file = url.at_path(&format!("/{}", path.unwrap_or_default()));
        let as_file = ReadContext {
            api: context.api.at(file),
            ..(**context).clone()
        };
        let single = Single {
            as_blob: context.for_all(request.into()),
            as_file: as_file.for_all(as_file.api.url().to_file_url()?.into()),
            id: id.clone(),
            key,
        };
        let read = match single.clone().read().await? {
            Blob::Small(bytes) => Content::Here(bytes),
            Blob::Large(stored) => Content::Large(single.held(stored)),
        };
        Ok((id, read))
    }

    /// The contents that a zip has; `None` where the server gives no such zips.
    async fn zipped(self, ids: &[String]) -> Result<Option<Vec<(String, Content)>>, Error> {
        let context = &self.listing.context;
        let request = context.api.url().to_blobs_url(None)?;
        let key = Key::of_answer(&request, &ids.concat(), context.authorization());
        let context = context.for_all(request.into());
        let keys: Result<HashMap<String, Key>, Error> = ids
            .iter()
            .map(|id| Ok((id.clone(), self.key(id)?)))
            .collect();
        let keys = keys?;
        let zip = ZIPS.run(&key, || zip(context, keys)).await?;
        Ok(zip.map(|zip| {
            let known = ids.iter().filter_map(|id| Some((id, *zip.places.get(id)?)));
            let known = known.map(|(id, place)| (id.clone(), Content::In(Arc::clone(&zip), place)));
            known.collect()
        }))
    }

    /// For each of these ids a file that has this content.
    fn paths_by_id(self, ids: &[String]) -> HashMap<String, &'a str> {
        let wanted: HashSet<&String> = ids.iter().collect();
        let items = self
            .listing
            .items
            .iter()
            .filter(|item| wanted.contains(&item.id));
        items
            .map(|item| (item.id.clone(), item.path.as_str()))
            .collect()
    }
}

/// A content that is asked for by itself: as a blob, or as a file that has it.
#[derive(Clone)]
struct Single {
    as_blob: Arc<ReadContext>,
    as_file: Arc<ReadContext>,
    id: String,
    key: Key,
}

impl Single {
    /// The content as it is kept, or comes.
    async fn read(self) -> Result<Blob, Error> {
        let key = self.key.clone();
        store()
            .blobs
            .get_or_make(&key, || self.ask_and_share())
            .await
    }

    /// A large one, which is read again after it was closed.
    fn held(self, stored: Arc<TemporaryFile>) -> Arc<Reopenable<Large>> {
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
        Reopenable::of(Large(stored), Box::new(again)).held()
    }

    /// Reads the content, for other replicas as well.
    async fn ask_and_share(self) -> Result<Blob, Error> {
        let replicas = Replicas::of(self.as_blob.authorization());
        let blob = self.ask().await?;
        if let (Some(replicas), Blob::Small(content)) = (replicas, &blob) {
            replicas.share_blob(&self.key, content);
        }
        Ok(blob)
    }

    /// Reads the content as a blob, or as the file that has it where the server gives no blobs, or
    /// another one.
    async fn ask(&self) -> Result<Blob, Error> {
        let Self {
            as_blob,
            as_file,
            id,
            ..
        } = self;
        let answer = as_blob.send(as_blob.api.blob(id)?).await?;
        if !is_unknown(answer.status()) {
            let answer = as_blob.accept(answer, Wanted::Any).await?;
            if let Some(blob) = Blob::receive(answer, as_blob, id).await? {
                return Ok(blob);
            }
        }
        as_blob.falls_back("blobs", "contents are read as files");
        let call = as_file.api.file(&Conditions::default())?;
        let answer = as_file.fetch(call, Wanted::Any).await?;
        let (status, is_page) = (answer.status(), answer.is_page());
        let received = Blob::receive(answer, as_file, id).await?;
        received.ok_or_else(|| {
            if is_page {
                return as_file.messages().page(status, "a file");
            }
            let why = format!("the received content does not match object id {id}");
            as_file.messages().unusable(ErrorKind::Other, &why)
        })
    }
}

/// Reads contents in a zip; `None` where the server gives no such zips.
async fn zip(
    context: Arc<ReadContext>,
    keys: HashMap<String, Key>,
) -> Result<Option<Arc<Zip>>, Error> {
    let ids: Arc<[String]> = keys.keys().cloned().collect();
    let stored = stored_zip(&context, &ids).await?;
    let again = zip_again(Arc::clone(&context), ids);
    let zip = match stored {
        Some(stored) => opened(stored, Arc::clone(&context), keys, again).await.ok(),
        None => None,
    };
    if zip.is_none() {
        context.falls_back("zips of blobs", "contents are read one by one");
    }
    Ok(zip.map(Arc::new))
}

/// Asks for contents in a zip, and stores that.
async fn stored_zip(
    context: &Arc<ReadContext>,
    ids: &[String],
) -> Result<Option<TemporaryFile>, Error> {
    let answer = context.send(context.api.blobs(ids)?).await?;
    if is_not_taken(answer.status()) || answer.is_page() {
        return Ok(None);
    }
    let answer = context.accept(answer, Wanted::Any).await?;
    let mut body = Body::of(answer, Arc::clone(context)).await;
    let directory = context.policy.directory.clone();
    let stored = TemporaryFile::download(&mut body, Limit::ArchiveBytes, directory).await?;
    Ok(Some(stored))
}

/// How a zip is obtained again after it was closed.
fn zip_again(context: Arc<ReadContext>, ids: Arc<[String]>) -> Again {
    Arc::new(move || {
        let (context, ids) = (Arc::clone(&context), Arc::clone(&ids));
        async move {
            let stored = stored_zip(&context, &ids).await?;
            let none = || Error::other("the server does not support zips of blobs any more");
            stored.map(Arc::new).ok_or_else(none)
        }
        .boxed()
    })
}

/// The zip in a file, and what is where in it.
async fn opened(
    stored: TemporaryFile,
    context: Arc<ReadContext>,
    keys: HashMap<String, Key>,
    again: Again,
) -> Result<Zip, Error> {
    let replicas = Replicas::of(context.authorization());
    let reading = Arc::clone(&context);
    let tree = Tree::open(Arc::new(stored), "", context, None, again).await?;
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
        let id = blob_id(&content, like);
        if let Some(key) = keys.get(&id).filter(|_| content.len() <= MOST_IN_MEMORY) {
            if let Some(replicas) = replicas {
                replicas.share_blob(key, &content);
            }
            store().blobs.put(key.clone(), Blob::Small(content.into()));
        }
        places.insert(id, place);
    }
    Ok(places)
}
