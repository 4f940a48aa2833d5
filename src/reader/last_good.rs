//! What was read last, for while whoever reads is blocked.

use std::time::Duration;

use bytes::Bytes;
use reqwest::StatusCode;
use tokio::time::Instant;
use url::{Url, quirks};

use super::{
    explain::Read,
    kept::{Key, kept},
};
use crate::{
    cache::{Cache, Weigh},
    credentials::Authorization,
    error::{Error, ErrorKind},
    http::Client,
    metrics::{self, Metric, reader_labels},
};

/// Something as it was read, and when.
#[derive(Clone, Debug)]
pub(super) struct Good<T> {
    pub(super) value: T,
    read_at: Instant,
}

impl<T> Good<T> {
    /// How long ago it was read.
    pub(super) fn age(&self) -> Duration {
        self.read_at.elapsed()
    }
}

/// A file as it was read.
#[derive(Clone, Debug)]
pub(super) struct File {
    pub(super) etag: Option<String>,
    pub(super) last_modified: Option<String>,
    pub(super) content: Bytes,
}

/// The last good answer to one question, where that may stand in for a new one.
#[derive(Clone, Debug)]
pub(super) struct LastGood<T: 'static> {
    store: &'static Cache<Key, Good<T>>,
    key: Key,
    max_age: Option<Duration>,
}

impl LastGood<String> {
    /// The commit at which a pattern was searched last, all that it took included.
    pub(super) fn of_search(
        commits: &Url,
        pattern: &str,
        authorization: &Authorization,
        max_age: Option<Duration>,
    ) -> Self {
        let key = Key::of_answer(commits, pattern, authorization);
        Self::of(&kept().commits, key, max_age)
    }

    /// Says that the caller has what is there at a commit, and so knows all that it takes.
    pub(super) fn unchanged(
        &self,
        commit: String,
        age: Option<Duration>,
        read: &Read<'_>,
    ) -> Error {
        if age.is_some() {
            return read.unchanged(None);
        }
        self.put(commit);
        read.unchanged(Some(StatusCode::OK))
    }
}

impl<T: Clone> LastGood<T>
where
    Good<T>: Weigh,
{
    /// What is stored under the key, and may be so old; without an age nothing is, or will be.
    pub(super) const fn of(
        store: &'static Cache<Key, Good<T>>,
        key: Key,
        max_age: Option<Duration>,
    ) -> Self {
        Self {
            store,
            key,
            max_age,
        }
    }

    /// What `read` gives; or, while whoever reads is blocked, what was read last.
    ///
    /// Nothing stands in for what is not there any more, or is not to be seen.
    pub(super) async fn or<R>(
        &self,
        request: &Url,
        authorization: &Authorization,
        read: impl Future<Output = Result<R, Error>>,
    ) -> Result<Answer<T, R>, Error> {
        let answer = self.or_before(request, authorization, read).await;
        if matches!(answer, Ok(Answer::Last(_))) {
            count_stale(request, authorization);
        }
        answer
    }

    /// As [`Self::or`], for whoever begins again with what was read last.
    pub(super) async fn or_before<R>(
        &self,
        request: &Url,
        authorization: &Authorization,
        read: impl Future<Output = Result<R, Error>>,
    ) -> Result<Answer<T, R>, Error> {
        let Some(good) = self.usable() else {
            return self.unless_gone(read.await.map(Answer::New));
        };
        let client = Client::shared()?;
        let answer = tokio::select! {
            biased;
            () = client.blocked(request, authorization) => return Ok(Answer::Last(good)),
            answer = read => answer,
        };
        match answer {
            // It was refused at the moment in which its reader was blocked.
            Err(error)
                if error.kind() == ErrorKind::Other
                    && client.is_blocked(request, authorization) =>
            {
                Ok(Answer::Last(good))
            }
            answer => self.unless_gone(answer.map(Answer::New)),
        }
    }

    /// Whether something is to be remembered.
    pub(super) const fn is_wanted(&self) -> bool {
        self.max_age.is_some()
    }

    /// Remembers what was read now.
    pub(super) fn put(&self, value: T) {
        if self.is_wanted() {
            let read_at = Instant::now();
            self.store.put(self.key.clone(), Good { value, read_at });
        }
    }

    /// Notes whether what was read last is what is there now; if not, it stands in no more.
    pub(super) fn confirm(&self, is_same: impl FnOnce(&T) -> bool) {
        match self.store.get(&self.key) {
            Some(good) if is_same(&good.value) => self.put(good.value),
            Some(_) => self.store.forget(&self.key),
            None => {}
        }
    }

    fn usable(&self) -> Option<Good<T>> {
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

/// Counts an answer that stands in for a new one.
fn count_stale(request: &Url, authorization: &Authorization) {
    let credential = authorization.identity().title();
    let place = authorization.place();
    let labels = reader_labels(quirks::host(request), credential, &place);
    metrics::count(Metric::StaleAnswers, labels);
}

/// What is there now, or was there when it was read last.
pub(super) enum Answer<T, R> {
    New(R),
    Last(Good<T>),
}

impl Weigh for Good<File> {
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

impl Weigh for Good<String> {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.value.len()) as u64
    }
}
