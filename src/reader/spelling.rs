//! The spellings of a path with percent escapes: as it is written, or decoded once.
//!
//! Backstage's own registry of integrations resolves `./my docs` to a URL in which the path is encoded
//! once more than it should be, and cannot be replaced.

use std::{sync::Arc, time::Duration};

use tokio::{
    task,
    time::{Instant, timeout},
};

use super::cache::{Absent, Key, store};
use crate::{
    config::Retry,
    credentials::Authorization,
    error::Error,
    fault,
    glob::literal_folder,
    rest::{Call, GitApi, says_no_such_folder},
    url::{AzureUrl, decoded_once, other_spellings, pattern_spellings},
};

/// How long checking a folder may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long it is remembered that a folder does not exist as it is written.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// The spellings of the path of a read, in the order in which they are tried, and the outcome of those that
/// were.
#[derive(Clone, Debug)]
pub(super) struct Spellings {
    /// The first to try comes last.
    left: Vec<Spelling>,
    /// The failure to emit, where there is nothing by any of them.
    missing: Option<Error>,
    is_written_missing: bool,
}

/// One spelling of a path.
#[derive(Clone, Debug)]
pub(super) struct Spelling {
    pub url: Arc<AzureUrl>,
    /// Whether it is the caller's own.
    pub is_as_written: bool,
}

impl Spellings {
    /// Those of a file. Where a file of the very name exists, that is the one.
    pub(super) fn of_file(url: &Arc<AzureUrl>, authorization: &Authorization) -> Self {
        let path = url.path().unwrap_or_default();
        let (folder, name) = split(path);
        Self::new(url, other_spellings(folder, name), folder, authorization)
    }

    /// Those of a pattern.
    pub(super) fn of_pattern(url: &Arc<AzureUrl>, authorization: &Authorization) -> Self {
        let path = url.path().unwrap_or_default();
        let folder = literal_folder(path.trim_start_matches('/'));
        Self::new(url, pattern_spellings(path), &folder, authorization)
    }

    /// Those of a folder.
    pub(super) fn of_folder(url: &Arc<AzureUrl>, authorization: &Authorization) -> Self {
        let path = url.path().unwrap_or_default();
        let others = decoded_once(path).into_iter().collect();
        Self::new(url, others, path, authorization)
    }

    fn new(
        url: &Arc<AzureUrl>,
        others: Vec<String>,
        folder: &str,
        authorization: &Authorization,
    ) -> Self {
        let mut ways: Vec<Spelling> = others
            .into_iter()
            .map(|path| Spelling {
                url: url.at_path(&path).into(),
                is_as_written: false,
            })
            .collect();
        let is_absent = !ways.is_empty() && is_absent(url, folder, authorization);
        let written = Spelling {
            url: Arc::clone(url),
            is_as_written: true,
        };
        ways.insert(if is_absent { ways.len() } else { 0 }, written);
        ways.reverse();
        Self {
            left: ways,
            missing: None,
            is_written_missing: false,
        }
    }

    /// The next spelling to try; `None` after the last.
    pub(super) fn next(&mut self) -> Option<Spelling> {
        self.left.pop()
    }

    /// Notes that nothing is there in this spelling.
    ///
    /// # Errors
    /// The failure is of another kind, after which no spelling is worth trying.
    pub(super) fn note(&mut self, spelling: &Spelling, failure: Error) -> Result<(), Error> {
        if !failure.is_missing() {
            return Err(failure);
        }
        self.is_written_missing |= spelling.is_as_written;
        if spelling.is_as_written || self.missing.is_none() {
            self.missing = Some(failure);
        }
        Ok(())
    }

    /// Whether there is another spelling to try.
    pub(super) const fn has_more(&self) -> bool {
        !self.left.is_empty()
    }

    /// Whether nothing was there in the caller's own spelling.
    pub(super) const fn is_written_missing(&self) -> bool {
        self.is_written_missing
    }

    /// Why nothing is there: the failure of the caller's own spelling.
    pub(super) fn failure(self) -> Error {
        let no_path = || Error::other("there is no path to read");
        self.missing.unwrap_or_else(no_path)
    }
}

