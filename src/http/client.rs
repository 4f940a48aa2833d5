//! The client itself, and one request through it.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use bytes::Bytes;
use reqwest::{
    Method, Response, StatusCode,
    header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use tokio::time::timeout;
use url::Url;

use super::{direct, redirect::Redirect, trust};
use crate::{
    credentials::{Authorization, Entra, Proof, TokenError, organization_of},
    error::{Error, chain},
};

const USER_AGENT: &str = concat!("backstage-azure-devops-native/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How long a server may be silent while somebody waits for it; Azure DevOps holds answers back for
/// up to half a minute when an identity nears its limit.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// How much of one body HTTP/2 may send before anybody asks for it, and of all on one connection
/// together: so many bodies can be held unread without keeping others waiting.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * STREAM_WINDOW;

/// As many redirects as `fetch` follows.
const MAX_REDIRECTS: usize = 20;

/// Makes Azure DevOps answer `401` where it would answer with a sign-in page.
const FED_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");

/// A request that only reads: where to, as whom, and what else it says.
#[derive(Debug)]
pub struct Request<'a> {
    /// The REST URL.
    pub url: Url,
    /// The headers that authorize it.
    pub authorization: &'a Authorization,
    /// Further headers.
    pub headers: HeaderMap,
    /// What is asked for, where a URL cannot say it: JSON, which is posted.
    pub question: Option<Bytes>,
}

/// Why a request has no answer.
#[derive(Debug)]
pub enum Failure {
    /// The connection failed.
    Transport(reqwest::Error),
    /// The server fell silent.
    Silent,
    /// The server sent the reader to another place, named here, which was not followed.
    RedirectedAway(String, StatusCode),
    /// The server sent the reader round and round.
    TooManyRedirects,
    /// The token has expired meanwhile, and there is no other.
    Token(Arc<TokenError>),
}

/// Waits for what a server sends, but not for ever.
///
/// The clock runs only here, while somebody waits: a consumer may take its time between two pieces.
///
/// # Errors
/// The connection failed, or the server fell silent.
pub async fn patiently<T>(
    sent: impl Future<Output = Result<T, reqwest::Error>>,
) -> Result<T, Failure> {
    match timeout(IDLE_TIMEOUT, sent).await {
        Ok(sent) => sent.map_err(Failure::Transport),
        Err(_) => Err(Failure::Silent),
    }
}

/// Why a refused token was not replaced; stands in the answer's extensions.
#[derive(Clone, Debug)]
pub struct NotRenewed(pub Arc<TokenError>);

/// The client that every reader of the process shares, with its connections.
///
/// It takes proxies from `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`, except for this
/// machine's own and link-local addresses; speaks HTTP/2 where the server does; and asks for gzip.
#[derive(Clone, Debug)]
pub struct Client {
    proxied: reqwest::Client,
    direct: reqwest::Client,
}

impl Client {
    /// The process's client, made when it is first asked for.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Result<Client, String>> = OnceLock::new();
        SHARED
            .get_or_init(|| Self::new().map_err(|error| chain(&error)))
            .as_ref()
            .map_err(|why| Error::other(format!("the HTTP client could not be set up: {why}")))
    }

    fn new() -> Result<Self, reqwest::Error> {
        // An application that has chosen a provider for the process keeps it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let builder = || {
            reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                .http2_initial_stream_window_size(STREAM_WINDOW)
                .http2_initial_connection_window_size(CONNECTION_WINDOW)
                .redirect(Policy::none())
                .tls_certs_merge(trust::extra_roots())
        };
        Ok(Self {
            proxied: builder().build()?,
            direct: builder().no_proxy().build()?,
        })
    }

    /// Entra ID and the other givers of tokens, reached through this client.
    #[must_use]
    pub fn entra(&self) -> Entra {
        Entra::through(Arc::new(self.clone()))
    }

    /// A request for the URL, which goes through a proxy where one is set and makes sense.
    pub(super) fn request(&self, method: Method, url: Url) -> reqwest::RequestBuilder {
        if direct::is_near(&url) {
            self.direct.request(method, url)
        } else {
            self.proxied.request(method, url)
        }
    }

    /// Sends the request, follows redirects within its host, and gives the answer once its head
    /// is there.
    ///
    /// Where a token is refused that can be renewed, the request is sent once more with another.
    /// Dropping the future closes the connection.
    ///
    /// # Errors
    /// There is no answer, it leads to another host, or there is no token any more. Any status is
    /// an answer.
    pub async fn send(&self, request: Request<'_>) -> Result<Response, Failure> {
        let organization = organization_of(&request.url).unwrap_or_default();
        let authorization = request.authorization;
        let proof = authorization.proof().await.map_err(Failure::Token)?;
        let answer = self.follow(&request, &proof).await;
        if is_content(&answer) {
            authorization.accepted(&organization);
        }
        if !asks_to_sign_in(&answer) {
            return answer;
        }
        let other = match authorization.renew(&proof, &organization).await {
            Ok(Some(other)) => other,
            Ok(None) => return answer,
            Err(error) => return answer.map(|answer| not_renewed(answer, error)),
        };
        let answer = self.follow(&request, &other).await;
        authorization.renewed(&organization, !asks_to_sign_in(&answer));
        if is_content(&answer) {
            authorization.accepted(&organization);
        }
        answer
    }

    async fn follow(&self, request: &Request<'_>, proof: &Proof) -> Result<Response, Failure> {
        let mut url = request.url.clone();
        for _ in 0..=MAX_REDIRECTS {
            let method = request
                .question
                .as_ref()
                .map_or(Method::GET, |_| Method::POST);
            let mut sent = self
                .request(method, url.clone())
                .header(FED_AUTH_REDIRECT, HeaderValue::from_static("Suppress"))
                .headers(proof.headers.clone())
                .headers(request.headers.clone());
            if let Some(question) = &request.question {
                sent = sent
                    .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                    .body(question.clone());
            }
            let response = patiently(sent.send()).await?;
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

fn not_renewed(mut answer: Response, error: Arc<TokenError>) -> Response {
    answer.extensions_mut().insert(NotRenewed(error));
    answer
}

/// The three ways in which Azure DevOps says that it knows nobody by this token.
fn asks_to_sign_in(answer: &Result<Response, Failure>) -> bool {
    match answer {
        Ok(response) => matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::NON_AUTHORITATIVE_INFORMATION
        ),
        Err(failure) => matches!(failure, Failure::RedirectedAway(..)),
    }
}

fn is_content(answer: &Result<Response, Failure>) -> bool {
    answer.as_ref().is_ok_and(|response| {
        let status = response.status();
        let is_page = status == StatusCode::NON_AUTHORITATIVE_INFORMATION;
        (status.is_success() && !is_page) || status == StatusCode::NOT_MODIFIED
    })
}
