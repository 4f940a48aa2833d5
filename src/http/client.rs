//! The client itself, and one request through it.

use std::{
    borrow::Cow,
    collections::HashSet,
    mem,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use reqwest::{
    ClientBuilder, Method, Proxy, RequestBuilder, Response, StatusCode,
    header::{
        ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, IF_MODIFIED_SINCE,
        IF_NONE_MATCH,
    },
    redirect::Policy,
};
use rustls::ClientConfig;
use serde::de::IgnoredAny;
use tokio::time::{Instant, sleep, timeout_at};
use url::{Origin, Url, quirks};

use super::{
    attempts::{Attempts, Tried, may_pass},
    cause,
    connection_error::ConnectionError,
    content::{self, Fault},
    gate::{Closed, Gate, Pass},
    gathered::Gathered,
    pace::Refusal,
    proxy::{self, Proxies, Route},
    redirect::{Away, Redirect},
    report::{Asking, LIMITED},
    resolver::Resolver,
    sent,
    signals::Signals,
    tls::{self, Versions},
    wait::{ContentWait, patiently},
};
use crate::{
    credentials::{self, Authorization, Entra, Proof, TokenError, Where, organization_of},
    error::{Error, chain},
    fault,
    limits::Limit,
    metrics::Counter,
    room::{self, Part, Shortage},
};

const USER_AGENT: &str = concat!("backstage-azure-devops-native/", env!("CARGO_PKG_VERSION"));

/// How long a connection may take to be made.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// How often an HTTP/2 connection on which somebody waits is asked whether it is still there, and how
/// long it may take to say so: else a connection that fell silent would be used again and again.
const PING_EVERY: Duration = Duration::from_secs(5);
const PING_TIMEOUT: Duration = Duration::from_secs(10);

/// How much of one body HTTP/2 may send before anybody asks for it, and of all on one connection
/// together: so many bodies can be held unread without keeping others waiting.
const STREAM_WINDOW: u32 = 1024 * 1024;
const CONNECTION_WINDOW: u32 = 1024 * STREAM_WINDOW;

/// How often a request is sent again because no more files could be opened: each time half of those
/// that are kept open has gone.
const MOST_SHORTAGES: usize = 16;

/// As many redirects as `fetch` follows.
const MAX_REDIRECTS: usize = 20;

/// Makes Azure DevOps answer `401` where it would answer with a sign-in page.
const FED_AUTH_REDIRECT: HeaderName = HeaderName::from_static("x-tfs-fedauthredirect");

/// Why a content is asked for again of which the end is missing.
const CUT_OFF: &str = "cut off";

/// What is asked; it only reads, so that it may be asked again.
#[derive(Clone, Debug)]
pub struct Question {
    /// What it is, in one word, for measurements and the log.
    pub operation: &'static str,
    /// The REST URL.
    pub url: Url,
    /// Headers beside those that authorize it.
    pub headers: HeaderMap,
    /// What a URL cannot say: JSON, which is posted.
    pub body: Option<Bytes>,
}

impl Question {
    fn asking<'a>(&self, organization: &'a str) -> Asking<'a> {
        Asking {
            operation: self.operation,
            organization,
        }
    }
}

/// What an answer is the answer to, so that it can be asked again where the answer breaks off; stands
/// in the answer's extensions.
#[derive(Clone, Debug)]
pub struct Asked {
    question: Question,
    attempts: Attempts,
}

impl Asked {
    /// How often it was asked.
    #[must_use]
    pub fn tried(&self) -> Tried {
        self.attempts.tried()
    }
}

