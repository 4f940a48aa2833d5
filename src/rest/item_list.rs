//! [`ItemList`]: files and folders of a repository, in little memory.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, hash_map::Entry},
    fmt,
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{SeqAccess, Visitor},
};

use super::{
    items::{InvalidAnswer, Item, Kind, MOST_FOLDERS, check, list},
    json::{AtMost, Values},
};
use crate::url::is_object_id;

/// How many bytes the longer of git's two kinds of ids has.
const MOST_ID_BYTES: usize = 32;

/// Files and folders of a repository, in the order in which a server lists them.
///
/// Repositories have hundreds of thousands of files, and few folders: the path of a folder is there once, a
/// name behind the other, and an id takes half of what it takes as text.
#[derive(Debug, Default)]
pub struct ItemList {
    /// The names of the items, one after the other.
    names: String,
    items: Vec<Placed>,
    /// The paths of the folders in which there are items, one after the other.
    folders: String,
    /// Where each of these ends.
    folder_ends: Vec<u32>,
    /// The ids of the items, one after the other.
    ids: Vec<u8>,
}

/// An item in a list.
#[derive(Clone, Copy, Debug)]
struct Placed {
    /// Where its name ends.
    end: u32,
    /// The place of its folder among the folders.
    folder: u32,
    is_folder: bool,
}

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub struct Listed<'a> {
    /// The path of the folder that it is in; empty in the root of the repository.
    pub folder: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Whether it is a folder.
    pub is_folder: bool,
    id: &'a [u8],
}

impl<'a> Listed<'a> {
    /// Its path, without a slash before it.
    #[must_use]
    pub fn path(&self) -> String {
        if self.folder.is_empty() {
            return self.name.to_owned();
        }
        [self.folder, "/", self.name].concat()
    }

    /// How many bytes its path has.
    #[must_use]
    pub const fn path_bytes(&self) -> usize {
        let slash = if self.folder.is_empty() { 0 } else { 1 };
        self.folder.len() + slash + self.name.len()
    }

    /// The id of its content, as git writes it.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// The id of its content, in bytes.
    #[must_use]
    pub const fn id_bytes(&self) -> &'a [u8] {
        self.id
    }
}

impl ItemList {
    /// How many items there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.items.len()
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// How many of them are files.
    #[must_use]
    pub fn files(&self) -> usize {
        self.items.iter().filter(|item| !item.is_folder).count()
    }

    /// The item at a place.
    #[must_use]
    pub fn get(&self, place: usize) -> Option<Listed<'_>> {
        let item = self.items.get(place)?;
        let start = match place.checked_sub(1) {
            Some(before) => self.items.get(before)?.end,
            None => 0,
        };
        let id_bytes = self.ids.len() / self.items.len();
        Some(Listed {
            folder: self.folder(item.folder)?,
            name: between(&self.names, start, item.end)?,
            is_folder: item.is_folder,
            id: self.ids.get(place * id_bytes..(place + 1) * id_bytes)?,
        })
    }

    /// All items, in order.
    pub fn iter(&self) -> impl Iterator<Item = Listed<'_>> {
        (0..self.len()).filter_map(|place| self.get(place))
    }

    /// How many bytes it takes.
    #[must_use]
    pub const fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.names.capacity()
            + self.items.capacity() * size_of::<Placed>()
            + self.folders.capacity()
            + self.folder_ends.capacity() * size_of::<u32>()
            + self.ids.capacity()
    }

    fn folder(&self, folder: u32) -> Option<&str> {
        let folder = usize::try_from(folder).ok()?;
        let start = match folder.checked_sub(1) {
            Some(before) => *self.folder_ends.get(before)?,
            None => 0,
        };
        between(&self.folders, start, *self.folder_ends.get(folder)?)
    }
}

