//! What a credential puts on a request, and its name in messages.

use std::fmt;

use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};

use crate::{
    config::{Credential, CredentialKind},
    error::{Error, ErrorKind},
};

/// Who reads, as far as a message or a log line may tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Identity {
    /// Nobody: no credential is configured.
    Anonymous,
    /// The owner of a personal access token.
    PersonalAccessToken,
    /// Whoever the caller's own credentials provider speaks for.
    Provided,
}

impl Identity {
    /// The kind of credential in plain words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Anonymous => "no credential",
            Self::PersonalAccessToken => "a personal access token",
            Self::Provided => "the headers of a credentials provider",
        }
    }
}

/// The headers that authorize a request, and whose they are.
///
/// The values are marked as sensitive, so neither `Debug` nor the HTTP client's logging shows them.
#[derive(Clone, Debug)]
pub struct Authorization {
    identity: Identity,
    headers: HeaderMap,
}

impl Authorization {
    /// No headers at all.
    #[must_use]
    pub fn anonymous() -> Self {
        Self {
            identity: Identity::Anonymous,
            headers: HeaderMap::new(),
        }
    }

    /// The headers of the credential that serves a URL, or none where none does.
    ///
    /// # Errors
    /// The credential cannot be used: it signs in through Entra ID, or is a token that no header
    /// can hold.
    pub fn of(credential: Option<&Credential>) -> Result<Self, Error> {
        let Some(credential) = credential else {
            return Ok(Self::anonymous());
        };
        match &credential.kind {
            CredentialKind::PersonalAccessToken { token } => {
                let mut headers = HeaderMap::new();
                let value = basic(token)?;
                headers.insert(
                    AUTHORIZATION,
                    sensitive("Authorization", value.expose_secret())?,
                );
                Ok(Self {
                    identity: Identity::PersonalAccessToken,
                    headers,
                })
            }
            kind => Err(Error::other(format!(
                "the credential signs in through Entra ID ({}), which this version of backstage-azure-devops-native does not do; use a personal access token for this organization, or Backstage's built-in reader",
                kind.name()
            ))),
        }
    }

    /// The headers that a credentials provider of the caller's gave.
    ///
    /// # Errors
    /// A name or value that HTTP does not allow; the message never shows the value.
    pub fn provided(headers: Vec<(String, String)>) -> Result<Self, Error> {
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let header = HeaderName::try_from(&name).map_err(|error| {
                Error::other(format!(
                    "the credentials provider gave a header that HTTP does not allow: {name:?}"
                ))
                .because(error)
            })?;
            map.append(header, sensitive(&name, &value)?);
        }
        Ok(Self {
            identity: Identity::Provided,
            headers: map,
        })
    }

    /// Whose headers these are.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// The headers, their values marked as sensitive.
    #[must_use]
    pub const fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

/// The value of the `Authorization` header for a personal access token: Basic, with an empty user.
///
/// Characters up to U+00FF count as one byte each, as JavaScript's `btoa` takes them.
///
/// # Errors
/// The token has a character that no token has.
pub fn basic(token: &SecretString) -> Result<SecretString, Error> {
    let bytes: Result<Vec<u8>, _> = std::iter::once(':')
        .chain(token.expose_secret().chars())
        .map(u8::try_from)
        .collect();
    // The message is that of `btoa`.
    let bytes = bytes.map_err(|_| Error::new(ErrorKind::InvalidCharacter, "Invalid character"))?;
    Ok(format!("Basic {}", BASE64_STANDARD.encode(bytes)).into())
}

fn sensitive(name: &str, value: &str) -> Result<HeaderValue, Error> {
    let mut header = HeaderValue::from_str(value).map_err(|error| {
        Error::other(format!(
            "the value of the header {name} is not one that HTTP allows"
        ))
        .because(error)
    })?;
    header.set_sensitive(true);
    Ok(header)
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_becomes_basic_authorization_with_an_empty_user() {
        let value = basic(&"raw_token".into()).map(|value| value.expose_secret().to_owned());
        assert_eq!(value.unwrap_or_default(), "Basic OnJhd190b2tlbg==");
    }

    #[test]
    fn what_was_provided_is_not_in_debug() {
        let headers = vec![("Authorization".to_owned(), "Bearer s3cret".to_owned())];
        let authorization = Authorization::provided(headers);
        assert!(authorization.is_ok());
        assert!(!format!("{authorization:?}").contains("s3cret"));
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_refused_without_its_value() {
        let headers = vec![("Authorization".to_owned(), "s3cret\n".to_owned())];
        let message = Authorization::provided(headers).map_err(|error| error.to_string());
        assert!(
            matches!(message, Err(text) if text.contains("Authorization") && !text.contains("s3cret"))
        );
    }
}
