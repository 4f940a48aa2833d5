//! [`Call`]: a call of the REST API that was not sent yet; and [`Caller`], who makes them.

use reqwest::{
    Method,
    header::{ACCEPT, HeaderMap, HeaderValue},
};
use serde::Serialize;

use crate::{
    config::Retry,
    credentials::Authorization,
    error::Error,
    http::{self, Answer, Client, Request},
    url::SafeUrl,
};

/// Who calls the REST API, and how patiently.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    client: &'static Client,
    authorization: Authorization,
    retry: Retry,
}

/// A call of the REST API that was not sent yet.
#[derive(Debug)]
pub struct Call {
    caller: Caller,
    /// On the heap, since it is handed on many times before it is sent.
    request: Box<Request>,
    content: Content,
}

/// Who reads the content of the answer.
#[derive(Clone, Copy, Debug)]
pub(super) enum Content {
    /// The caller, as it comes.
    Streamed,
    /// The client, into memory: what breaks off is asked for again.
    Buffered,
}

impl Caller {
    /// # Errors
    /// The HTTP client could not be set up.
    pub(super) fn new(authorization: Authorization, retry: Retry) -> Result<Self, Error> {
        Ok(Self {
            client: Client::shared()?,
            authorization,
            retry,
        })
    }

    /// The same, with another policy of retries.
    pub(super) fn with_retry(&self, retry: Retry) -> Self {
        Self {
            retry,
            ..self.clone()
        }
    }

    pub(super) fn authorization(&self) -> &Authorization {
        &self.authorization
    }

    pub(super) fn retry(&self) -> &Retry {
        &self.retry
    }

    pub(super) const fn client(&self) -> &'static Client {
        self.client
    }

    pub(super) fn call(&self, request: Request, content: Content) -> Call {
        Call {
            caller: self.clone(),
            request: Box::new(request),
            content,
        }
    }
}

impl Call {
    /// Its URL.
    #[must_use]
    pub const fn url(&self) -> &SafeUrl {
        &self.request.url
    }

    /// Sends it. Any status is an answer.
    ///
    /// # Errors
    /// There is no answer, or it leads to another host.
    pub async fn send(self) -> Result<Answer, http::Error> {
        let Self {
            caller,
            request,
            content,
        } = self;
        let Caller {
            client,
            authorization,
            retry,
        } = caller;
        match content {
            Content::Streamed => client.send(request, &authorization, &retry).await,
            Content::Buffered => client.send_buffered(request, &authorization, &retry).await,
        }
    }
}

/// A request that posts JSON.
pub(super) fn post(
    operation: &'static str,
    url: SafeUrl,
    accept: &'static str,
    body: &impl Serialize,
) -> Request {
    let body = serde_json::to_vec(body).unwrap_or_default();
    Request {
        method: Method::POST,
        body: Some(body.into()),
        ..get(operation, url, accept)
    }
}

/// A request for what is at a URL.
pub(super) fn get(operation: &'static str, url: SafeUrl, accept: &'static str) -> Request {
    Request {
        operation,
        method: Method::GET,
        url,
        headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]),
        body: None,
    }
}
