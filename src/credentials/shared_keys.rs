//! A process-independent name for a principal, and its keys for entries in the shared cache.

use std::fmt;

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    hkdf::{HKDF_SHA256, Prk, Salt},
    rand::{SecureRandom, SystemRandom},
};
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};

use super::{providers::app::App, token::Token};
use crate::config::ClientCertificate;

/// Another number makes all that was shared before unknown.
const VERSION: &[u8] = b"backstage-azure-devops-native 1";

/// The keys of a principal, the same in every process that has the same credential.
///
/// All keys are derived from the credential (HKDF-SHA256). The name of an entry does not reveal whose
/// it is or of what; its content is sealed (AES-256-GCM) under a key of its own, together with
/// that name.
#[derive(Clone)]
pub struct SharedKeys {
    root: Prk,
    seals: bool,
}

impl SharedKeys {
    /// Anonymous reads. Nothing is sealed for them: with keys that anyone can derive, anyone could forge
    /// contents.
    pub(super) fn of_nobody() -> Self {
        Self::unsealed(&["nobody".as_bytes()])
    }

    /// The owner of these headers.
    pub(super) fn of_headers(headers: &HeaderMap) -> Self {
        let headers = headers.iter();
        let parts = headers.flat_map(|(name, value)| [name.as_str().as_bytes(), value.as_bytes()]);
        let parts: Vec<&[u8]> = std::iter::once("headers".as_bytes()).chain(parts).collect();
        Self::sealed(&parts)
    }

    /// An app with its secret.
    pub(super) fn of_app(app: &App, secret: &SecretString) -> Self {
        let parts = [
            "app",
            &app.tenant_id,
            &app.client_id,
            secret.expose_secret(),
        ];
        Self::sealed(&parts.map(str::as_bytes))
    }

    /// An app with its certificate; `None` where that is in a file, which may change, so that it is no
    /// lasting secret.
    pub(super) fn of_certified_app(app: &App, certificate: &ClientCertificate) -> Option<Self> {
        match certificate {
            ClientCertificate::Text(pem) => Some(Self::of_app(app, pem)),
            ClientCertificate::File(_) => None,
        }
    }

    /// The identity that a token names, if it does. It has no lasting secret, so nothing can be sealed for
    /// it.
    pub(super) fn of_token(token: &Token) -> Option<Self> {
        let (tenant, object) = token.principal()?;
        let parts = ["identity", &tenant, &object];
        Some(Self::unsealed(&parts.map(str::as_bytes)))
    }

    /// Keys from a secret that lasts: contents are sealed.
    fn sealed(parts: &[&[u8]]) -> Self {
        Self {
            root: root(parts),
            seals: true,
        }
    }

    /// Keys from what others know as well: nothing is sealed.
    fn unsealed(parts: &[&[u8]]) -> Self {
        Self {
            root: root(parts),
            seals: false,
        }
    }

    /// The name of an entry of this principal.
    #[must_use]
    pub fn key(&self, kind: &str, address: &str) -> String {
        let info = ["name\0", kind, "\0", address].map(str::as_bytes);
        let mut name = [0; 32];
        // The algorithm gives 32 bytes, so this cannot fail.
        let derived = self.root.expand(&info, HKDF_SHA256);
        let _ = derived.and_then(|derived| derived.fill(&mut name));
        let name = BASE64_STANDARD.encode(name);
        format!("azureDevOpsNative:{kind}:{name}")
    }

    /// A content sealed so that no one else can read or forge it; `None` where there is no secret to seal it
    /// with.
    #[must_use]
    pub fn seal(&self, key: &str, mut content: Vec<u8>) -> Option<String> {
        let sealing = self.sealing(key)?;
        let mut nonce = [0; NONCE_LEN];
        SystemRandom::new().fill(&mut nonce).ok()?;
        let once = Nonce::assume_unique_for_key(nonce);
        sealing
            .seal_in_place_append_tag(once, Aad::from(key), &mut content)
            .ok()?;
        Some(BASE64_STANDARD.encode([&nonce[..], &content].concat()))
    }

