//! Stale answers: what was read last, to stand in while a principal is throttled.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use tokio::time::Instant;
use url::quirks;

use super::keys::Key;
use crate::{
    cache::{Cache, Weigh},
    error::{Error, ErrorKind},
    reader::context::ReadContext,
    telemetry::metrics::{self, Metric, reader_labels},
};

/// Something as it was read, and when.
#[derive(Clone, Debug)]
pub(crate) struct StaleAnswer<T> {
    pub(crate) value: T,
    read_at: Instant,
}

impl<T> StaleAnswer<T> {
    /// How long ago it was read.
    pub(crate) fn age(&self) -> Duration {
        self.read_at.elapsed()
    }
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub(crate) struct File {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
    pub(crate) content: Bytes,
}

/// The last good answer to one request, where that may stand in for a new one.
#[derive(Clone, Debug)]
pub(crate) struct StaleSlot<T: 'static> {
    store: &'static Cache<Key, StaleAnswer<T>>,
    key: Key,
    max_age: Option<Duration>,
}

impl StaleSlot<String> {
    /// Says that the caller has the commit already.
    pub(crate) fn unchanged(
        &self,
        commit: String,
        age: Option<Duration>,
        context: &ReadContext,
    ) -> Error {
        if age.is_some() {
            return context.messages().unchanged(None);
        }
        self.put(commit);
        context.messages().unchanged(Some(StatusCode::OK))
    }
}

impl<T: Clone> StaleSlot<T>
where
    StaleAnswer<T>: Weigh,
{
    /// What is stored under the key, and may be so old; without an age nothing is, or will be.
    pub(crate) const fn of(
        store: &'static Cache<Key, StaleAnswer<T>>,
        key: Key,
        max_age: Option<Duration>,
    ) -> Self {
        Self {
            store,
            key,
            max_age,
        }
    }

    /// What `read` gives; or the stale answer, while the principal is throttled.
    ///
    /// There is no stale answer for what is gone, or no longer visible.
    pub(crate) async fn or<R>(
        &self,
        context: &ReadContext,
        read: impl Future<Output = Result<R, Error>>,
    ) -> Result<FreshOrStale<T, R>, Error> {
        let answer = self.or_before(context, read).await;
        if matches!(answer, Ok(FreshOrStale::Stale(_))) {
            count_stale(context);
        }
        answer
    }

    /// As [`Self::or`], for a caller that begins again with the stale answer.
    pub(crate) async fn or_before<R>(
        &self,
        context: &ReadContext,
        read: impl Future<Output = Result<R, Error>>,
    ) -> Result<FreshOrStale<T, R>, Error> {
        let Some(good) = self.usable() else {
            return self.unless_gone(read.await.map(FreshOrStale::Fresh));
        };
        let (client, request) = (context.api.client(), &context.request);
        let authorization = context.authorization();
        let answer = tokio::select! {
            biased;
            () = client.rate_limited(request, authorization) => return Ok(FreshOrStale::Stale(good)),
            answer = read => answer,
        };
        match answer {
            // It was refused at the moment in which its principal was throttled.
            Err(error)
                if error.kind() == ErrorKind::Other
                    && client.is_rate_limited(request, authorization) =>
            {
                Ok(FreshOrStale::Stale(good))
            }
            answer => self.unless_gone(answer.map(FreshOrStale::Fresh)),
        }
    }

    /// Whether something is to be remembered.
    pub(crate) const fn is_wanted(&self) -> bool {
        self.max_age.is_some()
    }

    /// Remembers what was read now.
    pub(crate) fn put(&self, value: T) {
        if self.is_wanted() {
            let read_at = Instant::now();
            self.store
                .put(self.key.clone(), StaleAnswer { value, read_at });
        }
    }

    /// Notes whether what was read last is what is there now; if not, it stands in no more.
    pub(crate) fn confirm(&self, is_same: impl FnOnce(&T) -> bool) {
        match self.store.get(&self.key) {
            Some(good) if is_same(&good.value) => self.put(good.value),
            Some(_) => self.store.forget(&self.key),
            None => {}
        }
    }

    fn usable(&self) -> Option<StaleAnswer<T>> {
        let max_age = self.max_age?;
        let good = self.store.get(&self.key);
        good.filter(|good| good.age() <= max_age)
    }

    fn unless_gone<R>(&self, answer: Result<R, Error>) -> Result<R, Error> {
        if let Err(error) = &answer
            && matches!(
                error.kind(),
                ErrorKind::NotFound | ErrorKind::Authentication | ErrorKind::NotAllowed
            )
        {
            self.store.forget(&self.key);
        }
        answer
    }
}

/// Counts a stale answer.
fn count_stale(context: &ReadContext) {
    let authorization = context.authorization();
    let credential = authorization.identity().title();
    let place = authorization.place();
    let labels = reader_labels(quirks::host(&context.request), credential, &place);
    metrics::count(Metric::StaleAnswers, labels);
}

/// A new answer, or a stale one.
pub(crate) enum FreshOrStale<T, R> {
    Fresh(R),
    Stale(StaleAnswer<T>),
}

impl Weigh for StaleAnswer<File> {
    fn bytes(&self) -> u64 {
        let File {
            etag,
            last_modified,
            content,
        } = &self.value;
        let texts = [etag, last_modified].map(|text| text.as_ref().map_or(0, String::len));
        (size_of::<Self>() + content.len() + texts.iter().sum::<usize>()) as u64
    }
}

impl Weigh for StaleAnswer<String> {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.value.len()) as u64
    }
}
