//! What a credential puts on a request.

use std::sync::Arc;

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{
    Chosen, Identity, Named, Placed, Reader, Sharing,
    entra::{App, Audience, Entra},
    scope_of,
    standing::{self, Where},
    token::{Token, TokenError, TokenErrorKind},
    tokens::Tokens,
};
use crate::{
    config::{CredentialKind, Retry},
    error::{Error, ErrorKind},
    secrets::Secrets,
};

/// What authorizes the requests of one read, whose it is, and how patiently it asks.
///
/// The values of headers are marked as sensitive, so neither `Debug` nor the HTTP client's logging
/// shows them.
#[derive(Clone, Debug)]
pub struct Authorization {
    identity: Identity,
    /// Where the credential stands in the app-config, if it does.
    place: Option<Arc<str>>,
    means: Means,
    /// Whether nobody reads although others read from the same host.
    is_left_out: bool,
    retry: Retry,
    /// What it is called in other processes, where that does not depend on its tokens.
    sharing: Option<Sharing>,
}

#[derive(Clone, Debug)]
enum Means {
    /// Nothing; and why the default chain has nobody, if it was asked.
    Nothing(Option<Arc<TokenError>>),
    /// Headers that stay the same.
    Headers(HeaderMap),
    /// Tokens that are renewed.
    Tokens(Arc<Tokens>),
}

/// What goes on one request.
#[derive(Debug)]
pub struct Proof {
    /// The headers, their values marked as sensitive.
    pub headers: HeaderMap,
    token: Option<Arc<Token>>,
}

impl Authorization {
    /// No headers at all.
    #[must_use]
    pub fn anonymous() -> Self {
        Self::without_any(None)
    }

    fn without_any(why: Option<Arc<TokenError>>) -> Self {
        let sharing = Some(Sharing::of_nobody());
        Self::new(Identity::Anonymous, Means::Nothing(why), sharing)
    }

    fn with_headers(identity: Identity, headers: HeaderMap) -> Self {
        let sharing = Some(Sharing::of_headers(&headers));
        Self::new(identity, Means::Headers(headers), sharing)
    }

    fn new(identity: Identity, means: Means, sharing: Option<Sharing>) -> Self {
        Self {
            identity,
            place: None,
            means,
            is_left_out: false,
            retry: Retry::default(),
            sharing,
        }
    }

    /// The same, of a credential that stands there in the app-config.
    #[must_use]
    fn at(self, place: &Arc<str>) -> Self {
        Self {
            place: Some(Arc::clone(place)),
            ..self
        }
    }

    /// The same; where nobody reads, noted whether its host has credentials for others.
    #[must_use]
    pub(super) const fn left_out(mut self, is_left_out: bool) -> Self {
        self.is_left_out = is_left_out && matches!(self.means, Means::Nothing(_));
        self
    }

    /// The same, as patient as configured.
    #[must_use]
    pub fn with_retry(self, retry: Retry) -> Self {
        Self { retry, ..self }
    }

    /// How patiently it asks.
    #[must_use]
    pub const fn retry(&self) -> &Retry {
        &self.retry
    }

    /// Signs in with the credential that serves a URL, and with none where none does or where the
    /// default chain has nobody.
    ///
    /// # Errors
    /// The credential is a token that no header can hold, or no token is to be had for it.
    pub async fn of(chosen: Chosen<'_>, url: &Url, entra: &Entra) -> Result<Self, Error> {
        match chosen {
            Chosen::Nothing => Ok(Self::anonymous()),
            Chosen::DefaultChain => Ok(Self::of_default_chain(entra).await),
            Chosen::Configured(Placed { credential, place }) => {
                let authorization = Self::of_kind(&credential.kind, entra)?.at(place);
                // So that a failure is told before anything is asked of Azure DevOps.
                authorization.check_token(url).await?;
                Ok(authorization)
            }
        }
    }

