//! A request that was answered, for what comes after: its body, messages, logs, measurements.

use std::sync::Arc;

use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;
use url::{Url, quirks};

use super::explain::{Purpose, Read};
use crate::{
    credentials::{Authorization, scope_of},
    error::Error,
    log::{Line, Often, tell},
    text::readable,
};

/// Tells the log who is about to read a REST URL, once for each organization or collection.
pub(super) fn tell_who(authorization: &Authorization, request: &Url) {
    let scope = scope_of(request);
    let credential = authorization.identity().title();
    let place = authorization.place();
    let (message, line): (String, fn(&str, String) -> Line) = match authorization.warning(request) {
        Some(warning) => (warning, Line::warning),
        None => (
            format!("Reading {scope} with {}", authorization.named()),
            Line::info,
        ),
    };
    tell(Often::Once, &message, || {
        line("credential chosen", message.clone())
            .with("scope", scope.as_str())
            .with("credential", credential)
            .with("place", &*place)
    });
}

/// The status of an answer that stands in for a new one.
pub(super) const NOT_ASKED: u16 = 0;

/// One request and its answer.
#[derive(Debug)]
pub struct Exchange {
    /// The web URL that the caller gave.
    pub url: String,
    /// The REST URL that was asked.
    pub request: Url,
    /// By whom.
    pub authorization: Authorization,
    /// What for.
    pub purpose: Purpose,
    /// The answer's status; 0 where an earlier answer stands in.
    pub status: u16,
    /// Ends what is left of the read.
    pub cancellation: CancellationToken,
}

impl Exchange {
    /// The host, and the organization or collection on it.
    #[must_use]
    pub fn scope(&self) -> String {
        readable(scope_of(&self.request))
    }

    /// Says that something else failed after the answer came.
    #[must_use]
    pub fn unable_to(&self, error: &Error) -> Error {
        self.read().unable_to(error)
    }

    /// Tells the log, once a minute, that what was read before stands in.
    pub(super) fn tell_stale(&self) {
        let scope = self.scope();
        let message = format!(
            "Answering from what was read of {scope} before, while Azure DevOps limits {}",
            self.authorization.named()
        );
        tell(Often::EveryMinute, &message, || {
            Line::warning("stale", message.as_str())
                .with("scope", scope.as_str())
                .with("credential", self.authorization.identity().title())
                .with("place", &*self.authorization.place())
        });
    }

    /// Another request by the same reader, for all who wait for its answer: it ends with the last of
    /// them, and not with the first who asked.
    pub(super) fn for_all(&self, request: Url) -> Arc<Self> {
        Arc::new(Self {
            url: self.url.clone(),
            request,
            authorization: self.authorization.clone(),
            purpose: self.purpose,
            status: StatusCode::OK.as_u16(),
            cancellation: CancellationToken::new(),
        })
    }

    /// Tells the log, once for each organization or collection, that it does not know a call, and what
    /// is done in its place.
    pub(super) fn falls_back(&self, call: &str, instead: &str) {
        let scope = self.scope();
        tell(Often::Once, &format!("{scope} {call}"), || {
            let message = format!("{scope} gives no {call}: {instead}");
            Line::info("fallen back", message)
                .with("host", quirks::host(&self.request))
                .with("missing", call)
        });
    }

    /// Says that the caller ended the read.
    pub(super) fn ended(&self) -> Error {
        Read::ended(self.purpose, &self.url)
    }

    pub(super) fn read(&self) -> Read<'_> {
        Read {
            url: &self.url,
            request: &self.request,
            authorization: &self.authorization,
            purpose: self.purpose,
        }
    }
}
