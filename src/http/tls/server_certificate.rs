//! What a certificate says of itself, as far as TLS asks beyond webpki.

use std::time::{Duration, UNIX_EPOCH};

use aws_lc_rs::signature;
use rustls_pki_types::{ServerName, UnixTime};
use x509_parser::{
    certificate::X509Certificate,
    extensions::{GeneralName, GeneralSubtree, ParsedExtension},
    prelude::FromDer,
    public_key::PublicKey,
    time::ASN1Time,
    x509::X509Version,
};

use super::{
    common_name,
    problem::{Problem, Whose, algorithm},
};

/// The most characters of a name that a message repeats.
const LONGEST_NAME: usize = 200;

/// A certificate that a server presented, or that is trusted.
#[derive(Debug)]
pub(super) struct ServerCertificate<'a>(X509Certificate<'a>);

impl<'a> ServerCertificate<'a> {
    /// Reads one in DER; `None` where it cannot be parsed.
    pub(super) fn read(der: &'a [u8]) -> Option<Self> {
        let (rest, certificate) = X509Certificate::from_der(der).ok()?;
        rest.is_empty().then_some(Self(certificate))
    }

    /// Its subject, in DER.
    pub(super) fn subject(&self) -> &[u8] {
        self.0.subject().as_raw()
    }

    /// Its issuer, in DER.
    pub(super) fn issuer(&self) -> &[u8] {
        self.0.issuer().as_raw()
    }

    /// Its subject, in words.
    pub(super) fn name(&self) -> String {
        short(&self.0.subject().to_string())
    }

    /// Its issuer, in words.
    pub(super) fn issuer_name(&self) -> String {
        short(&self.0.issuer().to_string())
    }

    /// What is signed, and the signature.
    pub(super) fn signed(&self) -> (&[u8], &[u8]) {
        (
            self.0.tbs_certificate.as_ref(),
            &self.0.signature_value.data,
        )
    }

    /// Whether its own key has signed it with RSA and SHA-1, which webpki does not verify. Of what is
    /// trusted byte for byte the signature only adds that it is not forged.
    pub(super) fn is_signed_by_itself_with_sha_1(&self) -> bool {
        let algorithm = &signature::RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY;
        let key = &self.0.public_key().subject_public_key.data;
        let (signed, signature) = self.signed();
        signature::UnparsedPublicKey::new(algorithm, key)
            .verify(signed, signature)
            .is_ok()
    }

    /// What it is signed with, in words.
    pub(super) fn signature_algorithm(&self) -> String {
        algorithm(&self.0.signature_algorithm.algorithm)
    }

    pub(super) fn is_version_3(&self) -> bool {
        self.0.version() == X509Version::V3
    }

    pub(super) fn is_authority(&self) -> bool {
        self.0.is_ca()
    }

    /// How many bits its RSA key has; nothing of another key.
    pub(super) fn rsa_bits(&self) -> Option<usize> {
        match self.0.public_key().parsed() {
            // The modulus has a zero before it where its first bit is set.
            Ok(PublicKey::RSA(key)) => {
                let zeros = key.modulus.iter().take_while(|byte| **byte == 0).count();
                Some((key.modulus.len() - zeros) * 8)
            }
            _ => None,
        }
    }

    /// When it stops being valid, in seconds since 1970.
    pub(super) fn expires_at(&self) -> u64 {
        let expires = self.0.validity().not_after.timestamp();
        u64::try_from(expires).unwrap_or_default()
    }

    /// Whether it may be used at this time.
    pub(super) fn check_dates(
        &self,
        now: UnixTime,
        whose: impl FnOnce() -> Whose,
    ) -> Result<(), Problem> {
        let validity = self.0.validity();
        let now = i64::try_from(now.as_secs()).unwrap_or(i64::MAX);
        if now < validity.not_before.timestamp() {
            return Err(Problem::NotYetValid(whose(), date(validity.not_before)));
        }
        if now > validity.not_after.timestamp() {
            return Err(Problem::Expired(whose(), date(validity.not_after)));
        }
        Ok(())
    }

    /// Whether a server may use it, as OpenSSL says: where a usage is named at all, one that a server
    /// needs has to be among them.
    ///
    /// <https://docs.openssl.org/3.0/man1/openssl-verification-options/#certificate-extensions>
    pub(super) fn check_usage(&self) -> Result<(), Problem> {
        for extension in self.0.extensions() {
            match extension.parsed_extension() {
                ParsedExtension::KeyUsage(usage) => {
                    let is_enough = usage.digital_signature()
                        || usage.key_encipherment()
                        || usage.key_agreement();
                    if !is_enough {
                        return Err(Problem::KeyUsage(usage.to_string()));
                    }
                }
                ParsedExtension::ExtendedKeyUsage(usage) if !usage.server_auth => {
                    return Err(Problem::Purpose);
                }
                ParsedExtension::NSCertType(kind) if !kind.ssl_server() => {
                    return Err(Problem::Purpose);
                }
                ParsedExtension::ParseError { .. } => return Err(Problem::Malformed),
                _ => {}
            }
        }
        Ok(())
    }

    /// Whether its common name is that of the host, where it has no DNS name that would count instead.
    pub(super) fn is_for_by_common_name(&self, name: &ServerName<'_>) -> bool {
        let ServerName::DnsName(host) = name else {
            return false;
        };
        let mut common_names = self.0.subject().iter_common_name();
        self.has_no_dns_name()
            && common_names.any(|own| {
                own.as_str()
                    .is_ok_and(|own| common_name::is_of(own, host.as_ref()))
            })
    }

    /// Whether it certainly has none: where alternative names cannot be read, that is not certain.
    fn has_no_dns_name(&self) -> bool {
        match self.0.subject_alternative_name() {
            Ok(Some(names)) => {
                let mut names = names.value.general_names.iter();
                names
                    .all(|name| !matches!(name, GeneralName::DNSName(_) | GeneralName::Invalid(..)))
            }
            Ok(None) => true,
            Err(_) => false,
        }
    }

    /// Whether an authority may vouch for a host's name: of name constraints that cannot be read it may
    /// not.
    pub(super) fn may_vouch_for(&self, host: &str) -> bool {
        let constraints = match self.0.name_constraints() {
            Ok(Some(constraints)) => constraints.value,
            Ok(None) => return true,
            Err(_) => return false,
        };
        let permitted = bases(constraints.permitted_subtrees.as_deref());
        let excluded = bases(constraints.excluded_subtrees.as_deref());
        let mut all = permitted.clone().chain(excluded.clone());
        if all.any(|base| matches!(base, GeneralName::Invalid(..))) {
            return false;
        }
        let is_below =
            |base| matches!(base, &GeneralName::DNSName(name) if common_name::is_below(host, name));
        let names_a_host = |base: &_| matches!(base, GeneralName::DNSName(_));
        let mut permitted = permitted.filter(|base| names_a_host(base)).peekable();
        (permitted.peek().is_none() || permitted.any(is_below)) && !{ excluded }.any(is_below)
    }
}

/// What the trees of a name constraint begin at.
fn bases<'a>(
    trees: Option<&'a [GeneralSubtree<'a>]>,
) -> impl Iterator<Item = &'a GeneralName<'a>> + Clone {
    trees.into_iter().flatten().map(|tree| &tree.base)
}

/// As much of a name as a message repeats.
fn short(name: &str) -> String {
    name.chars().take(LONGEST_NAME).collect()
}

fn date(time: ASN1Time) -> String {
    let seconds = u64::try_from(time.timestamp()).unwrap_or_default();
    httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}