    fn of_kind(kind: &CredentialKind, entra: &Entra) -> Result<Self, Error> {
        let (identity, tokens, sharing) = match kind {
            CredentialKind::PersonalAccessToken { token } => return Self::of_token(token),
            CredentialKind::ClientSecret {
                tenant_id,
                client_id,
                client_secret,
            } => {
                let app = App::new(tenant_id, client_id);
                let sharing = Sharing::of_app(&app, client_secret);
                let tokens = Tokens::of_app(app, client_secret, entra);
                (Identity::ServicePrincipal, tokens, Some(sharing))
            }
            CredentialKind::ClientCertificate {
                tenant_id,
                client_id,
                certificate,
            } => {
                let app = App::new(tenant_id, client_id);
                let sharing = Sharing::of_certified_app(&app, certificate);
                let tokens = Tokens::of_certified_app(app, certificate, entra);
                (Identity::ServicePrincipalWithCertificate, tokens, sharing)
            }
            CredentialKind::ManagedIdentity { client_id } => {
                let tokens = Tokens::of_identity(Audience::AzureDevOps, client_id, entra);
                (Identity::ManagedIdentity, tokens, None)
            }
            CredentialKind::ManagedIdentityClientAssertion {
                tenant_id,
                client_id,
                managed_identity_client_id: identity_id,
            } => {
                let app = App::new(tenant_id, client_id);
                let tokens = Tokens::of_vouched_app(app, identity_id, entra);
                (Identity::ManagedIdentityClientAssertion, tokens, None)
            }
        };
        Ok(Self::new(identity, Means::Tokens(tokens), sharing))
    }

    /// Has a token at hand, if it reads with one, and tells whether the credential is refused where tokens
    /// are given.
    async fn check_token(&self, url: &Url) -> Result<(), Error> {
        let Means::Tokens(tokens) = &self.means else {
            return Ok(());
        };
        match tokens.get().await {
            Ok(_) => {
                standing::accepted(self, Where::Tokens);
                Ok(())
            }
            Err(error) => {
                if error.kind == TokenErrorKind::Refused {
                    standing::refused(self, Where::Tokens, &error.to_string());
                }
                Err(no_token(&self.named(), url, &error))
            }
        }
    }

    fn of_token(token: &SecretString) -> Result<Self, Error> {
        let value = sensitive("Authorization", basic(token)?.expose_secret())?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        Ok(Self::with_headers(Identity::PersonalAccessToken, headers))
    }

    async fn of_default_chain(entra: &Entra) -> Self {
        let tokens = Tokens::of_default_chain(entra);
        match tokens.get().await {
            Ok(token) => Self::new(token.identity, Means::Tokens(tokens), None),
            Err(error) => Self::without_any(Some(error)),
        }
    }

    /// The headers that a credentials provider of the caller's gave.
    ///
    /// # Errors
    /// A name or value that HTTP does not allow; the message never shows the value.
    pub fn provided(headers: Vec<(String, SecretString)>) -> Result<Self, Error> {
        let mut map = HeaderMap::with_capacity(headers.len());
        for (name, value) in headers {
            let header = HeaderName::try_from(&name).map_err(|error| {
                Error::other(format!(
                    "the credentials provider gave a header that HTTP does not allow: {name:?}"
                ))
                .because(error)
            })?;
            map.append(header, sensitive(&name, value.expose_secret())?);
        }
        Ok(Self::with_headers(Identity::Provided, map))
    }

    /// What a token makes that the caller gave for this one read: an access token (a JWT) is sent as
    /// such, any other as a personal access token.
    ///
    /// # Errors
    /// It holds a character that no token has; the message never shows it.
    pub fn of_callers_token(token: &SecretString) -> Result<Self, Error> {
        let unusable = |_| {
            let message = "the token in the options holds a character that no token has";
            Error::new(ErrorKind::Input, message)
        };
        let (identity, value) = if is_jwt(token.expose_secret()) {
            (Identity::CallersToken, bearer(token))
        } else {
            let value = basic(token).map_err(unusable)?;
            (Identity::CallersPersonalAccessToken, value)
        };
        let value = sensitive("Authorization", value.expose_secret()).map_err(unusable)?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        // It is shared with no other process, so that it has no name there.
        Ok(Self::new(identity, Means::Headers(headers), None))
    }

    /// Whether it is a token that the caller gave for one read. Nothing of such a read is kept.
    #[must_use]
    pub const fn is_callers(&self) -> bool {
        matches!(
            self.identity,
            Identity::CallersToken | Identity::CallersPersonalAccessToken
        )
    }

    /// Whose it is.
    #[must_use]
    pub const fn identity(&self) -> Identity {
        self.identity
    }

