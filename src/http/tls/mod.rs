//! TLS as Node has it: what it trusts, and which certificates it accepts.
//!
//! Chains are verified by webpki. Three things that Node accepts and webpki does not are added, since
//! Azure DevOps Servers are full of them: a self-signed certificate that is itself trusted, a name that
//! stands in the common name alone, and keys on the curve P-521. What stays refused is told by its
//! cause. `docs/certificates.md` has the rows.

mod common_name;
mod presented;
mod problem;
mod roots;
mod server_certificate;
mod trust;
mod untrusted;
mod verifier;

use std::sync::Arc;

use rustls::{ClientConfig, crypto::aws_lc_rs};

use self::{roots::Roots, verifier::Verifier};

pub(super) use self::untrusted::Untrusted;
pub use self::{
    presented::{PresentedCertificate, presented_by},
    roots::{NodeAuthorities, trust_as_node},
    trust::trusted,
};

/// What TLS offers to speak, the preferred first.
///
/// <https://www.iana.org/assignments/tls-extensiontype-values>
const HTTP_2: &[u8] = b"h2";
const HTTP_1: &[u8] = b"http/1.1";

/// Which versions of HTTP are offered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Versions {
    /// HTTP/2, and HTTP/1.1 where the server has no HTTP/2.
    Both,
    /// HTTP/1.1 alone.
    Http1,
}

/// How a client speaks TLS: 1.2 and 1.3, with the authorities that the process trusts.
///
/// # Errors
/// No version of TLS can be spoken.
pub(super) fn config(versions: Versions) -> Result<ClientConfig, rustls::Error> {
    let provider = Arc::new(aws_lc_rs::default_provider());
    let verifier = Verifier::new(Roots::of_process(), &provider);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(verifier))
        .with_no_client_auth();
    config.alpn_protocols = match versions {
        Versions::Both => vec![HTTP_2.to_vec(), HTTP_1.to_vec()],
        Versions::Http1 => vec![HTTP_1.to_vec()],
    };
    Ok(config)
}