/// Why a request has no answer.
#[derive(Debug)]
pub enum Failure {
    /// There was no connection, or no answer on it.
    Transport(Box<ConnectionError>),
    /// The connection broke while the content came, in the words of the client.
    Broken(String),
    /// The server fell silent.
    Silent,
    /// The content ended before its end.
    CutOff,
    /// The content does not decode, in the words of whoever decodes.
    Damaged(String),
    /// The content is coded in a way that is not decoded; which one, in words.
    Coded(String),
    /// The content has more than there may be, or takes longer; and how much of it had come.
    Exceeded(Limit, u64),
    /// There is no memory for more of the content than this.
    NoMemory(u64),
    /// The server sent the reader to another place, which was not followed; and with which headers.
    RedirectedAway(Away, StatusCode, Box<HeaderMap>),
    /// The server sent the reader round and round.
    TooManyRedirects,
    /// The token has expired meanwhile, and there is no other.
    Token(Arc<TokenError>),
    /// A token was refused, in the way named here, and there is no other.
    NotRenewed(Box<Failure>, Arc<TokenError>),
    /// Nothing was asked, because the host limits whoever reads.
    Closed(Closed),
    /// The reader was refused because it had asked for more than it may.
    Blocked(Box<Failure>),
    /// The last of several attempts failed.
    Last(Box<Failure>, Tried),
}

impl Failure {
    /// Whether it would be the same if it were asked again.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Coded(_) | Self::Exceeded(..) | Self::NoMemory(_) => true,
            Self::Last(failure, _) => failure.is_final(),
            _ => false,
        }
    }
}

impl From<reqwest::Error> for Failure {
    fn from(error: reqwest::Error) -> Self {
        match Fault::behind(&error) {
            Some(fault) => fault.clone().into(),
            None => Self::Broken(chain(&error.without_url())),
        }
    }
}

impl From<Box<ConnectionError>> for Failure {
    fn from(error: Box<ConnectionError>) -> Self {
        Self::Transport(error)
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        match fault {
            Fault::CutOff => Self::CutOff,
            Fault::Damaged(_) => Self::Damaged(fault.to_string()),
            Fault::Coded(..) => Self::Coded(fault.to_string()),
        }
    }
}

/// Where the content of an answer is counted; stands in the answer's extensions.
#[derive(Clone, Debug)]
pub(super) struct Received(pub(super) Counter);

/// Sends; and where no connection can be made because the process has too many files open, again after
/// some of what is kept open for later was let go of.
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

/// Whether it is the proxy that answered, and wants to know who asks. To others than itself nobody says
/// so, and in a tunnel it says nothing.
fn is_of_proxy(answer: &Response, url: &Url, route: &Route) -> bool {
    answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED
        && url.scheme() == "http"
        && matches!(route, Route::Through(_))
}

/// Whether a connection failed because no more files can be opened. Whoever asks for the address of a
/// host is not told that, so it is tried.
fn is_short_of_files(error: &reqwest::Error) -> bool {
    Shortage::of(error) == Some(Shortage::Files)
        || (error.is_connect() && room::is_short_of_files())
}

/// Why a refused token was not replaced; stands in the answer's extensions.
#[derive(Clone, Debug)]
pub struct NotRenewed(pub Arc<TokenError>);

/// The reader was refused because it had asked for more than it may; stands in the answer's
/// extensions.
#[derive(Clone, Copy, Debug)]
pub struct Blocked;

