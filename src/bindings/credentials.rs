//! Credentials across the boundary.

use std::sync::Arc;

use napi::{
    Either,
    bindgen_prelude::{Either3, Null},
};
use napi_derive::napi;
use secrecy::ExposeSecret;

use super::{Failure, config::IntegrationConfig};
use crate::{
    config::{self, CredentialKind},
    credentials::{self, Authorization, basic},
    error::Error,
    url::parse,
};

/// Every configured credential, found by the URL that is to be read.
#[napi]
pub struct Credentials {
    pub(super) credentials: Arc<credentials::Credentials>,
}

/// A personal access token and the header that it makes.
#[napi(object, object_from_js = false)]
pub struct PersonalAccessToken {
    /// The value of the `Authorization` header.
    pub authorization: String,
    /// The token, raw.
    pub token: String,
}

#[napi]
impl Credentials {
    /// Takes the credentials of all integrations, in their order.
    #[napi(catch_unwind)]
    pub fn from_integrations(integrations: Vec<IntegrationConfig>) -> Either<Credentials, Failure> {
        let configs: Result<Vec<config::IntegrationConfig>, Error> =
            integrations.into_iter().map(TryInto::try_into).collect();
        match configs {
            Ok(configs) => Either::A(Self {
                credentials: Arc::new(credentials::Credentials::from_integrations(&configs)),
            }),
            Err(error) => Either::B(error.into()),
        }
    }

    /// What serves a URL; `null` where nothing does.
    #[napi(catch_unwind)]
    pub fn for_url(&self, url: String) -> Either3<PersonalAccessToken, Failure, Null> {
        match self.find(&url) {
            Ok(Some(token)) => Either3::A(token),
            Ok(None) => Either3::C(Null),
            Err(error) => Either3::B(error.into()),
        }
    }

    fn find(&self, url: &str) -> Result<Option<PersonalAccessToken>, Error> {
        let Some(credential) = self.credentials.for_url(&parse(url)?) else {
            return Ok(None);
        };
        match &credential.kind {
            CredentialKind::PersonalAccessToken { token } => Ok(Some(PersonalAccessToken {
                authorization: basic(token)?.expose_secret().to_owned(),
                token: token.expose_secret().to_owned(),
            })),
            // The reason is the one that a read gives.
            _ => Authorization::of(Some(credential)).map(|_| None),
        }
    }
}
