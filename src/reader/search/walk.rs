//! A pattern without `**`, followed level by level: only folders that may match are looked into.

use std::sync::{Arc, LazyLock};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    blocking::blocking,
    cache::Coalescer,
    error::Error,
    glob::Segment,
    http::Answer,
    reader::{
        cache::{Key, List, Replicas, store},
        context::{ReadContext, Wanted, is_not_taken},
    },
    rest::{self, InvalidAnswer, ItemList, ItemListBuilder, Listed, says_no_such_folder},
    telemetry::metrics::{Found, count_lookups},
    url::SafeUrl,
};

/// The answers for many folders at once that are on their way; each list in them is kept by itself.
static FOLDERS: LazyLock<Coalescer<Key, Option<Arc<[List]>>>> = LazyLock::new(Coalescer::default);

/// With more folders on a level than this of which nothing is known, one list of everything costs less.
const MOST_UNKNOWN: usize = 1_000;

/// How many requests are made at once.
const AT_ONCE: usize = 2;

/// A folder on the way.
pub(crate) struct Folder {
    /// Its path; no slash before it, none at all for the repository.
    pub(crate) path: String,
    /// The id of its tree, which the first one's is not known of.
    id: Option<String>,
}

impl Folder {
    /// The folder at a path, of which nothing is known.
    pub(crate) fn at(path: &str) -> Self {
        Self {
            path: path.trim_matches('/').to_owned(),
            id: None,
        }
    }

    /// A folder in it.
    pub(crate) fn inner(&self, item: Listed<'_>) -> Self {
        Self {
            path: joined(&self.path, item.name),
            id: Some(item.id()),
        }
    }
}

/// What is in folders, each with the folder.
fn inside<'a>(
    folders: &'a [Folder],
    contents: &'a [List],
) -> impl Iterator<Item = (&'a Folder, Listed<'a>)> {
    let both = folders.iter().zip(contents);
    both.flat_map(|(folder, items)| items.iter().map(move |item| (folder, item)))
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
    ) -> Result<Option<ItemList>, Error> {
        let Some((last, before)) = levels.split_last() else {
            return Ok(None);
        };
        let mut folders = vec![Folder::at(folder)];
        for level in before {
            let Some(contents) = self.contents(&folders).await? else {
                return Ok(None);
            };
            let inside = inside(&folders, &contents);
            let matching = inside.filter(|(_, item)| item.is_folder && level.may_match(item.name));
            folders = matching.map(|(folder, item)| folder.inner(item)).collect();
        }
        let Some(contents) = self.contents(&folders).await? else {
            return Ok(None);
        };
        let mut files = ItemListBuilder::default();
        let matching = inside(&folders, &contents)
            .filter(|(_, item)| !item.is_folder && last.may_match(item.name));
        for (folder, item) in matching {
            if files.add_in(&folder.path, item).is_err() {
                return Ok(None);
            }
        }
        Ok(Some(files.build()))
    }

    /// Whether a folder was there that was asked for by its path: one without anything in it is not.
    pub(crate) fn is_there(&self, folder: &str) -> bool {
        let key = self.key(&Folder::at(folder));
        let list = store().lists.get(&key).flatten();
        list.is_none_or(|list| !list.is_empty())
    }

    /// What is in each of these folders, by name; `None` where the server does not list folders, or where too
    /// many of these are not known.
    pub(crate) async fn contents(&self, folders: &[Folder]) -> Result<Option<Vec<List>>, Error> {
        let kept_now = |folder: &Folder| store().lists.get(&self.key(folder)).flatten();
        let mut contents: Vec<_> = folders.iter().map(kept_now).collect();
        let unknown = contents.iter().zip(folders);
        let unknown: Vec<&Folder> = unknown
            .filter(|(known, _)| known.is_none())
            .map(|(_, folder)| folder)
            .collect();
        if unknown.len() > MOST_UNKNOWN {
            return Ok(None);
        }
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
        let lists = parsed(answer, rest::item_batches_in).await?;
        lists.and_then(|lists| all_named(paths, lists))
    };
    if lists.is_none() {
        context.falls_back("lists of many folders", "all files are listed");
    }
    Ok(lists)
}

/// What the JSON of an answer says, which may be long, so that it is parsed where nothing waits for the network;
/// `None` where it is no such list.
pub(super) async fn parsed<T: Send + 'static>(
    answer: Answer,
    parse: fn(&[u8]) -> Result<T, InvalidAnswer>,
) -> Result<Option<T>, Error> {
    let Ok(content) = rest::content(answer, "files").await else {
        return Ok(None);
    };
    blocking(move || Ok(parse(&content).ok())).await
}

/// A list for each of the folders; `None` where the server listed other folders.
fn all_named(folders: &[String], lists: Vec<ItemList>) -> Option<Arc<[List]>> {
    if lists.len() != folders.len() {
        return None;
    }
    let each = folders.iter().zip(lists);
    each.map(|(folder, items)| named(folder, &items)).collect()
}

/// The items that are directly in a folder, each with its name as its path; `None` where they are in another
/// folder.
fn named(folder: &str, items: &ItemList) -> Option<List> {
    let folder = folder.trim_start_matches('/');
    let prefix = joined(folder, "");
    let mut inside = ItemListBuilder::default();
    for item in items.iter() {
        let is_itself = || item.path() == folder;
        if item.folder == folder && !item.name.is_empty() {
            inside.add_in("", item).ok()?;
        } else if !item.folder.starts_with(&prefix) && !is_itself() {
            return None;
        }
    }
    Some(Arc::new(inside.build()))
}

pub(crate) fn joined(folder: &str, name: &str) -> String {
    if folder.is_empty() {
        name.to_owned()
    } else {
        format!("{folder}/{name}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &str, paths: &[&str]) -> Option<Vec<String>> {
        let mut items = ItemListBuilder::default();
        for path in paths {
            items.add(path, &"0".repeat(40), false).ok()?;
        }
        let list = named(folder, &items.build())?;
        Some(list.iter().map(|item| item.path()).collect())
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