/// The client that every reader of the process shares, with its connections.
///
/// It goes through the proxies that Node's own `fetch` takes from the environment; speaks HTTP/2 where
/// the server does, until one says that it wants HTTP/1.1; and asks for gzip, which whoever sends a
/// request has decoded.
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
    pub fn shared() -> Result<&'static Self, Error> {
        static SHARED: OnceLock<Result<Client, String>> = OnceLock::new();
        SHARED
            .get_or_init(Self::new)
            .as_ref()
            .map_err(|why| Error::other(format!("the HTTP client could not be set up: {why}")))
    }

    fn new() -> Result<Self, String> {
        sent::remember_proxy_users();
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
                // What is asked again, how often and when is for `attempts` to say.
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

    /// Sends a request that is made anew for each attempt, by the way that its URL has. Where no more
    /// files can be opened it is sent again, and where the server wants HTTP/1.1, once more with that.
    pub(super) async fn send(
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
    /// There is no way, since what is said of the proxy names none.
    fn client(&self, url: &Url, route: &Route) -> Result<&reqwest::Client, Box<ConnectionError>> {
        if let Route::Invalid(invalid) = route {
            return Err(ConnectionError::invalid_proxy(invalid, url).into());
        }
        let wanting = self.want_http_1.lock();
        let wanting = wanting.unwrap_or_else(PoisonError::into_inner);
        Ok(match route {
            Route::Through(_) if wanting.is_empty() => &self.proxied,
            Route::Direct { .. } if wanting.is_empty() => &self.direct,
            _ if wanting.contains(&url.origin()) => &self.http_1,
            Route::Through(_) => &self.proxied,
            _ => &self.direct,
        })
    }

    /// Notes that a server wants HTTP/1.1; tells whether that is new.
    fn now_wants_http_1(&self, url: &Url) -> bool {
        let wanting = self.want_http_1.lock();
        let mut wanting = wanting.unwrap_or_else(PoisonError::into_inner);
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

    /// Asks, and gives the answer once its head is there.
    ///
    /// It is asked when its reader's gate lets it through, and again where it is not answered, as
    /// often as configured. Redirects within the host are followed. Where a token is refused that can
    /// be renewed, it is asked once more with another. Dropping the future closes the connection.
    ///
    /// # Errors
    /// There is no answer, it leads to another host, there is no token any more, or there is no time
    /// left to ask. Any status is an answer.
    pub async fn ask(
        &self,
        question: Question,
        authorization: &Authorization,
    ) -> Result<Response, Failure> {
        let attempts = Attempts::of(authorization.retry());
        let mut asked = Asked { question, attempts };
        let mut answer = self.try_to_ask(&mut asked, authorization, false).await?;
        answer.extensions_mut().insert(asked);
        Ok(answer)
    }

    /// Asks, and gives the answer once all of it is there; what breaks off is asked again.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_whole(
        &self,
        question: Question,
        authorization: &Authorization,
    ) -> Result<Response, Failure> {
        let attempts = Attempts::of(authorization.retry());
        let mut asked = Asked { question, attempts };
        self.try_to_ask(&mut asked, authorization, true).await
    }

    /// Asks again for all of what broke off; nothing where it was asked often enough.
    ///
    /// # Errors
    /// As [`Self::ask`].
    pub async fn ask_again(
        &self,
        asked: &mut Asked,
        authorization: &Authorization,
    ) -> Option<Result<Response, Failure>> {
        let wait = asked.attempts.wait()?;
        let (gate, organization) = gate_and_organization(&asked.question.url, authorization);
        let asking = asked.question.asking(&organization);
        gate.asks_again(&asking, CUT_OFF, wait);
        sleep(wait).await;
        let headers = &mut asked.question.headers;
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
        Some(self.try_to_ask(asked, authorization, false).await)
    }

    /// Waits until whoever reads is blocked; for ever, where the organization has not let them in.
    pub async fn blocked(&self, url: &Url, authorization: &Authorization) {
        let (gate, organization) = gate_and_organization(url, authorization);
        gate.closed(&organization).await;
    }

    /// Whether whoever reads is blocked.
    #[must_use]
    pub fn is_blocked(&self, url: &Url, authorization: &Authorization) -> bool {
        let (gate, organization) = gate_and_organization(url, authorization);
        gate.is_closed(&organization)
    }

    async fn try_to_ask(
        &self,
        Asked { question, attempts }: &mut Asked,
        authorization: &Authorization,
        is_whole: bool,
    ) -> Result<Response, Failure> {
        let (gate, organization) = gate_and_organization(&question.url, authorization);
        loop {
            let entered = Arc::clone(&gate).enter(attempts.retry.per_minute, attempts.deadline());
            let pass = entered.await;
            let pass = pass.map_err(|closed| last(Failure::Closed(closed), attempts))?;
            fault::point("request");
            attempts.begin();
            let attempt = Attempt {
                client: self,
                question,
                authorization,
                organization: &organization,
                pass: &pass,
            };
            let asked = timeout_at(attempts.deadline(), attempt.ask(is_whole));
            let (answer, is_blocked) = asked.await.unwrap_or((Err(Failure::Silent), false));
            // Whoever is read whole is on the way until all of it is there.
            drop(pass);
            let is_worth_it = match &answer {
                // Whatever it was answered with, it was asked too often.
                _ if is_blocked => attempts.repeats(StatusCode::TOO_MANY_REQUESTS),
                Ok(response) => attempts.repeats(response.status()),
                Err(failure) => may_pass(failure),
            };
            let Some(wait) = is_worth_it.then(|| attempts.wait()).flatten() else {
                let blocked = |failure| match failure {
                    failure if is_blocked => Failure::Blocked(Box::new(failure)),
                    failure => failure,
                };
                let answer = answer.map_err(blocked);
                let mut answer = answer.map_err(|failure| last(failure, attempts))?;
                answer.extensions_mut().insert(attempts.tried());
                if is_blocked {
                    answer.extensions_mut().insert(Blocked);
                }
                return Ok(answer);
            };
            let asking = question.asking(&organization);
            gate.asks_again(&asking, reason(&answer, is_blocked), wait);
            // Its connection is free for others meanwhile.
            drop(answer);
            sleep(wait).await;
        }
    }
}

/// One attempt at a question, by one that was let through.
struct Attempt<'a> {
    client: &'a Client,
    question: &'a Question,
    authorization: &'a Authorization,
    organization: &'a str,
    pass: &'a Pass,
}

