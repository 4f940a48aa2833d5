//! Bounds across the boundary.

use std::sync::atomic::{AtomicU64, Ordering};

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use super::crossing::Failure;
use crate::{error::Error, limits::Limit};

/// The most bytes of a `Buffer`; 4 GiB, as in Node 20, until it is set.
static MOST_OF_BUFFER: AtomicU64 = AtomicU64::new(1 << 32);

/// How much a server may send and an archive hold; missing where nothing is configured.
#[napi(object, object_to_js = false)]
pub struct LimitFields {
    /// Bytes of an answer in JSON.
    pub json_bytes: Option<f64>,
    /// Bytes of a file that is held in memory.
    pub file_bytes: Option<f64>,
    /// Bytes of an archive as it comes.
    pub archive_bytes: Option<f64>,
    /// Bytes of all files of an archive.
    pub inflated_bytes: Option<f64>,
    /// Files and folders of an archive.
    pub archive_entries: Option<f64>,
    /// Bytes of a path in an archive.
    pub path_bytes: Option<f64>,
    /// Names in a path in an archive.
    pub path_depth: Option<f64>,
    /// Milliseconds that are waited for the content of an answer.
    pub content_wait: Option<f64>,
    /// Patterns into which the braces of one expand.
    pub pattern_alternatives: Option<f64>,
}

/// Bounds what a server may send and an archive hold, in the whole process; all of it, or nothing where a
/// number cannot be used.
#[napi(catch_unwind)]
pub fn limit_to(fields: LimitFields) -> Option<Failure> {
    let limits = [
        (Limit::JsonBytes, fields.json_bytes),
        (Limit::FileBytes, fields.file_bytes),
        (Limit::ArchiveBytes, fields.archive_bytes),
        (Limit::InflatedBytes, fields.inflated_bytes),
        (Limit::ArchiveEntries, fields.archive_entries),
        (Limit::PathBytes, fields.path_bytes),
        (Limit::PathDepth, fields.path_depth),
        (Limit::ContentWait, fields.content_wait),
        (Limit::PatternAlternatives, fields.pattern_alternatives),
    ];
    let read = limits.into_iter().map(|(limit, most)| {
        let most = most.map(|most| limit.read(most)).transpose()?;
        Ok((limit, most))
    });
    match read.collect::<Result<Vec<_>, Error>>() {
        Ok(limits) => {
            for (limit, most) in limits {
                limit.set(most);
            }
            None
        }
        Err(error) => Some(error.into()),
    }
}

/// Sets how many bytes a `Buffer` of this Node can have.
#[napi(catch_unwind)]
pub fn limit_buffers_to(most: f64) {
    MOST_OF_BUFFER.store(whole(most), Ordering::Relaxed);
}

/// A content as a `Buffer`. One that is too large for that would not settle the promise that it is for.
///
/// # Errors
/// No `Buffer` can have so many bytes.
pub(super) fn buffer(content: Vec<u8>) -> Result<Buffer, Error> {
    let most = MOST_OF_BUFFER.load(Ordering::Relaxed);
    if content.len() as u64 > most {
        return Err(Error::other(format!(
            "the content has {} bytes, and a Buffer has no more than {most}: read it as a stream, or lower {}",
            content.len(),
            Limit::FileBytes.key()
        )));
    }
    Ok(content.into())
}

/// A number from JavaScript, clamped; `NaN` becomes 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate"
)]
pub(super) const fn whole(number: f64) -> u64 {
    number as u64
}
