//! Bounds across the boundary.

use napi_derive::napi;

use crate::limits::Limit;

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

/// Bounds what a server may send and an archive hold, in the whole process.
#[napi(catch_unwind)]
pub fn limit_to(fields: LimitFields) {
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
    for (limit, most) in limits {
        limit.set(most.map(whole));
    }
}

/// No number is too large or too small: those that are none become 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats saturate"
)]
pub(super) const fn whole(number: f64) -> u64 {
    number as u64
}
