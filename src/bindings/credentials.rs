//! Credentials across the boundary.

use std::sync::Arc;

use napi::{
    Either, Env,
    bindgen_prelude::{Null, PromiseRaw},
};
use napi_derive::napi;
use secrecy::ExposeSecret;

use super::{
    config::{IntegrationConfig, configs_of},
    crossing::{Failure, cross},
};
use crate::{credentials, error::Error, http::Client, url::parse};

/// Every configured credential, found by the URL that is to be read.
#[napi(custom_finalize)]
pub struct Credentials {
    pub(super) credentials: Arc<credentials::Credentials>,
}

/// A token and the header that it makes.
#[napi(object, object_from_js = false)]
pub struct TokenCredentials {
    /// The value of the `Authorization` header.
    pub authorization: String,
    /// The token, raw.
    pub token: String,
    /// `pat` for a personal access token, `bearer` for one of Entra ID.
    #[napi(js_name = "type", ts_type = "'pat' | 'bearer'")]
    pub token_type: &'static str,
}

#[napi]
impl Credentials {
    /// Takes the credentials of all integrations, in their order.
    #[napi(catch_unwind)]
    pub fn from_integrations(integrations: Vec<IntegrationConfig>) -> Either<Credentials, Failure> {
        match configs_of(integrations) {
            Ok(configs) => Either::A(Self {
                credentials: Arc::new(credentials::Credentials::from_integrations(&configs)),
            }),
            Err(error) => Either::B(error.into()),
        }
    }

    /// What serves a URL; `null` where nothing does.
    #[napi(catch_unwind)]
    pub fn for_url<'env>(
        &self,
        env: &'env Env,
        url: String,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<TokenCredentials, Null>, Failure>>> {
        let credentials = Arc::clone(&self.credentials);
        cross(env, async move {
            let found = find(&credentials, &url).await?;
            Ok(found.map_or(Either::B(Null), Either::A))
        })
    }
}

async fn find(
    credentials: &credentials::Credentials,
    url: &str,
) -> Result<Option<TokenCredentials>, Error> {
    let entra = Client::shared()?.entra();
    let found = credentials.token_for(&parse(url)?, &entra).await?;
    Ok(found.map(|found| TokenCredentials {
        authorization: found.header.expose_secret().to_owned(),
        token: found.token.expose_secret().to_owned(),
        token_type: if found.is_bearer { "bearer" } else { "pat" },
    }))
}
