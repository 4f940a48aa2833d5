//! Whether the machine has an instance metadata service, asked before it is waited for.

use std::{env, time::Duration};

use azure_core::error::ErrorKind;
use tokio::time::timeout;
use url::Url;

use super::{
    diagnosis::{self, Asked},
    entra::Entra,
    environment::var,
};
use crate::credentials::token::TokenError;

/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
const IMDS: &str = "http://169.254.169.254/metadata/identity/oauth2/token";

/// Long enough for one packet to be lost: what is on the same host answers in milliseconds.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Fails where nothing would answer a request for a managed identity's token.
///
/// As Microsoft's SDKs do, it asks without the header that every request needs, which a metadata
/// service of Azure refuses. Where the environment names another endpoint there is nothing to ask
/// beforehand.
pub(crate) async fn probe(entra: &Entra) -> Result<(), TokenError> {
    match other_endpoint() {
        Some(name) if var(name).is_none() => {
            return Err(TokenError::absent(format!(
                "{name} is set and empty: unset it"
            )));
        }
        Some(_) => return Ok(()),
        None => {}
    }
    let url = Url::parse(IMDS).map_err(|error| TokenError::absent(error.to_string()))?;
    match timeout(PATIENCE, entra.knock_at(url)).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) if *error.kind() != ErrorKind::Connection => {
            Err(diagnosis::explain(&error, &Asked::managed_identity()))
        }
        _ => Err(TokenError::absent(
            "nothing answers at 169.254.169.254, where machines in Azure find their identity, and IDENTITY_ENDPOINT and IDENTITY_HEADER name no other place",
        )),
    }
}

/// The variable because of which `azure_identity` does not ask the metadata service: it looks at
/// which are set, even to nothing.
fn other_endpoint() -> Option<&'static str> {
    let is_set = |name| env::var(name).is_ok();
    if is_set("IDENTITY_ENDPOINT") {
        let is_complete = is_set("IDENTITY_HEADER") || is_set("IMDS_ENDPOINT");
        is_complete.then_some("IDENTITY_ENDPOINT")
    } else {
        is_set("MSI_ENDPOINT").then_some("MSI_ENDPOINT")
    }
}
