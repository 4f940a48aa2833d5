//! The answer to a request: its head, and its content as it comes.

use std::{mem, sync::Arc};

use bytes::Bytes;
use reqwest::{
    Response, StatusCode, Version,
    header::{CONTENT_TYPE, HeaderMap, HeaderName},
};

use super::{error::Error, request::Resend, retry::Attempts};
use crate::{credentials::TokenError, telemetry::metrics::Counter, url::SafeUrl};

/// An answer whose head has come. Any status is an answer.
#[derive(Debug)]
pub struct Answer {
    request: SafeUrl,
    response: Response,
    /// Counts the bytes of the content.
    received: Counter,
    /// How often it was asked for.
    pub attempts: Attempts,
    /// Whether it is a refusal because its principal is rate limited.
    pub is_rate_limited: bool,
    /// Why the token that was refused could not be replaced, where another was asked for.
    pub not_renewed: Option<Arc<TokenError>>,
    /// The request, to be sent again where the content breaks off.
    resend: Option<Box<Resend>>,
}

impl Answer {
    pub(super) fn new(request: SafeUrl, response: Response, received: Counter) -> Self {
        Self {
            request,
            response,
            received,
            attempts: Attempts::default(),
            is_rate_limited: false,
            not_renewed: None,
            resend: None,
        }
    }

    /// The same answer, with all of its content, which was read before.
    pub(super) fn with_content(mut self, content: Vec<u8>) -> Self {
        let mut whole = http::Response::new(content);
        *whole.status_mut() = self.response.status();
        *whole.headers_mut() = mem::take(self.response.headers_mut());
        *whole.extensions_mut() = mem::take(self.response.extensions_mut());
        self.response = whole.into();
        self
    }

    /// The same answer, with how often it was asked for.
    pub(super) fn after(mut self, attempts: Attempts) -> Self {
        self.attempts = attempts;
        self
    }

    /// The same answer, which can be asked for again.
    pub(super) fn resent_with(mut self, resend: Resend) -> Self {
        self.resend = Some(Box::new(resend));
        self
    }

    /// The REST URL that was asked for, before any redirect.
    #[must_use]
    pub const fn request(&self) -> &SafeUrl {
        &self.request
    }

    /// Its status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.response.status()
    }

    /// The version of HTTP that it came by.
    #[must_use]
    pub fn version(&self) -> Version {
        self.response.version()
    }

    /// Its headers.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        self.response.headers()
    }

    /// The text of a header, if it is there and not empty; a byte is a character, as in `fetch`.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<String> {
        let value = self.headers().get(name)?;
        let text: String = value.as_bytes().iter().copied().map(char::from).collect();
        (!text.is_empty()).then_some(text)
    }

    /// How many bytes of content it announces, if it does.
    #[must_use]
    pub fn content_length(&self) -> Option<u64> {
        self.response.content_length()
    }

    /// The reason phrase of its status: the server's own, or the standard's where HTTP/2 has none.
    #[must_use]
    pub fn reason(&self) -> String {
        let own = self.response.extensions().get::<hyper::ext::ReasonPhrase>();
        match own {
            Some(own) => String::from_utf8_lossy(own.as_bytes()).into_owned(),
            None => self
                .status()
                .canonical_reason()
                .unwrap_or_default()
                .to_owned(),
        }
    }

    /// Whether it says that it is JSON.
    #[must_use]
    pub fn is_json(&self) -> bool {
        self.has_type(b"application/json")
    }

    /// Whether it says that it is a page (HTML).
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.has_type(b"text/html")
    }

    /// Whether it has content, or says that the caller has it: then its principal was let in.
    #[must_use]
    pub(super) fn is_content(&self) -> bool {
        let status = self.status();
        let is_page = status == StatusCode::NON_AUTHORITATIVE_INFORMATION;
        (status.is_success() && !is_page) || status == StatusCode::NOT_MODIFIED
    }

    /// Whether Azure DevOps asks to sign in.
    #[must_use]
    pub fn asks_to_sign_in(&self) -> bool {
        asks_to_sign_in(self.status())
    }

    /// The next chunk of the content, which is counted; `None` at its end.
    ///
    /// # Errors
    /// The connection broke, the content is truncated, or does not decode.
    pub async fn next_chunk(&mut self) -> Result<Option<Bytes>, Error> {
        let chunk = self.response.chunk().await?;
        if let Some(chunk) = &chunk {
            self.received.add(chunk.len() as u64);
        }
        Ok(chunk)
    }

    /// All of the content, of an answer that was read whole.
    ///
    /// # Errors
    /// As [`Self::next_chunk`].
    pub async fn bytes(self) -> Result<Bytes, Error> {
        Ok(self.response.bytes().await?)
    }

    /// Takes out the request, to be sent again where the content breaks off.
    pub fn take_resend(&mut self) -> Option<Box<Resend>> {
        self.resend.take()
    }

    fn has_type(&self, wanted: &[u8]) -> bool {
        let content_type = self.headers().get(CONTENT_TYPE);
        let start = content_type.and_then(|value| value.as_bytes().get(..wanted.len()));
        start.is_some_and(|start| start.eq_ignore_ascii_case(wanted))
    }
}

/// Whether Azure DevOps asks to sign in by this status: `401`, or the `203` of its sign-in page.
#[must_use]
pub fn asks_to_sign_in(status: StatusCode) -> bool {
    matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::NON_AUTHORITATIVE_INFORMATION
    )
}

/// The text after a byte order mark, with which JSON must not begin and sometimes does.
#[must_use]
pub fn without_byte_order_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)
}
