//! The error of the core, with its kind.

use std::{error::Error as StdError, fmt, sync::Arc};

use crate::text::readable;

/// What went wrong, in the words of those who must tell failures apart.
///
/// Each kind becomes one error class of Backstage or of JavaScript; see `ts/failure.ts`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The text is no URL at all (a `TypeError` in JavaScript).
    InvalidUrl,
    /// A percent escape does not decode to UTF-8 (a `URIError` in JavaScript).
    MalformedEscape,
    /// A token has a character that it cannot have (a `DOMException` in JavaScript).
    InvalidCharacter,
    /// An option of the caller's cannot be used.
    Input,
    /// Azure DevOps has no such item, version, repository, project or organization.
    NotFound,
    /// What is there is what the caller has already.
    NotModified,
    /// Azure DevOps asks to sign in.
    Authentication,
    /// The identity is known, but may not read this.
    NotAllowed,
    /// The caller ended the read.
    Aborted,
    /// An archive is not as it should be (an `Error` in JavaScript).
    Damaged,
    /// Everything else.
    Other,
}

impl ErrorKind {
    /// The kind's name as it crosses to JavaScript.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvalidUrl => "InvalidUrl",
            Self::MalformedEscape => "MalformedEscape",
            Self::InvalidCharacter => "InvalidCharacter",
            Self::Input => "Input",
            Self::NotFound => "NotFound",
            Self::NotModified => "NotModified",
            Self::Authentication => "Authentication",
            Self::NotAllowed => "NotAllowed",
            Self::Aborted => "Aborted",
            Self::Damaged => "Damaged",
            Self::Other => "Other",
        }
    }
}

/// A failure: its kind, a message for the person who reads it at night, and its cause.
///
/// The message is whole in itself, never holds a secret, and shows all that is in it: what it repeats of
/// others is [`readable`].
#[derive(Clone, Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    source: Option<Arc<dyn StdError + Send + Sync>>,
    is_missing: bool,
    request: Option<Described>,
}

/// The request that failed, described when somebody asks: that nothing has changed is a failure too, and
/// most reads of a catalog end with it.
#[derive(Clone)]
struct Described(Arc<dyn Fn() -> FailedRequest + Send + Sync>);

impl fmt::Debug for Described {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        (self.0)().fmt(formatter)
    }
}

/// The request that failed, for those who watch reads one by one.
#[derive(Clone, Debug)]
pub struct FailedRequest {
    /// The REST URL, without secrets.
    pub url: String,
    /// The host, and the organization or collection on it.
    pub scope: String,
    /// The kind of credential, in plain words.
    pub credential: &'static str,
    /// The place of the credential in the app-config, or where else it comes from.
    pub place: Arc<str>,
    /// The status of the answer, if there was one.
    pub status: Option<u16>,
}

impl Error {
    /// A failure of `kind` that says `message`.
    #[must_use]
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: readable(message),
            source: None,
            is_missing: kind == ErrorKind::NotFound,
            request: None,
        }
    }

    /// The same failure, with the request that failed, unless it has one.
    #[must_use]
    pub fn after(mut self, request: impl Fn() -> FailedRequest + Send + Sync + 'static) -> Self {
        self.request
            .get_or_insert_with(|| Described(Arc::new(request)));
        self
    }

    /// The request that it followed, if there was one.
    #[must_use]
    pub fn request(&self) -> Option<FailedRequest> {
        self.request.as_ref().map(|request| (request.0)())
    }

    /// The same failure, without the request that it followed.
    #[must_use]
    pub fn without_request(self) -> Self {
        Self {
            request: None,
            ..self
        }
    }

    /// The same failure, marked as about something that Azure DevOps did not find, whatever its kind.
    #[must_use]
    pub fn of_what_is_missing(self) -> Self {
        Self {
            is_missing: true,
            ..self
        }
    }

    /// Whether Azure DevOps did not find what was asked for.
    #[must_use]
    pub const fn is_missing(&self) -> bool {
        self.is_missing
    }

    /// A failure that no other kind names.
    #[must_use]
    pub fn other(message: impl Into<String>) -> Self {
        Self::new(ErrorKind::Other, message)
    }

    /// The text is no URL; the message is the one that JavaScript's `URL` gives.
    #[must_use]
    pub fn invalid_url() -> Self {
        Self::new(ErrorKind::InvalidUrl, "Invalid URL")
    }

    /// A bug of this package; see [`crate::panic`].
    #[must_use]
    pub fn panicked() -> Self {
        Self::other(
            "backstage-azure-devops-native panicked, which is a bug worth reporting; standard error says where",
        )
    }

    /// The same failure with what caused it.
    #[must_use]
    pub fn because(mut self, source: impl StdError + Send + Sync + 'static) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// The same failure, with more said.
    #[must_use]
    pub fn adding(mut self, more: &str) -> Self {
        self.message.push_str(&readable(more));
        self
    }

    /// What went wrong.
    #[must_use]
    pub const fn kind(&self) -> ErrorKind {
        self.kind
    }
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as _)
    }
}

/// An error's message followed by those of its causes, outermost first, each said once.
///
/// A cause that only repeats the end of what stands there already is left out.
#[must_use]
pub fn chain(error: &dyn StdError) -> String {
    let mut said = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let message = cause.to_string();
        if !said.ends_with(&message) {
            said.push_str(": ");
            said.push_str(&message);
        }
        next = cause.source();
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_chain_says_every_cause_once() {
        let inner = Error::other("connection refused");
        let middle = Error::other("connect: connection refused").because(inner);
        let outer = Error::other("the request failed").because(middle);
        assert_eq!(
            chain(&outer),
            "the request failed: connect: connection refused"
        );
    }
}
