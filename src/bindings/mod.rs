//! The Node boundary: translates values, crosses to the runtime and back, and decides nothing.
//!
//! A failure crosses as a value (`crossing::Failure`), so that `ts/` can throw the class that Backstage has
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

mod asked;
mod body;
mod cache;
mod cancellation;
mod completions;
mod config;
mod content;
mod credentials;
mod crossing;
mod doctor;
#[cfg(feature = "panics")]
mod fault_points;
mod finalize;
mod limits;
mod reader;
mod runtime;
mod search;
mod shared_cache;
mod telemetry;
mod tls;
mod tree;
mod url;

use napi_derive::{module_init, napi};

use crate::panic;

/// Memory crosses threads here: a runtime thread makes what Node's thread frees. glibc's allocator
/// makes the two wait for each other, which costs a third of a small read's time on Node's thread.
// A fuzzer looks for faults of memory in the system's own.
#[cfg(not(fuzzing))]
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A panic is reported by its place alone; a fuzzer, which has no secrets, reports everything.
#[module_init]
fn start() {
    if !cfg!(fuzzing) {
        panic::tell_by_place();
    }
    runtime::start();
}

/// Whether this is an optimized build, of which figures may be shown.
#[napi(catch_unwind)]
pub const fn is_optimized() -> bool {
    !cfg!(debug_assertions)
}

/// Whether a panic was reported on this thread since the last call: what is thrown holds the panic's
/// message, which may hold anything.
#[napi(catch_unwind)]
pub fn take_panicked() -> bool {
    panic::take_told()
}
