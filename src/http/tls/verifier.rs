//! Whether a server is the one that was asked for: webpki, and what Node accepts besides.

use std::{env, sync::Arc};

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::{
        CryptoProvider, WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
    },
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath, anchor_from_trusted_cert};

use super::{
    presented,
    problem::{Problem, Whose},
    roots::{Extra, Roots},
    server_certificate::ServerCertificate,
    untrusted::{Presented, Untrusted},
};
use crate::telemetry::log::{self, Event, Repeat};

/// Where this is `0`, Node checks no certificate.
///
/// <https://nodejs.org/api/cli.html#node_tls_reject_unauthorizedvalue>
pub(super) const REJECT: &str = "NODE_TLS_REJECT_UNAUTHORIZED";

/// Verifies servers' certificates as Node does, as far as webpki can.
#[derive(Debug)]
pub(super) struct Verifier {
    roots: Arc<Roots>,
    /// `None` where nothing is trusted at all.
    webpki: Option<Arc<WebPkiServerVerifier>>,
    algorithms: WebPkiSupportedAlgorithms,
}

impl Verifier {
    pub(super) fn new(roots: Arc<Roots>, provider: &Arc<CryptoProvider>) -> Self {
        let anchors = Arc::clone(&roots.anchors);
        let builder = WebPkiServerVerifier::builder_with_provider(anchors, Arc::clone(provider));
        Self {
            roots,
            // Without revocation lists the one thing that it finds wrong is that there are no roots.
            webpki: builder.build().ok(),
            algorithms: provider.signature_verification_algorithms,
        }
    }

    fn verify(
        &self,
        presented: &Presented<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<(), Problem> {
        let Presented {
            leaf,
            intermediates,
            name,
        } = *presented;
        if let Some(own) = self.self_signed(leaf) {
            return self.verify_self_signed(&own, presented, now);
        }
        let webpki = self.webpki.as_ref();
        let verified = webpki.map_or(Err(CertificateError::UnknownIssuer.into()), |webpki| {
            webpki.verify_server_cert(leaf, intermediates, name, ocsp_response, now)
        });
        match verified {
            Ok(_) => Ok(()),
            Err(Error::InvalidCertificate(
                CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. },
            )) => self.verify_common_name(presented, now),
            Err(error) => Err(Problem::behind(&error, presented, &self.roots)),
        }
    }

    /// The certificate, where its own key has signed it.
    fn self_signed<'a>(&self, leaf: &'a CertificateDer<'_>) -> Option<ServerCertificate<'a>> {
        let certificate = EndEntityCert::try_from(leaf).ok()?;
        if certificate.issuer() != certificate.subject() {
            return None;
        }
        let own = ServerCertificate::read(leaf)?;
        let (signed, signature) = own.signed();
        let mut algorithms = self.algorithms.all.iter();
        let is_own = algorithms.any(|algorithm| {
            let verified = certificate.verify_signature(*algorithm, signed, signature);
            verified.is_ok()
        });
        (is_own || own.is_signed_by_itself_with_sha_1()).then_some(own)
    }

    /// Such a certificate is its own authority: it has to be trusted itself, byte for byte, and to be
    /// one for servers. That the server holds its key is shown by the handshake.
    fn verify_self_signed(
        &self,
        own: &ServerCertificate<'_>,
        presented: &Presented<'_>,
        now: UnixTime,
    ) -> Result<(), Problem> {
        if !self.roots.contain(presented.leaf) {
            return Err(Problem::SelfSigned);
        }
        own.check_dates(now, || Whose::Servers)?;
        own.check_usage()?;
        let certificate =
            EndEntityCert::try_from(presented.leaf).map_err(|_| Problem::Malformed)?;
        let is_named = certificate
            .verify_is_valid_for_subject_name(presented.name)
            .is_ok();
        if is_named || own.is_for_by_common_name(presented.name) {
            return Ok(());
        }
        Err(Problem::name(presented))
    }

