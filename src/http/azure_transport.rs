//! The client as the transport of `azure_identity`: the same proxies, authorities and timeouts.

use std::time::Duration;

use async_trait::async_trait;
use azure_core::{
    Bytes,
    error::{Error, ErrorKind},
    http::{AsyncRawResponse, Body, HttpClient, Method, RawResponse, Request, headers::Headers},
};
use reqwest::{Response, StatusCode, header::HeaderMap};
use url::{Url, quirks};

use super::{
    client::Client,
    connection_error::ConnectionError,
    content, local,
    proxy::{Proxies, Route},
};
use crate::{credentials::CannotBeAsked, error::chain};

/// How long one request for a token may take, from its start to the end of the answer.
const LIMIT: Duration = Duration::from_secs(30);

/// The most of an answer that is read; a token is a few thousand bytes.
const MAX_ANSWER: usize = 1024 * 1024;

#[async_trait]
impl HttpClient for Client {
    async fn execute_request(&self, request: &Request) -> azure_core::Result<AsyncRawResponse> {
        let url = request.url();
        let (method, headers) = (method(request.method())?, headers(request)?);
        let content_to_send = body(request)?;
        let again = |client: &reqwest::Client| {
            client
                .request(method.clone(), url.clone())
                .headers(headers.clone())
                .timeout(LIMIT)
                .body(content_to_send.clone())
        };
        let sent = self.send_once(url, route(url), again);
        let answered = sent.await.map_err(failed)?;
        let status = answered.status();
        let answered = decoded(answered, url)?;
        let headers = answer_headers(answered.headers());
        let content = content(answered).await?;
        check(url, status, &content)?;
        let status = azure_core::http::StatusCode::from(status.as_u16());
        // Entra ID, which is the one that is posted to, puts line breaks into most of its errors, and
        // `azure_identity` reads none that has one. Of a managed identity it has to see the status, by
        // which it asks again.
        if request.method() == Method::Post && !status.is_success() {
            return Err(refusal(RawResponse::from_bytes(status, headers, content)));
        }
        Ok(AsyncRawResponse::from_bytes(status, headers, content))
    }
}

/// An answer without a token, for `diagnosis` to read.
fn refusal(answer: RawResponse) -> Error {
    let status = answer.status();
    let kind = ErrorKind::HttpResponse {
        status,
        error_code: None,
        raw_response: Some(Box::new(answer)),
    };
    Error::with_message(kind, format!("answered {status}"))
}

/// Every token endpoint answers in JSON. Anything else comes from a proxy or another cloud's metadata
/// service, and is reported as such. This machine's own endpoint may reject a request without a body.
fn check(url: &Url, status: StatusCode, content: &[u8]) -> azure_core::Result<()> {
    let is_local = local::is_local(url);
    let is_json = content.trim_ascii_start().starts_with(b"{");
    if is_json || (is_local && status == StatusCode::BAD_REQUEST) {
        return Ok(());
    }
    let kind = if status.is_server_error() {
        ErrorKind::Io
    } else {
        ErrorKind::Other
    };
    let advice = if is_local {
        ""
    } else {
        ": check the network, HTTPS_PROXY and NO_PROXY"
    };
    let message = format!(
        "answered {status} with something that is not JSON, so something else has answered{advice}"
    );
    Err(Error::with_message(kind, message))
}

/// The answer, its content decoded. An encoding that was not asked for is an error.
fn decoded(answered: Response, url: &Url) -> azure_core::Result<Response> {
    content::decoded(answered).map_err(|fault| {
        let host = quirks::host(url);
        let message = format!("gave {host} an answer that cannot be used: {fault}");
        Error::with_message(ErrorKind::Other, message)
    })
}

async fn content(mut answered: Response) -> azure_core::Result<Bytes> {
    let mut content = Vec::new();
    while let Some(piece) = answered.chunk().await.map_err(broken)? {
        content.extend_from_slice(&piece);
        if content.len() > MAX_ANSWER {
            let message = "answered with far more than a token";
            return Err(Error::with_message(ErrorKind::Other, message));
        }
    }
    Ok(content.into())
}

/// This machine and its own link are asked without a proxy, which would reach another one: the instance
/// metadata service (169.254.169.254) and App Service's identity endpoint are there.
fn route(url: &Url) -> Route {
    if local::is_local(url) {
        return Route::Direct { is_exempt: true };
    }
    Proxies::of_process().route(url)
}

fn failed(error: Box<ConnectionError>) -> Error {
    let advice = error.advice();
    let parted = if advice.is_empty() { "" } else { ". " };
    let message = format!("could not be asked: {error}{parted}{advice}");
    if !error.is_transient() {
        let lasting = CannotBeAsked(error.to_string());
        return Error::with_error(ErrorKind::Connection, lasting, message);
    }
    let kind = if error.is_connect() {
        ErrorKind::Connection
    } else {
        ErrorKind::Io
    };
    Error::with_error(kind, error, message)
}

fn broken(error: reqwest::Error) -> Error {
    let error = error.without_url();
    let message = format!("gave no whole answer: {}", chain(&error));
    Error::with_error(ErrorKind::Io, error, message)
}

/// Tokens are asked for with these two.
fn method(method: Method) -> azure_core::Result<reqwest::Method> {
    match method {
        Method::Get => Ok(reqwest::Method::GET),
        Method::Post => Ok(reqwest::Method::POST),
        other => Err(Error::with_message(
            ErrorKind::Other,
            format!("cannot be sent {other}"),
        )),
    }
}

fn headers(request: &Request) -> azure_core::Result<HeaderMap> {
    let mut headers = HeaderMap::new();
    for (name, value) in request.headers().iter() {
        let invalid = |_| {
            let message = format!("cannot be sent the header {}", name.as_str());
            Error::with_message(ErrorKind::Other, message)
        };
        let value = value.as_str().parse::<reqwest::header::HeaderValue>();
        let mut value = value.map_err(invalid)?;
        // One of them holds the secret of App Service's endpoint.
        value.set_sensitive(true);
        if let Ok(name) = reqwest::header::HeaderName::try_from(name.as_str()) {
            headers.insert(name, value);
        }
    }
    Ok(headers)
}

fn body(request: &Request) -> azure_core::Result<Bytes> {
    match request.body() {
        Body::Bytes(bytes) => Ok(bytes.clone()),
        Body::SeekableStream(_) => Err(Error::with_message(
            ErrorKind::Other,
            "cannot be sent a stream",
        )),
    }
}

fn answer_headers(headers: &HeaderMap) -> Headers {
    let mut all = Headers::new();
    for (name, value) in headers {
        if let Ok(value) = value.to_str() {
            all.insert(name.as_str().to_owned(), value.to_owned());
        }
    }
    all
}
