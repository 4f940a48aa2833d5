//! The client of the process, and one request through it.

use std::{
    borrow::Cow,
    collections::HashSet,
    sync::{Arc, OnceLock},
    time::{Duration, SystemTime},
};

use parking_lot::Mutex;

use bytes::Bytes;
use reqwest::{
    ClientBuilder, Proxy, RequestBuilder, Response, StatusCode,
    header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
    redirect::Policy,
};
use rustls::ClientConfig;
use serde::de::IgnoredAny;
use tokio::time::{Instant, sleep, timeout_at};
use url::{Origin, Url, quirks};

use super::{
    answer::{Answer, without_byte_order_mark},
    buffer::Buffer,
    cause,
    connection_error::ConnectionError,
    content,
    error::{Error, ErrorKind, Redirected},
    limiter::{LIMITED, Limiter, Permit, RateLimit, headers::LimitHeaders},
    proxy::{self, Proxies, Route},
    redirect::Redirect,
    request::{Request, Resend},
    resolver::Resolver,
    retry::RetryState,
    sent_secrets,
    timeout::{ContentWait, with_read_timeout},
    tls::{self, Versions},
};
use crate::{
    blocking::blocking,
    config::Retry,
    credentials::{self, Authority, Authorization, Entra, Renewal, RequestAuth, TokenError},
    error::{self, chain},
    fault,
    limits::Limit,
    shortage::{self, Part, Shortage},
    url::organization_of,
};