impl Spelling {
    /// Notes that the folder of a glob is not there in this spelling, which is remembered of the caller's
    /// own.
    pub(super) fn note_absent(&self, folder: &str, authorization: &Authorization) {
        if self.is_as_written && decoded_once(folder).is_some() {
            remember_absent(&self.url, folder, authorization);
        }
    }
}

/// Checks in the background whether the folder of a file does not exist as it is written, and remembers it
/// if so.
///
/// Without an answer in time, the next file in the folder asks again.
pub(super) fn learn_of_folder(api: &GitApi) {
    let (url, authorization) = (api.url(), api.authorization());
    let (folder, _) = split(url.path().unwrap_or_default());
    let Some(folder) = first_escaped(folder) else {
        return;
    };
    if authorization.is_callers() || is_absent(url, folder, authorization) {
        return;
    }
    let Some(key) = key(url, folder, authorization) else {
        return;
    };
    let once = Retry {
        max_retries: 0,
        ..api.retry().clone()
    };
    let Ok(call) = api.with_retry(once).item(folder) else {
        return;
    };
    task::spawn(async move {
        fault::point("background");
        // Together with the others that read their first file in it.
        let ask = || ask_for_folder(call);
        let _ = timeout(PATIENCE, store().absent.get_or_make(&key, ask)).await;
    });
}

/// Asks whether a folder is absent.
async fn ask_for_folder(call: Call) -> Result<Absent, Error> {
    let is_absent = match call.send().await {
        Ok(answer) if answer.status().is_client_error() => says_no_such_folder(answer).await,
        Ok(_) | Err(_) => false,
    };
    if is_absent {
        return Ok(Absent(Instant::now()));
    }
    Err(Error::other("nothing is known of the folder"))
}

/// Remembers that a folder does not exist as it is written.
pub(super) fn remember_absent(url: &AzureUrl, folder: &str, authorization: &Authorization) {
    if let Some(key) = key(url, folder, authorization) {
        store().absent.put(key, Absent(Instant::now()));
    }
}

/// Whether the folder, or one above it, was seen not to exist as it is written.
fn is_absent(url: &AzureUrl, folder: &str, authorization: &Authorization) -> bool {
    let folder = folder.trim_end_matches('/');
    let ends = folder.match_indices('/').map(|(at, _)| at);
    ends.chain([folder.len()])
        .filter_map(|end| folder.get(..end))
        .filter(|folder| folder.contains('%'))
        .any(|folder| {
            let key = key(url, folder, authorization);
            key.is_some_and(|key| is_remembered(&key))
        })
}

fn is_remembered(key: &Key) -> bool {
    let Some(Absent(seen)) = store().absent.get(key) else {
        return false;
    };
    let is_recent = seen.elapsed() < REMEMBERED;
    if !is_recent {
        store().absent.forget(key);
    }
    is_recent
}

/// A folder of a repository at a version, for one principal.
fn key(url: &AzureUrl, folder: &str, authorization: &Authorization) -> Option<Key> {
    let folder = format!("/{}", folder.trim_matches('/'));
    let address = url.to_item_url(&folder).ok()?;
    Some(Key::of(&address, authorization))
}

