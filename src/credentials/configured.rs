//! A configured credential, with its place in the app-config.

use std::sync::{Arc, OnceLock};

use super::{authorization::Authorization, providers::Entra};
use crate::{config::Credential, error::Error};

/// A credential, and what it is called.
#[derive(Debug)]
pub struct Placed {
    /// The credential.
    pub credential: Credential,
    /// Its place in the app-config, as `integrations.azure[0].credentials[1]`; where it does not come from
    /// there, its host and its position.
    pub place: Arc<str>,
    /// What it puts on requests. To make that takes digests and derived keys, which would be most of
    /// what choosing a credential costs.
    authorization: OnceLock<Authorization>,
}

impl Placed {
    pub(super) fn new(credential: Credential, place: Arc<str>) -> Self {
        Self {
            credential,
            place,
            authorization: OnceLock::new(),
        }
    }

    /// What it puts on requests.
    ///
    /// # Errors
    /// It is a token that no header can hold.
    pub(super) fn authorization(&self, entra: &Entra) -> Result<Authorization, Error> {
        if let Some(known) = self.authorization.get() {
            return Ok(known.clone());
        }
        let authorization =
            Authorization::of_credential(&self.credential.kind, &self.place, entra)?;
        Ok(self.authorization.get_or_init(|| authorization).clone())
    }
}