    /// Whose it is, and where that credential stands, for a message.
    #[must_use]
    pub fn named(&self) -> Named<'_> {
        Named {
            identity: self.identity,
            place: self.place.as_deref(),
        }
    }

    /// Where its credential stands in the app-config; where it does not come from there, where else.
    #[must_use]
    pub fn place(&self) -> Arc<str> {
        let elsewhere = || Arc::from(self.identity.place());
        self.place.clone().unwrap_or_else(elsewhere)
    }

    /// What it sends, or has sent not long ago, and nobody else is to see.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        match &self.means {
            Means::Nothing(_) => {}
            Means::Headers(headers) => {
                for value in headers.values() {
                    secrets.add_header(value.as_bytes());
                }
            }
            Means::Tokens(tokens) => {
                for token in tokens.last() {
                    secrets.add_all(token.secrets());
                }
            }
        }
        secrets
    }

    /// Who it is, told apart from everybody else.
    #[must_use]
    pub fn reader(&self) -> Reader {
        match &self.means {
            Means::Nothing(_) => Reader::NOBODY,
            Means::Headers(headers) => Reader::with_headers(headers),
            Means::Tokens(tokens) => Reader::with_tokens(tokens, self.identity),
        }
    }

    /// What it is called in other processes that have the same credential; nothing where that is not
    /// to be known.
    #[must_use]
    pub fn sharing(&self) -> Option<Sharing> {
        match &self.means {
            Means::Tokens(tokens) if self.sharing.is_none() => {
                Sharing::of_token(tokens.held()?.as_ref())
            }
            _ => self.sharing.clone(),
        }
    }

    /// Why the default chain has nobody, where it was asked.
    #[must_use]
    pub fn without_default(&self) -> Option<&TokenError> {
        match &self.means {
            Means::Nothing(why) => why.as_deref(),
            Means::Headers(_) | Means::Tokens(_) => None,
        }
    }

    /// Why the default chain has nobody although somebody was meant to be there.
    pub(super) fn failed_default(&self) -> Option<&TokenError> {
        self.without_default().filter(|why| !why.is_absence())
    }

    /// What to warn of: that nobody reads although somebody was meant to, or others read from the same host.
    #[must_use]
    pub fn warning(&self, url: &Url) -> Option<String> {
        let scope = scope_of(url);
        if let Some(why) = self.failed_default() {
            return Some(format!(
                "Reading {scope} with no credential, because the default credential chain failed: {why}"
            ));
        }
        self.is_left_out.then(|| {
            format!(
                "Reading {scope} with no credential: those of the host under integrations.azure are for other organizations. Check the organizations that they name; what is not public is not found"
            )
        })
    }

    /// The token of Entra ID, where it is one.
    ///
    /// # Errors
    /// There is none any more.
    pub async fn bearer(&self) -> Result<Option<SecretString>, Arc<TokenError>> {
        match &self.means {
            Means::Tokens(tokens) => Ok(Some(tokens.get().await?.secret.clone())),
            Means::Nothing(_) | Means::Headers(_) => Ok(None),
        }
    }

    /// What goes on a request now.
    ///
    /// # Errors
    /// The token has expired meanwhile, and no other is to be had.
    pub async fn proof(&self) -> Result<Proof, Arc<TokenError>> {
        match &self.means {
            Means::Tokens(tokens) => Proof::of(tokens.get().await?),
            Means::Nothing(_) => Ok(Proof::of_headers(HeaderMap::new())),
            Means::Headers(headers) => Ok(Proof::of_headers(headers.clone())),
        }
    }

    /// What to send instead of what Azure DevOps refused to let read `organization`; nothing where
    /// nothing else would help.
    ///
    /// # Errors
    /// There is no other token to be had.
    pub async fn renew(
        &self,
        refused: &Proof,
        organization: &str,
    ) -> Result<Option<Proof>, Arc<TokenError>> {
        let (Means::Tokens(tokens), Some(token)) = (&self.means, &refused.token) else {
            return Ok(None);
        };
        let other = tokens.renew(token, organization).await?;
        other.map(Proof::of).transpose()
    }

    /// Notes whether what [`Self::renew`] gave was of any help with `organization`.
    pub fn renewed(&self, organization: &str, helped: bool) {
        if let Means::Tokens(tokens) = &self.means {
            tokens.renewed(organization, helped);
        }
    }

    /// Notes that it was enough to read something of `organization`.
    pub fn accepted(&self, organization: &str) {
        if let Means::Tokens(tokens) = &self.means {
            tokens.accepted(organization);
        }
    }
}

impl Proof {
    fn of(token: Arc<Token>) -> Result<Self, Arc<TokenError>> {
        let value = bearer(&token.secret);
        let value = sensitive("Authorization", value.expose_secret()).map_err(|error| {
            let message = format!("the token that was given cannot be sent: {error}");
            Arc::new(TokenError::refused(message))
        })?;
        Ok(Self {
            headers: HeaderMap::from_iter([(AUTHORIZATION, value)]),
            token: Some(token),
        })
    }

    const fn of_headers(headers: HeaderMap) -> Self {
        Self {
            headers,
            token: None,
        }
    }
}