impl Attempt<'_> {
    /// The answer, and whether its reader is blocked.
    async fn ask(&self, is_whole: bool) -> (Result<Response, Failure>, bool) {
        let (answer, is_blocked) = self.head().await;
        let answer = match answer {
            // On the heap: what is not read whole needs no room for it.
            Ok(response) if is_whole => Box::pin(whole(response)).await,
            answer => answer,
        };
        (answer, is_blocked)
    }

    async fn head(&self) -> (Result<Response, Failure>, bool) {
        let Self {
            authorization,
            organization,
            ..
        } = self;
        let proof = match authorization.proof().await {
            Ok(proof) => proof,
            Err(error) => return (Err(Failure::Token(error)), false),
        };
        let answer = self.follow(&proof, true).await;
        let is_blocked = self.heard(&answer);
        if is_blocked {
            return (answer, true);
        }
        if !asks_to_sign_in(&answer) {
            self.note(&answer);
            return (answer, false);
        }
        let other = match authorization.renew(&proof, organization).await {
            Ok(Some(other)) => other,
            Ok(None) => {
                self.note(&answer);
                return (answer, false);
            }
            Err(error) => {
                self.note(&answer);
                return (not_renewed(answer, error), false);
            }
        };
        let answer = self.follow(&other, false).await;
        let is_blocked = self.heard(&answer);
        authorization.renewed(organization, is_blocked || !asks_to_sign_in(&answer));
        if !is_blocked {
            self.note(&answer);
        }
        (answer, is_blocked)
    }

    /// Asks, and again where the host sends it to within itself.
    async fn follow(&self, proof: &Proof, is_first: bool) -> Result<Response, Failure> {
        let mut url = self.question.url.clone();
        for hop in 0..=MAX_REDIRECTS {
            if hop > 0 || !is_first {
                self.pass.again().await.map_err(Failure::Closed)?;
            }
            let response = self.send(&url, proof).await?;
            match Redirect::of(&url, response.status(), response.headers()) {
                Redirect::None => return Ok(response),
                Redirect::Within(next) => {
                    self.pass.heard(self.organization, response.headers(), None);
                    url = *next;
                }
                Redirect::Away(away) => {
                    let headers = Box::new(response.headers().clone());
                    return Err(Failure::RedirectedAway(away, response.status(), headers));
                }
            }
        }
        Err(Failure::TooManyRedirects)
    }

    async fn send(&self, url: &Url, proof: &Proof) -> Result<Response, Failure> {
        let began = Instant::now();
        let route = Proxies::of_process().route(url);
        let sent = self
            .client
            .send(url, route, |client| self.request(client, url, proof));
        // On the heap: it would be moved with every future around it.
        let mut answer = patiently(Box::pin(sent)).await;
        let asking = self.question.asking(self.organization);
        self.pass.measure(&asking, &mut answer, began.elapsed());
        Ok(content::decoded(answer?)?)
    }

    fn request(&self, client: &reqwest::Client, url: &Url, proof: &Proof) -> RequestBuilder {
        let question = self.question;
        let method = question.body.as_ref().map_or(Method::GET, |_| Method::POST);
        let mut sent = client
            .request(method, url.clone())
            .header(FED_AUTH_REDIRECT, HeaderValue::from_static("Suppress"))
            .headers(proof.headers.clone())
            .headers(question.headers.clone());
        if let Some(body) = &question.body {
            sent = sent
                .header(CONTENT_TYPE, HeaderValue::from_static("application/json"))
                .body(body.clone());
        }
        sent
    }

    /// Tells the gate what an answer says of limits, and tells whether its reader is blocked.
    fn heard(&self, answer: &Result<Response, Failure>) -> bool {
        let (status, headers) = match answer {
            Ok(response) => (response.status(), response.headers()),
            Err(Failure::RedirectedAway(_, status, headers)) => (*status, &**headers),
            Err(_) => return false,
        };
        let refusal = if status == StatusCode::TOO_MANY_REQUESTS {
            Some(Refusal::Told)
        } else if !asks_to_sign_in(answer) {
            None
        } else if Signals::read(headers, SystemTime::now())
            .retry_after
            .is_some()
        {
            Some(Refusal::Told)
        } else {
            let is_blocked = self.pass.is_blocked(self.organization);
            is_blocked.then_some(Refusal::Guessed)
        };
        self.pass.heard(self.organization, headers, refusal);
        refusal.is_some()
    }

    /// Notes whether an organization let its reader in.
    fn note(&self, answer: &Result<Response, Failure>) {
        let by = Where::Organization {
            host: quirks::host(&self.question.url),
            organization: self.organization,
        };
        if is_content(answer) {
            self.authorization.accepted(self.organization);
            self.pass.accepted(self.organization);
            credentials::accepted(self.authorization, by);
        } else if asks_to_sign_in(answer) {
            self.pass.refused(self.organization);
            let advice = self.authorization.identity().advice();
            credentials::refused(self.authorization, by, advice);
        }
    }
}

