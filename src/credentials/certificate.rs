//! A certificate as an app's credential: the signed assertion that Entra ID takes for a secret.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use std::{
    fmt,
    path::Path,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use ring::{
    digest::{SHA256, digest},
    rand::SystemRandom,
    signature::{RSA_PSS_SHA256, RsaKeyPair},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::{SecretString, zeroize::Zeroizing};
use serde_json::{Value, json};
use url::Url;

use super::token::TokenError;

/// How long an assertion is valid; it is used at once.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// A certificate with its private key.
pub(super) struct Certificate {
    header: Value,
    key: RsaKeyPair,
}

impl Certificate {
    /// Reads a PEM file with the certificate and its RSA key.
    ///
    /// `sends_chain` puts the certificates into the assertion, for apps that trust their issuer and
    /// subject instead of each certificate.
    pub(super) async fn read(path: &Path, sends_chain: bool) -> Result<Self, TokenError> {
        let unusable =
            |why: String| TokenError::refused(format!("the certificate {} {why}", path.display()));
        let pem = tokio::fs::read(path)
            .await
            .map_err(|error| unusable(format!("could not be read: {error}")))?;
        let pem = Zeroizing::new(pem);
        Self::from_pem(&pem, sends_chain).map_err(|why| unusable(why.to_owned()))
    }

    fn from_pem(pem: &[u8], sends_chain: bool) -> Result<Self, &'static str> {
        let text = String::from_utf8_lossy(pem);
        if !text.contains("-----BEGIN ") {
            return Err(
                "is not PEM: convert a PFX (PKCS#12) or DER file, with the key and without a password",
            );
        }
        // As PKCS#8 says it, and as the older form does.
        if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("4,ENCRYPTED") {
            return Err("has an encrypted key, which cannot be used: store it without a password");
        }
        let chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .filter_map(Result::ok)
            .collect();
        let own = chain.first().ok_or("holds no certificate in PEM")?;
        let key = match PrivateKeyDer::from_pem_slice(pem) {
            Ok(PrivateKeyDer::Pkcs8(key)) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
            Ok(PrivateKeyDer::Pkcs1(key)) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
            Ok(_) => return Err("has a key that is not of RSA"),
            Err(_) => return Err("holds no private key in PEM"),
        };
        let thumbprint = encode(digest(&SHA256, own));
        let mut header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        if sends_chain {
            let chain = chain.iter().map(|own| BASE64_STANDARD.encode(own));
            header["x5c"] = chain.collect();
        }
        Ok(Self {
            header,
            key: key.map_err(|_| "has a key that is not of RSA with 2048 bits or more")?,
        })
    }

    /// Says, signed, that the bearer is the app; `endpoint` is where it is said.
    pub(super) fn assertion(
        &self,
        client_id: &str,
        endpoint: &Url,
    ) -> Result<SecretString, TokenError> {
        let unsigned = format!(
            "{}.{}",
            encode(self.header.to_string()),
            encode(claims(client_id, endpoint)?.to_string())
        );
        let mut signature = vec![0; self.key.public().modulus_len()];
        self.key
            .sign(
                &RSA_PSS_SHA256,
                &SystemRandom::new(),
                unsigned.as_bytes(),
                &mut signature,
            )
            .map_err(|_| TokenError::refused("the certificate's key could not sign"))?;
        Ok(format!("{unsigned}.{}", encode(signature)).into())
    }
}

fn claims(client_id: &str, endpoint: &Url) -> Result<Value, TokenError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| TokenError::refused("this machine's clock stands before 1970"))?;
    let id: [u8; 16] = ring::rand::generate(&SystemRandom::new())
        .map_err(|_| TokenError::refused("this machine has no random numbers"))?
        .expose();
    Ok(json!({
        "aud": endpoint.as_str(),
        "iss": client_id,
        "sub": client_id,
        "jti": encode(id),
        "nbf": now.as_secs(),
        "exp": (now + LIFE).as_secs(),
    }))
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Certificate")
    }
}