fn between(text: &str, start: u32, end: u32) -> Option<&str> {
    text.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// A list that grows.
#[derive(Debug, Default)]
pub struct ItemListBuilder {
    list: ItemList,
    folders: HashMap<Box<str>, u32>,
    /// The folder of the last item, which most often is that of the next.
    last_folder: u32,
}

impl ItemListBuilder {
    /// How many items there are so far.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.list.len()
    }

    /// Whether there are none so far.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds an item by its path.
    ///
    /// # Errors
    /// Its id is none of git's, or of another kind than those before; there is too much text in the list.
    pub fn add(&mut self, path: &str, id: &str, is_folder: bool) -> Result<(), InvalidAnswer> {
        let mut bytes = [0; MOST_ID_BYTES];
        let id_bytes = bytes.get_mut(..id.len() / 2).ok_or_else(mixed)?;
        hex::decode_to_slice(id, id_bytes).map_err(|_| mixed())?;
        let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
        self.add_named(folder, name, id_bytes, is_folder)
    }

    /// Adds an item of another list, which is in this folder here.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn add_in(&mut self, folder: &str, item: Listed<'_>) -> Result<(), InvalidAnswer> {
        self.add_named(folder, item.name, item.id, item.is_folder)
    }

    fn add_named(
        &mut self,
        folder: &str,
        name: &str,
        id: &[u8],
        is_folder: bool,
    ) -> Result<(), InvalidAnswer> {
        let list = &self.list;
        if list.ids.len() != list.items.len() * id.len() {
            return Err(mixed());
        }
        let folder = self.folder(folder)?;
        self.list.names.push_str(name);
        self.list.items.push(Placed {
            end: place(self.list.names.len())?,
            folder,
            is_folder,
        });
        self.list.ids.extend_from_slice(id);
        Ok(())
    }

    /// The place of a folder among the folders.
    fn folder(&mut self, folder: &str) -> Result<u32, InvalidAnswer> {
        if self.list.folder(self.last_folder) == Some(folder) {
            return Ok(self.last_folder);
        }
        let known = place(self.folders.len())?;
        self.last_folder = match self.folders.entry(folder.into()) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(new) => {
                self.list.folders.push_str(folder);
                self.list.folder_ends.push(place(self.list.folders.len())?);
                *new.insert(known)
            }
        };
        Ok(self.last_folder)
    }

    /// The list, in no more memory than it needs.
    #[must_use]
    pub fn build(self) -> ItemList {
        let mut list = self.list;
        list.names.shrink_to_fit();
        list.items.shrink_to_fit();
        list.folders.shrink_to_fit();
        list.folder_ends.shrink_to_fit();
        list.ids.shrink_to_fit();
        list
    }
}

fn place(length: usize) -> Result<u32, InvalidAnswer> {
    u32::try_from(length).map_err(|_| InvalidAnswer("the list has too many names".to_owned()))
}

fn mixed() -> InvalidAnswer {
    InvalidAnswer("the list has ids of several kinds".to_owned())
}

/// The lists of folders, at most [`MOST_FOLDERS`], in JSON; submodules are left out.
///
/// # Errors
/// They are no such lists, or name what git cannot have.
pub fn item_batches_in(answer: &[u8]) -> Result<Vec<ItemList>, InvalidAnswer> {
    let lists: Values<AtMost<Read, MOST_FOLDERS>> = list(answer, "folders")?;
    let lists = lists.value.0.into_iter();
    lists.map(|list| Ok(list.list()?.0)).collect()
}

/// The files and folders of a long list in JSON, and the commit at which the server says that it lists; submodules
/// are left out.
///
/// # Errors
/// It is no such list, or names what git cannot have.
pub fn item_list_in(answer: &[u8]) -> Result<(ItemList, Option<String>), InvalidAnswer> {
    let items: Values<Read> = list(answer, "files")?;
    items.value.list()
}

/// A list as it is read from an answer.
#[derive(Default)]
struct Read {
    list: ItemListBuilder,
    /// The commits at which the server says that it lists.
    commits: HashSet<String>,
    /// What git cannot have.
    problem: Option<InvalidAnswer>,
}

/// So many commits are several.
const SEVERAL: usize = 2;

impl Read {
    /// The list, and the commit at which the server lists, if it says one.
    fn list(self) -> Result<(ItemList, Option<String>), InvalidAnswer> {
        if let Some(problem) = self.problem {
            return Err(problem);
        }
        let mut commits = self.commits.into_iter();
        let commit = commits.next().filter(|id| is_object_id(id));
        let is_only = commits.next().is_none();
        Ok((self.list.build(), commit.filter(|_| is_only)))
    }

    fn add(&mut self, item: &ListedItem) -> Result<(), InvalidAnswer> {
        let is_folder = match item.kind {
            Kind::Blob => false,
            Kind::Tree => true,
            Kind::Commit | Kind::Other => return Ok(()),
        };
        let path = item.path.trim_start_matches('/');
        check(path, &item.object_id, is_folder, "files")?;
        let commit = item.commit_id.as_ref().map_or("", |Text(id)| id);
        if self.commits.len() < SEVERAL && !self.commits.contains(commit) {
            self.commits.insert(commit.to_owned());
        }
        self.list.add(path, &item.object_id, is_folder)
    }
}

/// An item in an answer, whose texts are not copied.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedItem<'a> {
    #[serde(borrow)]
    object_id: Cow<'a, str>,
    #[serde(rename = "gitObjectType")]
    kind: Kind,
    #[serde(borrow)]
    path: Cow<'a, str>,
    #[serde(borrow, default)]
    commit_id: Option<Text<'a>>,
}

#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Items)
    }
}

struct Items;

impl<'de> Visitor<'de> for Items {
    type Value = Read;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of items")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Read, A::Error> {
        let mut read = Read::default();
        while let Some(item) = items.next_element::<ListedItem>()? {
            if read.problem.is_none() {
                read.problem = read.add(&item).err();
            }
        }
        Ok(read)
    }
}

