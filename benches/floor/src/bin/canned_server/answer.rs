//! What is answered to a request.

use std::{collections::HashMap, fs, io, path::PathBuf, sync::atomic::Ordering};

use bytes::Bytes;
use parking_lot::Mutex;

use crate::Service;

/// The `ETag` of every file.
pub(crate) const ETAG: &str = "\"0a1b\"";

/// The path by which the counts are asked for.
const COUNTS: &str = "/-/counts";

/// What a request says, as far as it counts.
#[derive(Clone, Copy)]
pub(crate) struct Request<'head> {
    /// Path and query.
    pub(crate) target: &'head str,
    /// Whether it says an `ETag` that it has.
    pub(crate) has_etag: bool,
    /// Whether it accepts a zip.
    pub(crate) accepts_zip: bool,
}

/// An answer, before it is written in a version of HTTP.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Body,
}

/// What an answer holds.
pub(crate) enum Body {
    /// So many bytes, whatever they are.
    Filled(usize),
    /// These bytes.
    Whole(Bytes),
}

impl Body {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Filled(size) => *size,
            Self::Whole(bytes) => bytes.len(),
        }
    }
}

/// What there is to answer with.
pub(crate) struct Answers {
    folder: PathBuf,
    /// The zips by the repositories that they are of, as they were first asked for.
    zips: Mutex<HashMap<String, Bytes>>,
}

impl Answers {
    /// Answers with the zips of a folder.
    pub(crate) fn of(folder: &str) -> Self {
        Self {
            folder: folder.into(),
            zips: Mutex::default(),
        }
    }

    fn zip(&self, target: &str) -> io::Result<Bytes> {
        let name = repository_in(target)
            .filter(|name| {
                name.bytes()
                    .all(|it| it.is_ascii_alphanumeric() || it == b'-')
            })
            .ok_or(io::ErrorKind::NotFound)?;
        if let Some(zip) = self.zips.lock().get(name) {
            return Ok(zip.clone());
        }
        let zip = Bytes::from(fs::read(self.folder.join(name).with_extension("zip"))?);
        self.zips.lock().insert(name.to_owned(), zip.clone());
        Ok(zip)
    }
}

impl Service {
    /// The answer to a request, which is counted unless it asks for the counts.
    pub(crate) fn answer(&self, request: Request<'_>) -> Answer {
        if request.target == COUNTS {
            return json(self.counts.take().to_string());
        }
        self.counts.requests.fetch_add(1, Ordering::Relaxed);
        if request.target.contains("/commits") {
            let commit = "a".repeat(40);
            return json(format!(
                r#"{{"count":1,"value":[{{"commitId":"{commit}"}}]}}"#
            ));
        }
        if request.accepts_zip || request.target.contains("format=zip") {
            return self.zip(request.target);
        }
        if request.has_etag {
            self.counts.not_modified.fetch_add(1, Ordering::Relaxed);
            return file(304, Body::Filled(0));
        }
        size_in(request.target).map_or_else(not_found, |size| file(200, Body::Filled(size)))
    }

    fn zip(&self, target: &str) -> Answer {
        match self.answers.zip(target) {
            Ok(zip) => Answer {
                content_type: "application/zip",
                ..file(200, Body::Whole(zip))
            },
            Err(_) => not_found(),
        }
    }
}

fn file(status: u16, body: Body) -> Answer {
    Answer {
        status,
        content_type: "application/octet-stream",
        body,
    }
}

fn json(text: String) -> Answer {
    Answer {
        content_type: "application/json",
        ..file(200, Body::Whole(text.into()))
    }
}

fn not_found() -> Answer {
    Answer {
        status: 404,
        ..json(r#"{"message":"there is nothing"}"#.into())
    }
}

/// The name in `…/repositories/<name>/items`, without `-x` and what follows: so there are as many
/// repositories of the same content as are asked for.
fn repository_in(target: &str) -> Option<&str> {
    let name = target.split_once("/repositories/")?.1.split('/').next()?;
    name.split("-x").next()
}

/// The number that a file's path begins with.
fn size_in(target: &str) -> Option<usize> {
    let path = target.split_once("path=")?.1;
    let path = path
        .strip_prefix('/')
        .or_else(|| path.strip_prefix("%2F"))?;
    let end = path.find(|it: char| !it.is_ascii_digit());
    path[..end.unwrap_or(path.len())].parse().ok()
}
