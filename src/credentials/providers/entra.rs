//! Tokens of Entra ID and of managed identities, through `azure_identity`.
//!
//! Its credentials are created again for every token: each keeps a token until five minutes before its
//! end, and would give back the one that is to be replaced.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use azure_core::{
    cloud::CustomConfiguration,
    credentials::{Secret, TokenCredential},
    http::{
        ClientMethodOptions, ClientOptions, HttpClient, Method, Request, RetryOptions, Transport,
    },
};
use azure_identity::{
    ClientAssertion, ClientAssertionCredential, ClientAssertionCredentialOptions,
    ClientSecretCredential, ClientSecretCredentialOptions, ManagedIdentityCredential,
    ManagedIdentityCredentialOptions, UserAssignedId,
};
use secrecy::{ExposeSecret, SecretString};
use url::Url;

use super::{
    app::App,
    certificate::Certificate,
    diagnosis::{self, Asked},
    environment::var,
};
use crate::credentials::{
    identity::Identity,
    token::{Token, TokenError},
};

/// Azure DevOps as Entra ID knows it, the same in every tenant.
///
/// <https://learn.microsoft.com/azure/devops/integrate/get-started/authentication/service-principal-managed-identity>
const AZURE_DEVOPS: &str = "499b84ac-1321-427f-aa17-267ca6975798/.default";

/// What a managed identity's token has to be for, so that an app can be had for it.
///
/// <https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity>
const TOKEN_EXCHANGE: &str = "api://AzureADTokenExchange/.default";

/// Where Entra ID is unless `AZURE_AUTHORITY_HOST` names a sovereign cloud's.
const PUBLIC_CLOUD: &str = "https://login.microsoftonline.com";

/// What a managed identity's token is for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Audience {
    AzureDevOps,
    TokenExchange,
}

impl Audience {
    pub(crate) const fn scope(self) -> &'static str {
        match self {
            Self::AzureDevOps => AZURE_DEVOPS,
            Self::TokenExchange => TOKEN_EXCHANGE,
        }
    }
}

/// Entra ID, reached through the process's HTTP client.
#[derive(Clone, Debug)]
pub struct Entra {
    transport: Arc<dyn HttpClient>,
}

impl Entra {
    /// Takes the client that makes the requests.
    #[must_use]
    pub fn through(transport: Arc<dyn HttpClient>) -> Self {
        Self { transport }
    }

    pub(crate) async fn client_secret(
        &self,
        app: &App,
        secret: &SecretString,
        identity: Identity,
    ) -> Result<Token, TokenError> {
        let authority = authority()?;
        let asked = Asked::entra(&authority);
        let options = ClientSecretCredentialOptions {
            client_options: self.options(&authority),
        };
        let credential = ClientSecretCredential::new(
            &app.tenant_id,
            app.client_id.clone(),
            Secret::new(secret.expose_secret().to_owned()),
            Some(options),
        );
        let asked = asked.with(secret);
        get(credential, AZURE_DEVOPS, &asked, identity).await
    }

    pub(crate) async fn client_certificate(
        &self,
        app: &App,
        certificate: &Certificate,
        identity: Identity,
    ) -> Result<Token, TokenError> {
        let endpoint = token_endpoint(&authority()?, app)?;
        let assertion = certificate.assertion(&app.client_id, &endpoint)?;
        self.client_assertion(app, assertion, Audience::AzureDevOps, identity)
            .await
    }

    /// Exchanges what vouches for the app (a signature, or another issuer's token) for a token.
    pub(crate) async fn client_assertion(
        &self,
        app: &App,
        assertion: SecretString,
        audience: Audience,
        identity: Identity,
    ) -> Result<Token, TokenError> {
        let authority = authority()?;
        let asked = Asked::entra(&authority);
        let options = ClientAssertionCredentialOptions {
            client_options: self.options(&authority),
        };
        let credential = ClientAssertionCredential::new(
            app.tenant_id.clone(),
            app.client_id.clone(),
            Given(assertion.clone()),
            Some(options),
        );
        let asked = asked.with(&assertion);
        get(credential, audience.scope(), &asked, identity).await
    }

