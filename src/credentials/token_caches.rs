//! The process's tokens: one cache for a credential, whichever plugin or reader asks.

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, OnceLock},
};

use parking_lot::Mutex;

use aws_lc_rs::digest::{SHA256, digest};
use secrecy::{ExposeSecret, SecretString};

use super::{
    providers::configured::{CertifiedApp, ManagedIdentity, ServicePrincipal, VouchedApp},
    providers::default_chain::DefaultChain,
    providers::{
        app::App,
        entra::{Audience, Entra},
    },
    token::TokenProvider,
    token_cache::TokenCache,
};
use crate::config::ClientCertificate;

/// The tokens of every credential that was used, by what signs in: as many as are configured.
static TOKEN_CACHES: LazyLock<Mutex<TokenCaches>> = LazyLock::new(Mutex::default);

/// By a digest, which keeps no secret, and is found as fast among many as among few.
type TokenCaches = HashMap<Vec<u8>, Arc<TokenCache>>;

/// The tokens of an app with its secret.
pub(super) fn of_app(app: App, secret: &SecretString, entra: &Entra) -> Arc<TokenCache> {
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

/// The tokens of an app with its certificate, identified by where that is: a file may change, and
/// stays the same credential.
pub(super) fn of_certified_app(
    app: App,
    certificate: &ClientCertificate,
    entra: &Entra,
) -> Arc<TokenCache> {
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
pub(super) fn of_identity(audience: Audience, client_id: &str, entra: &Entra) -> Arc<TokenCache> {
    let key = ["identity", audience.scope(), client_id].join("\0");
    shared(key, || ManagedIdentity {
        entra: entra.clone(),
        client_id: client_id.to_owned(),
        audience,
    })
}

/// The tokens of an app for which a managed identity vouches.
pub(super) fn of_vouched_app(app: App, identity_id: &str, entra: &Entra) -> Arc<TokenCache> {
    let assertions = of_identity(Audience::TokenExchange, identity_id, entra);
    let key = ["vouched", &app.tenant_id, &app.client_id, identity_id].join("\0");
    shared(key, || VouchedApp {
        entra: entra.clone(),
        app,
        assertions,
    })
}

/// The tokens of the default chain.
pub(super) fn of_default_chain(entra: &Entra) -> Arc<TokenCache> {
    static DEFAULT: OnceLock<Arc<TokenCache>> = OnceLock::new();
    let new = || TokenCache::new(DefaultChain::new(entra.clone()));
    Arc::clone(DEFAULT.get_or_init(new))
}

/// What is there for the key already, or is made now.
fn shared<S: TokenProvider + 'static>(key: String, make: impl FnOnce() -> S) -> Arc<TokenCache> {
    let key = SecretString::from(key);
    let digest = digest(&SHA256, key.expose_secret().as_bytes());
    let mut registry = TOKEN_CACHES.lock();
    let known = registry.entry(digest.as_ref().to_vec());
    Arc::clone(known.or_insert_with(|| TokenCache::new(make())))
}