const USER_AGENT: &str = concat!("backstage-azure-devops-native/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How often an HTTP/2 connection in use is pinged, and how long it may take to answer: otherwise a dead
/// connection would be used again and again.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of one body HTTP/2 may send before it is read, and of all bodies on one connection together: so
/// many unread bodies do not keep others waiting.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * STREAM_WINDOW;

/// How often a request is sent again because no more files could be opened: each time half of those
/// that are kept open has gone.
const MOST_SHORTAGES: usize = 16;

/// As much JSON is parsed where the network is waited for; more would keep all other reads waiting.
const MOST_PARSED_AT_ONCE: usize = 64 * 1024;

/// As many redirects as `fetch` follows.
const MAX_REDIRECTS: usize = 20;

/// Makes Azure DevOps answer `401` where it would answer with a sign-in page.
const FED_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");

/// Why a truncated content is asked for again.
const TRUNCATED: &str = "cut off";

/// Sends; where no connection can be made because the process has too many files open, closes some that are
/// kept open for later and sends again.
async fn within_files<F>(mut send: impl FnMut() -> F) -> Result<Response, reqwest::Error>
where
    F: Future<Output = Result<Response, reqwest::Error>>,
{
    let mut left = MOST_SHORTAGES;
    loop {
        let answer = send().await;
        left -= 1;
        match &answer {
            Err(error)
                if left > 0 && is_short_of_files(error) && Shortage::Files.let_go(Part::Half) => {}
            _ => return answer,
        }
    }
}

/// Whether the proxy itself answered that it wants authentication. Only a proxy sends this status, and never
/// inside a tunnel.
fn is_of_proxy(answer: &Response, url: &Url, route: &Route) -> bool {
    answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && url.scheme() == "http"
        && matches!(route, Route::Through(_))
}

/// Whether a connection failed because no more files can be opened. Name resolution does not report that, so
/// opening one is tried.
fn is_short_of_files(error: &reqwest::Error) -> bool {
    Shortage::of(error) == Some(Shortage::Files)
        || (error.is_connect() && shortage::is_short_of_files())
}

/// The client that every reader of the process shares, with its connections.
///
/// It goes through the proxies that Node's own `fetch` takes from the environment; speaks HTTP/2 where the
/// server does, until one says that it wants HTTP/1.1; and asks for gzip, which the caller decodes.
#[derive(Clone, Debug)]
pub struct Client {
    proxied: reqwest::Client,
    direct: reqwest::Client,
    /// Through proxies as well, with HTTP/1.1 alone.
    http_1: reqwest::Client,
    /// The origins that want HTTP/1.1.
    want_http_1: Arc<Mutex<HashSet<Origin>>>,
    /// How TLS is spoken to a proxy.
    proxy_tls: Arc<ClientConfig>,
}

impl Client {
    /// The process's client, made when it is first asked for.
    ///
    /// # Errors
    /// TLS could not be set up.
    pub fn shared() -> Result<&'static Self, error::Error> {
        static SHARED: OnceLock<Result<Client, String>> = OnceLock::new();
        SHARED.get_or_init(Self::new).as_ref().map_err(|why| {
            error::Error::other(format!("the HTTP client could not be set up: {why}"))
        })
    }

    fn new() -> Result<Self, String> {
        sent_secrets::remember_proxy_users();
        let accepted = HeaderValue::from_static(content::ACCEPTED);
        let accepted = HeaderMap::from_iter([(ACCEPT_ENCODING, accepted)]);
        let build = |versions, proxy: Option<Proxy>| {
            let tls = tls::config(versions).map_err(|error| error.to_string())?;
            let builder = reqwest::Client::builder()
                .user_agent(USER_AGENT)
                .default_headers(accepted.clone())
                .connect_timeout(CONNECT_TIMEOUT)
                .dns_resolver(Resolver)
                .http2_keep_alive_interval(PING_EVERY)
                .http2_keep_alive_timeout(PING_TIMEOUT)
                .http2_initial_stream_window_size(STREAM_WINDOW)
                .http2_initial_connection_window_size(CONNECTION_WINDOW)
                .redirect(Policy::none())
                // Retries are the business of the `retry` module.
                .retry(reqwest::retry::never())
                .tls_backend_preconfigured(tls)
                // Neither those that the client finds in the environment nor those of the system.
                .no_proxy();
            let builder = proxy.into_iter().fold(builder, ClientBuilder::proxy);
            builder.build().map_err(|error| chain(&error))
        };
        let proxy = || Proxy::custom(|url| Proxies::of_process().through(url));
        let mut proxy_tls = tls::config(Versions::Http1).map_err(|error| error.to_string())?;
        proxy_tls.alpn_protocols.clear();
        Ok(Self {
            proxied: build(Versions::Both, Some(proxy()))?,
            direct: build(Versions::Both, None)?,
            http_1: build(Versions::Http1, Some(proxy()))?,
            want_http_1: Arc::default(),
            proxy_tls: Arc::new(proxy_tls),
        })
    }

    /// Entra ID and the other givers of tokens, reached through this client.
    #[must_use]
    pub fn entra(&self) -> Entra {
        Entra::through(Arc::new(self.clone()))
    }

    /// Sends a request, which is built again for each attempt, by the route of its URL. Where no
    /// more files can be opened it is sent again, and where the server wants HTTP/1.1, once more with that.
    pub(super) async fn send_once(
        &self,
        url: &Url,
        route: Route,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, Box<ConnectionError>> {
        let client = self.client(url, &route)?;
        match within_files(|| request(client).send()).await {
            Ok(answer) if is_of_proxy(&answer, url, &route) => {
                Err(Box::new(ConnectionError::unauthorized(url, route)))
            }
            Ok(answer) => Ok(answer),
            // On the heap: it is rare, and each read would have room for it.
            Err(error) => Box::pin(self.recover(error, url, route, request)).await,
        }
    }

    async fn recover(
        &self,
        mut error: reqwest::Error,
        url: &Url,
        route: Route,
        request: impl Fn(&reqwest::Client) -> RequestBuilder,
    ) -> Result<Response, Box<ConnectionError>> {
        // The client for HTTP/1.1 goes by the environment alone.
        let is_usual = route == Proxies::of_process().route(url);
        if is_usual && cause::wants_http_1(&error) && self.now_wants_http_1(url) {
            match within_files(|| request(&self.http_1).send()).await {
                Ok(answer) => return Ok(answer),
                Err(other) => error = other,
            }
        }
        Err(Box::new(self.explain(&error, url, route).await))
    }

    /// Which client goes this way.
    ///
    /// # Errors
    /// There is no route, since the proxy is misconfigured.
    fn client(&self, url: &Url, route: &Route) -> Result<&reqwest::Client, Box<ConnectionError>> {
        if let Route::Invalid(invalid) = route {
            return Err(ConnectionError::invalid_proxy(invalid, url).into());
        }
        let wanting = self.want_http_1.lock();
        Ok(match route {
            Route::Through(_) if wanting.is_empty() => &self.proxied,
            Route::Direct { .. } if wanting.is_empty() => &self.direct,
            _ if wanting.contains(&url.origin()) => &self.http_1,
            Route::Through(_) => &self.proxied,
            _ => &self.direct,
        })
    }

    /// Notes that a server wants HTTP/1.1. Returns whether that is new.
    fn now_wants_http_1(&self, url: &Url) -> bool {
        let mut wanting = self.want_http_1.lock();
        wanting.insert(url.origin())
    }

    /// Why there is no answer. Of a proxy that made no tunnel the client does not tell what it said, so
    /// that it is asked again.
    async fn explain(&self, error: &reqwest::Error, url: &Url, route: Route) -> ConnectionError {
        let tunnel = match &route {
            Route::Through(_) if cause::is_unauthorized_tunnel(error) => {
                Some(StatusCode::PROXY_AUTHENTICATION_REQUIRED)
            }
            Route::Through(proxy) if cause::is_refused_tunnel(error) => {
                let tls = Arc::clone(&self.proxy_tls);
                proxy::answer_to_connect(proxy, url, tls).await
            }
            _ => None,
        };
        ConnectionError::behind(error, url, route, tunnel)
    }

    /// Sends a request, and gives the answer once its head has come.
    ///
    /// It is sent when the limiter of its principal permits, and again where it is not answered, as often
    /// as the policy says. Redirects within the host are followed. Where an access token is refused that
    /// can be renewed, it is sent once more with another. Dropping the future closes the connection.
    ///
    /// # Errors
    /// There is no answer, it leads to another host, there is no token any more, or there is no time
    /// left. Any status is an answer.
    pub async fn send(
        &self,
        request: Box<Request>,
        authorization: &Authorization,
        retry: &Retry,
    ) -> Result<Answer, Error> {
        let retry = RetryState::of(retry);
        let mut resend = Resend { request, retry };
        let answer = self.try_to_send(&mut resend, authorization, Until::Head);
        Ok(answer.await?.resent_with(resend))
    }

    /// Sends a request, and gives the answer once all of it has come; what breaks off is sent again.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn send_buffered(
        &self,
        request: Box<Request>,
        authorization: &Authorization,
        retry: &Retry,
    ) -> Result<Answer, Error> {
        let retry = RetryState::of(retry);
        let mut resend = Resend { request, retry };
        let answer = self.try_to_send(&mut resend, authorization, Until::End);
        answer.await
    }

    /// Sends a request again whose answer broke off; `None` where it was sent often enough.
    ///
    /// # Errors
    /// As [`Self::send`].
    pub async fn resend(
        &self,
        resend: &mut Resend,
        authorization: &Authorization,
    ) -> Option<Result<Answer, Error>> {
        let wait = resend.retry.wait()?;
        let (limiter, organization) = limiter_and_organization(&resend.request.url, authorization);
        let operation = resend.request.operation(&organization);
        limiter.retries(&operation, TRUNCATED, wait);
        sleep(wait).await;
        resend.unconditional();
        Some(self.try_to_send(resend, authorization, Until::Head).await)
    }

    /// Waits until the principal is rate limited. Never returns where the organization has not let it in.
    pub async fn rate_limited(&self, url: &Url, authorization: &Authorization) {
        let (limiter, organization) = limiter_and_organization(url, authorization);
        limiter.throttled(&organization).await;
    }

    /// Whether the principal is rate limited now.
    #[must_use]
    pub fn is_rate_limited(&self, url: &Url, authorization: &Authorization) -> bool {
        let (limiter, organization) = limiter_and_organization(url, authorization);
        limiter.is_throttled(&organization)
    }

    async fn try_to_send(
        &self,
        Resend { request, retry }: &mut Resend,
        authorization: &Authorization,
        until: Until,
    ) -> Result<Answer, Error> {
        let (limiter, organization) = limiter_and_organization(&request.url, authorization);
        loop {
            let acquired = Arc::clone(&limiter).acquire(retry.retry.per_minute, retry.deadline());
            let permit = acquired.await;
            let permit = permit.map_err(|throttled| {
                Error::from(ErrorKind::Throttled(throttled)).after(retry.attempts())
            })?;
            fault::point("request");
            retry.begin();
            let attempt = Attempt {
                client: self,
                request,
                authorization,
                organization: &organization,
                permit: &permit,
            };
            let sent = timeout_at(retry.deadline(), attempt.send(until)).await;
            let answer = sent.unwrap_or_else(|_| Err(ErrorKind::Stalled.into()));
            // An answer that is read to its end holds its permit until all of it is there.
            drop(permit);
            let is_worth_it = match &answer {
                // Whatever the status, it was asked too often.
                _ if is_rate_limited(&answer) => retry.repeats(StatusCode::TOO_MANY_REQUESTS),
                Ok(answer) => retry.repeats(answer.status()),
                Err(error) => error.is_transient(),
            };
            let Some(wait) = is_worth_it.then(|| retry.wait()).flatten() else {
                let attempts = retry.attempts();
                return match answer {
                    Ok(answer) => Ok(answer.after(attempts)),
                    Err(error) => Err(error.after(attempts)),
                };
            };
            limiter.retries(&request.operation(&organization), reason(&answer), wait);
            // Its connection is free for others meanwhile.
            drop(answer);
            sleep(wait).await;
        }
    }
}

