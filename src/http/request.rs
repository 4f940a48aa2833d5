//! A request that only reads, so that it can be sent again.

use bytes::Bytes;
use reqwest::{
    Method,
    header::{HeaderMap, IF_MODIFIED_SINCE, IF_NONE_MATCH},
};

use super::{
    limiter::Operation,
    retry::{Attempts, RetryState},
};
use crate::url::SafeUrl;

/// A request to a server.
#[derive(Clone, Debug)]
pub struct Request {
    /// What it is, in one word, for measurements and the log.
    pub operation: &'static str,
    /// One that only reads: `GET`, `OPTIONS`, or `POST` with a body.
    pub method: Method,
    /// The REST URL.
    pub url: SafeUrl,
    /// Headers beside those that authorize it.
    pub headers: HeaderMap,
    /// What a URL cannot say: JSON, which is posted.
    pub body: Option<Bytes>,
}

impl Request {
    pub(super) const fn operation<'a>(&self, organization: &'a str) -> Operation<'a> {
        Operation {
            name: self.operation,
            organization,
        }
    }
}

/// A request that was answered, to be sent again where the content of the answer breaks off.
#[derive(Clone, Debug)]
pub struct Resend {
    pub(super) request: Box<Request>,
    pub(super) retry: RetryState,
}

impl Resend {
    /// How often it was sent.
    #[must_use]
    pub fn attempts(&self) -> Attempts {
        self.retry.attempts()
    }

    /// Asks for the content without conditions: what came of it so far is void.
    pub(super) fn unconditional(&mut self) {
        let headers = &mut self.request.headers;
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
    }
}