/// As a list of [`Item`]s.
impl Serialize for ItemList {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|item| Item {
            path: item.path(),
            id: item.id(),
            is_folder: item.is_folder,
        }))
    }
}

impl TryFrom<Vec<Item>> for ItemList {
    type Error = InvalidAnswer;

    fn try_from(items: Vec<Item>) -> Result<Self, InvalidAnswer> {
        let mut list = ItemListBuilder::default();
        for item in items {
            let item = item.checked("files")?;
            list.add(&item.path, &item.id, item.is_folder)?;
        }
        Ok(list.build())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: usize) -> String {
        format!("{number:040x}")
    }

    fn listed(paths: &[(&str, bool)]) -> Result<ItemList, InvalidAnswer> {
        let mut list = ItemListBuilder::default();
        for (number, (path, is_folder)) in paths.iter().enumerate() {
            list.add(path, &id(number), *is_folder)?;
        }
        Ok(list.build())
    }

    #[test]
    fn what_is_listed_is_what_was_added_in_its_order() -> Result<(), InvalidAnswer> {
        let paths = [
            ("", true),
            ("b", true),
            ("b/c", false),
            ("a", true),
            ("a/b", true),
            ("a/b/\u{e4}", false),
            ("b/d", false),
            ("z", false),
        ];
        let list = listed(&paths)?;
        let items: Vec<_> = list
            .iter()
            .map(|item| (item.path(), item.id(), item.is_folder))
            .collect();
        let expected = paths.iter().enumerate();
        let expected: Vec<_> = expected
            .map(|(number, (path, is_folder))| ((*path).to_owned(), id(number), *is_folder))
            .collect();
        assert_eq!(items, expected);
        assert!(
            list.iter()
                .all(|item| item.path_bytes() == item.path().len())
        );
        assert_eq!((list.len(), list.files()), (8, 4));
        assert!(list.get(8).is_none() && ItemList::default().get(0).is_none());
        Ok(())
    }

    #[test]
    fn ids_are_all_of_one_kind() {
        let mut list = ItemListBuilder::default();
        assert!(list.add("a", &"aB".repeat(20), false).is_ok());
        assert!(list.add("b", &"ab".repeat(32), false).is_err());
        let ids: Vec<String> = list.build().iter().map(|item| item.id()).collect();
        assert_eq!(ids, ["ab".repeat(20)]);
        let mut list = ItemListBuilder::default();
        assert!(list.add("a", &"ab".repeat(32), false).is_ok());
        assert!(list.add("b", &"ab".repeat(20), false).is_err());
    }

    #[test]
    fn three_hundred_thousand_files_take_half_of_what_there_is_for_lists()
    -> Result<(), InvalidAnswer> {
        let mut list = ItemListBuilder::default();
        for folder in 0..30_000 {
            let path = format!("services/team-{}/service-{folder}", folder % 100);
            list.add(&path, &id(folder), true)?;
            for file in 0..10 {
                let path = format!("{path}/SomeComponent{file}.tsx");
                list.add(&path, &id(file), false)?;
            }
        }
        let list = list.build();
        assert_eq!(list.files(), 300_000);
        assert!(list.bytes() < 17 * 1024 * 1024, "{}", list.bytes());
        Ok(())
    }

    #[test]
    fn an_answer_names_its_commit_if_it_names_one() -> Result<(), InvalidAnswer> {
        let read = |commits: &[&str]| {
            let items = commits.iter().map(|commit| {
                let id = id(0);
                format!(r#"{{"gitObjectType":"blob","path":"/a","objectId":"{id}"{commit}}}"#)
            });
            let items = items.collect::<Vec<_>>().join(",");
            item_list_in(format!(r#"{{"value":[{items}]}}"#).as_bytes())
        };
        let (a, b) = (id(1), id(2));
        let (one, other) = (
            format!(r#","commitId":"{a}""#),
            format!(r#","commitId":"{b}""#),
        );
        assert_eq!(read(&[&one, &one])?.1.as_deref(), Some(a.as_str()));
        assert_eq!(read(&[&one, &other])?.1, None);
        assert_eq!(read(&[&one, ""])?.1, None);
        assert_eq!(read(&["", ""])?.1, None);
        assert_eq!(read(&[r#","commitId":"none""#])?.1, None);
        assert_eq!(read(&[])?.1, None);
        Ok(())
    }

    #[test]
    fn no_more_lists_are_read_than_are_asked_for() {
        let lists = |count: usize| {
            let lists = vec!["[]"; count].join(",");
            item_batches_in(format!(r#"{{"value":[{lists}]}}"#).as_bytes())
        };
        assert!(lists(MOST_FOLDERS).is_ok_and(|lists| lists.len() == MOST_FOLDERS));
        assert!(lists(MOST_FOLDERS + 1).is_err());
    }
}
