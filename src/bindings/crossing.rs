//! From JavaScript to the runtime and back: promises that are settled with a value or with a failure.

use napi::{
    Either, Env,
    bindgen_prelude::{PromiseRaw, ToNapiValue, spawn},
};
use napi_derive::napi;

use super::completions::Deferred;
use crate::{
    error::{self, Error},
    fault,
    panic::caught,
};

/// Why there is no result.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// The kind of failure, by the names of the core's `ErrorKind`.
    pub kind: &'static str,
    /// What to tell.
    pub message: String,
    /// The request that it followed; missing where it followed none.
    pub request: Option<FailedRequest>,
}

/// The request that a failure followed.
#[napi(object, object_from_js = false)]
pub struct FailedRequest {
    /// The REST URL.
    pub url: String,
    /// The host, and the organization or collection on it.
    pub scope: String,
    /// The kind of credential in plain words.
    pub credential: &'static str,
    /// The credential's place in the app-config, or where else it comes from.
    pub place: String,
    /// The answer's status; 0 where there was none.
    pub status: u16,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind().name(),
            message: error.to_string(),
            request: error.request().map(Into::into),
        }
    }
}

impl From<error::FailedRequest> for FailedRequest {
    fn from(request: error::FailedRequest) -> Self {
        Self {
            url: request.url,
            scope: request.scope,
            credential: request.credential,
            place: request.place.to_string(),
            status: request.status.unwrap_or_default(),
        }
    }
}

/// Runs `future` on the runtime and settles a promise with what it gives; a panic is a failure.
pub(super) fn cross<T>(
    env: &Env,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> napi::Result<PromiseRaw<'_, Either<T, Failure>>>
where
    T: ToNapiValue + Send + 'static,
{
    fault::point("call");
    let (deferred, promise) = Deferred::new(env)?;
    // On the heap: each future around it would hold it once more, and is moved.
    let future = Box::pin(future);
    spawn(async move {
        let future = caught(async move {
            fault::point("promise");
            future.await
        });
        deferred.resolve(match future.await {
            Ok(value) => Either::A(value),
            Err(error) => Either::B(error.into()),
        });
    });
    Ok(promise)
}
