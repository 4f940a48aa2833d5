//! The Node boundary: translates values, crosses to the runtime and back, and decides nothing.
//!
//! A failure crosses as a value ([`Failure`]), so that `ts/` can throw the class that Backstage has
//! for its kind, with a stack of the caller's.

// What `#[napi]` makes of these structs is reached from JavaScript only.
#![expect(
    unreachable_pub,
    reason = "exported to JavaScript by napi, not to Rust"
)]
#![expect(
    clippy::needless_pass_by_value,
    reason = "napi converts arguments to owned values"
)]

mod config;
mod credentials;
mod limits;
mod listing;
mod reader;
mod shared;
mod telemetry;
mod tree;
mod url;

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;
use napi::{
    Either, Env,
    bindgen_prelude::{PromiseRaw, ToNapiValue},
};
use napi_derive::napi;

use crate::error::Error;

/// Memory crosses threads here: a runtime thread makes what Node's thread frees. glibc's allocator
/// makes the two wait for each other, which costs a third of a small read's time on Node's thread.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Why there is no result.
#[napi(object, object_from_js = false)]
pub struct Failure {
    /// The kind of failure, by the names of the core's `ErrorKind`.
    pub kind: &'static str,
    /// What to tell.
    pub message: String,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self {
            kind: error.kind().name(),
            message: error.to_string(),
        }
    }
}

/// Runs `future` on the runtime and settles a promise with what it gives; a panic becomes a
/// rejection.
fn cross<T>(
    env: &Env,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> napi::Result<PromiseRaw<'_, Either<T, Failure>>>
where
    T: ToNapiValue + Send + 'static,
{
    env.spawn_future(async move {
        match AssertUnwindSafe(future).catch_unwind().await {
            Ok(Ok(value)) => Ok(Either::A(value)),
            Ok(Err(error)) => Ok(Either::B(error.into())),
            Err(_) => Err(napi::Error::from_reason(
                "backstage-azure-devops-native panicked; this is a bug worth reporting",
            )),
        }
    })
}
