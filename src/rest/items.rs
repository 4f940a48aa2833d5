//! Commits, files and folders, as the REST API lists them.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use super::json::{First, Values, json};
use crate::{
    http::{Answer, with_read_timeout},
    limits::Limit,
    url::is_object_id,
};

/// The most folders that one request asks for.
pub const MOST_FOLDERS: usize = 250;

/// An answer that cannot be used, and why.
#[derive(Clone, Debug)]
pub struct InvalidAnswer(pub String);

/// A file or folder of a repository.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    /// Its path, without a slash before it.
    pub path: String,
    /// The id of its content.
    pub id: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

impl Item {
    fn read(item: ListedItem) -> Option<Self> {
        let is_folder = match item.kind {
            Kind::Blob => false,
            Kind::Tree => true,
            Kind::Commit | Kind::Other => return None,
        };
        let mut path = item.path;
        let slashes = path.len() - path.trim_start_matches('/').len();
        path.drain(..slashes);
        Some(Self {
            path,
            id: item.object_id,
            is_folder,
        })
    }

    /// The same, where git can have it.
    ///
    /// # Errors
    /// It is not valid.
    pub(crate) fn checked(self, what: &str) -> Result<Self, InvalidAnswer> {
        check(&self.path, &self.id, self.is_folder, what).map(|()| self)
    }
}

/// Whether git can have an item: it has an id, and a path that leads nowhere else and is no longer than one in
/// an archive may be.
///
/// # Errors
/// It is not valid.
pub(super) fn check(
    path: &str,
    id: &str,
    is_folder: bool,
    what: &str,
) -> Result<(), InvalidAnswer> {
    if !is_object_id(id) {
        return Err(no_id(what));
    }
    let is_short = path.len() as u64 <= Limit::PathBytes.most();
    // The folder that is listed may itself be the repository.
    let is_root = path.is_empty() && is_folder;
    let leads_elsewhere = |name: &str| matches!(name, "" | "." | "..") || name.contains('\0');
    let is_path = is_root || !path.split('/').any(leads_elsewhere);
    let is_one = is_short && is_path && within_depth(path);
    is_one.then_some(()).ok_or_else(|| {
        InvalidAnswer(format!(
            "the list of {what} has a path that no file can have"
        ))
    })
}

/// Reads the id of the newest commit; `None` where there are no commits.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn commit_id(answer: Answer) -> Result<Option<String>, InvalidAnswer> {
    commit_id_in(&content(answer, "commits").await?)
}

/// The id of the newest commit in a list of commits in JSON; `None` where the list is empty.
///
/// # Errors
/// It is no such list, or no commit has such an id.
pub fn commit_id_in(answer: &[u8]) -> Result<Option<String>, InvalidAnswer> {
    let commits: Values<First<Commit>> = list(answer, "commits")?;
    let id = commits.value.0.map(|commit| commit.commit_id);
    let is_one = id.as_ref().is_none_or(|id| is_object_id(id));
    is_one.then_some(id).ok_or_else(|| no_id("commits"))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    commit_id: String,
}

/// Reads the files and folders of a list; submodules are left out.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn items(answer: Answer) -> Result<Vec<Item>, InvalidAnswer> {
    items_in(&content(answer, "files").await?)
}

/// The files and folders of a list in JSON.
///
/// # Errors
/// It is no such list, or names what git cannot have.
pub fn items_in(answer: &[u8]) -> Result<Vec<Item>, InvalidAnswer> {
    let items: Values<Vec<ListedItem>> = list(answer, "files")?;
    read_items(items.value, "files")
}

fn read_items(items: Vec<ListedItem>, what: &str) -> Result<Vec<Item>, InvalidAnswer> {
    let items = items.into_iter().filter_map(Item::read);
    let checked = items.map(|item| item.checked(what));
    checked.collect()
}

fn within_depth(path: &str) -> bool {
    path.split('/').count() as u64 <= Limit::PathDepth.most()
}