/// Says that somebody has no token for what a URL names, and why.
#[must_use]
pub fn no_token(who: &Named<'_>, url: &Url, error: &TokenError) -> Error {
    let scope = scope_of(url);
    let message = format!("{who} has no token for {scope}: {error}");
    Error::new(error.error_kind(), message).because(error.clone())
}

/// Says that the default chain has no token for what a URL names, and why.
pub(super) fn no_default_token(url: &Url, error: &TokenError) -> Error {
    let scope = scope_of(url);
    let message = format!("the default credential chain has no token for {scope}: {error}");
    Error::new(error.error_kind(), message).because(error.clone())
}

/// Whether a token is a JWT: parts between dots, the first of them an object in JSON.
///
/// <https://www.rfc-editor.org/rfc/rfc7519>
fn is_jwt(token: &str) -> bool {
    let parts: Vec<&str> = token.split('.').collect();
    // Signed ones have three parts, encrypted ones five.
    matches!(parts.len(), 3 | 5)
        && parts.first().is_some_and(|header| {
            let header = BASE64_URL_SAFE_NO_PAD.decode(header).unwrap_or_default();
            serde_json::from_slice::<Map<String, Value>>(&header).is_ok()
        })
}

/// The value of the `Authorization` header for a token of Entra ID.
pub(super) fn bearer(token: &SecretString) -> SecretString {
    format!("Bearer {}", token.expose_secret()).into()
}

/// The value of the `Authorization` header for a personal access token: Basic, with an empty user.
///
/// Characters up to U+00FF count as one byte each, as JavaScript's `btoa` takes them.
///
/// # Errors
/// The token has a character that no token has.
pub(super) fn basic(token: &SecretString) -> Result<SecretString, Error> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_becomes_basic_authorization_with_an_empty_user() {
        let value = basic(&"raw_token".into()).map(|value| value.expose_secret().to_owned());
        assert_eq!(value.unwrap_or_default(), "Basic OnJhd190b2tlbg==");
    }

    #[test]
    fn a_callers_token_is_sent_as_what_it_is() {
        let jwt = format!(
            "{}.e30.c2ln",
            BASE64_URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#)
        );
        for (token, start, identity) in [
            (jwt.as_str(), "Bearer ", Identity::CallersToken),
            ("a.b.c", "Basic ", Identity::CallersPersonalAccessToken),
            ("raw_token", "Basic ", Identity::CallersPersonalAccessToken),
        ] {
            let authorization = Authorization::of_callers_token(&token.into());
            let authorization = authorization.unwrap_or_else(|error| unreachable!("{error}"));
            assert_eq!(authorization.identity(), identity);
            assert!(authorization.is_callers() && authorization.sharing().is_none());
            let Means::Headers(headers) = &authorization.means else {
                unreachable!("{token}")
            };
            let sent = headers
                .get(AUTHORIZATION)
                .and_then(|value| value.to_str().ok());
            assert!(sent.is_some_and(|sent| sent.starts_with(start)), "{token}");
        }
        let refused = Authorization::of_callers_token(&"s3cret\u{20ac}".into());
        let refused = refused.map_err(|error| (error.kind(), error.to_string()));
        assert!(matches!(refused, Err((ErrorKind::Input, message)) if !message.contains("s3cret")));
    }

    #[test]
    fn readers_are_told_apart_by_what_they_show() {
        let reader = |token: &'static str| {
            let headers = vec![("Authorization".to_owned(), token.into())];
            Authorization::provided(headers).map(|authorization| authorization.reader())
        };
        assert_eq!(reader("Bearer a").ok(), reader("Bearer a").ok());
        assert_ne!(reader("Bearer a").ok(), reader("Bearer b").ok());
        assert_ne!(
            reader("Bearer a").ok(),
            Some(Authorization::anonymous().reader())
        );
    }

    #[test]
    fn what_was_provided_is_not_in_debug() {
        let headers = vec![("Authorization".to_owned(), "Bearer s3cret".into())];
        assert!(!format!("{headers:?}").contains("s3cret"));
        let authorization = Authorization::provided(headers);
        assert!(authorization.is_ok());
        assert!(!format!("{authorization:?}").contains("s3cret"));
    }

    #[test]
    fn a_header_that_http_does_not_allow_is_refused_without_its_value() {
        let headers = vec![("Authorization".to_owned(), "s3cret\n".into())];
        let message = Authorization::provided(headers).map_err(|error| error.to_string());
        assert!(
            matches!(message, Err(text) if text.contains("Authorization") && !text.contains("s3cret"))
        );
    }
}
