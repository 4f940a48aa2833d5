//! What is wrong with a server's certificate.

use std::fmt;

use x509_parser::{asn1_rs::Oid, prelude::FromDer};

/// The fewest bits of an RSA key that webpki verifies with.
pub(super) const FEWEST_BITS: usize = 2048;

/// How many names of a certificate a message repeats.
const MOST_NAMES: usize = 5;

/// What is wrong with a certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// It is self-signed and not among those that are trusted.
    SelfSigned,
    /// No trusted authority has issued it.
    UnknownAuthority {
        /// The issuer of the last certificate of the chain.
        issuer: String,
        /// Whether the server sent no certificate of an authority.
        came_alone: bool,
        /// Whether the certificate itself is trusted, which counts for one that is self-signed alone.
        is_trusted_itself: bool,
    },
    /// Which one has, and since when.
    Expired(Whose, String),
    /// Which one is not, and from when on it is.
    NotYetValid(Whose, String),
    /// The host, and what the certificate is for in its place.
    Name(String, Vec<String>),
    /// It is not for servers.
    Purpose,
    /// It may be used for this, which is not what a server does.
    KeyUsage(String),
    /// It is an authority's, which another one has issued.
    Authority,
    /// This one has issued a certificate and is no authority.
    NoAuthority(String),
    /// An authority may not issue a certificate for this host.
    NameConstraints,
    /// There are more authorities in the chain than one of them allows.
    PathLength,
    /// Which one is of a version before 3.
    Version(Whose),
    /// Which one has an RSA key that is too small, and its bits.
    SmallKey(Whose, usize),
    /// The server's key is of this kind.
    Key(String),
    /// Which one is signed in this way.
    Signature(Whose, String),
    /// It has a critical extension that is not known.
    Extension,
    /// It was not signed by its issuer, or the server does not have its key.
    Forged,
    /// It cannot be read.
    Malformed,
    /// Anything else, in the words of TLS.
    Other(String),
}

/// Which certificate it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    /// The server's own.
    Servers,
    /// That of an authority, by its name.
    Authoritys(String),
}

impl fmt::Display for Whose {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Servers => formatter.write_str("it"),
            Self::Authoritys(name) => write!(formatter, "that of its authority {name:?}"),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SelfSigned => {
                formatter.write_str("it is self-signed, and not itself among those that are trusted")
            }
            Self::UnknownAuthority {
                issuer,
                is_trusted_itself,
                ..
            } => {
                let itself = if *is_trusted_itself {
                    " (it is itself among those that are trusted, which counts for a self-signed one alone)"
                } else {
                    ""
                };
                write!(formatter, "it was issued by {issuer:?}, who is not trusted{itself}")
            }
            Self::Expired(whose, since) => write!(formatter, "{whose} has expired, on {since}"),
            Self::NotYetValid(whose, from) => {
                write!(formatter, "{whose} is not yet valid, but from {from} on")
            }
            Self::Name(host, names) => {
                let others = names.len().saturating_sub(MOST_NAMES);
                let names = names[..names.len() - others].join(", ");
                write!(formatter, "it is not for {host}, but for {names}")?;
                match others {
                    0 => Ok(()),
                    others => write!(formatter, " and {others} more"),
                }
            }
            Self::Purpose => {
                formatter.write_str("it is not for servers, by its extended key usage")
            }
            Self::KeyUsage(usage) => {
                write!(formatter, "its key usage ({usage}) is not one for a server")
            }
            Self::Authority => formatter.write_str(
                "it is that of an authority (CA:TRUE), which is no server's unless it is self-signed",
            ),
            Self::NoAuthority(whose) => write!(
                formatter,
                "in its chain is {whose:?}, which is no authority (CA:TRUE)"
            ),
            Self::NameConstraints => formatter.write_str(
                "an authority in its chain may not vouch for this name, by its name constraints",
            ),
            Self::PathLength => formatter.write_str(
                "there are more authorities in its chain than one of them allows (path length)",
            ),
            Self::Version(whose) => write!(
                formatter,
                "{whose} is of X.509 version 1 or 2, and not of version 3"
            ),
            Self::SmallKey(whose, bits) => write!(
                formatter,
                "{whose} has an RSA key of {bits} bits, and fewer than {FEWEST_BITS} are not accepted"
            ),
            Self::Key(kind) => {
                write!(formatter, "its key is of a kind that is not supported ({kind})")
            }
            Self::Signature(whose, kind) => write!(
                formatter,
                "{whose} is signed in a way that is not supported ({kind})"
            ),
            Self::Extension => {
                formatter.write_str("it, or one in its chain, has a critical extension that is not known")
            }
            Self::Forged => formatter.write_str(
                "a signature does not match: the named issuer did not issue it, or the server does not have its key",
            ),
            Self::Malformed => formatter.write_str("it, or one in its chain, cannot be read"),
            Self::Other(words) => formatter.write_str(words),
        }
    }
}

/// The name of an algorithm that an `AlgorithmIdentifier` in DER, without its outermost tag, names.
pub(super) fn algorithm_of(id: &[u8]) -> String {
    Oid::from_der(id).map_or_else(|_| "unknown".to_owned(), |(_, oid)| algorithm(&oid))
}

/// The name of an algorithm, by the numbers of RFC 8017, 5758, 8410 and 5480.
pub(super) fn algorithm(oid: &Oid<'_>) -> String {
    let id = oid.to_id_string();
    let name = match id.as_str() {
        "1.2.840.113549.1.1.1" => "RSA",
        "1.2.840.113549.1.1.4" => "MD5 with RSA",
        "1.2.840.113549.1.1.5" => "SHA-1 with RSA",
        "1.2.840.113549.1.1.10" => "RSASSA-PSS",
        "1.2.840.10045.4.1" => "SHA-1 with ECDSA",
        "1.2.840.10045.2.1" => "ECDSA on a curve that is not supported",
        "1.3.101.113" => "Ed448",
        _ => return id,
    };
    name.to_owned()
}
