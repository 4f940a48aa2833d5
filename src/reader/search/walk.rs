//! A pattern without `**`, followed level by level: only folders that may match are looked into.

use std::sync::{Arc, LazyLock};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    cache::Coalescer,
    error::Error,
    glob::Segment,
    reader::{
        cache::{Key, List, Replicas, store},
        context::{ReadContext, Wanted, is_not_taken},
    },
    rest::{self, Item, says_no_such_folder},
    telemetry::metrics::{Found, count_lookups},
    url::SafeUrl,
};

/// The answers for many folders at once that are on their way; each list in them is kept by itself.
static FOLDERS: LazyLock<Coalescer<Key, Option<Arc<[List]>>>> = LazyLock::new(Coalescer::default);

/// With more folders on a level than this, one list of everything costs less.
const MOST_FOLDERS: usize = 1_000;

/// How many requests are made at once.
const AT_ONCE: usize = 2;

/// What is looked for on a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Folder,
    File,
}

/// A folder on the way.
struct Folder {
    /// Its path; no slash before it, none at all for the repository.
    path: String,
    /// The id of its tree, which the first one's is not known of.
    id: Option<String>,
}

/// A repository at a commit.
pub(crate) struct Walk<'a> {
    context: &'a ReadContext,
    /// Where folders are asked for.
    request: SafeUrl,
    commit: &'a str,
}

impl<'a> Walk<'a> {
    /// A walk through the folders at a commit.
    pub(crate) fn new(context: &'a ReadContext, commit: &'a str) -> Result<Self, Error> {
        Ok(Self {
            request: context.api.url().to_folders_url()?.into(),
            context,
            commit,
        })
    }

    /// The files below `folder` that may match, in the order in which the server lists them;
    /// `None` where it does not list folders, or has too many.
    pub(crate) async fn files(
        &self,
        folder: &str,
        levels: &[Segment],
    ) -> Result<Option<Vec<Item>>, Error> {
        let mut folders = vec![Folder {
            path: folder.trim_start_matches('/').to_owned(),
            id: None,
        }];
        let Some((last, before)) = levels.split_last() else {
            return Ok(None);
        };
        for level in before {
            let Some(found) = self.level(&folders, level, Kind::Folder).await? else {
                return Ok(None);
            };
            folders = found
                .into_iter()
                .map(|Item { path, id, .. }| Folder { path, id: Some(id) })
                .collect();
        }
        self.level(&folders, last, Kind::File).await
    }

    /// Whether a folder was there that was asked for by its path: one without anything in it is not.
    pub(crate) fn is_there(&self, folder: &str) -> bool {
        let key = self.key(&Folder {
            path: folder.trim_start_matches('/').to_owned(),
            id: None,
        });
        let list = store().lists.get(&key).flatten();
        list.is_none_or(|list| !list.is_empty())
    }

    /// The folders, or the files, that are directly in these folders and may match.
    async fn level(
        &self,
        folders: &[Folder],
        level: &Segment,
        kind: Kind,
    ) -> Result<Option<Vec<Item>>, Error> {
        if folders.len() > MOST_FOLDERS {
            return Ok(None);
        }
        let Some(contents) = self.contents(folders).await? else {
            return Ok(None);
        };
        let inside = folders.iter().zip(&contents);
        let inside =
            inside.flat_map(|(folder, items)| items.iter().map(move |item| (folder, item)));
        let matching = inside.filter(|(_, item)| {
            item.is_folder == (kind == Kind::Folder) && level.may_match(&item.path)
        });
        Ok(Some(
            matching
                .map(|(folder, item)| Item {
                    path: joined(&folder.path, &item.path),
                    ..item.clone()
                })
                .collect(),
        ))
    }

    /// What is in each of these folders, by name.
    async fn contents(&self, folders: &[Folder]) -> Result<Option<Vec<List>>, Error> {
        let kept_now = |folder: &Folder| store().lists.get(&self.key(folder)).flatten();
        let mut contents: Vec<_> = folders.iter().map(kept_now).collect();
        let unknown = contents.iter().zip(folders);
        let unknown: Vec<&Folder> = unknown
            .filter(|(known, _)| known.is_none())
            .map(|(_, folder)| folder)
            .collect();
        count_lookups("lists", Found::Here, folders.len() - unknown.len());
        let requests: Vec<_> = unknown
            .chunks(rest::MOST_FOLDERS)
            .map(|folders| self.ask(folders))
            .collect();
        let mut asked = stream::iter(requests).buffered(AT_ONCE);
        let mut answers = Vec::with_capacity(unknown.len());
        while let Some(answer) = asked.try_next().await? {
            let Some(answer) = answer else {
                return Ok(None);
            };
            answers.extend(answer);
        }
        let mut answers = answers.into_iter();
        for known in &mut contents {
            if known.is_none() {
                *known = answers.next();
            }
        }
        Ok(contents.into_iter().collect())
    }