fn gate_and_organization(url: &Url, authorization: &Authorization) -> (Arc<Gate>, String) {
    let gate = Gate::of(authorization, quirks::host(url));
    let organization = organization_of(url).unwrap_or_default();
    // As Azure DevOps compares them.
    (gate, organization.to_lowercase())
}

/// The next piece of an answer's content, counted; nothing at its end.
///
/// # Errors
/// The connection broke, the content is cut off, or does not decode.
pub async fn piece(response: &mut Response) -> Result<Option<Bytes>, Failure> {
    let piece = response.chunk().await?;
    if let (Some(piece), Some(received)) = (&piece, response.extensions().get::<Received>()) {
        received.0.add(piece.len() as u64);
    }
    Ok(piece)
}

/// Why an answer is not the last word, for measurements and the log.
fn reason(answer: &Result<Response, Failure>, is_blocked: bool) -> Cow<'static, str> {
    match answer {
        _ if is_blocked => LIMITED.into(),
        Ok(response) => response.status().as_str().to_owned().into(),
        Err(Failure::Silent) => "silent".into(),
        Err(Failure::CutOff) => CUT_OFF.into(),
        Err(Failure::Damaged(_)) => "content damaged".into(),
        Err(_) => "connection failed".into(),
    }
}

/// The same answer, its content read.
async fn whole(mut response: Response) -> Result<Response, Failure> {
    if response.status() != StatusCode::OK {
        return Ok(response);
    }
    let length = response.content_length();
    let mut content = Gathered::within(Limit::JsonBytes);
    content.expect(length.unwrap_or(0))?;
    let mut wait = ContentWait::default();
    while let Some(piece) = next(&mut response, &mut wait, content.came()).await? {
        content.add(&piece)?;
    }
    if length.is_some_and(|length| content.came() < length) {
        return Err(Failure::CutOff);
    }
    if is_json(&response) && breaks_off(content.content()) {
        return Err(Failure::CutOff);
    }
    let mut whole = http::Response::new(content.into_content());
    *whole.status_mut() = response.status();
    *whole.headers_mut() = mem::take(response.headers_mut());
    *whole.extensions_mut() = mem::take(response.extensions_mut());
    Ok(whole.into())
}

