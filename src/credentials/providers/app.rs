//! An app registration of Entra ID.

use super::environment::var;
use crate::credentials::token::TokenError;

/// An app of a tenant.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub tenant_id: String,
    pub client_id: String,
}

impl App {
    pub(crate) fn new(tenant_id: &str, client_id: &str) -> Self {
        Self {
            tenant_id: tenant_id.to_owned(),
            client_id: client_id.to_owned(),
        }
    }

    /// The app that `AZURE_TENANT_ID` and `AZURE_CLIENT_ID` name.
    pub(crate) fn of_environment() -> Result<Self, TokenError> {
        match (var("AZURE_TENANT_ID"), var("AZURE_CLIENT_ID")) {
            (Some(tenant_id), Some(client_id)) => Ok(Self::new(&tenant_id, &client_id)),
            (Some(_), None) => Err(TokenError::absent("AZURE_CLIENT_ID is not set")),
            (None, Some(_)) => Err(TokenError::absent("AZURE_TENANT_ID is not set")),
            (None, None) => Err(TokenError::absent(
                "AZURE_TENANT_ID and AZURE_CLIENT_ID are not set",
            )),
        }
    }
}
