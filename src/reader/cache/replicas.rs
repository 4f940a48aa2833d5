//! What the replicas of a backend share of repositories: what never changes, sealed for the reader
//! who read it.

use std::{path::PathBuf, sync::Arc, time::Duration};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use tokio::{task, time::Instant};

use super::{
    blob,
    keys::{Key, List},
};
use crate::{
    archive::Archive,
    blocking::blocking,
    credentials::{Authorization, SharedKeys},
    reader::transfer::TemporaryFile,
    rest::{Item, ItemList},
    shared_cache::{Entry, SharedCache, one_cache},
};

/// For how long it is shared.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Nothing larger is shared: it passes through JavaScript, and through a cache that others need too.
const MOST_BYTES: usize = 4 * 1024 * 1024;

/// An archive whose files are larger than this together is not shared: each is verified before.
const MOST_UNPACKED: u64 = 16 * MOST_BYTES as u64;

/// How many contents are asked for at once, and for how long one after the other.
const AT_ONCE: usize = 32;
const PATIENCE: Duration = Duration::from_secs(1);

/// A shared cache, for one reader.
#[derive(Clone, Debug)]
pub(crate) struct Replicas {
    cache: Arc<SharedCache>,
    sharing: SharedKeys,
}

impl Replicas {
    /// `None` where no cache is shared now, or where this principal has no secret to seal with.
    pub(crate) fn of(authorization: &Authorization) -> Option<Self> {
        let cache = one_cache().filter(|cache| !cache.is_left_alone())?;
        let sharing = authorization.sharing().filter(SharedKeys::seals)?;
        Some(Self { cache, sharing })
    }

    /// A list of what is below a folder.
    pub(crate) async fn list(&self, key: &Key) -> Option<List> {
        let list = self.get("items", key.address()).await?;
        sound(serde_json::from_slice(&list).ok()?)
    }

    /// Lists of what is in so many folders.
    pub(crate) async fn folders(&self, place: &str, count: usize) -> Option<Arc<[List]>> {
        let lists = self.get("folders", place).await?;
        let lists: Vec<Vec<Item>> = serde_json::from_slice(&lists).ok()?;
        let lists: Arc<[List]> = lists.into_iter().map(sound).collect::<Option<_>>()?;
        (lists.len() == count).then_some(lists)
    }

    /// The contents with these ids, as far as they are shared.
    pub(crate) async fn blobs(&self, wanted: Vec<(String, Key)>) -> Vec<(String, Key, Bytes)> {
        let until = Instant::now() + PATIENCE;
        let found = wanted.into_iter().map(|(id, key)| async move {
            if Instant::now() > until {
                return None;
            }
            let content = self.get("blob", key.address()).await?;
            (blob::id(&content, &id) == id).then(|| (id, key, Bytes::from(content)))
        });
        let found = stream::iter(found).buffer_unordered(AT_ONCE);
        found.filter_map(std::future::ready).collect().await
    }

    /// An archive, stored as one that was downloaded.
    pub(crate) async fn archive(
        &self,
        key: &Key,
        directory: PathBuf,
    ) -> Option<Arc<TemporaryFile>> {
        let key = self.sharing.key("archive", key.address());
        let sealed = self.cache.get_large(&key).await.ok()??;
        let archive = self.sharing.open(&key, &sealed)?;
        let stored = blocking(move || TemporaryFile::write(&archive, &directory));
        stored.await.ok().map(Arc::new)
    }

    pub(crate) fn share_list(&self, key: &Key, list: &ItemList) {
        // Nothing that is too large is written out.
        if list.bytes() > MOST_BYTES {
            return;
        }
        if let Ok(list) = serde_json::to_vec(list) {
            self.put("items", key.address(), list);
        }
    }

    pub(crate) fn share_folders(&self, place: &str, lists: &[List]) {
        let lists: Vec<&ItemList> = lists.iter().map(AsRef::as_ref).collect();
        if let Ok(lists) = serde_json::to_vec(&lists) {
            self.put("folders", place, lists);
        }
    }

    pub(crate) fn share_blob(&self, key: &Key, content: &[u8]) {
        self.put("blob", key.address(), content.to_vec());
    }

    /// Shares a small archive, if all of it is sound: a shared one cannot be taken back.
    pub(crate) fn share_archive(self, key: Key, stored: Arc<TemporaryFile>) {
        if stored.length() > MOST_BYTES as u64 {
            return;
        }
        task::spawn_blocking(move || {
            if let (true, Ok(archive)) = (is_sound(&stored), stored.read()) {
                self.put("archive", key.address(), archive);
            }
        });
    }

    async fn get(&self, kind: &str, address: &str) -> Option<Vec<u8>> {
        let key = self.sharing.key(kind, address);
        let sealed = self.cache.get(&key).await.ok()??;
        self.sharing.open(&key, &sealed)
    }

    fn put(&self, kind: &str, address: &str, content: Vec<u8>) {
        if content.len() > MOST_BYTES {
            return;
        }
        let key = self.sharing.key(kind, address);
        if let Some(value) = self.sharing.seal(&key, content) {
            let life = LIFE;
            self.cache.set_later(Entry { key, value, life });
        }
    }
}

/// A list, where it is one that a server could have given.
fn sound(list: Vec<Item>) -> Option<List> {
    ItemList::try_from(list).ok().map(Arc::new)
}

fn is_sound(stored: &TemporaryFile) -> bool {
    let archive = stored.open().ok();
    let archive = archive.map(|file| Archive::open(file, &|| false));
    archive.and_then(Result::ok).is_some_and(|archive| {
        let entries = archive.entries();
        let size = entries.iter().map(|entry| entry.size).sum::<u64>();
        size <= MOST_UNPACKED
            && entries
                .iter()
                .all(|entry| archive.content(entry, &|| false).is_ok())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_no_server_could_have_said_is_not_believed_of_a_replica() {
        let item = |path: &str, id: &str| Item {
            path: path.to_owned(),
            id: id.to_owned(),
            is_folder: false,
        };
        let id = "a".repeat(40);
        assert!(sound(vec![item("a", &id), item("b", &id)]).is_some());
        assert!(sound(vec![item("a", &id), item("../b", &id)]).is_none());
        assert!(sound(vec![item("a", "a")]).is_none());
    }
}
