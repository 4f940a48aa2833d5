//! Whether the machine has an instance metadata service, asked before it is waited for.

use std::{env, net::Ipv4Addr, time::Duration};

use tokio::{net::TcpStream, time::timeout};

use super::token::TokenError;

/// <https://learn.microsoft.com/azure/virtual-machines/instance-metadata-service>
const IMDS: (Ipv4Addr, u16) = (Ipv4Addr::new(169, 254, 169, 254), 80);

/// Long enough for one packet to be lost: what is on the same host answers in milliseconds.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Fails where nothing would answer a request for a managed identity's token.
///
/// Where the environment names another endpoint there is nothing to ask beforehand.
pub(super) async fn probe() -> Result<(), TokenError> {
    if is_set("IDENTITY_ENDPOINT") || is_set("MSI_ENDPOINT") {
        return Ok(());
    }
    match timeout(PATIENCE, TcpStream::connect(IMDS)).await {
        Ok(Ok(_)) => Ok(()),
        _ => Err(TokenError::absent(
            "nothing answers at 169.254.169.254, where machines in Azure find their identity, and IDENTITY_ENDPOINT is not set",
        )),
    }
}

fn is_set(name: &str) -> bool {
    env::var_os(name).is_some()
}
