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
    blocking::blocking,
    cache::Coalescer,
    error::{Error, ErrorKind},
    limits::Limit,
    reader::{
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

/// How many zips are asked for at once.
const ZIPS_AT_ONCE: usize = 4;

/// A zip whose contents take no more than this together is not held open: they are in memory anyway, as far as
/// there is room in the cache.
const MOST_OF_ZIP_IN_MEMORY: u64 = 1024 * 1024;

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
    Large(Arc<Reopenable<Large>>, u64),
    /// In a zip, at this place.
    In(Arc<Tree>, InZip),
}

/// A content that is too large for memory.
#[derive(Debug)]
struct Large(Arc<TemporaryFile>);

impl InFile for Large {
    fn place(&self) -> &OnDisk {
        self.0.place()
    }
}

/// A zip of contents, by the ids of these.
#[derive(Debug)]
enum Zip {
    /// It was small.
    Read(HashMap<String, Bytes>),
    /// It is open.
    Open(Arc<Tree>, HashMap<String, InZip>),
}

impl Zip {
    fn content(&self, id: &str) -> Option<Content> {
        match self {
            Self::Read(contents) => contents.get(id).cloned().map(Content::Here),
            Self::Open(tree, places) => {
                let place = *places.get(id)?;
                Some(Content::In(Arc::clone(tree), place))
            }
        }
    }
}

/// A content in a zip: its place, and how many bytes it has.
#[derive(Clone, Copy, Debug)]
struct InZip {
    place: u32,
    size: u64,
}

/// Contents that are wanted of a zip: at which index of those that were asked for, and its place in the zip.
struct FromZip<'a> {
    tree: &'a Arc<Tree>,
    wanted: Vec<(usize, u32)>,
}

impl<'a> FromZip<'a> {
    const fn of(tree: &'a Arc<Tree>) -> Self {
        let wanted = Vec::new();
        Self { tree, wanted }
    }
}

impl Contents {
    /// How many bytes the file at a place in the listing has; 0 where it was not read.
    #[must_use]
    pub fn size(&self, place: u32) -> u64 {
        match self.content(place) {
            Ok(Content::Here(content)) => content.len() as u64,
            Ok(Content::Large(_, size) | Content::In(_, InZip { size, .. })) => *size,
            Err(_) => 0,
        }
    }

    /// The contents of the files at these places in the listing, or an error for each.
    ///
    /// # Errors
    /// The work was interrupted, or what they are in cannot be obtained again.
    pub async fn get(&self, places: &[u32]) -> Result<Vec<Result<Vec<u8>, Error>>, Error> {
        let mut contents = Vec::with_capacity(places.len());
        let mut zipped: HashMap<usize, FromZip<'_>> = HashMap::new();
        for (index, place) in places.iter().enumerate() {
            contents.push(match self.content(*place) {
                Ok(Content::Here(content)) => Ok(content.to_vec()),
                Ok(Content::Large(large, _)) => content_of(large).await,
                Ok(Content::In(tree, at)) => {
                    let of_zip = zipped.entry(Arc::as_ptr(tree).addr());
                    let of_zip = of_zip.or_insert_with(|| FromZip::of(tree));
                    of_zip.wanted.push((index, at.place));
                    Ok(Vec::new())
                }
                Err(error) => Err(error),
            });
        }
        for FromZip { tree, wanted } in zipped.into_values() {
            let places = wanted.iter().map(|(_, place)| *place);
            let came = Arc::clone(tree).contents(places.collect()).await?;
            for ((index, _), content) in wanted.iter().zip(came) {
                if let Some(empty) = contents.get_mut(*index) {
                    *empty = content;
                }
            }
        }
        Ok(contents)
    }

    fn content(&self, place: u32) -> Result<&Content, Error> {
        let content = self.by_id.get(&self.listing.file(place)?.id());
        content.ok_or_else(|| Error::other("the content of this file was not read"))
    }
}

