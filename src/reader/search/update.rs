//! A list of everything at a commit, made of the list at an earlier one and of what has changed since.
//!
//! A list has the ids of the trees of its folders, and a tree with the same id has the same content. So only
//! the folders that lead to what has changed are asked for, level by level.

use std::collections::HashMap;

use super::walk::{Folder, Walk, joined};
use crate::{
    error::Error,
    reader::cache::List,
    rest::{InvalidAnswer, ItemList, ItemListBuilder, Listed},
};

/// A shorter list is asked for as a whole: it takes one request.
pub(super) const SHORTEST: usize = 2_000;

/// With more levels than this that have changed, or more folders of one, the list is asked for as a whole.
const MOST_LEVELS: usize = 12;
const MOST_CHANGED: usize = 250;

/// The list of everything below a folder at the commit of a walk; `None` where too much has changed, or where
/// the server does not list folders.
///
/// # Errors
/// There is no answer.
pub(super) async fn updated(
    walk: &Walk<'_>,
    folder: &str,
    before: &ItemList,
) -> Result<Option<ItemList>, Error> {
    let before = Before::of(before);
    let mut changed = HashMap::new();
    let mut folders = vec![Folder::at(folder)];
    for _ in 0..MOST_LEVELS {
        if folders.len() > MOST_CHANGED {
            return Ok(None);
        }
        let Some(contents) = walk.contents(&folders).await? else {
            return Ok(None);
        };
        let mut inner = Vec::new();
        for (folder, items) in folders.into_iter().zip(contents) {
            let is_new =
                |item: &Listed<'_>| item.is_folder && !before.trees.contains_key(item.id_bytes());
            inner.extend(items.iter().filter(is_new).map(|item| folder.inner(item)));
            changed.insert(folder.path, items);
        }
        if inner.is_empty() {
            let folder = Folder::at(folder).path;
            return Ok(Joining::of(&before, &changed).all(&folder).ok());
        }
        folders = inner;
    }
    Ok(None)
}

/// A list by its folders.
struct Before<'a> {
    /// The paths of folders, by the ids of their trees.
    trees: HashMap<&'a [u8], String>,
    list: &'a ItemList,
    /// The places of the items that are directly in each folder.
    inside: HashMap<&'a str, Vec<u32>>,
}

impl<'a> Before<'a> {
    fn of(list: &'a ItemList) -> Self {
        let mut before = Self {
            trees: HashMap::new(),
            list,
            inside: HashMap::new(),
        };
        for (item, place) in list.iter().zip(0..) {
            if item.is_folder {
                before.trees.insert(item.id_bytes(), item.path());
            }
            // The root is in no folder.
            if !item.name.is_empty() {
                before.inside.entry(item.folder).or_default().push(place);
            }
        }
        before
    }

    fn inside(&self, folder: &str) -> impl Iterator<Item = Listed<'a>> {
        let places = self.inside.get(folder).into_iter().flatten();
        let places = places.filter_map(|place| usize::try_from(*place).ok());
        places.filter_map(|place| self.list.get(place))
    }
}

/// A list that is put together.
struct Joining<'a> {
    before: &'a Before<'a>,
    /// What is in the folders that have changed.
    changed: &'a HashMap<String, List>,
    list: ItemListBuilder,
}

impl<'a> Joining<'a> {
    fn of(before: &'a Before<'a>, changed: &'a HashMap<String, List>) -> Self {
        let list = ItemListBuilder::default();
        Self {
            before,
            changed,
            list,
        }
    }

    fn all(mut self, folder: &str) -> Result<ItemList, InvalidAnswer> {
        self.add_changed(folder)?;
        Ok(self.list.build())
    }

    fn add(&mut self, folder: &str, item: Listed<'_>) -> Result<(), InvalidAnswer> {
        // A few trees that are in each other many times could make any number of files.
        if self.list.len() > SHORTEST + 2 * self.before.list.len() {
            return Err(InvalidAnswer(
                "the list is much longer than before".to_owned(),
            ));
        }
        self.list.add_in(folder, item)
    }

    /// Adds what is below a folder that has changed.
    fn add_changed(&mut self, folder: &str) -> Result<(), InvalidAnswer> {
        let Some(items) = self.changed.get(folder) else {
            return Ok(());
        };
        for item in items.iter() {
            self.add(folder, item)?;
            if !item.is_folder {
                continue;
            }
            let inner = joined(folder, item.name);
            match self.before.trees.get(item.id_bytes()) {
                Some(before) => self.add_unchanged(before, &inner)?,
                None => self.add_changed(&inner)?,
            }
        }
        Ok(())
    }

    /// Adds what was below a folder before, which may have had another path.
    fn add_unchanged(&mut self, before: &str, folder: &str) -> Result<(), InvalidAnswer> {
        for item in self.before.inside(before) {
            self.add(folder, item)?;
            if item.is_folder {
                let before = joined(before, item.name);
                self.add_unchanged(&before, &joined(folder, item.name))?;
            }
        }
        Ok(())
    }
}
