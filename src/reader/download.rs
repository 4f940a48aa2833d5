//! An archive on its way, for all who asked for the same.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use futures_util::{
    FutureExt,
    future::{BoxFuture, Shared},
};
use reqwest::Response;
use tokio::time::Instant;

use super::{body::Body, exchange::Exchange, stored::Stored, unread};
use crate::{error::Error, fault, limits::Limit, panic::caught};

/// How long an answer that nobody reads is believed to be still there for others.
const FRESH: Duration = Duration::from_millis(250);

/// A request for an archive: its head comes at once, the rest when somebody wants it stored.
///
/// Nothing is done but while somebody waits; who drops it leaves the others waiting, and when the
/// last one does the connection is closed.
pub(super) struct Download {
    head: Shared<BoxFuture<'static, Result<Arc<Exchange>, Error>>>,
    stored: Shared<BoxFuture<'static, Result<Arc<Stored>, Error>>>,
    came: Arc<OnceLock<Instant>>,
    /// As many more than one as wait for the rest.
    waiting: Arc<()>,
}

impl Download {
    /// What `ask` is answered with, to be stored in `directory` and then given to `keep`. It is asked
    /// again where too many answers waited for whoever wants theirs.
    pub(super) fn of<F>(
        ask: impl Fn() -> F + Send + Sync + 'static,
        directory: PathBuf,
        keep: impl FnOnce(Arc<Stored>) + Send + 'static,
    ) -> Self
    where
        F: Future<Output = Result<(Arc<Exchange>, Response), Error>> + Send + 'static,
    {
        let came = Arc::new(OnceLock::new());
        let body = Arc::new(Mutex::new(None));
        let ask = Arc::new(ask);
        let head = {
            let (came, body, ask) = (Arc::clone(&came), Arc::clone(&body), Arc::clone(&ask));
            // Who waits for a shared future that panics panics as well, or is not woken.
            caught(async move {
                fault::point("head of an archive");
                let (exchange, response) = ask().await?;
                let content = Body::of(response, Arc::clone(&exchange)).await;
                *body.lock().unwrap_or_else(PoisonError::into_inner) = Some(content);
                unread::note(&body);
                let _ = came.set(Instant::now());
                Ok(exchange)
            })
            .boxed()
            .shared()
        };
        let stored = {
            let head = head.clone();
            caught(async move {
                let exchange = head.await?;
                fault::point("content of an archive");
                let content = body.lock().unwrap_or_else(PoisonError::into_inner).take();
                let limit = Limit::ArchiveBytes;
                let stored = if let Some(mut content) = content {
                    Stored::download(&mut content, limit, directory, &exchange).await?
                } else {
                    let (exchange, response) = ask().await?;
                    let mut content = Body::of(response, Arc::clone(&exchange)).await;
                    Stored::download(&mut content, limit, directory, &exchange).await?
                };
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
    pub(super) async fn head(&self) -> Result<Arc<Exchange>, Error> {
        self.head.clone().await
    }

    /// The archive, once all of it is there.
    ///
    /// # Errors
    /// As [`Self::head`] and [`Stored::download`].
    pub(super) async fn stored(&self) -> Result<Arc<Stored>, Error> {
        let _waiting = Arc::clone(&self.waiting);
        self.stored.clone().await
    }

    /// Whether somebody who comes now can wait for it as well.
    pub(super) fn is_of_use(&self) -> bool {
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
