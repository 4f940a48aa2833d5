//! Why a server's certificate is not accepted, in words: what is wrong with it, and what to do.

use std::{error::Error as StdError, fmt};

use rustls::{CertificateError, Error};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};
use webpki::EndEntityCert;

use super::{
    problem::{FEWEST_BITS, Problem, Whose, algorithm_of},
    roots::{EXTRA, Extra, Roots},
    server_certificate::ServerCertificate,
};

/// The certificates that a server presented, and the name that it was asked by.
#[derive(Clone, Copy, Debug)]
pub(super) struct Presented<'a> {
    pub leaf: &'a CertificateDer<'a>,
    pub intermediates: &'a [CertificateDer<'a>],
    pub name: &'a ServerName<'a>,
}

impl Problem {
    /// What the verifier's failure says, looked at beside what the server presented.
    pub(super) fn behind(error: &Error, presented: &Presented<'_>, roots: &Roots) -> Self {
        let Error::InvalidCertificate(error) = error else {
            return Self::Other(error.to_string());
        };
        match error {
            CertificateError::Expired
            | CertificateError::ExpiredContext { .. }
            | CertificateError::NotValidYet
            | CertificateError::NotValidYetContext { .. } => Self::of_dates(error, presented),
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                Self::Purpose
            }
            CertificateError::Other(other) => {
                Self::of_webpki(other.0.downcast_ref(), presented, roots)
            }
            _ => Self::of_keys(presented, roots).unwrap_or_else(|| match error {
                CertificateError::UnknownIssuer => Self::unknown_authority(presented, roots),
                CertificateError::BadSignature => Self::Forged,
                CertificateError::BadEncoding => Self::Malformed,
                CertificateError::UnsupportedSignatureAlgorithmContext {
                    signature_algorithm_id,
                    ..
                } => Self::signature(presented, algorithm_of(signature_algorithm_id)),
                CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                    public_key_algorithm_id,
                    ..
                } => Self::Key(algorithm_of(public_key_algorithm_id)),
                error => Self::Other(error.to_string()),
            }),
        }
    }

    /// What a handshake's failed signature says, looked at beside the certificate.
    pub(super) fn of_key(error: &Error, certificate: &CertificateDer<'_>) -> Self {
        let own = ServerCertificate::read(certificate);
        let weak = own.and_then(|own| Self::of_certificate(&own, || Whose::Servers));
        weak.unwrap_or_else(|| match error {
            Error::InvalidCertificate(CertificateError::BadSignature) => Self::Forged,
            Error::InvalidCertificate(
                CertificateError::UnsupportedSignatureAlgorithmForPublicKeyContext {
                    public_key_algorithm_id,
                    ..
                },
            ) => Self::Key(algorithm_of(public_key_algorithm_id)),
            error => Self::Other(error.to_string()),
        })
    }

    /// That the certificate is for other names.
    pub(super) fn name(presented: &Presented<'_>) -> Self {
        let own = EndEntityCert::try_from(presented.leaf);
        let alternative = own.iter().flat_map(|own| own.valid_dns_names());
        let mut names: Vec<_> = alternative.map(ToOwned::to_owned).collect();
        if names.is_empty()
            && let Some(own) = ServerCertificate::read(presented.leaf)
        {
            names.push(own.name());
        }
        Self::Name(presented.name.to_str().into_owned(), names)
    }

    fn of_dates(error: &CertificateError, presented: &Presented<'_>) -> Self {
        let now = match error {
            CertificateError::ExpiredContext { time, .. }
            | CertificateError::NotValidYetContext { time, .. } => *time,
            _ => UnixTime::now(),
        };
        let mut all = presented.named();
        all.find_map(|(whose, own)| own.check_dates(now, || whose).err())
            .unwrap_or(Self::Malformed)
    }

    fn of_webpki(error: Option<&webpki::Error>, presented: &Presented<'_>, roots: &Roots) -> Self {
        use webpki::Error::{
            CaUsedAsEndEntity, EndEntityUsedAsCa, NameConstraintViolation,
            PathLenConstraintViolated, UnsupportedCertVersion, UnsupportedCriticalExtension,
        };
        match error {
            Some(CaUsedAsEndEntity) => {
                Self::of_keys(presented, roots).unwrap_or_else(|| Self::of_authority(presented))
            }
            Some(EndEntityUsedAsCa) => {
                let mut others = presented.all().skip(1);
                let other = others.find(|own| !own.is_authority());
                Self::NoAuthority(other.map_or_else(String::new, |own| own.name()))
            }
            Some(NameConstraintViolation) => Self::NameConstraints,
            Some(PathLenConstraintViolated) => Self::PathLength,
            Some(UnsupportedCriticalExtension) => Self::Extension,
            Some(UnsupportedCertVersion) => {
                Self::of_keys(presented, roots).unwrap_or(Self::Malformed)
            }
            Some(error) => Self::Other(error.to_string()),
            None => Self::Malformed,
        }
    }

    /// What is wrong with a certificate of an authority as a server's own. One that is self-signed was
    /// not known as such because its signature is of a kind that is not verified.
    fn of_authority(presented: &Presented<'_>) -> Self {
        match ServerCertificate::read(presented.leaf) {
            Some(own) if own.issuer() == own.subject() => {
                Self::Signature(Whose::Servers, own.signature_algorithm())
            }
            _ => Self::Authority,
        }
    }

    /// What is too old or too weak in what was presented, or in the authority that it leads to.
    fn of_keys(presented: &Presented<'_>, roots: &Roots) -> Option<Self> {
        let mut named = presented.named();
        let of_presented = named.find_map(|(whose, own)| Self::of_certificate(&own, || whose));
        of_presented.or_else(|| {
            let last = presented.all().last()?;
            let mut authorities = roots.named(last.issuer());
            authorities.find_map(|own| Self::of_bits(&own, || Whose::Authoritys(own.name())))
        })
    }

    fn of_certificate(own: &ServerCertificate<'_>, whose: impl FnOnce() -> Whose) -> Option<Self> {
        if own.is_version_3() {
            Self::of_bits(own, whose)
        } else {
            Some(Self::Version(whose()))
        }
    }

    fn of_bits(own: &ServerCertificate<'_>, whose: impl FnOnce() -> Whose) -> Option<Self> {
        let bits = own.rsa_bits().filter(|bits| *bits < FEWEST_BITS)?;
        Some(Self::SmallKey(whose(), bits))
    }

    fn signature(presented: &Presented<'_>, kind: String) -> Self {
        let mut named = presented.named();
        let found = named.find(|(_, own)| own.signature_algorithm() == kind);
        Self::Signature(found.map_or(Whose::Servers, |(whose, _)| whose), kind)
    }

    fn unknown_authority(presented: &Presented<'_>, roots: &Roots) -> Self {
        let Some(last) = presented.all().last() else {
            return Self::Malformed;
        };
        if presented.intermediates.is_empty() && last.issuer() == last.subject() {
            return Self::SelfSigned;
        }
        Self::UnknownAuthority {
            issuer: last.issuer_name(),
            came_alone: presented.intermediates.is_empty(),
            is_trusted_itself: roots.contain(presented.leaf),
        }
    }
}