    /// Asks for what is in these folders, once for all that ask for the same.
    async fn ask(&self, folders: &[&Folder]) -> Result<Option<Vec<List>>, Error> {
        let paths: Vec<String> = folders
            .iter()
            .map(|folder| format!("/{}", folder.path))
            .collect();
        let question = [self.commit, "\0", &paths.join("\0")].concat();
        let key = Key::of_answer(&self.request, &question, self.context.authorization());
        let context = self.context.for_all(self.request.clone());
        let keys = folders.iter().map(|folder| self.key(folder));
        let places: Vec<String> = keys.map(|key| key.address().to_owned()).collect();
        let ask = || shared_or_asked(context, self.commit.to_owned(), paths, places.join("\0"));
        let Some(answer) = FOLDERS.run(&key, ask).await? else {
            return Ok(None);
        };
        for (folder, items) in folders.iter().zip(answer.iter()) {
            store().lists.put(self.key(folder), Some(Arc::clone(items)));
        }
        Ok(Some(answer.to_vec()))
    }

    /// A git tree has the same content everywhere, at any commit.
    fn key(&self, folder: &Folder) -> Key {
        let place = folder.id.as_ref().map_or_else(
            || format!("{} /{}", self.commit, folder.path),
            |id| format!("tree {id}"),
        );
        Key::of_answer(&self.request, &place, self.context.authorization())
    }
}

/// As another replica has listed them, or as the server lists them now.
async fn shared_or_asked(
    context: Arc<ReadContext>,
    commit: String,
    paths: Vec<String>,
    places: String,
) -> Result<Option<Arc<[List]>>, Error> {
    let Some(replicas) = Replicas::of(context.authorization()) else {
        return ask(&context, &commit, &paths).await;
    };
    if let Some(lists) = replicas.folders(&places, paths.len()).await {
        count_lookups("lists", Found::AtReplica, lists.len());
        return Ok(Some(lists));
    }
    let lists = ask(&context, &commit, &paths).await?;
    if let Some(lists) = &lists {
        replicas.share_folders(&places, lists);
    }
    Ok(lists)
}

async fn ask(
    context: &ReadContext,
    commit: &str,
    paths: &[String],
) -> Result<Option<Arc<[List]>>, Error> {
    count_lookups("lists", Found::Nowhere, paths.len());
    let answer = context.send(context.api.folders(commit, paths)?).await?;
    let lists = if is_not_taken(answer.status()) {
        // The one that is asked for by its path alone; the others were found.
        if paths.len() == 1 && says_no_such_folder(answer).await {
            return Ok(Some(Arc::new([List::default()])));
        }
        None
    } else {
        let answer = context.accept(answer, Wanted::Any).await?;
        let lists = rest::item_batches(answer).await;
        lists.ok().and_then(|lists| all_named(paths, lists))
    };
    if lists.is_none() {
        context.falls_back("lists of many folders", "all files are listed");
    }
    Ok(lists)
}

/// A list for each of the folders; `None` where the server listed other folders.
fn all_named(folders: &[String], lists: Vec<Vec<Item>>) -> Option<Arc<[List]>> {
    if lists.len() != folders.len() {
        return None;
    }
    let inside = folders.iter().zip(lists);
    inside.map(|(folder, items)| named(folder, items)).collect()
}

/// The items that are directly in a folder, each with its name as its path; `None` where they are in another
/// folder.
fn named(folder: &str, items: Vec<Item>) -> Option<List> {
    let folder = folder.trim_start_matches('/');
    let prefix = joined(folder, "");
    let is_its = |item: &Item| item.path == folder || item.path.starts_with(&prefix);
    if !items.iter().all(is_its) {
        return None;
    }
    let inside = items.into_iter().filter_map(|item| {
        let name = item.path.strip_prefix(&prefix)?;
        let is_inside = !name.is_empty() && !name.contains('/');
        is_inside.then(|| Item {
            path: name.to_owned(),
            ..item.clone()
        })
    });
    Some(inside.collect())
}

fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn items(paths: &[&str]) -> Vec<Item> {
        let item = |path: &&str| Item {
            path: (*path).to_owned(),
            id: String::new(),
            is_folder: false,
        };
        paths.iter().map(item).collect()
    }

    fn names(folder: &str, paths: &[&str]) -> Option<Vec<String>> {
        let list = named(folder, items(paths))?;
        Some(list.iter().map(|item| item.path.clone()).collect())
    }

    #[test]
    fn items_of_a_folder_have_their_names() {
        assert_eq!(names("/a", &["a", "a/b"]), Some(vec!["b".to_owned()]));
        assert_eq!(names("/", &["", "a"]), Some(vec!["a".to_owned()]));
        assert_eq!(names("/a", &[]), Some(vec![]));
    }

    #[test]
    fn items_of_another_folder_are_no_answer() {
        assert_eq!(names("/a", &["b", "b/c"]), None);
        assert_eq!(names("/a", &["ab/c"]), None);
    }
}
