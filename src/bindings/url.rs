//! URLs across the boundary.

use napi::{
    Either,
    bindgen_prelude::{Either3, Null},
};
use napi_derive::napi;

use super::Failure;
use crate::{
    error::Error,
    expansion::Expansion,
    fault,
    pattern::{check_groups, weight},
    url,
};

/// A repository of Azure DevOps, or a path in it, as its web URL names it.
#[napi(custom_finalize)]
pub struct AzureUrl {
    url: url::AzureUrl,
}

#[napi]
impl AzureUrl {
    /// Reads a URL as copied from the browser's address bar.
    #[napi(catch_unwind)]
    pub fn from_repo_url(repo_url: String) -> Either<AzureUrl, Failure> {
        fault::point("factory");
        match url::AzureUrl::from_repo_url(&repo_url) {
            Ok(url) => Either::A(Self { url }),
            Err(error) => Either::B(error.into()),
        }
    }

    /// The organization, or the collection.
    #[napi(getter, catch_unwind)]
    pub fn owner(&self) -> &str {
        fault::point("getter");
        self.url.owner()
    }

    /// The project's name, decoded.
    #[napi(getter, catch_unwind)]
    pub fn project(&self) -> &str {
        self.url.project()
    }

    /// The repository's name, decoded.
    #[napi(getter, catch_unwind)]
    pub fn repo(&self) -> &str {
        self.url.repo()
    }

    /// The `path` parameter.
    #[napi(getter, catch_unwind)]
    pub fn path(&self) -> Option<&str> {
        self.url.path()
    }

    /// The branch, tag or commit.
    #[napi(getter, catch_unwind)]
    pub fn reference(&self) -> Option<&str> {
        self.url.version().map(|version| version.name.as_str())
    }

    /// `GB`, `GT` or `GC`.
    #[napi(getter, catch_unwind)]
    pub fn prefix(&self) -> Option<&str> {
        self.url
            .version()
            .map(|version| version.version_type.prefix())
    }

    /// The URL under which a browser shows this.
    #[napi(catch_unwind)]
    pub fn to_repo_url(&self) -> Either<String, Failure> {
        fault::point("method");
        either(self.url.to_repo_url())
    }

    /// The REST URL of the file's content.
    #[napi(catch_unwind)]
    pub fn to_file_url(&self) -> Either<String, Failure> {
        either(self.url.to_file_url())
    }

    /// The REST URL of a zip.
    #[napi(catch_unwind)]
    pub fn to_archive_url(&self) -> Either<String, Failure> {
        either(self.url.to_archive_url())
    }

    /// The REST URL of the commits.
    #[napi(catch_unwind)]
    pub fn to_commits_url(&self) -> Either<String, Failure> {
        either(self.url.to_commits_url())
    }
}

/// The lines to which a resolved URL points, as text.
#[napi(object, object_to_js = false)]
pub struct Lines {
    /// The first line.
    pub start: String,
    /// The line after the last.
    pub end: String,
}

/// Resolves a URL or path as seen from the file at `base`; `null` where it needs no resolving.
#[napi(catch_unwind)]
pub fn resolve_url(
    url: String,
    base: String,
    lines: Option<Lines>,
) -> Either3<String, Failure, Null> {
    let lines = lines.map(|lines| url::Lines {
        start: lines.start,
        end: lines.end,
    });
    match url::resolve_url(&url, &base, lines.as_ref()) {
        Ok(Some(resolved)) => Either3::A(resolved),
        Ok(None) => Either3::C(Null),
        Err(error) => Either3::B(error.into()),
    }
}

/// The URL under which a browser edits a file; nothing where the URL names none.
#[napi(catch_unwind)]
pub fn resolve_edit_url(url: String) -> Option<String> {
    url::resolve_edit_url(&url)
}

/// The host of a URL with its port; nothing for what is no URL.
#[napi(catch_unwind)]
pub fn host_of(url: String) -> Option<String> {
    fault::point("function");
    url::host_of(&url)
}

/// A pattern for files, and where it is to be looked for.
#[napi(object, object_from_js = false)]
pub struct Pattern {
    /// What to match paths with; no slash is before it.
    pub glob: String,
    /// The URL of the repository as a whole.
    pub whole: String,
    /// The folder in which alone there can be matches, with a slash after it; empty for the whole
    /// repository.
    pub folder: String,
    /// The URL of that folder.
    pub within: String,
    /// How many steps it takes to match a character of a path with it, at most; infinite where that
    /// is not known.
    pub weight: f64,
}

/// The pattern that the path of a repository URL is, by each way to write it, as it is written first;
/// none where it names a file.
#[napi(catch_unwind)]
pub fn patterns_of(url: String) -> Either<Vec<Pattern>, Failure> {
    let patterns = url::Pattern::spellings(&url);
    for pattern in &patterns {
        let checked = check_groups(&pattern.glob);
        let checked = checked.and_then(|()| Expansion::within_limit(&pattern.glob).map(drop));
        if let Err(error) = checked {
            let place = url::without_secrets(&pattern.whole);
            let message = format!("Failed to search {place}, {error}");
            return Either::B(Error::new(error.kind(), message).into());
        }
    }
    Either::A(patterns.into_iter().map(Into::into).collect())
}

impl From<url::Pattern> for Pattern {
    fn from(pattern: url::Pattern) -> Self {
        Self {
            weight: weight(&pattern.glob),
            glob: pattern.glob,
            whole: pattern.whole,
            folder: pattern.folder,
            within: pattern.within,
        }
    }
}

/// The URLs of files of the repository that a web URL names; no slash stands before their paths.
#[napi(catch_unwind)]
pub fn file_urls(url: String, paths: Vec<String>) -> Either<Vec<String>, Failure> {
    match url::file_urls(&url, &paths) {
        Ok(urls) => Either::A(urls),
        Err(error) => Either::B(error.into()),
    }
}

/// The URL as a message may show it.
#[napi(catch_unwind)]
pub fn without_secrets(url: String) -> String {
    url::without_secrets(&url)
}

fn either(result: Result<String, Error>) -> Either<String, Failure> {
    match result {
        Ok(url) => Either::A(url),
        Err(error) => Either::B(error.into()),
    }
}
