//! Whom TLS trusts: the platform's store, Mozilla's roots as Node has them, and
//! `NODE_EXTRA_CA_CERTS`.

use std::{env, fs};

use reqwest::Certificate;
use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject};

/// Certificates to trust besides the platform's own.
///
/// Mozilla's roots are among them because Node trusts them without asking the platform, and
/// container images for Node often have no store of their own. What cannot be read of
/// `NODE_EXTRA_CA_CERTS`, the file or a certificate in it, is left out, as Node leaves it out (and
/// warns when it starts).
///
/// <https://nodejs.org/api/cli.html#node_extra_ca_certsfile>
pub(super) fn extra_roots() -> Vec<Certificate> {
    let mut roots = mozilla();
    let file = env::var_os("NODE_EXTRA_CA_CERTS").filter(|file| !file.is_empty());
    let pem = file.and_then(|file| fs::read(file).ok());
    roots.extend(usable(&pem.unwrap_or_default()));
    roots
}

fn mozilla() -> Vec<Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| Certificate::from_der(root).ok())
        .collect()
}

/// The certificates of a bundle that TLS can take: one that it cannot would be told only when the
/// client is made, and would take all others with it.
fn usable(pem: &[u8]) -> Vec<Certificate> {
    CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .filter(|root| RootCertStore::empty().add(root.clone()).is_ok())
        .filter_map(|root| Certificate::from_der(&root).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use base64::{Engine, prelude::BASE64_STANDARD};

    use super::*;

    fn pem(der: &[u8]) -> String {
        let text = BASE64_STANDARD.encode(der);
        format!("-----BEGIN CERTIFICATE-----\n{text}\n-----END CERTIFICATE-----\n")
    }

    #[test]
    fn a_certificate_that_is_none_is_left_out_alone() {
        let good = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .first()
            .map_or_else(String::new, |root| pem(root));
        let bundle = format!("{}{good}text between\n{}", pem(b"hello"), pem(b""));
        assert_eq!(usable(bundle.as_bytes()).len(), 1);
    }
}
