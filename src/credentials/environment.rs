//! What the environment says about who signs in.

use std::env;

use super::{entra::App, token::TokenError};

/// A variable; an empty one counts as none.
pub(super) fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable without which there is nothing to do.
pub(super) fn needed(name: &str) -> Result<String, TokenError> {
    var(name).ok_or_else(|| TokenError::absent(format!("{name} is not set")))
}

/// The app that `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` name.
pub(super) fn app() -> Result<App, TokenError> {
    match (var("AZURE_TENANT_ID"), var("AZURE_CLIENT_ID")) {
        (Some(tenant_id), Some(client_id)) => Ok(App::new(&tenant_id, &client_id)),
        (Some(_), None) => Err(TokenError::absent("AZURE_CLIENT_ID is not set")),
        (None, Some(_)) => Err(TokenError::absent("AZURE_TENANT_ID is not set")),
        (None, None) => Err(TokenError::absent(
            "AZURE_TENANT_ID and AZURE_CLIENT_ID are not set",
        )),
    }
}
