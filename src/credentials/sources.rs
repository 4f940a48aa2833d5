//! The configured ways to a token: service principals and managed identities.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{
    Identity, Tokens,
    entra::{App, Audience, Entra},
    imds,
    token::{Lack, Token, TokenError, TokenSource},
};

/// The word that stands for the machine's own identity where a client id could stand.
const SYSTEM_ASSIGNED: &str = "system-assigned";

/// A service principal with its secret.
#[derive(Debug)]
pub(super) struct ServicePrincipal {
    pub entra: Entra,
    pub app: App,
    pub secret: SecretString,
}

#[async_trait]
impl TokenSource for ServicePrincipal {
    async fn token(&self) -> Result<Token, TokenError> {
        let identity = Identity::ServicePrincipal;
        self.entra
            .client_secret(&self.app, &self.secret, identity)
            .await
    }
}

/// A managed identity.
#[derive(Debug)]
pub(super) struct ManagedIdentity {
    pub entra: Entra,
    pub client_id: String,
    pub audience: Audience,
}

#[async_trait]
impl TokenSource for ManagedIdentity {
    async fn token(&self) -> Result<Token, TokenError> {
        imds::probe().await?;
        let client_id = Some(self.client_id.as_str()).filter(|id| *id != SYSTEM_ASSIGNED);
        self.entra
            .managed_identity(client_id, self.audience, Identity::ManagedIdentity)
            .await
    }
}

/// A service principal for which a managed identity vouches.
#[derive(Debug)]
pub(super) struct VouchedApp {
    pub entra: Entra,
    pub app: App,
    /// The managed identity's tokens, which are good for many exchanges.
    pub vouchers: Arc<Tokens>,
}

#[async_trait]
impl TokenSource for VouchedApp {
    async fn token(&self) -> Result<Token, TokenError> {
        let voucher = self
            .vouchers
            .get()
            .await
            .map_err(|error| (*error).clone())?;
        let identity = Identity::ManagedIdentityClientAssertion;
        let exchanged = self
            .entra
            .client_assertion(&self.app, voucher.secret.clone(), identity)
            .await;
        if exchanged
            .as_ref()
            .is_err_and(|error| error.lack == Lack::Refused)
        {
            self.vouchers.forget(&voucher);
        }
        exchanged
    }
}
