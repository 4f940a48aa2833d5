//! A request that was answered, for what comes after: its body, messages, logs, measurements.

use tokio_util::sync::CancellationToken;
use url::Url;

use super::explain::{Purpose, Read};
use crate::credentials::{Authorization, scope_of};

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

    pub(super) fn read(&self) -> Read<'_> {
        Read {
            url: &self.url,
            request: &self.request,
            authorization: &self.authorization,
            purpose: self.purpose,
        }
    }
}
