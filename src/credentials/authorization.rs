//! What a credential puts on a request.

use std::{sync::Arc, time::SystemTime};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use reqwest::header::{AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use url::Url;

use super::{
    identity::{CredentialName, Identity},
    principal::Principal,
    providers::{
        app::App,
        entra::{Audience, Entra},
    },
    shared_keys::SharedKeys,
    token::{Token, TokenError},
    token_cache::{Renewal, TokenCache},
    token_caches,
};
use crate::{
    config::CredentialKind,
    error::{Error, ErrorKind},
    secrets::Secrets,
    url::scope_of,
};

/// What authorizes the requests of one read.
///
/// The values of headers are marked as sensitive, so neither `Debug` nor the HTTP client's logging
/// shows them.
#[derive(Clone, Debug)]
pub struct Authorization {
    /// Shared by all reads with the credential: each of them has an authorization of its own.
    parts: Arc<Parts>,
    /// Whether the read is anonymous although the host has credentials for other organizations.
    is_left_out: bool,
}

#[derive(Debug)]
struct Parts {
    identity: Identity,
    /// The credential's place in the app-config, if it has one.
    place: Option<Arc<str>>,
    method: AuthMethod,
    principal: Principal,
    /// Its keys in the shared cache, where they do not depend on its tokens.
    sharing: Option<SharedKeys>,
}

#[derive(Clone, Debug)]
enum AuthMethod {
    /// Nothing; and why the default chain found no credential, if it was asked.
    Nothing(Option<Arc<TokenError>>),
    /// Headers that stay the same.
    Headers(HeaderMap),
    /// Tokens that are renewed.
    TokenCache(Arc<TokenCache>),
}

/// What an access token of Entra ID says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TokenFacts {
    /// When it stops being valid.
    pub expires_on: SystemTime,
    /// The tenant that it is of, where it says so.
    pub tenant: Option<String>,
    /// The object in it that it is for, where it says so.
    pub object: Option<String>,
}