/// The folder of a path, with the slash after it, and the name of the file in it.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// The highest folder whose name has an escape that can be decoded.
fn first_escaped(folder: &str) -> Option<&str> {
    let folder = folder.trim_end_matches('/');
    let ends = folder.match_indices('/').map(|(at, _)| at);
    ends.chain([folder.len()])
        .filter_map(|end| folder.get(..end))
        .find(|folder| decoded_once(folder).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(mut spellings: Spellings) -> Vec<String> {
        let next = || spellings.next();
        let path = |spelling: Spelling| spelling.url.path().unwrap_or_default().to_owned();
        std::iter::from_fn(next).map(path).collect()
    }

    fn url(path: &str) -> Arc<AzureUrl> {
        let url = AzureUrl::from_repo_url("https://dev.azure.com/spelling/_git/r?path=/");
        url.unwrap_or_else(|error| unreachable!("{error}"))
            .at_path(path)
            .into()
    }

    #[test]
    fn a_files_own_name_is_asked_for_as_it_is_written_first() {
        let anonymous = Authorization::anonymous();
        for (path, ways) in [
            ("/a b/c", &["/a b/c"][..]),
            ("/a%2/c%zz", &["/a%2/c%zz"]),
            ("/a/c%20d", &["/a/c%20d", "/a/c d"]),
            ("/a%20b/c", &["/a%20b/c", "/a b/c"]),
            ("/a%20b/c%20d", &["/a%20b/c%20d", "/a b/c%20d", "/a b/c d"]),
        ] {
            assert_eq!(
                paths(Spellings::of_file(&url(path), &anonymous)),
                ways,
                "{path}"
            );
        }
        remember_absent(&url("/"), "/x%20y", &anonymous);
        let ways = paths(Spellings::of_file(&url("/x%20y/z/c%20d"), &anonymous));
        assert_eq!(ways, ["/x y/z/c%20d", "/x y/z/c d", "/x%20y/z/c%20d"]);
        let ways = paths(Spellings::of_folder(&url("/x%20y/z"), &anonymous));
        assert_eq!(ways, ["/x y/z", "/x%20y/z"]);
        let ways = paths(Spellings::of_folder(&url("/x%20yz"), &anonymous));
        assert_eq!(ways, ["/x%20yz", "/x yz"]);
    }

    #[test]
    fn a_patterns_folder_is_decoded_before_the_rest_of_it() {
        let anonymous = Authorization::anonymous();
        for (path, ways) in [
            ("/*.md", &["/*.md"][..]),
            ("/s%20t/*.md", &["/s%20t/*.md", "/s t/*.md"]),
            (
                "/s%20t/50%20*.md",
                &["/s%20t/50%20*.md", "/s t/50%20*.md", "/s t/50 *.md"],
            ),
            ("/%7Ba,b%7D/*.md", &["/%7Ba,b%7D/*.md", "/{a,b}/*.md"]),
            ("//s%20t/*.md", &["//s%20t/*.md", "//s t/*.md"]),
        ] {
            assert_eq!(
                paths(Spellings::of_pattern(&url(path), &anonymous)),
                ways,
                "{path}"
            );
        }
    }

    #[test]
    fn it_is_remembered_for_five_minutes_for_one_principal_repository_and_version() {
        let absent = |seen: Instant, url: &AzureUrl, authorization: &Authorization| {
            let key = key(url, "/m%20n", &Authorization::anonymous());
            store()
                .absent
                .put(key.unwrap_or_else(|| unreachable!()), Absent(seen));
            is_absent(url, "/m%20n", authorization)
        };
        let anonymous = Authorization::anonymous();
        let token = Authorization::of_callers_token(&"token".into());
        let token = token.unwrap_or_else(|error| unreachable!("{error}"));
        let (now, own) = (Instant::now(), url("/"));
        assert!(absent(now, &own, &anonymous));
        assert!(!absent(now, &own, &token));
        assert!(!is_absent(&own.at_commit("1"), "/m%20n", &anonymous));
        let other = AzureUrl::from_repo_url("https://dev.azure.com/spelling/_git/s?path=/");
        assert!(other.is_ok_and(|other| !is_absent(&other, "/m%20n", &anonymous)));
        let long_ago = now.checked_sub(REMEMBERED).unwrap_or(now);
        assert!(!absent(long_ago, &own, &anonymous));
    }

    #[test]
    fn the_highest_folder_with_an_escape_is_found() {
        for (folder, first) in [
            ("/a/b/", None),
            ("/a%20b/c/", Some("/a%20b")),
            ("/a/b%20c/d%20e/", Some("/a/b%20c")),
            ("/a/b%20c", Some("/a/b%20c")),
            ("/100%/a%20b/c", Some("/100%/a%20b")),
        ] {
            assert_eq!(first_escaped(folder), first, "{folder}");
        }
    }
}
