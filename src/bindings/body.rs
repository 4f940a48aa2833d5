//! The content of a file across the boundary.

use std::sync::Arc;

use napi::{
    Either, Env,
    bindgen_prelude::{Buffer, Null, PromiseRaw},
};
use napi_derive::napi;
use tokio::sync::Mutex;

use super::{
    crossing::{Failure, cross},
    limits::buffer,
};
use crate::reader::{self, ReadContext};

/// Content that is pulled piece by piece.
#[napi(custom_finalize)]
pub struct Body {
    pull: Arc<Mutex<reader::Body>>,
    context: Arc<ReadContext>,
}

#[napi]
impl Body {
    /// The next piece; `null` at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<Buffer, Null>, Failure>>> {
        let (pull, context) = (Arc::clone(&self.pull), Arc::clone(&self.context));
        cross(env, async move {
            let piece = pull.lock().await.next().await;
            release(&pull, &context);
            Ok(piece?.map_or(Either::B(Null), |bytes| Either::A(Vec::from(bytes).into())))
        })
    }

    /// Everything that is still to come.
    #[napi(catch_unwind)]
    pub fn collect<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Buffer, Failure>>> {
        let (pull, context) = (Arc::clone(&self.pull), Arc::clone(&self.context));
        cross(env, async move {
            let bytes = pull.lock().await.collect().await;
            release(&pull, &context);
            buffer(bytes?).map_err(|error| context.unable_to(&error))
        })
    }

    /// Closes the connection; a pull in progress fails.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.context.cancellation.cancel();
        release(&self.pull, &self.context);
    }
}

/// Closes the connection of a read that was ended.
///
/// Called after ending it, and after every pull: the last of the two calls finds the body free.
fn release(pull: &Mutex<reader::Body>, context: &ReadContext) {
    if context.cancellation.is_cancelled()
        && let Ok(mut body) = pull.try_lock()
    {
        body.close();
    }
}

impl Body {
    pub(super) fn of(response: reader::ReadUrlResponse) -> Self {
        Self {
            pull: Arc::new(Mutex::new(response.body)),
            context: response.context,
        }
    }
}