    /// The chain is good and the alternative names are not those of the host: then the common name may
    /// be, if no authority of the chain is kept from vouching for it, which webpki does not look at.
    fn verify_common_name(&self, presented: &Presented<'_>, now: UnixTime) -> Result<(), Problem> {
        let own = ServerCertificate::read(presented.leaf).ok_or(Problem::Malformed)?;
        if !own.is_for_by_common_name(presented.name) {
            return Err(Problem::name(presented));
        }
        let host = presented.name.to_str();
        let check = |path: &VerifiedPath<'_>| {
            let may = self.may_vouch(path, &host);
            may.then_some(())
                .ok_or(webpki::Error::NameConstraintViolation)
        };
        EndEntityCert::try_from(presented.leaf)
            .and_then(|leaf| {
                leaf.verify_for_usage(
                    self.algorithms.all,
                    &self.roots.anchors.roots,
                    presented.intermediates,
                    now,
                    KeyUsage::server_auth(),
                    None,
                    Some(&check),
                )
                .map(drop)
            })
            .map_err(|_| Problem::NameConstraints)
    }

    fn may_vouch(&self, path: &VerifiedPath<'_>, host: &str) -> bool {
        let of_certificate = |der: &[u8]| {
            ServerCertificate::read(der).is_some_and(|authority| authority.may_vouch_for(host))
        };
        let mut intermediates = path.intermediate_certificates();
        let anchor = path.anchor();
        // Of an anchor there is left what webpki needs, and whether there are constraints.
        let may_anchor = anchor.name_constraints.is_none() || {
            let mut authorities = self.roots.certificates();
            authorities.any(|certificate| {
                anchor_from_trusted_cert(certificate).is_ok_and(|own| own == *anchor)
                    && of_certificate(certificate)
            })
        };
        may_anchor && intermediates.all(|authority| of_certificate(&authority.der()))
    }

    /// Verifies a handshake's signature; where it fails because of the key, the error says so.
    fn verify_signature(
        &self,
        certificate: &CertificateDer<'_>,
        verified: Result<HandshakeSignatureValid, Error>,
    ) -> Result<HandshakeSignatureValid, Error> {
        verified.or_else(|error| {
            let problem = Problem::of_key(&error, certificate);
            if !rejects_unauthorized() && problem != Problem::Forged {
                return Ok(HandshakeSignatureValid::assertion());
            }
            Err(untrusted(problem, &self.roots))
        })
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        presented::remember(&server_name.to_str(), end_entity, intermediates);
        if !rejects_unauthorized() {
            warn_of_checking_nothing(&self.roots.extra);
            return Ok(ServerCertVerified::assertion());
        }
        let presented = Presented {
            leaf: end_entity,
            intermediates,
            name: server_name,
        };
        self.verify(&presented, ocsp_response, now)
            .map(|()| ServerCertVerified::assertion())
            .map_err(|problem| untrusted(problem, &self.roots))
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls12_signature(message, cert, dss, &self.algorithms);
        self.verify_signature(cert, verified)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let verified = verify_tls13_signature(message, cert, dss, &self.algorithms);
        self.verify_signature(cert, verified)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn untrusted(problem: Problem, roots: &Roots) -> Error {
    let untrusted = Untrusted::new(problem, &roots.extra);
    Error::InvalidCertificate(CertificateError::Other(OtherError(Arc::new(untrusted))))
}

/// Whether certificates are verified, as Node decides it: for each connection again.
pub(super) fn rejects_unauthorized() -> bool {
    env::var_os(REJECT).is_none_or(|value| value != "0")
}

fn warn_of_checking_nothing(extra: &Extra) {
    log::emit(Repeat::Once, "certificates not checked", || {
        let trust = extra.to_trust("the certificates of your own authorities");
        let message = format!(
            "{REJECT} is 0, so no server's certificate is checked, and anyone on the network path can read credentials and change contents. Remove it; where a certificate is refused then, {trust}"
        );
        Event::warning("certificates not checked", message)
    });
}

#[cfg(test)]
mod tests {
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
    use rustls::{
        ClientConfig, ClientConnection, ServerConfig, ServerConnection, SupportedProtocolVersion,
        crypto::aws_lc_rs::{self, sign::any_supported_type},
        sign::{CertifiedKey, SingleCertAndKey},
        version::{TLS12, TLS13},
    };
    use rustls_pki_types::PrivateKeyDer;

    use super::*;

    type Attempts<T> = Result<T, Box<dyn std::error::Error>>;

    fn self_signed(key: &KeyPair) -> Attempts<CertificateDer<'static>> {
        let mut wanted = CertificateParams::new(vec!["server.example".to_owned()])?;
        wanted.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Ok(wanted.self_signed(key)?.der().clone())
    }

    fn client(
        trusted: &CertificateDer<'static>,
        version: &'static SupportedProtocolVersion,
    ) -> Attempts<ClientConnection> {
        let provider = Arc::new(aws_lc_rs::default_provider());
        let roots = Roots::new(vec![trusted.clone()], Extra::NotSet);
        let verifier = Verifier::new(Arc::new(roots), &provider);
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(&[version])?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_no_client_auth();
        let name = ServerName::try_from("server.example")?;
        Ok(ClientConnection::new(Arc::new(config), name)?)
    }

    /// A server that presents a certificate and signs with a key, whether or not that is its own.
    fn server(certificate: &CertificateDer<'static>, key: &KeyPair) -> Attempts<ServerConnection> {
        let key = PrivateKeyDer::try_from(key.serialize_der())?;
        let own = CertifiedKey::new(vec![certificate.clone()], any_supported_type(&key)?);
        let provider = Arc::new(aws_lc_rs::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::new(SingleCertAndKey::from(own)));
        Ok(ServerConnection::new(Arc::new(config))?)
    }

    /// What the client makes of the server.
    fn handshake(client: &mut ClientConnection, server: &mut ServerConnection) -> Attempts<()> {
        while client.is_handshaking() {
            let mut sent = Vec::new();
            client.write_tls(&mut sent)?;
            server.read_tls(&mut sent.as_slice())?;
            server.process_new_packets()?;
            let mut answered = Vec::new();
            server.write_tls(&mut answered)?;
            client.read_tls(&mut answered.as_slice())?;
            client.process_new_packets()?;
        }
        Ok(())
    }

    #[test]
    fn who_presents_a_trusted_certificate_has_to_hold_its_key() -> Attempts<()> {
        let (own, other) = (KeyPair::generate()?, KeyPair::generate()?);
        let certificate = self_signed(&own)?;
        for version in [&TLS12, &TLS13] {
            let mut right = server(&certificate, &own)?;
            handshake(&mut client(&certificate, version)?, &mut right)?;
            let mut wrong = server(&certificate, &other)?;
            let refused = handshake(&mut client(&certificate, version)?, &mut wrong);
            let said = format!("{refused:?}");
            assert!(said.contains("problem: Forged"), "{version:?}: {said}");
        }
        Ok(())
    }
}
