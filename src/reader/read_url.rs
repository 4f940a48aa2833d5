//! `readUrl`: one file.

use std::sync::Arc;

use reqwest::{
    Response, StatusCode,
    header::{ETAG, HeaderName, LAST_MODIFIED},
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    body::Body,
    exchange::Exchange,
    explain::{Purpose, Read},
};
use crate::{
    config::Retry,
    credentials::{Authorization, Credentials},
    error::Error,
    http::Client,
    rest::{self, Conditions, Refusal},
    url::{AzureUrl, parse},
};

/// Where the headers that authorize a read come from.
#[derive(Debug)]
pub enum CredentialSource {
    /// The configured credential that serves the URL.
    Configured(Arc<Credentials>),
    /// Headers that the caller's own provider gave.
    Provided(Vec<(String, SecretString)>),
    /// None: the caller's provider had nothing.
    Nobody,
}

/// A file to read.
#[derive(Debug)]
pub struct ReadUrl {
    /// Its web URL.
    pub url: String,
    /// Who reads.
    pub source: CredentialSource,
    /// How patiently.
    pub retry: Retry,
    /// What the caller has already.
    pub conditions: Conditions,
    /// Ends the read when it is cancelled.
    pub cancellation: CancellationToken,
}

/// A file that is there.
#[derive(Debug)]
pub struct ReadUrlResponse {
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Last-Modified` header, as it came.
    pub last_modified: Option<String>,
    /// The content.
    pub body: Body,
    /// How it was read.
    pub exchange: Arc<Exchange>,
}

/// Reads one file.
///
/// The answer is given when the head is there; see [`Body`] for what comes with it. Ending the
/// read, or dropping the future, closes the connection.
///
/// # Errors
/// The URL names no file; there is no usable credential; Azure DevOps has no such file
/// ([`crate::error::ErrorKind::NotFound`]), asks to sign in ([`crate::error::ErrorKind::Authentication`]), or refuses; it has
/// nothing newer ([`crate::error::ErrorKind::NotModified`]); there is no answer; the caller ended the read.
pub async fn read_url(input: ReadUrl) -> Result<ReadUrlResponse, Error> {
    let request = parse(&AzureUrl::from_repo_url(&input.url)?.to_file_url()?)?;
    let client =
        Client::shared().map_err(|error| Read::unable(Purpose::File, &input.url, &error))?;
    let cancellation = input.cancellation;
    let authorization = cancellation
        .run_until_cancelled(authorize(client, &request, input.source, input.retry))
        .await
        .ok_or_else(|| Read::ended(Purpose::File, &input.url))?
        .map_err(|error| Read::unable(Purpose::File, &input.url, &error))?;
    let mut exchange = Exchange {
        url: input.url,
        request,
        authorization,
        purpose: Purpose::File,
        status: 0,
        cancellation,
    };
    let item = get_item(client, exchange.read(), &input.conditions);
    let response = exchange
        .cancellation
        .run_until_cancelled(item)
        .await
        .unwrap_or_else(|| Err(Read::ended(Purpose::File, &exchange.url)))?;
    exchange.status = response.status().as_u16();
    let exchange = Arc::new(exchange);
    Ok(ReadUrlResponse {
        etag: header(&response, &ETAG),
        last_modified: header(&response, &LAST_MODIFIED),
        body: Body::of(response, Arc::clone(&exchange)).await,
        exchange,
    })
}

async fn get_item(
    client: &Client,
    read: Read<'_>,
    conditions: &Conditions,
) -> Result<Response, Error> {
    let response = rest::get_item(client, read.request.clone(), read.authorization, conditions)
        .await
        .map_err(|failure| read.failed(failure))?;
    accept(&read, conditions, response).await
}

pub(super) async fn authorize(
    client: &Client,
    request: &Url,
    source: CredentialSource,
    retry: Retry,
) -> Result<Authorization, Error> {
    let authorization = match source {
        CredentialSource::Nobody => Authorization::anonymous(),
        CredentialSource::Provided(headers) => Authorization::provided(headers)?,
        CredentialSource::Configured(credentials) => {
            credentials.authorize(request, &client.entra()).await?
        }
    };
    Ok(authorization.with_retry(retry))
}

async fn accept(
    read: &Read<'_>,
    conditions: &Conditions,
    response: Response,
) -> Result<Response, Error> {
    let status = response.status();
    let is_content = status.is_success() && status != StatusCode::NON_AUTHORITATIVE_INFORMATION;
    if is_content && !conditions.are_met_by(response.headers()) {
        return Ok(response);
    }
    if is_content || (status == StatusCode::NOT_MODIFIED && conditions.are_some()) {
        return Err(Read::unchanged(read.url));
    }
    Err(read.refused(&Refusal::read(response).await))
}

/// The text of a header; a byte is a character, as in `fetch`.
pub(super) fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    let text: String = value.as_bytes().iter().copied().map(char::from).collect();
    (!text.is_empty()).then_some(text)
}
