//! A request that was answered, for what comes after: its body, messages, logs, measurements.

use std::sync::Arc;

use reqwest::StatusCode;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::explain::{Purpose, Read};
use crate::{
    credentials::{Authorization, scope_of},
    error::Error,
};

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
    /// The answer's status.
    pub status: u16,
    /// Ends what is left of the read.
    pub cancellation: CancellationToken,
}

impl Exchange {
    /// The host, and the organization or collection on it.
    #[must_use]
    pub fn scope(&self) -> String {
        scope_of(&self.request)
    }

    /// What to warn of.
    #[must_use]
    pub fn warning(&self) -> Option<String> {
        self.authorization.warning(&self.request)
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
