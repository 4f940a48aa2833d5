//! What ends reads, across the boundary.

use napi_derive::napi;
use tokio_util::sync::CancellationToken;

use crate::fault;

/// Ends reads.
#[napi(custom_finalize)]
#[derive(Default)]
pub struct Cancellation {
    pub(super) token: CancellationToken,
}

#[napi]
impl Cancellation {
    /// A new cancellation.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        fault::point("constructor");
        Self::default()
    }

    /// Ends the reads that were started with this, and closes their connections.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.token.cancel();
    }
}

/// A child of it, so that closing one body does not end the other reads of the same cancellation.
pub(super) fn child_of(cancellation: Option<&Cancellation>) -> CancellationToken {
    cancellation.map_or_else(CancellationToken::new, |it| it.token.child_token())
}
