//! What the diagnostics channel is told of a read.

use napi_derive::napi;

use crate::{reader::ReadContext, url::SafeUrl};

/// The request that answered a read, and whose credential it showed.
#[napi(object, object_from_js = false)]
pub struct Asked {
    /// The REST URL that was asked for.
    pub request: String,
    /// The kind of credential in plain words.
    pub credential: &'static str,
    /// The credential's place in the app-config, or where else it comes from.
    pub place: String,
    /// The host, and the organization or collection on it.
    pub scope: String,
    /// The answer's status; 0 where it is a stale one.
    pub status: u16,
}

impl Asked {
    /// The last request of a read, and the status of its answer.
    pub(super) fn of(context: &ReadContext, request: &SafeUrl, status: u16) -> Self {
        let authorization = context.authorization();
        Self {
            request: request.to_string(),
            credential: authorization.identity().title(),
            place: authorization.place().to_string(),
            scope: context.scope(),
            status,
        }
    }
}
