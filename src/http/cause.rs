//! What a connection met: one cause, found in the chain of errors of the client.

use std::{error::Error as StdError, io, sync::Arc};

use reqwest::StatusCode;
use rustls::{AlertDescription, CertificateError};

use super::{proxy::Invalid, resolver::NotFound, tls::Untrusted};

/// What was met.
#[derive(Clone, Debug)]
pub(super) enum Cause {
    /// The system knows no address of the name, in its words.
    NameNotFound(String),
    /// Nothing listens there.
    Refused,
    /// There is no way there, in the system's words.
    Unreachable(String),
    /// There was no answer in time.
    TimedOut,
    /// The other end closed the connection.
    Closed,
    /// The other end closed the connection before TLS was spoken.
    ClosedInHandshake,
    /// The server's certificate is not accepted.
    Certificate(Untrusted),
    /// The server does not speak TLS.
    NoTls,
    /// The server does not speak HTTP.
    NoHttp,
    /// The server broke TLS off.
    Alert(AlertDescription),
    /// The server speaks TLS in a way that is not understood, in words.
    Tls(String),
    /// HTTP/2 is not spoken as it has to be, with this code.
    Http2(String),
    /// The proxy refused a tunnel, or wants authentication, with this status.
    ProxyStatus(StatusCode),
    /// The proxy made no tunnel, and did not say why.
    NoTunnel,
    /// The proxy is misconfigured.
    InvalidProxy(Arc<Invalid>),
    /// There is nothing that could be sent.
    NotSent,
    /// Something else.
    Other,
}

impl Cause {
    /// The cause of a failure; `tunnel` is what a proxy answered to `CONNECT`.
    pub(super) fn behind(error: &reqwest::Error, tunnel: Option<StatusCode>) -> Self {
        let is_tunnel = is_of_tunnel(error);
        let known = causes(error).find_map(|cause| Self::of(cause, error.is_connect()));
        match known {
            Some(known) => known,
            None if error.is_builder() => Self::NotSent,
            None if error.is_timeout() => Self::TimedOut,
            None if is_tunnel => tunnel.map_or(Self::NoTunnel, Self::ProxyStatus),
            None => Self::Other,
        }
    }

    /// Whether it may be over soon.
    pub(super) fn is_transient(&self) -> bool {
        match self {
            Self::Certificate(_)
            | Self::NoTls
            | Self::NoHttp
            | Self::InvalidProxy(_)
            | Self::NotSent
            | Self::Tls(_) => false,
            Self::Alert(alert) => matches!(
                alert,
                AlertDescription::InternalError
                    | AlertDescription::UserCanceled
                    | AlertDescription::CloseNotify
            ),
            Self::ProxyStatus(status) => {
                status.is_server_error()
                    || *status == StatusCode::TOO_MANY_REQUESTS
                    || *status == StatusCode::REQUEST_TIMEOUT
            }
            _ => true,
        }
    }

    /// The cause that one error in a chain names.
    fn of(cause: &(dyn StdError + 'static), is_connect: bool) -> Option<Self> {
        if let Some(not_found) = cause.downcast_ref::<NotFound>() {
            return Some(Self::NameNotFound(not_found.to_string()));
        }
        if let Some(tls) = cause.downcast_ref::<rustls::Error>() {
            return Some(Self::of_tls(tls));
        }
        if let Some(http2) = cause.downcast_ref::<h2::Error>() {
            return http2.reason().map(|code| Self::Http2(format!("{code:?}")));
        }
        if let Some(http) = cause.downcast_ref::<hyper::Error>() {
            let is_closed = http.is_incomplete_message();
            return if http.is_parse() {
                Some(Self::NoHttp)
            } else {
                is_closed.then_some(Self::Closed)
            };
        }
        let io = cause.downcast_ref::<io::Error>()?;
        Self::of_io(io, is_connect)
    }

    fn of_tls(error: &rustls::Error) -> Self {
        use rustls::Error::{AlertReceived, InvalidCertificate, InvalidMessage};
        match error {
            InvalidCertificate(CertificateError::Other(other)) => {
                let untrusted = other.0.downcast_ref::<Untrusted>();
                untrusted.map_or_else(
                    || Self::Tls(error.to_string()),
                    |untrusted| Self::Certificate(untrusted.clone()),
                )
            }
            InvalidMessage(_) => Self::NoTls,
            AlertReceived(alert) => Self::Alert(*alert),
            error => Self::Tls(error.to_string()),
        }
    }

    fn of_io(error: &io::Error, is_connect: bool) -> Option<Self> {
        match error.kind() {
            io::ErrorKind::ConnectionRefused => Some(Self::Refused),
            io::ErrorKind::UnexpectedEof if is_connect => Some(Self::ClosedInHandshake),
            io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionAborted
            | io::ErrorKind::BrokenPipe
            | io::ErrorKind::UnexpectedEof => Some(Self::Closed),
            io::ErrorKind::HostUnreachable
            | io::ErrorKind::NetworkUnreachable
            | io::ErrorKind::NetworkDown
            | io::ErrorKind::AddrNotAvailable => Some(Self::Unreachable(error.to_string())),
            io::ErrorKind::TimedOut => Some(Self::TimedOut),
            _ => None,
        }
    }
}

/// Whether a server has said that it wants HTTP/1.1 in place of HTTP/2.
///
/// <https://www.rfc-editor.org/rfc/rfc9113#section-7>
pub(super) fn wants_http_1(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let reason = cause
            .downcast_ref::<h2::Error>()
            .and_then(h2::Error::reason);
        matches!(
            reason,
            Some(h2::Reason::HTTP_1_1_REQUIRED | h2::Reason::INADEQUATE_SECURITY)
        )
    })
}

/// Whether a tunnel through a proxy failed. The client's type for that is private, so its words have to do.
pub(super) fn is_of_tunnel(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| {
        let said = cause.to_string();
        said.starts_with("tunnel error: ") || said.starts_with("SOCKS error: ")
    })
}

/// Whether a proxy answered that it makes no tunnel.
pub(super) fn is_refused_tunnel(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "tunnel error: unsuccessful")
}

/// Whether a proxy wants authentication.
pub(super) fn is_unauthorized_tunnel(error: &reqwest::Error) -> bool {
    causes(error).any(|cause| cause.to_string() == "tunnel error: proxy authorization required")
}

/// An error and its causes, including those that are wrapped in an `io::Error`.
fn causes<'a>(
    error: &'a (dyn StdError + 'static),
) -> impl Iterator<Item = &'a (dyn StdError + 'static)> {
    fn next<'a>(cause: &'a (dyn StdError + 'static)) -> Option<&'a (dyn StdError + 'static)> {
        match cause
            .downcast_ref::<io::Error>()
            .and_then(io::Error::get_ref)
        {
            Some(inner) => Some(inner),
            None => cause.source(),
        }
    }
    std::iter::successors(Some(error), |cause| next(*cause))
}
