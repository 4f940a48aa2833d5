//! The ways in which a path may be meant that holds percent escapes: as it is written, or decoded once.
//!
//! Backstage's own registry of integrations resolves `./my docs` to a URL in which the path is encoded
//! once more than it should be, and cannot be replaced.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    exchange::Exchange,
    kept::{Key, kept},
    listing::says_no_such_folder,
};
use crate::{
    cache::Weigh,
    credentials::Authorization,
    error::{Error, ErrorKind},
    http::Client,
    rest,
    url::{AzureUrl, decoded_once, parse},
};

/// For how long it is remembered that a folder does not exist as it is written.
const REMEMBERED: Duration = Duration::from_secs(5 * 60);

/// A folder that did not exist as it is written, and when that was seen.
#[derive(Clone, Copy, Debug)]
pub(super) struct Absent(Instant);

impl Weigh for Absent {
    fn bytes(&self) -> u64 {
        size_of::<Self>() as u64
    }
}

/// The ways to write the path that a read names, in the order in which they are tried, and what became
/// of those that were.
#[derive(Debug)]
pub(super) struct Spellings {
    /// The first to try comes last.
    left: Vec<Spelling>,
    /// The failure to tell, where there is nothing by any of them.
    missing: Option<Error>,
    is_written_missing: bool,
}

/// One way to write a path.
#[derive(Debug)]
pub(super) struct Spelling {
    pub url: AzureUrl,
    /// Whether it is the way in which the caller wrote it.
    is_as_written: bool,
}

impl Spellings {
    /// Those of a file. The name of the file itself is meant as it is written, wherever there is such a
    /// file.
    pub(super) fn of_file(url: &AzureUrl, authorization: &Authorization) -> Self {
        let path = url.path().unwrap_or_default();
        let (folder, name) = split(path);
        let named = decoded_once(folder).map(|folder| format!("{folder}{name}"));
        Self::new(url, named, folder, authorization)
    }

    /// Those of a folder.
    pub(super) fn of_folder(url: &AzureUrl, authorization: &Authorization) -> Self {
        Self::new(url, None, url.path().unwrap_or_default(), authorization)
    }

