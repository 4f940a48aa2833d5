//! `list`: what is in a folder, at a fixed commit.

use std::pin::pin;

use serde::Serialize;

use super::{
    context::{ReadContext, ReadRequest, Wanted},
    messages::Purpose,
    read_tree::newest_commit,
};
use crate::{
    error::{Error, ErrorKind},
    http::Answer,
    rest::{Call, InvalidAnswer, TreeEntry, items, tree_entries},
    text::readable,
    url::{AzureUrl, Pattern, parameter},
};

/// How deep a folder is listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// What is directly in it.
    One,
    /// With what is in its folders too.
    All,
}

/// What is in a folder.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FolderListing {
    /// The commit.
    pub etag: String,
    /// What is there; the file itself where that was asked for.
    pub entries: Vec<Entry>,
}

/// A file, folder or submodule.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// From the root of the repository, without a slash before it; as it is, also where it is not readable.
    pub path: String,
    /// `file`, `folder` or `submodule`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The id of its blob, tree or commit.
    pub id: String,
    /// As git has it: `100644`.
    pub mode: String,
    /// Of a file, in bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
}

/// Lists the folder, or the one file, that a URL names; of a pattern everything below the folder in which alone
/// there can be matches.
///
/// # Errors
/// As [`list`].
pub async fn list_url(read: ReadRequest) -> Result<FolderListing, Error> {
    let (folder, depth) = match Pattern::of(&read.url) {
        Some(pattern) => (pattern.folder, Depth::All),
        None => (parameter(&read.url, "path").unwrap_or_default(), Depth::One),
    };
    list(read, &folder, depth).await
}

/// Lists a folder, or one file, of the repository and version that a URL names.
///
/// # Errors
/// The URL names no repository; there is no usable credential; Azure DevOps has no such repository, version
/// or folder ([`ErrorKind::NotFound`]), asks to sign in ([`ErrorKind::Authentication`]), or refuses; there are no
/// commits; there is no answer; the caller ended it.
pub async fn list(read: ReadRequest, folder: &str, depth: Depth) -> Result<FolderListing, Error> {
    let url = read.url.clone();
    let repository = AzureUrl::of(&url)?;
    let commits = repository.to_newest_commit_url()?.into();
    let context = ReadContext::begin(Purpose::Tree, url, repository, commits, read).await?;
    let listing = pin!(listing(&context, folder, depth));
    context.until_ended(listing).await
}

async fn listing(
    context: &ReadContext,
    folder: &str,
    depth: Depth,
) -> Result<FolderListing, Error> {
    let etag = newest_commit(context).await?;
    let path = folder.trim_matches('/');
    let (id, is_folder) = item(context, &etag, path).await?;
    let entries = if is_folder {
        tree(context, &etag, &id, path, depth).await?
    } else {
        // A tree says more of a file than what describes it alone.
        let parent = path.rsplit_once('/').map_or("", |(parent, _)| parent);
        let (id, _) = item(context, &etag, parent).await?;
        let siblings = tree(context, &etag, &id, parent, Depth::One).await?;
        siblings.into_iter().filter(|it| it.path == path).collect()
    };
    Ok(FolderListing { etag, entries })
}

/// The id of an item, and whether it is a folder.
async fn item(context: &ReadContext, commit: &str, path: &str) -> Result<(String, bool), Error> {
    let repository = context.api.url().at_commit(commit);
    let call = context.api.at(repository).item(&format!("/{path}"))?;
    let (answer, asking) = fetch(context, call).await?;
    let found = items(answer)
        .await
        .map_err(|error| unusable(&asking, error))?;
    let item = found.into_iter().next();
    let missing = || {
        let why = "it is neither a file nor a folder";
        asking.messages().unusable(ErrorKind::NotFound, why)
    };
    let item = item.ok_or_else(missing)?;
    Ok((item.id, item.is_folder))
}

async fn tree(
    context: &ReadContext,
    commit: &str,
    id: &str,
    folder: &str,
    depth: Depth,
) -> Result<Vec<Entry>, Error> {
    let repository = context.api.url().at_commit(commit);
    let call = context.api.at(repository).tree(id, depth == Depth::All)?;
    let (answer, asking) = fetch(context, call).await?;
    let entries = tree_entries(answer).await;
    let entries = entries.map_err(|error| unusable(&asking, error))?;
    Ok(entries
        .into_iter()
        .map(|entry| Entry::of(entry, folder))
        .collect())
}

async fn fetch(context: &ReadContext, call: Call) -> Result<(Answer, ReadContext), Error> {
    let asking = context.asking(call.url().clone());
    let answer = asking.fetch(call, Wanted::Json).await?;
    Ok((answer, asking))
}

fn unusable(context: &ReadContext, InvalidAnswer(why): InvalidAnswer) -> Error {
    context.messages().unusable(ErrorKind::Other, &why)
}

impl Entry {
    fn of(entry: TreeEntry, folder: &str) -> Self {
        let kind = match entry.git_object_type.as_str() {
            "tree" => "folder",
            "commit" => "submodule",
            _ => "file",
        };
        let below = entry.relative_path.trim_matches('/');
        let path = if folder.is_empty() {
            below.to_owned()
        } else {
            format!("{folder}/{below}")
        };
        Self {
            path,
            kind,
            id: readable(entry.object_id),
            mode: readable(entry.mode),
            size: (kind == "file").then_some(entry.size),
        }
    }
}
