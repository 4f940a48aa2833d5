//! The configured ways to a token: service principals and managed identities.

use std::sync::Arc;

use async_trait::async_trait;
use secrecy::SecretString;

use super::{
    app::App,
    certificate::{Certificate, Chain},
    entra::{Audience, Entra},
    environment::var,
    managed_identity, workload_identity,
};
use crate::config::ClientCertificate;
use crate::credentials::{
    identity::Identity,
    token::{Token, TokenError, TokenErrorKind, TokenProvider},
    token_cache::TokenCache,
};

/// The word that stands for the machine's own identity where a client id could stand.
const SYSTEM_ASSIGNED: &str = "system-assigned";

/// A service principal with its secret.
#[derive(Debug)]
pub(crate) struct ServicePrincipal {
    pub entra: Entra,
    pub app: App,
    pub secret: SecretString,
}

#[async_trait]
impl TokenProvider for ServicePrincipal {
    async fn token(&self) -> Result<Token, TokenError> {
        let identity = Identity::ServicePrincipal;
        self.entra
            .client_secret(&self.app, &self.secret, identity)
            .await
    }
}

/// A service principal with its certificate.
#[derive(Debug)]
pub(crate) struct CertifiedApp {
    pub entra: Entra,
    pub app: App,
    pub certificate: ClientCertificate,
}

#[async_trait]
impl TokenProvider for CertifiedApp {
    /// Reads a file each time, because a new certificate may have taken the old one's place.
    async fn token(&self) -> Result<Token, TokenError> {
        let certificate = match &self.certificate {
            ClientCertificate::Text(pem) => Certificate::of_text(pem)?,
            ClientCertificate::File(path) => Certificate::read(path, Chain::Omitted).await?,
        };
        let identity = Identity::ServicePrincipalWithCertificate;
        self.entra
            .client_certificate(&self.app, &certificate, identity)
            .await
    }
}

/// A managed identity.
#[derive(Debug)]
pub(crate) struct ManagedIdentity {
    pub entra: Entra,
    pub client_id: String,
    pub audience: Audience,
}

#[async_trait]
impl TokenProvider for ManagedIdentity {
    async fn token(&self) -> Result<Token, TokenError> {
        let client_id = Some(self.client_id.as_str()).filter(|id| *id != SYSTEM_ASSIGNED);
        let identity = Identity::ManagedIdentity;
        let answer = managed_identity(&self.entra, client_id, self.audience, identity).await;
        // The configuration says that this machine has one, so it may only not be there yet.
        answer.map_err(TokenError::into_unreachable)
    }
}

/// Gets a managed identity's token where the process runs: of Kubernetes where it vouches for its
/// workloads, as Microsoft's SDK for JavaScript does, else of the machine.
pub(crate) async fn managed_identity(
    entra: &Entra,
    client_id: Option<&str>,
    audience: Audience,
    identity: Identity,
) -> Result<Token, TokenError> {
    let own_id = var("AZURE_CLIENT_ID");
    let app = client_id.or(own_id.as_deref()).zip(var("AZURE_TENANT_ID"));
    if let (Some((client_id, tenant_id)), Some(_)) = (app, var(workload_identity::TOKEN_FILE)) {
        let app = App::new(&tenant_id, client_id);
        return workload_identity::token(entra, &app, audience, identity).await;
    }
    managed_identity::probe(entra).await?;
    entra.managed_identity(client_id, audience, identity).await
}

/// A service principal for which a managed identity vouches.
#[derive(Debug)]
pub(crate) struct VouchedApp {
    pub entra: Entra,
    pub app: App,
    /// The managed identity's tokens, which are good for many exchanges.
    pub assertions: Arc<TokenCache>,
}

#[async_trait]
impl TokenProvider for VouchedApp {
    async fn token(&self) -> Result<Token, TokenError> {
        let kept = self.assertions.held();
        let assertion = self.assertion().await?;
        let exchanged = self.exchange(&assertion).await;
        // One from before may have been good once.
        if is_refused(&exchanged) && kept.is_some_and(|kept| Arc::ptr_eq(&kept, &assertion)) {
            let assertion = self.assertion().await?;
            return self.exchange(&assertion).await;
        }
        exchanged
    }
}

impl VouchedApp {
    async fn assertion(&self) -> Result<Arc<Token>, TokenError> {
        let assertion = self.assertions.get().await;
        assertion.map_err(|error| (*error).clone())
    }

    /// Exchanges an assertion, and forgets one that is refused.
    async fn exchange(&self, assertion: &Arc<Token>) -> Result<Token, TokenError> {
        let exchanged = self
            .entra
            .client_assertion(
                &self.app,
                assertion.secret.clone(),
                Audience::AzureDevOps,
                Identity::ManagedIdentityClientAssertion,
            )
            .await;
        if is_refused(&exchanged) {
            self.assertions.forget(assertion);
        }
        exchanged
    }
}

fn is_refused(answer: &Result<Token, TokenError>) -> bool {
    let error = answer.as_ref().err();
    error.is_some_and(|error| error.kind == TokenErrorKind::Refused)
}
