//! A configured credential, with its place in the app-config.

use std::sync::Arc;

use crate::config::Credential;

/// A credential, and what it is called.
#[derive(Debug)]
pub struct Placed {
    /// The credential.
    pub credential: Credential,
    /// Its place in the app-config, as `integrations.azure[0].credentials[1]`; where it does not come from
    /// there, its host and its position.
    pub place: Arc<str>,
}
