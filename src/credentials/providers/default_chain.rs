//! The default chain: the credentials for `dev.azure.com` where none is configured.
//!
//! The links, their order and the variables that they look at are those of Microsoft's SDKs:
//! <https://learn.microsoft.com/azure/developer/javascript/sdk/authentication/credential-chains>.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;

use async_trait::async_trait;
use azure_identity::{
    AzureCliCredential, AzureCliCredentialOptions, AzureDeveloperCliCredential,
    AzureDeveloperCliCredentialOptions,
};
use secrecy::SecretString;
use tokio::time::timeout;

use super::{
    app::App,
    certificate::{Certificate, Chain},
    configured::managed_identity,
    developer_tools::Runner,
    diagnosis::Asked,
    entra::{Audience, Entra, token_of},
    environment::{needed, var},
    workload_identity,
};
use crate::credentials::{
    identity::{Identity, Link},
    token::{Token, TokenError, TokenErrorKind, TokenProvider},
};

/// How long the chain waits for a managed identity that takes its time.
const MANAGED_IDENTITY_LIMIT: Duration = Duration::from_secs(10);

/// The chain. The link that answered first is asked from then on.
#[derive(Debug)]
pub(crate) struct DefaultChain {
    entra: Entra,
    answered: Mutex<Option<Link>>,
}

/// The links that gave no token, and why.
#[derive(Debug, Default)]
struct Tried {
    reasons: Vec<String>,
    /// The failure that the whole chain reports; `None` where no link was set up.
    worst: Option<TokenError>,
    /// The link at which the chain ends.
    end: Option<Link>,
}

impl DefaultChain {
    pub(crate) fn new(entra: Entra) -> Self {
        Self {
            entra,
            answered: Mutex::default(),
        }
    }

    async fn ask(&self, link: Link) -> Result<Token, TokenError> {
        let identity = Identity::Default(link);
        match link {
            Link::Environment => self.environment(identity).await,
            Link::WorkloadIdentity => self.workload_identity(identity).await,
            Link::ManagedIdentity => self.managed_identity(identity).await,
            Link::AzureCli => {
                let options = AzureCliCredentialOptions {
                    executor: Some(Arc::new(Runner)),
                    ..AzureCliCredentialOptions::default()
                };
                let credential = AzureCliCredential::new(Some(options));
                token_of(credential, identity, &Asked::tool("az")).await
            }
            Link::AzureDeveloperCli => {
                let options = AzureDeveloperCliCredentialOptions {
                    executor: Some(Arc::new(Runner)),
                    ..AzureDeveloperCliCredentialOptions::default()
                };
                let credential = AzureDeveloperCliCredential::new(Some(options));
                token_of(credential, identity, &Asked::tool("azd")).await
            }
        }
    }

    async fn environment(&self, identity: Identity) -> Result<Token, TokenError> {
        let app = App::of_environment()?;
        if let Some(secret) = var("AZURE_CLIENT_SECRET") {
            let secret = SecretString::from(secret);
            return self.entra.client_secret(&app, &secret, identity).await;
        }
        let path = var("AZURE_CLIENT_CERTIFICATE_PATH").ok_or_else(|| {
            TokenError::absent(
                "neither AZURE_CLIENT_SECRET nor AZURE_CLIENT_CERTIFICATE_PATH is set",
            )
        })?;
        let sends_chain = var("AZURE_CLIENT_SEND_CERTIFICATE_CHAIN")
            .is_some_and(|value| value == "1" || value.eq_ignore_ascii_case("true"));
        let chain = if sends_chain {
            Chain::Sent
        } else {
            Chain::Omitted
        };
        let certificate = Certificate::read(&path, chain).await?;
        self.entra
            .client_certificate(&app, &certificate, identity)
            .await
    }

    async fn workload_identity(&self, identity: Identity) -> Result<Token, TokenError> {
        needed(workload_identity::TOKEN_FILE)?;
        workload_identity::token(
            &self.entra,
            &App::of_environment()?,
            Audience::AzureDevOps,
            identity,
        )
        .await
    }

