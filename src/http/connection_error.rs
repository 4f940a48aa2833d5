//! Why a connection was not made, or gave no answer: what was met, and what to check.

use std::{error::Error as StdError, fmt, sync::Arc};

use reqwest::StatusCode;
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
    /// What the client said, for what nothing else tells.
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

    /// That a request has no way, because of what is said of its proxy.
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
            Cause::Closed => "Check the server, and what stands between, as a proxy or gateway".to_owned(),
            Cause::ClosedInHandshake => {
                "Check that the port speaks TLS, and what stands between, as a proxy or gateway that lets only some hosts through".to_owned()
            }
            Cause::Certificate(untrusted) => capitalized(untrusted.advice()),
            Cause::NoTls => {
                "Check the port in the URL; where the server has no TLS, write http://".to_owned()
            }
            Cause::NoHttp if self.is_plain => {
                "Check the port in the URL; where it speaks TLS, write https://".to_owned()
            }
            Cause::NoHttp => "Check the port in the URL".to_owned(),
            Cause::Handshake(..) => {
                "The likely causes, all at the server: it has only TLS 1.1 or older, or in TLS 1.2 only suites without ECDHE and AES-GCM or ChaCha20, or a certificate with a key of RSASSA-PSS, or it wants a certificate of its client. Have it speak TLS 1.3, or 1.2 with ECDHE and AES-GCM".to_owned()
            }
            Cause::Http2(_) => {
                "Check what speaks HTTP/2 in front of the server, as a proxy or gateway, and turn HTTP/2 off there if it cannot be mended".to_owned()
            }
            Cause::Tunnel(Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED)) => self.user_advice(),
            Cause::Tunnel(Some(StatusCode::FORBIDDEN | StatusCode::METHOD_NOT_ALLOWED)) => {
                format!("Have the proxy let {} through", self.host)
            }
            Cause::Tunnel(_) => format!("Check whether the proxy reaches {}", self.host),
            Cause::InvalidProxy(_) => {
                "Write it as http://proxy.example:3128, with http://user:password@ in front of the host where the proxy asks who it is".to_owned()
            }
            Cause::Other => String::new(),
        }
    }

    /// What to say to a proxy that asks who asks it.
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

    /// Whom it is about: the server, and through which proxy it was asked; or that proxy.
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
            Cause::Tunnel(Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED)) => write!(
                formatter,
                "no connection to {host}: {whom} asks for a user and password (407 to CONNECT)"
            ),
            Cause::Tunnel(Some(status)) => write!(
                formatter,
                "no connection to {host}: {whom} answered {status} to CONNECT"
            ),
            Cause::Tunnel(None) => {
                write!(
                    formatter,
                    "no connection to {host}: {whom} made no tunnel to it"
                )
            }
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
            Cause::Handshake(words, _) => write!(formatter, "TLS was not agreed on ({words})"),
            Cause::Http2(code) => write!(formatter, "HTTP/2 was refused or broken off ({code})"),
            _ => formatter.write_str(&self.said),
        }
    }
}

/// The chain of causes, without the URL before it.
fn said(error: &reqwest::Error) -> String {
    error.source().map_or_else(|| error.to_string(), chain)
}

fn capitalized(text: &str) -> String {
    let mut letters = text.chars();
    let first = letters.next().map(|first| first.to_uppercase().to_string());
    first.unwrap_or_default() + letters.as_str()
}
