//! The floor of a benchmark: each job done by the bare library that does it, behind the same crossing
//! to Node as the product's, so that what is above it is what the product costs.

#![expect(
    clippy::needless_pass_by_value,
    reason = "napi converts arguments to owned values"
)]

mod archive;
mod hyper_client;
mod reqwest_client;
mod tls;

/// As the product has it, so that no allocator makes a difference.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What each request says, as many headers as the product sends.
const HEADERS: [(&str, &str); 4] = [
    ("accept", "application/octet-stream"),
    ("accept-encoding", "gzip"),
    ("authorization", "Basic OnRva2Vu"),
    ("user-agent", "floor/0.0.0"),
];

/// A failure as napi has it.
fn failed(error: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}