    async fn managed_identity(&self, identity: Identity) -> Result<Token, TokenError> {
        let client_id = var("AZURE_CLIENT_ID");
        let asked = managed_identity(
            &self.entra,
            client_id.as_deref(),
            Audience::AzureDevOps,
            identity,
        );
        timeout(MANAGED_IDENTITY_LIMIT, asked)
            .await
            .unwrap_or_else(|_| {
                Err(TokenError::unreachable(format!(
                    "the machine's managed identity endpoint gave no token within {} seconds",
                    MANAGED_IDENTITY_LIMIT.as_secs()
                )))
            })
    }

    async fn walk(&self) -> Result<Token, TokenError> {
        let wanted = wanted()?;
        let mut tried = Tried::default();
        for link in Link::ALL {
            if wanted.as_ref().is_some_and(|it| !link.is_meant_by(it)) {
                tried.passes_over(link, "left out by AZURE_TOKEN_CREDENTIALS");
            } else if let Some(end) = tried.end {
                let why = format!("not tried, because {} is set up", end.title());
                tried.passes_over(link, &why);
            } else {
                match self.ask(link).await {
                    Ok(token) => {
                        self.remember(link);
                        return Ok(token);
                    }
                    Err(error) => tried.failed(link, &error),
                }
            }
        }
        Err(tried.into_error())
    }

    /// Asks the link that answered before, and no other instead.
    async fn ask_again(&self, link: Link) -> Result<Token, TokenError> {
        let answer = self.ask(link).await;
        answer.map_err(|error| {
            let others = Link::ALL.into_iter().filter(|other| *other != link);
            let others = others.map(|other| {
                let (other, link) = (other.title(), link.title());
                format!("; {other}: not tried, because {link} answered before")
            });
            let message = format!(
                "{}, which answered before: {error}{}",
                link.title(),
                others.collect::<String>()
            );
            // It was there before, so it is not reported as absent.
            TokenError::new(error.kind, message)
                .after(error.retry_after)
                .into_unreachable()
        })
    }

    fn remember(&self, link: Link) {
        *self.answered.lock() = Some(link);
    }

    fn remembered(&self) -> Option<Link> {
        *self.answered.lock()
    }
}

#[async_trait]
impl TokenProvider for DefaultChain {
    async fn token(&self) -> Result<Token, TokenError> {
        match self.remembered() {
            Some(link) => self.ask_again(link).await,
            None => self.walk().await,
        }
    }
}

impl Tried {
    fn passes_over(&mut self, link: Link, why: &str) {
        self.reasons.push(format!("{}: {why}", link.title()));
    }

    fn failed(&mut self, link: Link, error: &TokenError) {
        let reason = format!("{}: {error}", link.title());
        if link.is_meant() && error.kind != TokenErrorKind::Absent {
            self.end = Some(link);
            self.worst = Some(error.clone());
            // A link that was set up is reported before those that were not.
            self.reasons.insert(0, reason);
            return;
        }
        if error.kind == TokenErrorKind::Unreachable {
            self.worst = Some(error.clone());
        }
        self.reasons.push(reason);
    }

    fn into_error(self) -> TokenError {
        let (kind, retry_after) = self.worst.map_or((TokenErrorKind::Absent, None), |worst| {
            (worst.kind, worst.retry_after)
        });
        TokenError::new(kind, self.reasons.join("; ")).after(retry_after)
    }
}

/// The value of `AZURE_TOKEN_CREDENTIALS`, if it is one that leaves a link.
fn wanted() -> Result<Option<String>, TokenError> {
    let Some(value) = var("AZURE_TOKEN_CREDENTIALS") else {
        return Ok(None);
    };
    let name = value.trim().to_lowercase();
    if name.is_empty() {
        return Ok(None);
    }
    if Link::ALL.iter().any(|link| link.is_meant_by(&name)) {
        return Ok(Some(name));
    }
    Err(TokenError::refused(format!(
        "AZURE_TOKEN_CREDENTIALS is {value:?}: check it, it can be prod, dev, EnvironmentCredential, WorkloadIdentityCredential, ManagedIdentityCredential, AzureCliCredential or AzureDeveloperCliCredential"
    )))
}
