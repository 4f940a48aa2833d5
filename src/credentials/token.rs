//! An access token, the trait of its providers, and why there is none.

use std::{
    fmt,
    sync::OnceLock,
    time::{Duration, SystemTime},
};

use async_trait::async_trait;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::identity::Identity;
use crate::{error::ErrorKind, secrets::Secrets, text::readable};

/// A bearer token for Azure DevOps, or one that is exchanged for such a token.
#[derive(Debug)]
pub(crate) struct Token {
    /// The token itself.
    pub secret: SecretString,
    /// When it stops being valid.
    pub expires_on: SystemTime,
    /// Who it speaks for.
    pub identity: Identity,
    /// The secrets in it, collected when they are first needed.
    redacted: OnceLock<Secrets>,
}

/// The identity that a token of Entra ID names.
#[derive(Deserialize)]
struct Claims {
    /// The tenant.
    tid: String,
    /// The identity in it.
    oid: String,
}

impl Token {
    pub(super) const fn new(
        secret: SecretString,
        expires_on: SystemTime,
        identity: Identity,
    ) -> Self {
        Self {
            secret,
            expires_on,
            identity,
            redacted: OnceLock::new(),
        }
    }

    /// The secrets in it.
    pub(super) fn secrets(&self) -> &Secrets {
        self.redacted.get_or_init(|| {
            let mut secrets = Secrets::default();
            secrets.add(self.secret.expose_secret());
            secrets
        })
    }

    /// The tenant and the identity in it that the token is for; `None` where it does not say so.
    pub(super) fn principal(&self) -> Option<(String, String)> {
        let claims = self.secret.expose_secret().split('.').nth(1)?;
        let claims = BASE64_URL_SAFE_NO_PAD.decode(claims).ok()?;
        let Claims { tid, oid } = serde_json::from_slice(&claims).ok()?;
        Some((tid, oid))
    }
}

/// Where tokens come from. Each call asks again.
#[async_trait]
pub(super) trait TokenProvider: fmt::Debug + Send + Sync {
    /// Gets a token.
    async fn token(&self) -> Result<Token, TokenError>;
}

/// What kind of reason there is for having no token.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenErrorKind {
    /// No provider can give one: it is not configured, or not available here.
    Absent,
    /// The token endpoint refused.
    Refused,
    /// The token endpoint did not answer, or could not.
    Unreachable,
}

/// Why there is no token, in words that hold no secret and are [`readable`].
#[derive(Clone, Debug)]
pub struct TokenError {
    pub(super) kind: TokenErrorKind,
    message: String,
    pub(super) retry_after: Option<Duration>,
    /// Whether asking again at once cannot help.
    pub(super) is_lasting: bool,
}

/// What a transport says of a giver of tokens whom it cannot ask, and could not if it tried again: of a
/// certificate that is not accepted, for example.
#[derive(Debug)]
pub struct CannotBeAsked(pub String);

impl fmt::Display for CannotBeAsked {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl std::error::Error for CannotBeAsked {}

impl TokenError {
    pub(super) fn new(kind: TokenErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: readable(message),
            retry_after: None,
            is_lasting: false,
        }
    }

    pub(super) fn absent(message: impl Into<String>) -> Self {
        Self::new(TokenErrorKind::Absent, message)
    }

    pub(super) fn refused(message: impl Into<String>) -> Self {
        Self::new(TokenErrorKind::Refused, message)
    }

    pub(super) fn unreachable(message: impl Into<String>) -> Self {
        Self::new(TokenErrorKind::Unreachable, message)
    }

    /// The same, which stays so if it is asked again at once.
    pub(super) fn lasting(mut self) -> Self {
        self.is_lasting = true;
        self
    }

    /// The same, of a provider that has to be there.
    pub(super) fn into_unreachable(mut self) -> Self {
        if self.kind == TokenErrorKind::Absent {
            self.kind = TokenErrorKind::Unreachable;
        }
        self
    }

    /// The same, for the wait that the server asked for.
    pub(super) fn after(mut self, retry_after: Option<Duration>) -> Self {
        self.retry_after = retry_after;
        self
    }

    /// Whether no provider is set up, so that nothing failed.
    #[must_use]
    pub const fn is_absence(&self) -> bool {
        matches!(self.kind, TokenErrorKind::Absent)
    }

    /// The kind of the failure, for the whole package.
    #[must_use]
    pub const fn error_kind(&self) -> ErrorKind {
        match self.kind {
            TokenErrorKind::Absent | TokenErrorKind::Refused => ErrorKind::Authentication,
            TokenErrorKind::Unreachable => ErrorKind::Other,
        }
    }
}

impl fmt::Display for TokenError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for TokenError {}
