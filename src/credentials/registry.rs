//! The process's tokens: one cache for a credential, whichever plugin or reader asks.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
};

use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

use super::{
    Tokens,
    default_chain::DefaultChain,
    entra::{App, Audience, Entra},
    sources::{CertifiedApp, ManagedIdentity, ServicePrincipal, VouchedApp},
    token::TokenSource,
};
use crate::config::ClientCertificate;

/// The tokens of every credential that was used, by what signs in: as many as are configured.
static REGISTRY: LazyLock<Mutex<Registry>> = LazyLock::new(Mutex::default);

/// By a digest, which keeps no secret, and is found as fast among many as among few.
type Registry = HashMap<Vec<u8>, Arc<Tokens>>;

impl Tokens {
    /// The tokens of an app with its secret.
    pub(super) fn of_app(app: App, secret: &SecretString, entra: &Entra) -> Arc<Self> {
        let key = [
            "secret",
            &app.tenant_id,
            &app.client_id,
            secret.expose_secret(),
        ]
        .join("\0");
        shared(key, || ServicePrincipal {
            entra: entra.clone(),
            app,
            secret: secret.clone(),
        })
    }

    /// The tokens of an app with its certificate, told apart by where that is: a file may change, and
    /// stays the same credential.
    pub(super) fn of_certified_app(
        app: App,
        certificate: &ClientCertificate,
        entra: &Entra,
    ) -> Arc<Self> {
        let (kind, place) = match certificate {
            ClientCertificate::Text(pem) => ("certificate", pem.expose_secret()),
            ClientCertificate::File(path) => ("certificate file", path.as_str()),
        };
        let key = [kind, &app.tenant_id, &app.client_id, place].join("\0");
        shared(key, || CertifiedApp {
            entra: entra.clone(),
            app,
            certificate: certificate.clone(),
        })
    }

    /// The tokens of a managed identity.
    pub(super) fn of_identity(audience: Audience, client_id: &str, entra: &Entra) -> Arc<Self> {
        let key = ["identity", audience.scope(), client_id].join("\0");
        shared(key, || ManagedIdentity {
            entra: entra.clone(),
            client_id: client_id.to_owned(),
            audience,
        })
    }

    /// The tokens of an app for which a managed identity vouches.
    pub(super) fn of_vouched_app(app: App, identity_id: &str, entra: &Entra) -> Arc<Self> {
        let assertions = Self::of_identity(Audience::TokenExchange, identity_id, entra);
        let key = ["vouched", &app.tenant_id, &app.client_id, identity_id].join("\0");
        shared(key, || VouchedApp {
            entra: entra.clone(),
            app,
            assertions,
        })
    }

    /// The tokens of the default chain.
    pub(super) fn of_default_chain(entra: &Entra) -> Arc<Self> {
        shared("default".to_owned(), || DefaultChain::new(entra.clone()))
    }
}

/// What is there for the key already, or is made now.
fn shared<S: TokenSource + 'static>(key: String, make: impl FnOnce() -> S) -> Arc<Tokens> {
    let key = SecretString::from(key);
    let digest = digest(&SHA256, key.expose_secret().as_bytes());
    let mut registry = REGISTRY.lock().unwrap_or_else(PoisonError::into_inner);
    let known = registry.entry(digest.as_ref().to_vec());
    Arc::clone(known.or_insert_with(|| Tokens::new(make())))
}
