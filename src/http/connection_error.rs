//! Why a connection was not made, or gave no answer: what was met, and what to check.

use std::{error::Error as StdError, fmt, sync::Arc};

use reqwest::StatusCode;
use rustls::AlertDescription;
use url::{Url, quirks};

use super::{
    cause::{self, Cause},
    proxy::{Invalid, Route},
};
use crate::error::chain;

/// A connection that was not made, or that gave no answer.
#[derive(Clone, Debug)]
pub struct ConnectionError {
    cause: Cause,
    /// The server's host, with its port.
    host: String,
    is_plain: bool,
    /// Whether it was the proxy that could not be reached, or refused.
    is_of_proxy: bool,
    route: Route,
    is_connect: bool,
    /// What the client said, where no other kind fits.
    said: String,
}

impl ConnectionError {
    /// What a failure says of the connection to a URL, which was made by this way; `tunnel` is what the
    /// proxy answered to `CONNECT`, if it refused.
    pub(super) fn behind(
        error: &reqwest::Error,
        url: &Url,
        route: Route,
        tunnel: Option<StatusCode>,
    ) -> Self {
        let is_plain = url.scheme() == "http";
        let is_tunnel = cause::is_of_tunnel(error);
        let is_of_proxy =
            matches!(route, Route::Through(_)) && (is_tunnel || (is_plain && error.is_connect()));
        Self {
            cause: Cause::behind(error, tunnel),
            host: quirks::host(url).to_owned(),
            is_plain,
            is_of_proxy,
            route,
            is_connect: error.is_connect(),
            said: said(error),
        }
    }

    /// A request cannot be sent, because its proxy is misconfigured.
    pub(super) fn invalid_proxy(invalid: &Arc<Invalid>, url: &Url) -> Self {
        Self {
            cause: Cause::InvalidProxy(Arc::clone(invalid)),
            host: quirks::host(url).to_owned(),
            is_plain: url.scheme() == "http",
            is_of_proxy: true,
            route: Route::Invalid(Arc::clone(invalid)),
            is_connect: true,
            said: String::new(),
        }
    }

    /// A proxy, asked for a URL in plain text, itself answered `407`.
    pub(super) fn unauthorized(url: &Url, route: Route) -> Self {
        Self {
            cause: Cause::ProxyStatus(StatusCode::PROXY_AUTHENTICATION_REQUIRED),
            host: quirks::host(url).to_owned(),
            is_plain: true,
            is_of_proxy: true,
            route,
            is_connect: true,
            said: String::new(),
        }
    }

    /// Whether it may be over soon.
    pub(super) fn is_transient(&self) -> bool {
        self.cause.is_transient()
    }

    /// Whether no connection was made.
    pub(super) fn is_connect(&self) -> bool {
        self.is_connect
    }

    /// What to check.
    #[must_use]
    pub fn advice(&self) -> String {
        let advice = self.cause_advice();
        match self.proxy_advice() {
            Some(proxy) if advice.is_empty() => format!("Check {proxy}"),
            Some(proxy) => format!("{advice}, and {proxy}"),
            None => advice,
        }
    }

