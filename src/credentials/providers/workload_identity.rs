//! Workload identity: a token that Kubernetes issues, exchanged for an app's.
//!
//! <https://learn.microsoft.com/azure/aks/workload-identity-overview>

use secrecy::{SecretString, zeroize::Zeroizing};

use super::{
    app::App,
    entra::{Audience, Entra},
    environment::needed,
};
use crate::credentials::{
    identity::Identity,
    token::{Token, TokenError},
};

/// The variable that names the file.
pub(crate) const TOKEN_FILE: &str = "AZURE_FEDERATED_TOKEN_FILE";

/// Exchanges the token in the file.
pub(crate) async fn token(
    entra: &Entra,
    app: &App,
    audience: Audience,
    identity: Identity,
) -> Result<Token, TokenError> {
    let assertion = assertion().await?;
    entra
        .client_assertion(app, assertion, audience, identity)
        .await
}

/// Reads the file each time, because Kubernetes puts a new token into it every hour.
async fn assertion() -> Result<SecretString, TokenError> {
    let path = needed(TOKEN_FILE)?;
    let content = tokio::fs::read_to_string(&path).await;
    let content = content.map_err(|error| {
        TokenError::refused(format!("{TOKEN_FILE} ({path}) could not be read: {error}"))
    })?;
    let content = Zeroizing::new(content);
    let token = content.trim();
    if token.is_empty() {
        let message = format!("{TOKEN_FILE} ({path}) is empty");
        return Err(TokenError::refused(message));
    }
    Ok(token.into())
}