impl<'a> Presented<'a> {
    /// All that can be read, the server's own first.
    fn all(&self) -> impl Iterator<Item = ServerCertificate<'a>> {
        let all = std::iter::once(self.leaf).chain(self.intermediates);
        all.filter_map(|der| ServerCertificate::read(der))
    }

    /// The same, and whose each of them is.
    fn named(&self) -> impl Iterator<Item = (Whose, ServerCertificate<'a>)> {
        self.all().enumerate().map(|(place, own)| match place {
            0 => (Whose::Servers, own),
            _ => (Whose::Authoritys(own.name()), own),
        })
    }
}

/// A certificate that was not accepted.
#[derive(Clone, Debug)]
pub(in crate::http) struct Untrusted {
    problem: Problem,
    advice: String,
}

impl Untrusted {
    pub(super) fn new(problem: Problem, extra: &Extra) -> Self {
        let advice = advice(&problem, extra);
        Self { problem, advice }
    }

    /// What to do.
    pub(in crate::http) fn advice(&self) -> &str {
        &self.advice
    }
}

impl fmt::Display for Untrusted {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.problem.fmt(formatter)
    }
}

impl StdError for Untrusted {}

fn advice(problem: &Problem, extra: &Extra) -> String {
    match problem {
        Problem::SelfSigned => extra.to_trust("this certificate"),
        Problem::UnknownAuthority {
            issuer, came_alone, ..
        } => {
            let trust = extra.to_trust(&format!("the certificate of {issuer:?}"));
            if *came_alone {
                format!(
                    "{trust}; or, if that is an intermediate authority, have the server send its certificate, which it did not"
                )
            } else {
                trust
            }
        }
        Problem::Expired(..) => "have it renewed".to_owned(),
        Problem::NotYetValid(..) => {
            "check the clock of this machine, and the certificate".to_owned()
        }
        Problem::Name(host, _) => format!(
            "use a name that it is for, or give it a certificate whose alternative names (SAN) hold {host}"
        ),
        Problem::Purpose | Problem::KeyUsage(_) | Problem::Authority => {
            "give it a certificate for servers (extended key usage serverAuth)".to_owned()
        }
        Problem::NoAuthority(_) | Problem::NameConstraints | Problem::PathLength => {
            "have the certificate issued by an authority that may issue it".to_owned()
        }
        Problem::Version(_) | Problem::Extension | Problem::Malformed => {
            "give it a new certificate, of X.509 version 3".to_owned()
        }
        Problem::SmallKey(..) | Problem::Key(_) => {
            "have a new one made, with an RSA key of 2048 bits or more, or one of ECDSA (P-256)"
                .to_owned()
        }
        Problem::Signature(..) => {
            "have it issued anew, signed with SHA-256 and RSA (PKCS #1) or ECDSA".to_owned()
        }
        Problem::Forged => {
            "check which certificates and key the server has, and what stands between".to_owned()
        }
        Problem::Other(_) => "check the server's certificate and its chain".to_owned(),
    }
}

impl Extra {
    /// What to do so that a certificate is trusted, without telling to set what is set.
    pub(super) fn to_trust(&self, what: &str) -> String {
        match self {
            Self::NotSet => format!(
                "put {what} (PEM) into a file, name the file in {EXTRA}, and start the backend anew"
            ),
            Self::Unreadable(file, why) => format!(
                "{EXTRA} names {}, which could not be read when the backend started ({why}): put {what} (PEM) there, and start it anew",
                file.display()
            ),
            Self::Read(file, count) => {
                let those = match count {
                    0 => "none of whose certificates can be read".to_owned(),
                    1 => "whose one certificate is trusted".to_owned(),
                    count => format!("whose {count} certificates are trusted"),
                };
                format!(
                    "{EXTRA} names {}, {those}: add {what} (PEM) there, and start the backend anew",
                    file.display()
                )
            }
        }
    }
}