/// The content of an answer that was read whole, a list of `what`.
///
/// # Errors
/// The answer is truncated.
pub async fn content(answer: Answer, what: &'static str) -> Result<Bytes, InvalidAnswer> {
    let content = with_read_timeout(answer.bytes()).await;
    content.map_err(|_| InvalidAnswer(format!("the list of {what} broke off")))
}

pub(super) fn list<'a, T: Deserialize<'a>>(
    answer: &'a [u8],
    what: &str,
) -> Result<T, InvalidAnswer> {
    json(answer).map_err(|_| InvalidAnswer(format!("the response is not a list of {what}")))
}

fn no_id(what: &str) -> InvalidAnswer {
    InvalidAnswer(format!(
        "the list of {what} has an invalid id: git's have 40 or 64 hex digits"
    ))
}

/// What an answer to the question for a file's content describes in its place, in a word: the folder or
/// submodule of that path.
#[must_use]
pub fn described(answer: &[u8], path: &str) -> Option<&'static str> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Answer {
        One(ListedItem),
        List(Values<Vec<ListedItem>>),
    }
    let item = match json(answer).ok()? {
        Answer::One(item) => item,
        Answer::List(list) => list.value.into_iter().next()?,
    };
    let what = match item.kind {
        Kind::Tree => "folder",
        Kind::Commit => "submodule",
        Kind::Blob | Kind::Other => return None,
    };
    // A server may write the path in its own way.
    let names = |path: &str| -> Vec<String> {
        let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        names.map(str::to_lowercase).collect()
    };
    (is_object_id(&item.object_id) && names(&item.path) == names(path)).then_some(what)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedItem {
    object_id: String,
    #[serde(rename = "gitObjectType")]
    kind: Kind,
    path: String,
}

/// What an item is.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Kind {
    Blob,
    Tree,
    Commit,
    #[serde(other)]
    Other,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "0123456789abcdef0123456789ABCDEF01234567";

    fn listed(kind: &str, path: &str, id: &str) -> String {
        format!(r#"{{"gitObjectType":"{kind}","path":"{path}","objectId":"{id}"}}"#)
    }

    #[test]
    fn the_first_commit_of_a_list_is_the_newest() {
        let answer = |ids: &[&str]| {
            let commits = ids.iter().map(|id| format!(r#"{{"commitId":"{id}"}}"#));
            let commits: Vec<String> = commits.collect();
            format!("\u{feff}{{\"value\":[{}]}}", commits.join(",")).into_bytes()
        };
        let newest = commit_id_in(&answer(&[ID, "other"])).ok().flatten();
        assert_eq!(newest.as_deref(), Some(ID));
        assert!(commit_id_in(&answer(&[])).is_ok_and(|id| id.is_none()));
        for id in ["", "other", &ID[1..], &[ID, "0"].concat()] {
            assert!(commit_id_in(&answer(&[id])).is_err(), "{id}");
        }
    }

    #[test]
    fn items_are_those_that_git_can_have() {
        let one = |item: &str| items_in(format!(r#"{{"value":[{item}]}}"#).as_bytes());
        let path = |item: &str| Some(one(item).ok()?.pop()?.path);
        assert_eq!(
            path(&listed("blob", "/a/b..c", ID)),
            Some("a/b..c".to_owned())
        );
        assert_eq!(path(&listed("tree", "/", ID)), Some(String::new()));
        assert_eq!(path(&listed("commit", "/../x", "")), None);
        for wrong in ["/", "/../x", "/a/..", "/./x", "/a//x", "/a/", r"/a\u0000"] {
            assert!(one(&listed("blob", wrong, ID)).is_err(), "{wrong}");
        }
        for long in ["/x".repeat(257), "x".repeat(4097)] {
            assert!(one(&listed("blob", &long, ID)).is_err());
        }
        assert!(one(&listed("tree", "/a", "no id")).is_err());
    }
}