    /// The content that was sealed; `None` where this principal has not sealed it under the key.
    #[must_use]
    pub fn open(&self, key: &str, sealed: &str) -> Option<Vec<u8>> {
        let sealing = self.sealing(key)?;
        let mut content = BASE64_STANDARD.decode(sealed).ok()?;
        let nonce = content.first_chunk::<NONCE_LEN>()?;
        let nonce = Nonce::assume_unique_for_key(*nonce);
        let length = sealing
            .open_within(nonce, Aad::from(key), &mut content, NONCE_LEN..)
            .ok()?
            .len();
        content.truncate(length);
        Some(content)
    }

    /// Whether it can seal.
    #[must_use]
    pub const fn seals(&self) -> bool {
        self.seals
    }

    /// Each entry has a key of its own.
    fn sealing(&self, key: &str) -> Option<LessSafeKey> {
        let info = ["seal\0", key].map(str::as_bytes);
        let derived = self.root.expand(&info, &AES_256_GCM).ok()?;
        self.seals
            .then(|| LessSafeKey::new(UnboundKey::from(derived)))
    }
}

/// What all keys are derived from; parts of different lengths never meet.
fn root(parts: &[&[u8]]) -> Prk {
    let mut material = Vec::new();
    for part in parts {
        material.extend(part.len().to_le_bytes());
        material.extend(*part);
    }
    Salt::new(HKDF_SHA256, VERSION).extract(&material)
}

impl fmt::Debug for SharedKeys {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("SharedKeys")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(secret: &str) -> SharedKeys {
        SharedKeys::of_app(&App::new("tenant", "client"), &secret.into())
    }

    #[test]
    fn what_one_has_sealed_it_opens_elsewhere() {
        let key = app("a").key("blob", "https://host/1");
        let sealed = app("a").seal(&key, b"content".to_vec());
        let sealed = sealed.unwrap_or_default();
        assert_eq!(app("a").open(&key, &sealed), Some(b"content".to_vec()));
        assert!(!sealed.contains("content"));
    }

    #[test]
    fn nobody_else_finds_or_opens_it() {
        let key = app("a").key("blob", "https://host/1");
        let sealed = app("a").seal(&key, b"content".to_vec()).unwrap_or_default();
        assert_ne!(app("b").key("blob", "https://host/1"), key);
        assert_eq!(app("b").open(&key, &sealed), None);
        assert_eq!(SharedKeys::of_nobody().open(&key, &sealed), None);
    }

    #[test]
    fn what_is_sealed_with_a_certificate_is_opened_with_the_same() {
        let certified = |pem: &str| {
            let certificate = ClientCertificate::Text(pem.into());
            SharedKeys::of_certified_app(&App::new("tenant", "client"), &certificate)
                .unwrap_or_else(SharedKeys::of_nobody)
        };
        let key = certified("a").key("blob", "https://host/1");
        let sealed = certified("a").seal(&key, b"content".to_vec());
        let sealed = sealed.unwrap_or_default();
        assert_eq!(
            certified("a").open(&key, &sealed),
            Some(b"content".to_vec())
        );
        assert_eq!(certified("b").open(&key, &sealed), None);
    }

    #[test]
    fn nothing_is_sealed_or_opened_without_a_secret() {
        let nobody = SharedKeys::of_nobody();
        let key = nobody.key("blob", "https://host/1");
        assert!(!nobody.seals());
        assert_eq!(nobody.seal(&key, b"content".to_vec()), None);
        let forged = SharedKeys::sealed(&["nobody".as_bytes()]);
        let forged = forged.seal(&key, b"content".to_vec()).unwrap_or_default();
        assert_eq!(nobody.open(&key, &forged), None);
    }

    #[test]
    fn nothing_opens_in_the_place_of_another_or_when_it_was_changed() {
        let [one, other] = ["1", "2"].map(|address| app("a").key("blob", address));
        let sealed = app("a").seal(&one, b"content".to_vec()).unwrap_or_default();
        assert_eq!(app("a").open(&other, &sealed), None);
        for changed in ["", "no base64", "AAAA", &sealed[4..], &sealed[..24]] {
            assert_eq!(app("a").open(&one, changed), None);
        }
    }

    #[test]
    fn its_name_is_no_secret() {
        let key = app("s3cret").key("closing", "dev.azure.com");
        assert!(!key.contains("s3cret") && !key.contains("dev.azure.com"));
        assert!(!format!("{:?}", app("s3cret")).contains("s3cret"));
    }
}
