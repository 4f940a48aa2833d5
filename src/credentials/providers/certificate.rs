//! A certificate as an app's credential: the signed assertion that Entra ID takes for a secret.
//!
//! <https://learn.microsoft.com/entra/identity-platform/certificate-credentials>

use std::{
    fmt, io,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use aws_lc_rs::{
    digest::{SHA256, digest},
    rand::{self, SystemRandom},
    rsa::KeyPair as RsaKeyPair,
    signature::{KeyPair, RSA_PSS_SHA256},
};
use azure_core::Uuid;
use base64::{
    Engine,
    prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use secrecy::{ExposeSecret, SecretString, zeroize::Zeroizing};
use serde_json::{Value, json};
use tokio::{
    fs::{self, File},
    io::AsyncReadExt,
};
use url::Url;

use crate::credentials::token::TokenError;

/// How long an assertion is valid; it is used at once.
const LIFE: Duration = Duration::from_secs(10 * 60);

/// The most of a file that is read; a certificate with its key and chain is some thousand bytes.
const MAX_FILE: u64 = 1024 * 1024;

/// What some editors put before a text.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// How every PEM begins.
const BEGIN: &str = "-----BEGIN ";

/// The longest name of a file that any common system takes, in bytes.
const LONGEST_NAME: usize = 255;

/// `id-ecPublicKey` as a key in PKCS#8 has it: <https://www.rfc-editor.org/rfc/rfc5480#section-2.1.1>.
const ELLIPTIC_CURVE: &[u8] = &[0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];

const IS_ELLIPTIC: &str =
    "has a key that is not of RSA but of an elliptic curve (EC): use one of RSA";

/// A certificate with its private key.
pub(crate) struct Certificate {
    header: Value,
    key: RsaKeyPair,
}

/// Whether an assertion holds the certificates, and not only their hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chain {
    Sent,
    Omitted,
}

impl Certificate {
    /// Reads a PEM file with the certificate and its RSA key.
    ///
    /// [`Chain::Sent`] puts the certificates into the assertion, for apps that trust their issuer and
    /// subject instead of each certificate.
    pub(crate) async fn read(path: &str, chain: Chain) -> Result<Self, TokenError> {
        // Else the message, which names the path, would tell the key.
        if is_content(path) {
            return Err(TokenError::refused(
                "where the path of a certificate is expected, there is the certificate itself: give the path of a file, or set clientCertificate",
            ));
        }
        let unusable = |why: String| TokenError::refused(format!("the certificate {path} {why}"));
        let pem = content(path)
            .await
            .map_err(|error| unusable(format!("could not be read: {error}")))?;
        Self::from_pem(&pem, chain).map_err(|why| unusable(why.to_owned()))
    }

    /// Reads a PEM with the certificate and its RSA key that stands in the configuration.
    pub(crate) fn of_text(pem: &SecretString) -> Result<Self, TokenError> {
        let pem = pem.expose_secret();
        let why = if is_path(pem) {
            Err("is the path of a file: set clientCertificatePath in its place")
        } else {
            Self::from_pem(pem.as_bytes(), Chain::Omitted)
        };
        why.map_err(|why| {
            TokenError::refused(format!("the certificate in clientCertificate {why}"))
        })
    }

    fn from_pem(pem: &[u8], sent: Chain) -> Result<Self, &'static str> {
        let pem = pem.strip_prefix(BYTE_ORDER_MARK).unwrap_or(pem);
        check_form(pem)?;
        let mut chain: Vec<_> = CertificateDer::pem_slice_iter(pem)
            .filter_map(Result::ok)
            .collect();
        if chain.is_empty() {
            return Err("holds no certificate in PEM");
        }
        let key = rsa_key(pem)?;
        let own = chain
            .iter()
            .position(|certificate| is_of(certificate, &key))
            .ok_or("has a private key that is not that of its certificate")?;
        // A chain may be written from either end; it is sent from the app's own to its issuers'.
        if own + 1 == chain.len() {
            chain.reverse();
        } else {
            chain[..=own].rotate_right(1);
        }
        let thumbprint = encode(digest(&SHA256, &chain[0]));
        let mut header = json!({ "alg": "PS256", "typ": "JWT", "x5t#S256": thumbprint });
        if sent == Chain::Sent {
            let chain = chain.iter().map(|own| BASE64_STANDARD.encode(own));
            header["x5c"] = chain.collect();
        }
        Ok(Self { header, key })
    }

    /// Says, signed, that the bearer is the app; `endpoint` is where it is said.
    pub(crate) fn assertion(
        &self,
        client_id: &str,
        endpoint: &Url,
    ) -> Result<SecretString, TokenError> {
        let unsigned = format!(
            "{}.{}",
            encode(self.header.to_string()),
            encode(claims(client_id, endpoint)?.to_string())
        );
        let mut signature = vec![0; self.key.public_modulus_len()];
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

/// Whether it looks like the path of a file in place of a certificate.
fn is_path(pem: &str) -> bool {
    let is_short = pem.len() <= LONGEST_NAME && !pem.contains(char::is_whitespace);
    let has_ending = [".pem", ".crt", ".cer", ".pfx", ".p12", ".key"];
    is_short
        && (pem.starts_with(['/', '.', '~']) || has_ending.iter().any(|end| pem.ends_with(end)))
}

/// Whether it is no path but the certificate itself: a PEM, or a PFX in base64.
fn is_content(path: &str) -> bool {
    path.contains(BEGIN)
        || path.contains(['\n', '\r'])
        || path
            .split(['/', '\\'])
            .any(|name| name.len() > LONGEST_NAME)
        || (path.len() > LONGEST_NAME && path.starts_with("MII"))
}

async fn content(path: &str) -> io::Result<Zeroizing<Vec<u8>>> {
    // Opening a pipe could block for ever.
    if !fs::metadata(path).await?.is_file() {
        return Err(io::Error::other("it is not a file"));
    }
    let mut content = Zeroizing::new(Vec::new());
    let file = File::open(path).await?;
    file.take(MAX_FILE + 1).read_to_end(&mut content).await?;
    if content.len() as u64 > MAX_FILE {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(content)
}

/// Names what is commonly given instead of a usable PEM.
fn check_form(pem: &[u8]) -> Result<(), &'static str> {
    if pem.trim_ascii().is_empty() {
        return Err("is empty");
    }
    let text = String::from_utf8_lossy(pem);
    if !text.contains(BEGIN) {
        return Err(
            "is not PEM: convert a PFX (PKCS#12) or DER file, with the key and without a password",
        );
    }
    if !text.trim().contains(['\n', '\r']) {
        return Err("has lost its line breaks: keep those of the PEM, in YAML with `|`");
    }
    // As PKCS#8 says it, and as the older form does.
    if text.contains("BEGIN ENCRYPTED PRIVATE KEY") || text.contains("4,ENCRYPTED") {
        return Err("has an encrypted key, which cannot be used: store it without a password");
    }
    Ok(())
}

fn rsa_key(pem: &[u8]) -> Result<RsaKeyPair, &'static str> {
    let mut keys = PrivateKeyDer::pem_slice_iter(pem).filter_map(Result::ok);
    let key = match keys.next().ok_or("holds no private key in PEM")? {
        PrivateKeyDer::Pkcs8(key) if is_elliptic(key.secret_pkcs8_der()) => {
            return Err(IS_ELLIPTIC);
        }
        PrivateKeyDer::Pkcs8(key) => RsaKeyPair::from_pkcs8(key.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(key) => RsaKeyPair::from_der(key.secret_pkcs1_der()),
        PrivateKeyDer::Sec1(_) => return Err(IS_ELLIPTIC),
        _ => return Err("has a key that is not of RSA"),
    };
    // `aws-lc-rs` distinguishes the reasons only by these words.
    key.map_err(|rejected| match rejected.to_string().as_str() {
        "WrongAlgorithm" => "has a key that is not of RSA",
        "TooSmall" | "TooLarge" => {
            "has an RSA key of a size that cannot be used: use one of 2048 to 8192 bits"
        }
        _ => "has an RSA key that is damaged, or of a form that cannot be used",
    })
}

/// Whether a key in PKCS#8 says, at its beginning, that it is of an elliptic curve.
fn is_elliptic(pkcs8: &[u8]) -> bool {
    let head = &pkcs8[..pkcs8.len().min(32)];
    head.windows(ELLIPTIC_CURVE.len())
        .any(|part| part == ELLIPTIC_CURVE)
}

/// Whether a certificate is that of a key: it holds the public half, in DER as here.
fn is_of(certificate: &CertificateDer<'_>, key: &RsaKeyPair) -> bool {
    let public = key.public_key().as_ref();
    certificate.windows(public.len()).any(|part| part == public)
}

fn claims(client_id: &str, endpoint: &Url) -> Result<Value, TokenError> {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_err(|_| TokenError::refused("this machine's clock stands before 1970"))?;
    let id = rand::generate(&SystemRandom::new())
        .map_err(|_| TokenError::refused("this machine has no random numbers"))?;
    Ok(json!({
        "aud": endpoint.as_str(),
        "iss": client_id,
        "sub": client_id,
        "jti": random_uuid(id.expose()).to_string(),
        "iat": now.as_secs(),
        "nbf": now.as_secs(),
        "exp": (now + LIFE).as_secs(),
    }))
}

/// A UUID of version 4: <https://www.rfc-editor.org/rfc/rfc9562#section-5.4>.
fn random_uuid(mut bytes: [u8; 16]) -> Uuid {
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Uuid::from_bytes(bytes)
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

impl fmt::Debug for Certificate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Certificate")
    }
}