async fn content_of(large: &Arc<Reopenable<Large>>) -> Result<Vec<u8>, Error> {
    let large = large.get().await?;
    Blob::Large(Arc::clone(&large.0)).content().await
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
        .map(|place| Ok(listing.file(*place)?.id()))
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

impl Reading<'_> {
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
            found.extend(self.in_zips(&ids).await?);
        }
        // What a zip did not have is asked for as well.
        ids.retain(|id| !found.contains_key(id));
        let paths = self.paths_by_id(&ids);
        let singles: Vec<(String, Content)> = stream::iter(ids)
            .map(|id| self.single(paths.get(&id).map(String::as_str), id))
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
            Blob::Large(stored) => {
                let size = stored.length();
                Content::Large(single.held(stored), size)
            }
        };
        Ok((id, read))
    }

    /// The contents that zips have, several of which are asked for at once.
    async fn in_zips(self, ids: &[String]) -> Result<Vec<(String, Content)>, Error> {
        let mut chunks = ids.chunks(PER_ZIP);
        let mut found = Vec::with_capacity(ids.len());
        // By the first it is seen whether the server gives zips: it is not asked in vain for several.
        if let Some(first) = chunks.next() {
            let Some(zipped) = self.zipped(first).await? else {
                return Ok(found);
            };
            found.extend(zipped);
        }
        let requests: Vec<_> = chunks.map(|ids| self.zipped(ids)).collect();
        let mut zips = stream::iter(requests).buffer_unordered(ZIPS_AT_ONCE);
        while let Some(zipped) = zips.try_next().await? {
            let Some(zipped) = zipped else {
                break;
            };
            found.extend(zipped);
        }
        Ok(found)
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
            let known = ids.iter();
            known
                .filter_map(|id| Some((id.clone(), zip.content(id)?)))
                .collect()
        }))
    }

    /// For each of these ids a file that has this content.
    fn paths_by_id(self, ids: &[String]) -> HashMap<String, String> {
        let decoded = ids.iter().filter_map(|id| hex::decode(id).ok());
        let wanted: HashSet<Vec<u8>> = decoded.collect();
        if wanted.is_empty() {
            return HashMap::new();
        }
        let files = self.listing.files();
        let files = files.filter(|file| wanted.contains(file.id_bytes()));
        files.map(|file| (file.id(), file.path())).collect()
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
        let identified = Identified::read(&files, &keys, replicas.as_ref(), &is_ended)?;
        Ok(identified.zip(tree))
    })
    .await
}

/// What is in a zip, by the ids of contents.
#[derive(Default)]
struct Identified {
    places: HashMap<String, InZip>,
    /// The contents, while they are not too many.
    contents: HashMap<String, Bytes>,
    size: u64,
}

impl Identified {
    /// Finds out what is where, whatever the zip calls it; small contents are kept, and shared.
    fn read(
        files: &Files,
        keys: &HashMap<String, Key>,
        replicas: Option<&Replicas>,
        is_ended: &(impl Fn() -> bool + Sync),
    ) -> Result<Self, Error> {
        let like = keys.keys().next().map_or("", String::as_str);
        let mut identified = Self::default();
        for place in 0..files.len() {
            let content = Bytes::from(files.content(place, is_ended)?);
            let id = blob_id(&content, like);
            if let Some(key) = keys.get(&id).filter(|_| content.len() <= MOST_IN_MEMORY) {
                if let Some(replicas) = replicas {
                    replicas.share_blob(key, &content);
                }
                let small = Blob::Small(content.clone());
                store().blobs.put(key.clone(), small);
            }
            identified.add(id, place, content);
        }
        Ok(identified)
    }

    fn add(&mut self, id: String, place: u32, content: Bytes) {
        let size = content.len() as u64;
        self.size += size;
        if self.is_small() {
            self.contents.insert(id.clone(), content);
        } else {
            self.contents.clear();
        }
        self.places.insert(id, InZip { place, size });
    }

    fn is_small(&self) -> bool {
        self.size <= MOST_OF_ZIP_IN_MEMORY
    }

    fn zip(self, tree: Arc<Tree>) -> Zip {
        if self.is_small() {
            Zip::Read(self.contents)
        } else {
            Zip::Open(tree, self.places)
        }
    }
}