/// What goes on one request.
#[derive(Debug)]
pub struct RequestAuth {
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
        let sharing = Some(SharedKeys::of_nobody());
        Self::new(Identity::Anonymous, AuthMethod::Nothing(why), sharing, None)
    }

    fn with_headers(identity: Identity, headers: HeaderMap, place: Option<Arc<str>>) -> Self {
        let sharing = Some(SharedKeys::of_headers(&headers));
        Self::new(identity, AuthMethod::Headers(headers), sharing, place)
    }

    fn new(
        identity: Identity,
        method: AuthMethod,
        sharing: Option<SharedKeys>,
        place: Option<Arc<str>>,
    ) -> Self {
        let principal = match &method {
            AuthMethod::Nothing(_) => Principal::ANONYMOUS,
            AuthMethod::Headers(headers) => Principal::with_headers(headers),
            AuthMethod::TokenCache(tokens) => Principal::with_tokens(tokens, identity),
        };
        Self {
            parts: Arc::new(Parts {
                identity,
                place,
                method,
                principal,
                sharing,
            }),
            is_left_out: false,
        }
    }

    /// The same; an anonymous read notes whether its host has credentials for other organizations.
    #[must_use]
    pub(super) fn left_out(mut self, is_left_out: bool) -> Self {
        self.is_left_out = is_left_out && matches!(self.parts.method, AuthMethod::Nothing(_));
        self
    }

    /// What a configured credential puts on requests.
    ///
    /// # Errors
    /// It is a token that no header can hold.
    pub(super) fn of_credential(
        kind: &CredentialKind,
        place: &Arc<str>,
        entra: &Entra,
    ) -> Result<Self, Error> {
        let (identity, tokens, sharing) = match kind {
            CredentialKind::PersonalAccessToken { token } => {
                return Self::of_token(token, place);
            }
            CredentialKind::ClientSecret {
                tenant_id,
                client_id,
                client_secret,
            } => {
                let app = App::new(tenant_id, client_id);
                let sharing = SharedKeys::of_app(&app, client_secret);
                let tokens = token_caches::of_app(app, client_secret, entra);
                (Identity::ServicePrincipal, tokens, Some(sharing))
            }
            CredentialKind::ClientCertificate {
                tenant_id,
                client_id,
                certificate,
            } => {
                let app = App::new(tenant_id, client_id);
                let sharing = SharedKeys::of_certified_app(&app, certificate);
                let tokens = token_caches::of_certified_app(app, certificate, entra);
                (Identity::ServicePrincipalWithCertificate, tokens, sharing)
            }
            CredentialKind::ManagedIdentity { client_id } => {
                let tokens = token_caches::of_identity(Audience::AzureDevOps, client_id, entra);
                (Identity::ManagedIdentity, tokens, None)
            }
            CredentialKind::ManagedIdentityClientAssertion {
                tenant_id,
                client_id,
                managed_identity_client_id: identity_id,
            } => {
                let app = App::new(tenant_id, client_id);
                let tokens = token_caches::of_vouched_app(app, identity_id, entra);
                (Identity::ManagedIdentityClientAssertion, tokens, None)
            }
        };
        let place = Some(Arc::clone(place));
        let method = AuthMethod::TokenCache(tokens);
        Ok(Self::new(identity, method, sharing, place))
    }

    /// Its access tokens, where it has any.
    pub(super) fn tokens(&self) -> Option<&Arc<TokenCache>> {
        match &self.parts.method {
            AuthMethod::TokenCache(tokens) => Some(tokens),
            AuthMethod::Nothing(_) | AuthMethod::Headers(_) => None,
        }
    }

    fn of_token(token: &SecretString, place: &Arc<str>) -> Result<Self, Error> {
        let value = sensitive("Authorization", basic(token)?.expose_secret())?;
        let headers = HeaderMap::from_iter([(AUTHORIZATION, value)]);
        let place = Some(Arc::clone(place));
        Ok(Self::with_headers(
            Identity::PersonalAccessToken,
            headers,
            place,
        ))
    }

    pub(super) async fn of_default_chain(entra: &Entra) -> Self {
        let tokens = token_caches::of_default_chain(entra);
        match tokens.get().await {
            Ok(token) => {
                let method = AuthMethod::TokenCache(tokens);
                Self::new(token.identity, method, None, None)
            }
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
        Ok(Self::with_headers(Identity::Provided, map, None))
    }

    /// The authorization by a token that the caller gave for this one read: an access token (a JWT) is sent
    /// as such, any other as a personal access token.
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
        // Nothing of it is shared with other processes.
        Ok(Self::new(
            identity,
            AuthMethod::Headers(headers),
            None,
            None,
        ))
    }

    /// Whether it is a token that the caller gave for one read. Nothing of such a read is kept.
    #[must_use]
    pub fn is_callers(&self) -> bool {
        matches!(
            self.parts.identity,
            Identity::CallersToken | Identity::CallersPersonalAccessToken
        )
    }

    /// The kind of credential.
    #[must_use]
    pub fn identity(&self) -> Identity {
        self.parts.identity
    }

    /// The kind of credential and its place, for a message.
    #[must_use]
    pub fn named(&self) -> CredentialName<'_> {
        CredentialName {
            identity: self.parts.identity,
            place: self.parts.place.as_deref(),
        }
    }

    /// The place of its credential in the app-config, or what else it comes from.
    #[must_use]
    pub fn place(&self) -> Arc<str> {
        let elsewhere = || Arc::from(self.parts.identity.place());
        self.parts.place.clone().unwrap_or_else(elsewhere)
    }

    /// The secrets that it sends, or has sent recently.
    #[must_use]
    pub fn secrets(&self) -> Secrets {
        let mut secrets = Secrets::default();
        match &self.parts.method {
            AuthMethod::Nothing(_) => {}
            AuthMethod::Headers(headers) => {
                for value in headers.values() {
                    secrets.add_header(value.as_bytes());
                }
            }
            AuthMethod::TokenCache(tokens) => {
                for token in tokens.last() {
                    secrets.add_all(token.secrets());
                }
            }
        }
        secrets
    }

    /// The principal behind it.
    #[must_use]
    pub fn principal(&self) -> &Principal {
        &self.parts.principal
    }

    /// Its keys in the shared cache, the same in all processes that have the credential; `None` where there
    /// are none.
    #[must_use]
    pub fn sharing(&self) -> Option<SharedKeys> {
        match &self.parts.method {
            AuthMethod::TokenCache(tokens) if self.parts.sharing.is_none() => {
                SharedKeys::of_token(tokens.held()?.as_ref())
            }
            _ => self.parts.sharing.clone(),
        }
    }

    /// Why the default chain found no credential, where it was asked.
    #[must_use]
    pub fn without_default(&self) -> Option<&TokenError> {
        match &self.parts.method {
            AuthMethod::Nothing(why) => why.as_deref(),
            AuthMethod::Headers(_) | AuthMethod::TokenCache(_) => None,
        }
    }

    /// Why the default chain failed although one of its links was set up.
    pub(super) fn failed_default(&self) -> Option<&TokenError> {
        self.without_default().filter(|why| !why.is_absence())
    }

    /// What to warn of: an anonymous read although a credential was set up, or although the host has
    /// credentials for other organizations.
    #[must_use]
    pub fn warning(&self, url: &Url) -> Option<String> {
        if let Some(why) = self.failed_default() {
            let scope = scope_of(url);
            return Some(format!(
                "Reading {scope} with no credential, because the default credential chain failed: {why}"
            ));
        }
        self.is_left_out.then(|| {
            let scope = scope_of(url);
            format!(
                "Reading {scope} with no credential: those of the host under integrations.azure are for other organizations. Check the organizations that they name; what is not public is not found"
            )
        })
    }

    /// The token of Entra ID, where it is one.
    ///
    /// # Errors
    /// None can be obtained any more.
    pub async fn bearer(&self) -> Result<Option<SecretString>, Arc<TokenError>> {
        match &self.parts.method {
            AuthMethod::TokenCache(tokens) => Ok(Some(tokens.get().await?.secret.clone())),
            AuthMethod::Nothing(_) | AuthMethod::Headers(_) => Ok(None),
        }
    }

    /// What is known of its current token of Entra ID, where it has one.
    #[must_use]
    pub fn token_facts(&self) -> Option<TokenFacts> {
        let token = self.tokens()?.held()?;
        let principal = token.principal();
        let (tenant, object) = principal.unzip();
        Some(TokenFacts {
            expires_on: token.expires_on,
            tenant,
            object,
        })
    }

    /// What goes on a request now.
    ///
    /// # Errors
    /// The token has expired meanwhile, and no other can be obtained.
    pub async fn request_auth(&self) -> Result<RequestAuth, Arc<TokenError>> {
        match &self.parts.method {
            AuthMethod::TokenCache(tokens) => RequestAuth::of(tokens.get().await?),
            AuthMethod::Nothing(_) => Ok(RequestAuth::of_headers(HeaderMap::new())),
            AuthMethod::Headers(headers) => Ok(RequestAuth::of_headers(headers.clone())),
        }
    }

    /// What to send instead of what `organization` refused; `None` where nothing else would help.
    ///
    /// # Errors
    /// No other token can be obtained.
    pub async fn renew(
        &self,
        refused: &RequestAuth,
        organization: &str,
    ) -> Result<Option<RequestAuth>, Arc<TokenError>> {
        let (AuthMethod::TokenCache(tokens), Some(token)) = (&self.parts.method, &refused.token)
        else {
            return Ok(None);
        };
        let other = tokens.renew(token, organization).await?;
        other.map(RequestAuth::of).transpose()
    }

    /// Notes the outcome of the request with what [`Self::renew`] gave, in `organization`.
    pub fn renewed(&self, organization: &str, outcome: Renewal) {
        if let AuthMethod::TokenCache(tokens) = &self.parts.method {
            tokens.renewed(organization, outcome);
        }
    }

    /// Notes that `organization` accepted it.
    pub fn accepted(&self, organization: &str) {
        if let AuthMethod::TokenCache(tokens) = &self.parts.method {
            tokens.accepted(organization);
        }
    }
}

impl RequestAuth {
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

/// Says that a credential has no token for what a URL names, and why.
#[must_use]
pub fn no_token(who: &CredentialName<'_>, url: &Url, error: &TokenError) -> Error {
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
            let AuthMethod::Headers(headers) = &authorization.parts.method else {
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
            Authorization::provided(headers).map(|it| it.principal().clone())
        };
        assert_eq!(reader("Bearer a").ok(), reader("Bearer a").ok());
        assert_ne!(reader("Bearer a").ok(), reader("Bearer b").ok());
        assert_ne!(
            reader("Bearer a").ok(),
            Some(Authorization::anonymous().principal().clone())
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
