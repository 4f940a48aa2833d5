//! What TLS trusts, as Node reports it.

use napi_derive::napi;

use crate::http::tls::{self, NodeAuthorities};

/// Makes TLS trust what Node trusts, in the whole process: certificates in PEM, one after the other, and
/// whether Node was started with `--use-openssl-ca`. It counts before the first connection, and once.
#[napi(catch_unwind)]
pub fn trust_as_node(pem: String, uses_openssl: bool) {
    tls::trust_as_node(NodeAuthorities { pem, uses_openssl });
}