/// How much of an answer an attempt waits for.
#[derive(Clone, Copy, Debug)]
enum Until {
    /// Its head: the content is read by the caller.
    Head,
    /// Its end: the content is read into memory.
    End,
}

/// One attempt at a request, with the limiter's permit.
struct Attempt<'a> {
    client: &'a Client,
    request: &'a Request,
    authorization: &'a Authorization,
    organization: &'a str,
    permit: &'a Permit,
}

impl Attempt<'_> {
    async fn send(&self, until: Until) -> Result<Answer, Error> {
        let answer = self.head().await?;
        match until {
            Until::Head => Ok(answer),
            // On the heap: an answer of which only the head is read needs no room for it.
            Until::End => Box::pin(buffered(answer)).await,
        }
    }

    async fn head(&self) -> Result<Answer, Error> {
        let auth = self.authorization.request_auth().await;
        let auth = auth.map_err(ErrorKind::Token)?;
        let answer = self.observe(self.follow(&auth, Hops::First).await);
        if is_rate_limited(&answer) {
            return answer;
        }
        if !asks_to_sign_in(&answer) {
            self.note(&answer);
            return answer;
        }
        let other = match self.authorization.renew(&auth, self.organization).await {
            Ok(Some(other)) => other,
            Ok(None) => {
                self.note(&answer);
                return answer;
            }
            Err(error) => {
                self.note(&answer);
                return not_renewed(answer, error);
            }
        };
        let answer = self.observe(self.follow(&other, Hops::More).await);
        let is_rate_limited = is_rate_limited(&answer);
        let outcome = if is_rate_limited || !asks_to_sign_in(&answer) {
            Renewal::Helped
        } else {
            Renewal::Refused
        };
        self.authorization.renewed(self.organization, outcome);
        if !is_rate_limited {
            self.note(&answer);
        }
        answer
    }

    /// Sends the request, and again where the host redirects within itself.
    async fn follow(&self, auth: &RequestAuth, hops: Hops) -> Result<Answer, Error> {
        let mut url = self.request.url.clone();
        for hop in 0..=MAX_REDIRECTS {
            if hop > 0 || hops == Hops::More {
                self.permit.again().await.map_err(ErrorKind::Throttled)?;
            }
            let answer = self.send_to(&url, auth).await?;
            match Redirect::of(&url, answer.status(), answer.headers()) {
                Redirect::None => return Ok(answer),
                Redirect::Within(next) => {
                    self.permit
                        .observe(self.organization, answer.headers(), None);
                    url = (*next).into();
                }
                Redirect::Away(to) => {
                    let redirected = Redirected {
                        to,
                        status: answer.status(),
                        headers: answer.headers().clone(),
                    };
                    return Err(ErrorKind::Redirect(Box::new(redirected)).into());
                }
            }
        }
        Err(ErrorKind::TooManyRedirects.into())
    }

    async fn send_to(&self, url: &Url, auth: &RequestAuth) -> Result<Answer, Error> {
        let began = Instant::now();
        let route = Proxies::of_process().route(url);
        let sent = self
            .client
            .send_once(url, route, |client| self.builder(client, url, auth));
        // On the heap: it would be moved with every future around it.
        let response = with_read_timeout(Box::pin(sent)).await;
        let operation = self.request.operation(self.organization);
        let status = response.as_ref().ok().map(Response::status);
        self.permit.measure(&operation, status, began.elapsed());
        let response = content::decoded(response?)?;
        let request = self.request.url.clone();
        Ok(Answer::new(
            request,
            response,
            self.permit.received(&operation),
        ))
    }

    fn builder(&self, client: &reqwest::Client, url: &Url, auth: &RequestAuth) -> RequestBuilder {
        let request = self.request;
        let mut builder = client
            .request(request.method.clone(), url.clone())
            .header(FED_AUTH_REDIRECT, HeaderValue::from_static("Suppress"))
            .headers(auth.headers.clone())
            .headers(request.headers.clone());
        if let Some(body) = &request.body {
            builder = builder
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone());
        }
        builder
    }

    /// Tells the limiter what an answer says of limits, and notes whether its principal is rate limited.
    fn observe(&self, mut answer: Result<Answer, Error>) -> Result<Answer, Error> {
        let (status, headers) = match &answer {
            Ok(answer) => (answer.status(), answer.headers()),
            Err(Error {
                kind: ErrorKind::Redirect(redirected),
                ..
            }) => (redirected.status, &redirected.headers),
            Err(_) => return answer,
        };
        let refusal = if status == StatusCode::TOO_MANY_REQUESTS {
            Some(RateLimit::Stated)
        } else if !asks_to_sign_in(&answer) {
            None
        } else if LimitHeaders::read(headers, SystemTime::now())
            .retry_after
            .is_some()
        {
            Some(RateLimit::Stated)
        } else {
            let is_inferred = self.permit.means_rate_limit(self.organization);
            is_inferred.then_some(RateLimit::Inferred)
        };
        self.permit.observe(self.organization, headers, refusal);
        match &mut answer {
            Ok(answer) => answer.is_rate_limited = refusal.is_some(),
            Err(error) => error.is_rate_limited = refusal.is_some(),
        }
        answer
    }

    /// Notes whether an organization let its principal in.
    fn note(&self, answer: &Result<Answer, Error>) {
        let by = Authority::Organization {
            host: quirks::host(&self.request.url),
            organization: self.organization,
        };
        if answer.as_ref().is_ok_and(Answer::is_content) {
            self.authorization.accepted(self.organization);
            self.permit.accepted(self.organization);
            credentials::accepted(self.authorization, by);
        } else if asks_to_sign_in(answer) {
            self.permit.refused(self.organization);
            let advice = self.authorization.identity().advice();
            credentials::refused(self.authorization, by, advice);
        }
    }
}