    fn new(
        url: &AzureUrl,
        named: Option<String>,
        folder: &str,
        authorization: &Authorization,
    ) -> Self {
        let decoded = url.path().and_then(decoded_once);
        let mut paths: Vec<String> = named.into_iter().chain(decoded).collect();
        paths.dedup();
        let mut ways: Vec<Spelling> = paths
            .iter()
            .map(|path| Spelling {
                url: url.at_path(path),
                is_as_written: false,
            })
            .collect();
        let is_absent = !ways.is_empty() && is_absent(url, folder, authorization);
        let written = Spelling {
            url: url.clone(),
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

    /// The next way to try; nothing after the last.
    pub(super) fn next(&mut self) -> Option<Spelling> {
        self.left.pop()
    }

    /// Notes that there is nothing by this way.
    ///
    /// # Errors
    /// The failure is another one, after which there is nothing more to try.
    pub(super) fn note(&mut self, spelling: &Spelling, failure: Error) -> Result<(), Error> {
        if failure.kind() != ErrorKind::NotFound {
            return Err(failure);
        }
        self.is_written_missing |= spelling.is_as_written;
        if spelling.is_as_written || self.missing.is_none() {
            self.missing = Some(failure);
        }
        Ok(())
    }

    /// Whether there was nothing by the way in which the caller wrote it.
    pub(super) const fn is_written_missing(&self) -> bool {
        self.is_written_missing
    }

    /// Why there is nothing by any of them: the failure of the way in which the caller wrote it.
    pub(super) fn failure(self) -> Error {
        let no_path = || Error::other("there is no path to read");
        self.missing.unwrap_or_else(no_path)
    }
}

/// Finds out whether it is the folder of a file that does not exist as it is written, and remembers it.
///
/// What cannot be found out is asked again with the next file.
pub(super) async fn learn_of_folder(url: &AzureUrl, exchange: &Exchange) {
    let (folder, _) = split(url.path().unwrap_or_default());
    let Some(folder) = first_escaped(folder) else {
        return;
    };
    let authorization = &exchange.authorization;
    if authorization.is_callers() || is_absent(url, folder, authorization) {
        return;
    }
    let request = url.to_item_url(folder).and_then(|url| parse(&url));
    let (Ok(client), Ok(request)) = (Client::shared(), request) else {
        return;
    };
    if let Ok(answer) = rest::list_items(client, request, authorization).await
        && answer.status().is_client_error()
        && says_no_such_folder(answer).await
    {
        remember_absent(url, folder, authorization);
    }
}

/// Remembers that a folder does not exist as it is written.
pub(super) fn remember_absent(url: &AzureUrl, folder: &str, authorization: &Authorization) {
    if let Some(key) = key(url, folder, authorization) {
        kept().absent.put(key, Absent(Instant::now()));
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
            let absent = key.and_then(|key| kept().absent.get(&key));
            absent.is_some_and(|Absent(seen)| seen.elapsed() < REMEMBERED)
        })
}

/// A folder of a repository at a version, for one principal.
fn key(url: &AzureUrl, folder: &str, authorization: &Authorization) -> Option<Key> {
    let folder = format!("/{}", folder.trim_matches('/'));
    let address = url.to_item_url(&folder).and_then(|url| parse(&url)).ok()?;
    Some(Key::of(&address, authorization))
}

/// The folder of a path, with the slash after it, and the name of the file in it.
fn split(path: &str) -> (&str, &str) {
    path.split_at(path.rfind('/').map_or(0, |slash| slash + 1))
}

/// The highest folder whose name has an escape.
fn first_escaped(folder: &str) -> Option<&str> {
    let folder = folder.trim_end_matches('/');
    let escape = folder.find('%')?;
    let end = folder.get(escape..)?.find('/');
    folder.get(..end.map_or(folder.len(), |end| escape + end))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(mut spellings: Spellings) -> Vec<String> {
        let next = || spellings.next();
        let path = |spelling: Spelling| spelling.url.path().unwrap_or_default().to_owned();
        std::iter::from_fn(next).map(path).collect()
    }

    fn url(path: &str) -> AzureUrl {
        let url = AzureUrl::from_repo_url("https://dev.azure.com/spelling/_git/r?path=/");
        url.unwrap_or_else(|error| unreachable!("{error}"))
            .at_path(path)
    }

    #[test]
    fn a_files_own_name_is_asked_for_as_it_is_written_first() {
        let nobody = Authorization::anonymous();
        for (path, ways) in [
            ("/a b/c", &["/a b/c"][..]),
            ("/a%2/c%zz", &["/a%2/c%zz"]),
            ("/a/c%20d", &["/a/c%20d", "/a/c d"]),
            ("/a%20b/c", &["/a%20b/c", "/a b/c"]),
            ("/a%20b/c%20d", &["/a%20b/c%20d", "/a b/c%20d", "/a b/c d"]),
        ] {
            assert_eq!(
                paths(Spellings::of_file(&url(path), &nobody)),
                ways,
                "{path}"
            );
        }
        remember_absent(&url("/"), "/x%20y", &nobody);
        let ways = paths(Spellings::of_file(&url("/x%20y/z/c%20d"), &nobody));
        assert_eq!(ways, ["/x y/z/c%20d", "/x y/z/c d", "/x%20y/z/c%20d"]);
        let ways = paths(Spellings::of_folder(&url("/x%20y/z"), &nobody));
        assert_eq!(ways, ["/x y/z", "/x%20y/z"]);
        let ways = paths(Spellings::of_folder(&url("/x%20yz"), &nobody));
        assert_eq!(ways, ["/x%20yz", "/x yz"]);
    }

    #[test]
    fn the_highest_folder_with_an_escape_is_found() {
        for (folder, first) in [
            ("/a/b/", None),
            ("/a%20b/c/", Some("/a%20b")),
            ("/a/b%20c/d%20e/", Some("/a/b%20c")),
            ("/a/b%20c", Some("/a/b%20c")),
        ] {
            assert_eq!(first_escaped(folder), first, "{folder}");
        }
    }
}
