//! Whom Azure DevOps sees behind a credential.

use std::{fmt, sync::Arc};

use aws_lc_rs::digest::{Context, SHA256, SHA256_OUTPUT_LEN};
use reqwest::header::HeaderMap;

use super::{identity::Identity, token_cache::TokenCache};

/// A cache partition: content that was fetched with one principal is served only to that principal. Limits
/// are counted by it too.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Principal(Kind);

#[derive(Clone, PartialEq, Eq, Hash)]
enum Kind {
    Nobodys,
    /// The owner of these headers, by their digest, which keeps no secret.
    Bearers([u8; SHA256_OUTPUT_LEN]),
    /// The owner of a token cache's tokens. Caches live as long as the process, so an address identifies
    /// one; that of the default chain may find another identity one day.
    Keepers(usize, Identity),
}

impl Principal {
    pub(super) const ANONYMOUS: Self = Self(Kind::Nobodys);

    pub(super) fn with_headers(headers: &HeaderMap) -> Self {
        let mut digest = Context::new(&SHA256);
        for (name, value) in headers {
            for part in [name.as_str().as_bytes(), value.as_bytes()] {
                digest.update(&part.len().to_le_bytes());
                digest.update(part);
            }
        }
        let mut bytes = [0; SHA256_OUTPUT_LEN];
        bytes.copy_from_slice(digest.finish().as_ref());
        Self(Kind::Bearers(bytes))
    }

    pub(super) fn with_tokens(tokens: &Arc<TokenCache>, identity: Identity) -> Self {
        Self(Kind::Keepers(Arc::as_ptr(tokens).addr(), identity))
    }
}

impl fmt::Debug for Principal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Principal")
    }
}