    fn cause_advice(&self) -> String {
        let of_proxy = self.is_of_proxy;
        match &self.cause {
            Cause::NameNotFound(_) if of_proxy => "Check the proxy's name".to_owned(),
            Cause::NameNotFound(_) => {
                "Check the host in the URL, and that this machine's DNS knows it".to_owned()
            }
            Cause::Refused if of_proxy => "Check the proxy's port, and that it runs".to_owned(),
            Cause::Refused => "Check the port in the URL, and that the server runs".to_owned(),
            Cause::Unreachable(_) | Cause::TimedOut => {
                "Check the network, and the firewalls in it".to_owned()
            }
            Cause::Closed if self.is_plain && !of_proxy => {
                "Check the server, what stands between, and whether the port speaks TLS (https://)".to_owned()
            }
            Cause::Closed => "Check the server, and what stands between, such as a proxy or gateway".to_owned(),
            Cause::ClosedInHandshake => {
                "Check that the port speaks TLS, and what stands between, such as a proxy or gateway that lets only some hosts through".to_owned()
            }
            Cause::Certificate(untrusted) => capitalized(untrusted.advice()),
            Cause::NoTls => {
                "Check the port in the URL; where the server has no TLS, write http://".to_owned()
            }
            Cause::NoHttp if self.is_plain => {
                "Check the port in the URL; where it speaks TLS, write https://".to_owned()
            }
            Cause::NoHttp => "Check the port in the URL".to_owned(),
            Cause::Alert(alert) => alert_advice(*alert).to_owned(),
            Cause::Tls(_) => {
                "Check how the server is set up to speak TLS, and what stands between".to_owned()
            }
            Cause::Http2(_) => {
                "Check what speaks HTTP/2 in front of the server, such as a proxy or gateway, and turn HTTP/2 off there if it cannot be mended".to_owned()
            }
            Cause::ProxyStatus(StatusCode::PROXY_AUTHENTICATION_REQUIRED) => self.user_advice(),
            Cause::ProxyStatus(StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED) => {
                format!("Have the proxy let {} through", self.host)
            }
            Cause::ProxyStatus(_) => format!("Check whether the proxy reaches {}", self.host),
            Cause::NoTunnel => format!(
                "Check the proxy's port and scheme (https:// where it speaks TLS itself), and whether it reaches {}",
                self.host
            ),
            Cause::InvalidProxy(_) => {
                "Write it as http://proxy.example:3128, with http://user:password@ in front of the host where the proxy asks who it is".to_owned()
            }
            Cause::NotSent | Cause::Other => String::new(),
        }
    }

    /// What to do about a proxy that wants authentication.
    fn user_advice(&self) -> String {
        match &self.route {
            Route::Through(proxy) if proxy.has_user() => format!(
                "Check the user and password in {}: what has a meaning in URLs, as @, : and %, is written with percent signs (%40)",
                proxy.variable()
            ),
            Route::Through(proxy) => format!(
                "Put them into {}: http://user:password@proxy:port. It takes no other way (Negotiate, NTLM) than Basic",
                proxy.variable()
            ),
            _ => String::new(),
        }
    }

    /// Whether a proxy could be what is missing.
    fn proxy_advice(&self) -> Option<String> {
        let may_be_firewall = matches!(
            self.cause,
            Cause::NameNotFound(_) | Cause::Unreachable(_) | Cause::TimedOut
        );
        let variable = if self.is_plain {
            "HTTP_PROXY"
        } else {
            "HTTPS_PROXY"
        };
        match &self.route {
            Route::Direct { is_exempt: false } if may_be_firewall => Some(format!(
                "whether it is reached through a proxy alone, which {variable} has to name"
            )),
            Route::Direct { is_exempt: true } if may_be_firewall => {
                Some("whether NO_PROXY should name it, by which the proxy is not asked".to_owned())
            }
            _ => None,
        }
    }

    /// What failed: the server, with the proxy in between if there is one; or that proxy.
    fn whom(&self) -> String {
        match &self.route {
            Route::Through(proxy) if self.is_of_proxy => format!("the proxy {proxy}"),
            Route::Through(proxy) => format!("{} through the proxy {proxy}", self.host),
            _ => self.host.clone(),
        }
    }
}