    /// Asks the machine for its own identity's token, or for that of one assigned to it.
    pub(crate) async fn managed_identity(
        &self,
        client_id: Option<&str>,
        audience: Audience,
        identity: Identity,
    ) -> Result<Token, TokenError> {
        let options = ManagedIdentityCredentialOptions {
            user_assigned_id: client_id.map(|id| UserAssignedId::ClientId(id.to_owned())),
            client_options: self.options(&authority()?),
        };
        let credential = ManagedIdentityCredential::new(Some(options));
        let header = SecretString::from(var("IDENTITY_HEADER").unwrap_or_default());
        let asked = Asked::managed_identity().with(&header);
        get(credential, audience.scope(), &asked, identity).await
    }

    /// Asks for an address without credentials. The outcome says whether something answers there.
    pub(crate) async fn knock_at(&self, url: Url) -> azure_core::Result<()> {
        let request = Request::new(url, Method::Get);
        self.transport.execute_request(&request).await.map(drop)
    }

    /// `authority` is a parameter, so that the environment is read in one place.
    fn options(&self, authority: &Url) -> ClientOptions {
        let mut cloud = CustomConfiguration::default();
        cloud.authority_host = authority.to_string();
        ClientOptions {
            cloud: Some(Arc::new(cloud.into())),
            transport: Some(Transport::new(Arc::clone(&self.transport))),
            // `TokenCache` retries, for no longer than a caller waits. Only the metadata service is
            // asked by `azure_identity` as Microsoft advises, whatever is set here: up to six times
            // more, for 72 seconds. Within the default chain it is not waited for that long.
            retry: RetryOptions::none(),
            ..ClientOptions::default()
        }
    }
}

/// Asks for a token for Azure DevOps.
pub(crate) async fn token_of<C: TokenCredential>(
    credential: azure_core::Result<Arc<C>>,
    identity: Identity,
    asked: &Asked,
) -> Result<Token, TokenError> {
    get(credential, AZURE_DEVOPS, asked, identity).await
}

async fn get<C: TokenCredential>(
    credential: azure_core::Result<Arc<C>>,
    scope: &str,
    asked: &Asked,
    identity: Identity,
) -> Result<Token, TokenError> {
    let answered = match credential {
        Ok(credential) => credential.get_token(&[scope], None).await,
        Err(error) => Err(error),
    };
    let given = answered.map_err(|error| diagnosis::explain(&error, asked))?;
    let secret = given.token.secret();
    if secret.is_empty() {
        return Err(diagnosis::no_token(asked));
    }
    let secret = secret.to_owned().into();
    Ok(Token::new(secret, given.expires_on.into(), identity))
}

/// The host that signs in, as `azure_identity` takes it from the environment.
fn authority() -> Result<Url, TokenError> {
    let host = var("AZURE_AUTHORITY_HOST").unwrap_or_else(|| PUBLIC_CLOUD.to_owned());
    Url::parse(&host)
        .ok()
        .filter(|url| url.scheme() == "https")
        .ok_or_else(|| {
            TokenError::refused(format!(
                "AZURE_AUTHORITY_HOST is {host:?}, which is no https URL: check it, it is {PUBLIC_CLOUD} unless it is set"
            ))
        })
}

/// <https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow>
fn token_endpoint(authority: &Url, app: &App) -> Result<Url, TokenError> {
    let path = format!("/{}/oauth2/v2.0/token", app.tenant_id);
    authority.join(&path).map_err(|_| {
        TokenError::refused(format!("the tenant {:?} is no tenant's id", app.tenant_id))
    })
}

/// An assertion that is there already.
struct Given(SecretString);

#[async_trait]
impl ClientAssertion for Given {
    async fn secret(&self, _: Option<ClientMethodOptions<'_>>) -> azure_core::Result<String> {
        Ok(self.0.expose_secret().to_owned())
    }
}

impl fmt::Debug for Given {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Given")
    }
}
