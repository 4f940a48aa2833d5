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

mod body;
mod cache;
mod cancellation;
mod config;
mod credentials;
#[cfg(feature = "panics")]
mod fault_points;
mod limits;
mod reader;
mod search;
mod shared_cache;
mod telemetry;
mod tls;
mod tree;
mod url;

use napi::{
    Either, Env,
    bindgen_prelude::{ObjectFinalize, PromiseRaw, ToNapiValue},
};
use napi_derive::{module_init, napi};

use crate::{
    error::{self, Error},
    fault,
    panic::{self, caught},
};

/// Memory crosses threads here: a runtime thread makes what Node's thread frees. glibc's allocator
/// makes the two wait for each other, which costs a third of a small read's time on Node's thread.
// A fuzzer looks for faults of memory in the system's own.
#[cfg(not(fuzzing))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

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
            request: error.request().cloned().map(Into::into),
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
fn cross<T>(
    env: &Env,
    future: impl Future<Output = Result<T, Error>> + Send + 'static,
) -> napi::Result<PromiseRaw<'_, Either<T, Failure>>>
where
    T: ToNapiValue + Send + 'static,
{
    fault::point("call");
    // On the heap: it may be large, is moved on its way to the runtime, and Node calls JavaScript
    // meanwhile, for which there has to be room on the stack.
    let future = Box::pin(future);
    let future = caught(async move {
        fault::point("promise");
        future.await
    });
    env.spawn_future(async move {
        Ok(match future.await {
            Ok(value) => Either::A(value),
            Err(error) => Either::B(error.into()),
        })
    })
}

/// Lets go of an object that JavaScript has let go of. Its end may do more than free memory, and a panic
/// in there would end the process.
fn finalize(object: impl Sized) {
    panic::contained(|| {
        let _object = object;
        fault::point("end of an object");
    });
}

/// Gives classes an end that cannot panic.
macro_rules! ends_safely {
    ($($class:ty),+) => {$(
        impl ObjectFinalize for $class {
            fn finalize(self, _: Env) -> napi::Result<()> {
                finalize(self);
                Ok(())
            }
        }
    )+};
}

ends_safely!(
    body::Body,
    cancellation::Cancellation,
    credentials::Credentials,
    reader::Reader,
    search::Contents,
    search::Search,
    tree::Archive,
    tree::Packed,
    tree::Tree,
    url::AzureUrl
);

/// Where a bug shows, it is told by its place alone; a fuzzer, which has no secrets, tells all.
#[module_init]
fn start() {
    if !cfg!(fuzzing) {
        panic::tell_by_place();
    }
}

/// Whether this is an optimized build, of which figures may be shown.
#[napi(catch_unwind)]
pub const fn is_optimized() -> bool {
    !cfg!(debug_assertions)
}

/// Whether a panic was told of on this thread since this was asked last: what is thrown holds the
/// panic's message, and that may hold anything.
#[napi(catch_unwind)]
pub fn take_panicked() -> bool {
    panic::take_told()
}
