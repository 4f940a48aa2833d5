//! The glob in a repository URL, and where its matches can be.

use url::{Url, form_urlencoded::byte_serialize};

use super::{parse::parameter, resolve::set_parameters, spelling::pattern_spellings};
use crate::glob::literal_folder;

/// A pattern for files, and where it is to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What to match paths with; no slash is before it.
    pub glob: String,
    /// The URL of the repository as a whole.
    pub whole: Url,
    /// The folder in which alone there can be matches, with a slash after it; `None` for the whole
    /// repository.
    pub folder: String,
    /// The URL of that folder.
    pub within: Url,
}

impl Pattern {
    /// The pattern of a repository URL by each spelling of it, as it is written first.
    #[must_use]
    pub fn spellings(url: &Url) -> Vec<Self> {
        let path = parameter(url, "path").unwrap_or_default();
        let others = pattern_spellings(&path);
        let others = others.iter().map(|path| with_path(url, path));
        std::iter::once(url.clone())
            .chain(others)
            .filter_map(|url| Self::of(&url))
            .collect()
    }

    /// Reads the path of a repository URL, if it is a pattern (`*` or `?`) and not the name of a
    /// file.
    #[must_use]
    pub fn of(url: &Url) -> Option<Self> {
        let mut whole = url.clone();
        let mut query = whole.query_pairs();
        let (_, path) = query.find(|(key, _)| key == "path")?;
        if !path.contains(['*', '?']) {
            return None;
        }
        let glob = path.trim_start_matches('/').to_owned();
        let others: Vec<(String, String)> = whole
            .query_pairs()
            .filter(|(key, _)| key != "path")
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        whole.set_query(None);
        if !others.is_empty() {
            whole.query_pairs_mut().extend_pairs(others);
        }
        let folder = literal_folder(&glob);
        let mut within = whole.clone();
        if folder != "/" {
            within.query_pairs_mut().append_pair("path", &folder);
        }
        Some(Self {
            glob,
            folder: folder
                .strip_prefix('/')
                .filter(|folder| !folder.is_empty())
                .map(|folder| format!("{folder}/"))
                .unwrap_or_default(),
            whole,
            within,
        })
    }
}

/// The URLs of files of the repository that a web URL names, in its version: the path of each stands in
/// the `path` parameter, encoded once.
#[derive(Clone, Debug)]
pub struct FileUrls {
    /// What stands before the path, and after it, in each of them.
    before: String,
    after: String,
}

impl FileUrls {
    /// Those in the repository of a URL.
    #[must_use]
    pub fn beside(url: &Url) -> Self {
        // The URL is put together once, and not for each of many files.
        let any = with_path(url, "/");
        let mut before = any.clone();
        before.set_fragment(None);
        let others: Vec<(String, String)> = any
            .query_pairs()
            .take_while(|(name, _)| name != "path")
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        let mut query = before.query_pairs_mut();
        query.clear().extend_pairs(others).append_pair("path", "");
        drop(query);
        let before = String::from(before);
        let encoded: String = byte_serialize(b"/").collect();
        let after = any.as_str().get(before.len() + encoded.len()..);
        Self {
            after: after.unwrap_or_default().to_owned(),
            before,
        }
    }

    /// That of the file at a path.
    #[must_use]
    pub fn of(&self, path: &str) -> String {
        let mut url = self.before.clone();
        url.extend(byte_serialize(b"/"));
        url.extend(byte_serialize(path.as_bytes()));
        url.push_str(&self.after);
        url
    }
}

/// The web URL with another path in its place.
#[must_use]
pub fn with_path(url: &Url, path: &str) -> Url {
    let mut url = url.clone();
    set_parameters(&mut url, &[("path", path)]);
    url
}