impl fmt::Display for ConnectionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = &self.host;
        let whom = self.whom();
        match &self.cause {
            Cause::TimedOut if self.is_connect => {
                write!(
                    formatter,
                    "no connection to {whom}: it did not answer in time"
                )
            }
            Cause::TimedOut => write!(formatter, "{whom} did not answer in time"),
            Cause::ProxyStatus(status) if *status == StatusCode::PROXY_AUTHENTICATION_REQUIRED => {
                write!(
                    formatter,
                    "no connection to {host}: {whom} asks for a user and password ({status})"
                )
            }
            Cause::ProxyStatus(status) => write!(
                formatter,
                "no connection to {host}: {whom} answered {status} to CONNECT"
            ),
            Cause::NoTunnel => write!(
                formatter,
                "no connection to {host}: {whom} made no tunnel to it ({})",
                self.said
            ),
            Cause::InvalidProxy(invalid) => {
                write!(
                    formatter,
                    "no connection to {host}: its proxy is not known, because {invalid}"
                )
            }
            cause if self.is_connect => {
                if self.is_of_proxy {
                    write!(
                        formatter,
                        "no connection to {host}, because none to {whom}: "
                    )?;
                } else {
                    write!(formatter, "no connection to {whom}: ")?;
                }
                self.met(cause, formatter)
            }
            cause => {
                write!(formatter, "the request to {whom} failed: ")?;
                self.met(cause, formatter)
            }
        }
    }
}

impl StdError for ConnectionError {}

impl ConnectionError {
    fn met(&self, cause: &Cause, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match cause {
            Cause::NameNotFound(words) => write!(formatter, "its name was not found ({words})"),
            Cause::Refused => formatter.write_str("connection refused"),
            Cause::Unreachable(words) => write!(formatter, "it cannot be reached ({words})"),
            Cause::Closed => formatter.write_str("the connection was closed at the other end"),
            Cause::ClosedInHandshake => formatter
                .write_str("the connection was closed at the other end, before TLS was spoken"),
            Cause::Certificate(untrusted) => {
                write!(formatter, "its certificate is not accepted: {untrusted}")
            }
            Cause::NoTls => formatter.write_str("it does not speak TLS on this port"),
            Cause::NoHttp => formatter.write_str("what it answered is not HTTP"),
            Cause::Alert(alert) => {
                write!(
                    formatter,
                    "TLS was not agreed on (the server said {alert:?})"
                )
            }
            Cause::Tls(words) => write!(formatter, "TLS was not agreed on ({words})"),
            Cause::Http2(code) => write!(formatter, "HTTP/2 was refused or broken off ({code})"),
            _ => formatter.write_str(&self.said),
        }
    }
}

/// What it means that a server breaks TLS off; where it does not say that, what is likely.
fn alert_advice(alert: AlertDescription) -> &'static str {
    match alert {
        AlertDescription::ProtocolVersion => {
            "The server has only TLS 1.1 or older: have it speak TLS 1.2 or 1.3"
        }
        AlertDescription::CertificateRequired
        | AlertDescription::BadCertificate
        | AlertDescription::UnknownCA
        | AlertDescription::AccessDenied => {
            "The server asks for a client certificate, which this package does not send: let it accept requests without one"
        }
        AlertDescription::UnrecognisedName => {
            "The server does not know the name by which it is asked: check the host in the URL"
        }
        AlertDescription::NoApplicationProtocol => {
            "The server speaks neither HTTP/1.1 nor, as it said, HTTP/2: check what it offers (ALPN)"
        }
        AlertDescription::InternalError
        | AlertDescription::UserCanceled
        | AlertDescription::CloseNotify => "Check the server, and what stands between",
        _ => {
            "The likely causes, all at the server: in TLS 1.2 it has only suites without ECDHE, or without AES-GCM and ChaCha20 (CBC, RSA key exchange); it has only curves other than X25519, P-256 and P-384; the key of its certificate is none of RSA, ECDSA and Ed25519 (RSASSA-PSS, Ed448); or it wants a certificate of its client. Have it speak TLS 1.3, or TLS 1.2 with ECDHE and AES-GCM"
        }
    }
}

/// The chain of causes, without the URL, and without that it was a connection, before it.
fn said(error: &reqwest::Error) -> String {
    let said = error.source().map_or_else(|| error.to_string(), chain);
    let short = said.strip_prefix("client error (Connect): ");
    short.unwrap_or(&said).to_owned()
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
