//! Whom TLS trusts: the platform's store, Mozilla's roots as Node has them, and
//! `NODE_EXTRA_CA_CERTS`.

use std::{env, fs};

use reqwest::Certificate;

/// Certificates to trust besides the platform's own.
///
/// Mozilla's roots are among them because Node trusts them without asking the platform, and
/// container images for Node often have no store of their own. A file in `NODE_EXTRA_CA_CERTS`
/// that cannot be read is left out, as Node leaves it out (and warns when it starts).
///
/// <https://nodejs.org/api/cli.html#node_extra_ca_certsfile>
pub(super) fn extra_roots() -> Vec<Certificate> {
    let mut roots = mozilla();
    roots.extend(node_extra());
    roots
}

fn mozilla() -> Vec<Certificate> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS
        .iter()
        .filter_map(|root| Certificate::from_der(root).ok())
        .collect()
}

fn node_extra() -> Vec<Certificate> {
    env::var_os("NODE_EXTRA_CA_CERTS")
        .filter(|file| !file.is_empty())
        .and_then(|file| fs::read(file).ok())
        .and_then(|pem| Certificate::from_pem_bundle(&pem).ok())
        .unwrap_or_default()
}
