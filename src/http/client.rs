//! The client itself, and one request through it.

use std::{sync::OnceLock, time::Duration};

use reqwest::{
    Response,
    header::{HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use url::Url;

use super::{redirect::Redirect, trust};
use crate::credentials::Authorization;

const USER_AGENT: &str = concat!("backstage-azure-devops-native/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a server may be silent; Azure DevOps holds answers back for up to half a minute when
/// an identity nears its limit.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// As many redirects as `fetch` follows.
const MAX_REDIRECTS: usize = 20;

/// Makes Azure DevOps answer `401` where it would answer with a sign-in page.
const FED_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");

/// A `GET` request: where to, as whom, and what else it says.
#[derive(Debug)]
pub struct Request<'a> {
    /// The REST URL.
    pub url: Url,
    /// The headers that authorize it.
    pub authorization: &'a Authorization,
    /// Further headers.
    pub headers: HeaderMap,
}

/// Why a request has no answer.
#[derive(Debug)]
pub enum Failure {
    /// The client could not be made, the connection failed, or the server fell silent.
    Transport(reqwest::Error),
    /// The client could not be made when it was first needed.
    Client(String),
    /// The server sent the reader to another place, named here, which was not followed.
    RedirectedAway(String, reqwest::StatusCode),
    /// The server sent the reader round and round.
    TooManyRedirects,
}

/// The client that every reader of the process shares, with its connections.
///
/// It takes proxies from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, speaks HTTP/2
/// where the server does, and asks for gzip.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
}

impl Client {
    /// The process's client, made when it is first asked for.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn shared() -> Result<&'static Self, Failure> {
        static SHARED: OnceLock<Result<Client, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::new().map_err(|error| crate::error::chain(&error)))
            .as_ref()
            .map_err(|message| Failure::Client(message.clone()))
    }

    fn new() -> Result<Self, reqwest::Error> {
        // An application that has chosen a provider for the process keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut headers = HeaderMap::new();
        headers.insert(FED_AUTH_REDIRECT, HeaderValue::from_static("Suppress"));
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .default_headers(headers)
            .connect_timeout(CONNECT_TIMEOUT)
            .read_timeout(IDLE_TIMEOUT)
            .redirect(Policy::none())
            .tls_certs_merge(trust::extra_roots())
            .build()?;
        Ok(Self { http })
    }

    /// Sends the request, follows redirects within its host, and gives the answer once its head
    /// is there.
    ///
    /// Dropping the future closes the connection.
    ///
    /// # Errors
    /// There is no answer, or it leads to another host. Any status is an answer.
    pub async fn get(&self, request: Request<'_>) -> Result<Response, Failure> {
        let mut url = request.url;
        for _ in 0..=MAX_REDIRECTS {
            let response = self
                .http
                .get(url.clone())
                .headers(request.authorization.headers().clone())
                .headers(request.headers.clone())
                .send()
                .await
                .map_err(Failure::Transport)?;
            match Redirect::of(&url, response.status(), response.headers()) {
                Redirect::None => return Ok(response),
                Redirect::Within(next) => url = *next,
                Redirect::Away(place) => {
                    return Err(Failure::RedirectedAway(place, response.status()));
                }
            }
        }
        Err(Failure::TooManyRedirects)
    }
}
