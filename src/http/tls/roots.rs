//! What TLS trusts: the platform's store, Node's own list, and `NODE_EXTRA_CA_CERTS`.

use std::{
    collections::HashSet,
    env, fs, io,
    path::{Path, PathBuf},
    sync::{Arc, LazyLock, OnceLock},
};

use rustls::RootCertStore;
use rustls_pki_types::{CertificateDer, pem::PemObject};

use super::server_certificate::ServerCertificate;

/// The file that names authorities besides Node's own.
///
/// <https://nodejs.org/api/cli.html#node_extra_ca_certsfile>
pub(super) const EXTRA: &str = "NODE_EXTRA_CA_CERTS";

/// Where OpenSSL finds authorities in place of the platform's.
///
/// <https://nodejs.org/api/cli.html#ssl_cert_filefile>
const OPENSSL: [&str; 2] = ["SSL_CERT_FILE", "SSL_CERT_DIR"];

/// Where the distributions of Linux keep what the platform trusts, in one file.
const BUNDLES: [&str; 5] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// What Node says of the authorities that it trusts.
static OF_NODE: OnceLock<NodeAuthorities> = OnceLock::new();

/// What Node trusts, as it reports it.
#[derive(Clone, Debug, Default)]
pub struct NodeAuthorities {
    /// Certificates in PEM, one after the other.
    pub pem: String,
    /// Whether Node was started with `--use-openssl-ca`: then it trusts what OpenSSL
    /// trusts, and not its own list.
    pub uses_openssl: bool,
}

/// Makes TLS trust what Node trusts. Only the first call counts, and only before the first connection.
pub fn trust_as_node(authorities: NodeAuthorities) {
    // A worker thread that loads the addon again reports the same.
    let _ = OF_NODE.set(authorities);
}

/// What became of the file that `NODE_EXTRA_CA_CERTS` names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Extra {
    /// It names none.
    NotSet,
    /// The file cannot be read, and why.
    Unreadable(PathBuf, String),
    /// So many certificates were taken from it.
    Read(PathBuf, usize),
}

/// The certificates that are trusted.
#[derive(Debug)]
pub(super) struct Roots {
    /// As authorities.
    pub anchors: Arc<RootCertStore>,
    /// The same byte for byte, in which a self-signed certificate may be found.
    certificates: HashSet<CertificateDer<'static>>,
    /// What came of `NODE_EXTRA_CA_CERTS`, for messages.
    pub extra: Extra,
}

impl Roots {
    /// Those of this process, read when they are first needed.
    ///
    /// With `--use-openssl-ca` they are those that OpenSSL has: `SSL_CERT_FILE` and `SSL_CERT_DIR`, else
    /// the platform's. Otherwise these variables mean nothing, as they mean nothing to Node.
    pub(super) fn of_process() -> Arc<Self> {
        static ROOTS: LazyLock<Arc<Roots>> = LazyLock::new(|| {
            let node = OF_NODE.get().cloned().unwrap_or_default();
            let mut certificates = if node.uses_openssl {
                rustls_native_certs::load_native_certs().certs
            } else {
                of_platform()
            };
            certificates.extend(in_pem(node.pem.as_bytes()));
            let (extra, extra_certificates) = extra();
            certificates.extend(extra_certificates);
            Arc::new(Roots::new(certificates, extra))
        });
        Arc::clone(&ROOTS)
    }

    pub(super) fn new(certificates: Vec<CertificateDer<'static>>, extra: Extra) -> Self {
        let mut anchors = RootCertStore::empty();
        // What webpki cannot take as an authority is left out, as Node leaves out what it cannot.
        anchors.add_parsable_certificates(certificates.iter().cloned());
        Self {
            anchors: Arc::new(anchors),
            certificates: certificates.into_iter().collect(),
            extra,
        }
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.certificates.len()
    }

    /// Whether those of this process are OpenSSL's.
    pub(super) fn are_of_openssl() -> bool {
        OF_NODE.get().is_some_and(|node| node.uses_openssl)
    }

    /// Whether a certificate is trusted byte for byte.
    pub(super) fn contain(&self, certificate: &CertificateDer<'_>) -> bool {
        self.certificates.contains(certificate)
    }

    /// All of them.
    pub(super) fn certificates(&self) -> impl Iterator<Item = &CertificateDer<'static>> {
        self.certificates.iter()
    }

    /// The trusted certificates of an authority, by its name in DER.
    pub(super) fn named<'a>(
        &'a self,
        subject: &'a [u8],
    ) -> impl Iterator<Item = ServerCertificate<'a>> {
        self.certificates()
            .filter_map(|certificate| ServerCertificate::read(certificate))
            .filter(move |certificate| certificate.subject() == subject)
    }
}

/// What the platform trusts, without what OpenSSL's variables name.
fn of_platform() -> Vec<CertificateDer<'static>> {
    if OPENSSL.iter().all(|name| env::var_os(name).is_none()) {
        return rustls_native_certs::load_native_certs().certs;
    }
    let bundle = BUNDLES.iter().map(Path::new).find(|file| file.exists());
    bundle.map_or_else(Vec::new, |bundle| {
        rustls_native_certs::load_certs_from_paths(Some(bundle), None).certs
    })
}

/// The certificates of `NODE_EXTRA_CA_CERTS`. What cannot be read is left out, as Node leaves it out (and
/// warns when it starts).
fn extra() -> (Extra, Vec<CertificateDer<'static>>) {
    let Some(file) = env::var_os(EXTRA).filter(|file| !file.is_empty()) else {
        return (Extra::NotSet, Vec::new());
    };
    let file = PathBuf::from(file);
    match fs::read(&file) {
        Ok(pem) => {
            let certificates = in_pem(&pem);
            (Extra::Read(file, certificates.len()), certificates)
        }
        Err(error) => (Extra::Unreadable(file, in_words(&error)), Vec::new()),
    }
}

fn in_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    }
}

/// The certificates of a bundle; only those that cannot be parsed are left out.
fn in_pem(pem: &[u8]) -> Vec<CertificateDer<'static>> {
    CertificateDer::pem_slice_iter(pem)
        .filter_map(Result::ok)
        .filter(|certificate| RootCertStore::empty().add(certificate.clone()).is_ok())
        .collect()
}