async fn next(
    response: &mut Response,
    wait: &mut ContentWait,
    came: u64,
) -> Result<Option<Bytes>, Failure> {
    let next = wait.wait(patiently(piece(response))).await;
    next.unwrap_or(Err(Failure::Exceeded(Limit::ContentWait, came)))
}

/// Whether an answer says that it is JSON.
#[must_use]
pub fn is_json(response: &Response) -> bool {
    has_type(response, b"application/json")
}

/// Whether an answer says that it is a page (HTML).
#[must_use]
pub fn is_page(response: &Response) -> bool {
    has_type(response, b"text/html")
}

fn has_type(response: &Response, wanted: &[u8]) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    let start = content_type.and_then(|value| value.as_bytes().get(..wanted.len()));
    start.is_some_and(|start| start.eq_ignore_ascii_case(wanted))
}

/// The text after a byte order mark, with which JSON must not begin and sometimes does.
#[must_use]
pub fn without_byte_order_mark(json: &[u8]) -> &[u8] {
    json.strip_prefix(b"\xef\xbb\xbf").unwrap_or(json)
}

/// Whether JSON ends too early, which is all that tells of it where no length was announced.
fn breaks_off(json: &[u8]) -> bool {
    let json = without_byte_order_mark(json);
    serde_json::from_slice::<IgnoredAny>(json).is_err_and(|error| error.is_eof())
}

/// The failure, and how often it was tried.
fn last(failure: Failure, attempts: &Attempts) -> Failure {
    Failure::Last(Box::new(failure), attempts.tried())
}

fn not_renewed(
    answer: Result<Response, Failure>,
    error: Arc<TokenError>,
) -> Result<Response, Failure> {
    match answer {
        Ok(mut answer) => {
            answer.extensions_mut().insert(NotRenewed(error));
            Ok(answer)
        }
        Err(failure) => Err(Failure::NotRenewed(Box::new(failure), error)),
    }
}

/// The three ways in which Azure DevOps says that it knows nobody by this token.
fn asks_to_sign_in(answer: &Result<Response, Failure>) -> bool {
    match answer {
        Ok(response) => matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::NON_AUTHORITATIVE_INFORMATION
        ),
        Err(Failure::RedirectedAway(away, ..)) => away.is_sign_in,
        Err(_) => false,
    }
}

fn is_content(answer: &Result<Response, Failure>) -> bool {
    answer.as_ref().is_ok_and(|response| {
        let status = response.status();
        let is_page = status == StatusCode::NON_AUTHORITATIVE_INFORMATION;
        (status.is_success() && !is_page) || status == StatusCode::NOT_MODIFIED
    })
}
