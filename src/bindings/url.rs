//! URLs across the boundary.

use ::url::Url;
use napi::{
    Either,
    bindgen_prelude::{Either3, Null},
};
use napi_derive::napi;

use super::crossing::Failure;
use crate::{
    error::Error,
    fault,
    glob::{Expansion, check_groups},
    url::{self, SafeUrl},
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
        either(self.url.to_repo_url().map(String::from))
    }

    /// The REST URL of the file's content.
    #[napi(catch_unwind)]
    pub fn to_file_url(&self) -> Either<String, Failure> {
        either(self.url.to_file_url().map(String::from))
    }

    /// The REST URL of a zip.
    #[napi(catch_unwind)]
    pub fn to_archive_url(&self) -> Either<String, Failure> {
        either(self.url.to_archive_url().map(String::from))
    }

    /// The REST URL of the commits.
    #[napi(catch_unwind)]
    pub fn to_commits_url(&self) -> Either<String, Failure> {
        either(self.url.to_commits_url().map(String::from))
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

/// The URL under which a browser edits a file; `None` where the URL names none.
#[napi(catch_unwind)]
pub fn resolve_edit_url(url: String) -> Option<String> {
    url::resolve_edit_url(&url)
}

/// The host of a URL with its port; `None` for what is no URL.
#[napi(catch_unwind)]
pub fn host_of(url: String) -> Option<String> {
    fault::point("function");
    url::host_of(&url)
}

/// A glob in the path of a repository URL.
#[napi(object, object_from_js = false)]
pub struct Glob {
    /// The glob by each spelling of it, as it is written first.
    pub spellings: Vec<String>,
    /// The URL of the repository in which it is looked for.
    pub repository: String,
}

/// The glob that the path of a repository URL is; `null` where it names a file.
#[napi(catch_unwind)]
pub fn glob_of(url: String) -> Either3<Glob, Null, Failure> {
    let patterns = Url::parse(&url).map(|url| url::Pattern::spellings(&url));
    let patterns = patterns.unwrap_or_default();
    let Some(written) = patterns.first() else {
        return Either3::B(Null);
    };
    for pattern in &patterns {
        let checked = check_groups(&pattern.glob);
        let checked = checked.and_then(|()| Expansion::within_limit(&pattern.glob).map(drop));
        if let Err(error) = checked {
            let place = SafeUrl::from(pattern.whole.clone());
            let message = format!("Failed to search {place}, {error}");
            return Either3::C(Error::new(error.kind(), message).into());
        }
    }
    Either3::A(Glob {
        repository: written.whole.to_string(),
        spellings: patterns.into_iter().map(|pattern| pattern.glob).collect(),
    })
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