/// Which requests of an attempt these are: the permit is for the first one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hops {
    First,
    More,
}

fn limiter_and_organization(url: &Url, authorization: &Authorization) -> (Arc<Limiter>, String) {
    let limiter = Limiter::of(authorization, quirks::host(url));
    let organization = organization_of(url).unwrap_or_default();
    // As Azure DevOps compares them.
    (limiter, organization.to_lowercase())
}

/// Why an answer is not the last word, for measurements and the log.
fn reason(answer: &Result<Answer, Error>) -> Cow<'static, str> {
    match answer {
        _ if is_rate_limited(answer) => LIMITED.into(),
        Ok(answer) => answer.status().as_str().to_owned().into(),
        Err(error) => match error.kind {
            ErrorKind::Stalled => "silent".into(),
            ErrorKind::Truncated => TRUNCATED.into(),
            ErrorKind::Damaged(_) => "content damaged".into(),
            _ => "connection failed".into(),
        },
    }
}

/// The same answer, its content read into memory.
async fn buffered(mut answer: Answer) -> Result<Answer, Error> {
    if answer.status() != StatusCode::OK {
        return Ok(answer);
    }
    let length = answer.content_length();
    let mut content = Buffer::within(Limit::JsonBytes);
    content.expect(length.unwrap_or(0))?;
    let mut wait = ContentWait::default();
    while let Some(chunk) = next_within(&mut answer, &mut wait, content.came()).await? {
        content.add(&chunk)?;
    }
    if length.is_some_and(|length| content.came() < length) {
        return Err(ErrorKind::Truncated.into());
    }
    let content = content.into_content();
    let content = if answer.is_json() {
        whole_json(content).await?
    } else {
        content
    };
    Ok(answer.with_content(content))
}

