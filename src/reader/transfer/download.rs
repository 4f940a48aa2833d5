//! The download of an archive, for all that ask for the same.

use std::{
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use parking_lot::Mutex;

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use reqwest::StatusCode;
use tokio::time::Instant;

use super::{body::Body, temporary_file::TemporaryFile, unread};
use crate::{
    error::Error, fault, http::Answer, limits::Limit, panic::caught, reader::context::ReadContext,
};

/// How long an unread answer is expected to be still good for other reads.
const FRESH: Duration = Duration::from_millis(250);

/// A request for an archive: its head comes at once, the rest when a read wants it stored.
///
/// It makes progress only while a read waits. Dropping it leaves the other reads waiting; the connection is
/// closed with the last one.
pub(crate) struct Download {
    head: Shared<BoxFuture<'static, Result<Head, Error>>>,
    stored: Shared<BoxFuture<'static, Result<Arc<TemporaryFile>, Error>>>,
    came: Arc<OnceLock<Instant>>,
    /// One reference, and one more for each read that waits for the rest.
    waiting: Arc<()>,
}

/// The head of the answer: its read and its status.
#[derive(Clone, Debug)]
pub(crate) struct Head {
    pub context: Arc<ReadContext>,
    pub status: StatusCode,
}

impl Download {
    /// The answer to `ask`, to be stored in `directory` and then given to `keep`. It is asked for again
    /// where it was dropped because too many answers were unread.
    pub(crate) fn of<F>(
        ask: impl Fn() -> F + Send + Sync + 'static,
        directory: PathBuf,
        keep: impl FnOnce(Arc<TemporaryFile>) + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(Arc<ReadContext>, Answer), Error>> + Send + 'static,
    {
        let came = Arc::new(OnceLock::new());
        let body = Arc::new(Mutex::new(None));
        let ask = Arc::new(ask);
        let head = {
            let (came, body, ask) = (Arc::clone(&came), Arc::clone(&body), Arc::clone(&ask));
            // Who waits for a shared future that panics panics as well, or is not woken.
            caught(async move {
                fault::point("head of an archive");
                let (context, answer) = ask().await?;
                let status = answer.status();
                let waiting = Body::of(answer, context).await;
                let context = Arc::clone(waiting.context());
                *body.lock() = Some(waiting);
                unread::note(&body);
                let _ = came.set(Instant::now());
                Ok(Head { context, status })
            })
            .boxed()
            .shared()
        };
        let stored = {
            let head = head.clone();
            caught(async move {
                head.await?;
                fault::point("content of an archive");
                let waiting = body.lock().take();
                let mut body = if let Some(body) = waiting {
                    body
                } else {
                    let (context, answer) = ask().await?;
                    Body::of(answer, context).await
                };
                let limit = Limit::ArchiveBytes;
                let stored = TemporaryFile::download(&mut body, limit, directory).await?;
                let stored = Arc::new(stored);
                keep(Arc::clone(&stored));
                Ok(stored)
            })
            .boxed()
            .shared()
        };
        Self {
            head,
            stored,
            came,
            waiting: Arc::new(()),
        }
    }

    /// The head of the answer, once it is there.
    ///
    /// # Errors
    /// There is no answer, or it is not an archive.
    pub(crate) async fn head(&self) -> Result<Head, Error> {
        self.head.clone().await
    }

    /// The archive, once all of it is there.
    ///
    /// # Errors
    /// As [`Self::head`] and [`TemporaryFile::download`].
    pub(crate) async fn stored(&self) -> Result<Arc<TemporaryFile>, Error> {
        let _waiting = Arc::clone(&self.waiting);
        self.stored.clone().await
    }

    /// Whether a new read can share it.
    pub(crate) fn is_of_use(&self) -> bool {
        let has_failed = matches!(self.head.peek(), Some(Err(_)));
        let is_over = self.stored.peek().is_some();
        let is_awaited = Arc::strong_count(&self.waiting) > 1;
        let is_fresh = self.came.get().is_none_or(|came| came.elapsed() < FRESH);
        !has_failed && !is_over && (is_awaited || is_fresh)
    }
}

impl std::fmt::Debug for Download {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Download").finish_non_exhaustive()
    }
}
