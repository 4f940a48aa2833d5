//! Why a request has no usable answer.

use std::sync::Arc;

use reqwest::{StatusCode, header::HeaderMap};

use super::{
    connection_error::ConnectionError, content::Fault, limiter::Throttled, redirect::Away,
    retry::Attempts,
};
use crate::{blocking::Interrupted, credentials::TokenError, error::chain, limits::Limit};

/// A request that failed: what happened, and what is known beside that.
#[derive(Debug)]
pub struct Error {
    /// What happened, in the last attempt.
    pub kind: ErrorKind,
    /// How often it was tried.
    pub attempts: Attempts,
    /// Whether it was refused because its principal is rate limited.
    pub is_rate_limited: bool,
    /// Why the token that was refused could not be replaced, where another was asked for.
    pub not_renewed: Option<Arc<TokenError>>,
}

/// What happened to a request.
#[derive(Debug)]
pub enum ErrorKind {
    /// No connection could be made, or no answer came on it.
    Connection(Box<ConnectionError>),
    /// The connection broke while the content came; the words are the HTTP client's.
    Broken(String),
    /// The server stopped sending.
    Stalled,
    /// The content ended early.
    Truncated,
    /// The content does not decode; the words are the decoder's.
    Damaged(String),
    /// The content has an encoding that is not decoded; which one, in words.
    Encoding(String),
    /// The content exceeds this limit, in size or in time; and how many bytes of it had come.
    Exceeded(Limit, u64),
    /// There is no memory for more than this many bytes of the content.
    OutOfMemory(u64),
    /// The server redirected to a place to which no credential is sent.
    Redirect(Box<Redirected>),
    /// The server redirected more often than is followed.
    TooManyRedirects,
    /// The access token has expired, and no other could be obtained.
    Token(Arc<TokenError>),
    /// Nothing was sent, because the limiter gave no permit in time.
    Throttled(Throttled),
}

/// A redirect that was not followed.
#[derive(Debug)]
pub struct Redirected {
    /// Where it leads.
    pub to: Away,
    /// The status of the answer.
    pub status: StatusCode,
    /// The headers of the answer.
    pub headers: HeaderMap,
}

impl Error {
    /// Whether another request could succeed where this one failed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match &self.kind {
            ErrorKind::Stalled
            | ErrorKind::Truncated
            | ErrorKind::Damaged(_)
            | ErrorKind::Broken(_) => true,
            ErrorKind::Connection(error) => error.is_transient(),
            _ => false,
        }
    }

    /// Whether the rest of the content is not worth asking for, since it would fail in the same way.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::Encoding(_) | ErrorKind::Exceeded(..) | ErrorKind::OutOfMemory(_)
        )
    }

    /// Whether the server redirected to a page to sign in at.
    #[must_use]
    pub fn is_sign_in_redirect(&self) -> bool {
        matches!(&self.kind, ErrorKind::Redirect(redirected) if redirected.to.is_sign_in)
    }

    /// The status of the answer that it is about, if there was one.
    #[must_use]
    pub fn status(&self) -> Option<StatusCode> {
        match &self.kind {
            ErrorKind::Redirect(redirected) => Some(redirected.status),
            _ => None,
        }
    }

    /// The same, with how often it was tried, unless that is known.
    #[must_use]
    pub(crate) fn after(mut self, attempts: Attempts) -> Self {
        if self.attempts == Attempts::default() {
            self.attempts = attempts;
        }
        self
    }
}

impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self {
            kind,
            attempts: Attempts::default(),
            is_rate_limited: false,
            not_renewed: None,
        }
    }
}

impl From<reqwest::Error> for Error {
    fn from(error: reqwest::Error) -> Self {
        match Fault::behind(&error) {
            Some(fault) => fault.clone().into(),
            None => ErrorKind::Broken(chain(&error.without_url())).into(),
        }
    }
}

/// Work on a content that has no outcome leaves the content without its end.
impl From<Interrupted> for Error {
    fn from(_: Interrupted) -> Self {
        ErrorKind::Truncated.into()
    }
}

impl From<Box<ConnectionError>> for Error {
    fn from(error: Box<ConnectionError>) -> Self {
        ErrorKind::Connection(error).into()
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let kind = match fault {
            Fault::CutOff => ErrorKind::Truncated,
            Fault::Damaged(_) => ErrorKind::Damaged(fault.to_string()),
            Fault::Coded(..) => ErrorKind::Encoding(fault.to_string()),
        };
        kind.into()
    }
}