/// The same content, unless it ends too early.
async fn whole_json(content: Vec<u8>) -> Result<Vec<u8>, Error> {
    let is_large = content.len() > MOST_PARSED_AT_ONCE;
    let check = move || {
        let is_whole = !breaks_off(&content);
        is_whole
            .then_some(content)
            .ok_or_else(|| Error::from(ErrorKind::Truncated))
    };
    if is_large {
        blocking(check).await
    } else {
        check()
    }
}

async fn next_within(
    answer: &mut Answer,
    wait: &mut ContentWait,
    came: u64,
) -> Result<Option<Bytes>, Error> {
    let next = wait.wait(with_read_timeout(answer.next_chunk())).await;
    next.unwrap_or_else(|| Err(ErrorKind::Exceeded(Limit::ContentWait, came).into()))
}

/// Whether JSON ends too early: the only sign of truncation where no length was announced.
fn breaks_off(json: &[u8]) -> bool {
    let json = without_byte_order_mark(json);
    serde_json::from_slice::<IgnoredAny>(json).is_err_and(|error| error.is_eof())
}

fn not_renewed(answer: Result<Answer, Error>, why: Arc<TokenError>) -> Result<Answer, Error> {
    match answer {
        Ok(mut answer) => {
            answer.not_renewed = Some(why);
            Ok(answer)
        }
        Err(mut error) => {
            error.not_renewed = Some(why);
            Err(error)
        }
    }
}

/// The three ways in which Azure DevOps rejects a token: `401`, `203`, or a redirect to a page to sign in
/// at.
fn asks_to_sign_in(answer: &Result<Answer, Error>) -> bool {
    match answer {
        Ok(answer) => answer.asks_to_sign_in(),
        Err(error) => error.is_sign_in_redirect(),
    }
}

const fn is_rate_limited(answer: &Result<Answer, Error>) -> bool {
    match answer {
        Ok(answer) => answer.is_rate_limited,
        Err(error) => error.is_rate_limited,
    }
}
