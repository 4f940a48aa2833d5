//! What servers presented last, for a diagnosis to say it.

use std::{
    sync::LazyLock,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use parking_lot::Mutex;
use rustls_pki_types::CertificateDer;

use super::server_certificate::ServerCertificate;
use crate::cache::RecentMap;

/// For how many servers it is remembered.
const MOST_SERVERS: usize = 64;

/// The most certificates of a chain that are remembered.
const MOST_CERTIFICATES: usize = 8;

static PRESENTED: LazyLock<Mutex<RecentMap<Vec<CertificateDer<'static>>>>> =
    LazyLock::new(|| Mutex::new(RecentMap::new(MOST_SERVERS)));

/// A certificate of a chain, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PresentedCertificate {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// When it stops being valid.
    pub expires_on: SystemTime,
}

/// Remembers what a server presented, whether or not it is accepted. It is read when it is asked for, and not
/// at each handshake.
pub(super) fn remember(
    name: &str,
    leaf: &CertificateDer<'_>,
    intermediates: &[CertificateDer<'_>],
) {
    let chain = std::iter::once(leaf).chain(intermediates);
    let chain = chain.take(MOST_CERTIFICATES);
    let owned = chain.map(|certificate| certificate.clone().into_owned());
    PRESENTED.lock().set(name, owned.collect());
}

/// What the server of this name, without a port, presented last, its own certificate first; nothing where no
/// connection was made.
#[must_use]
pub fn presented_by(name: &str) -> Vec<PresentedCertificate> {
    let chain = PRESENTED.lock().get(name).cloned().unwrap_or_default();
    let certificates = chain.iter().filter_map(|der| ServerCertificate::read(der));
    certificates
        .map(|certificate| PresentedCertificate {
            subject: certificate.name(),
            issuer: certificate.issuer_name(),
            expires_on: UNIX_EPOCH + Duration::from_secs(certificate.expires_at()),
        })
        .collect()
}
