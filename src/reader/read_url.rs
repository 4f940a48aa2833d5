//! `readUrl`: one file.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    Response, StatusCode,
    header::{ETAG, HeaderName, LAST_MODIFIED},
};
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use url::{Url, quirks};

use super::{
    body::Body,
    exchange::{Exchange, NOT_ASKED, tell_who},
    explain::{Purpose, Read, Wanted},
    kept::{Key, kept},
    last_good::{Answer, File, Good, LastGood},
    plain_http,
    spelling::{Spellings, learn_of_folder},
};
use crate::{
    config::{PlainHttp, Retry},
    credentials::{Authorization, Credentials},
    error::{Error, ErrorKind},
    http::{Client, is_json, is_page},
    rest::{self, Conditions, Refusal},
    url::{AzureUrl, parameter, parse},
};

/// The largest file that is remembered, in bytes.
const MOST_KEPT: usize = 1024 * 1024;

/// The most bytes in which Azure DevOps describes a folder or submodule.
const MOST_DESCRIPTION: usize = 32 * 1024;

/// The endings of files that are pages themselves.
const PAGES: [&str; 3] = [".html", ".htm", ".xhtml"];

/// Where the headers that authorize a read come from.
#[derive(Debug)]
pub enum CredentialSource {
    /// The configured credential that serves the URL.
    Configured(Arc<Credentials>),
    /// Headers that the caller's own provider gave.
    Provided(Vec<(String, SecretString)>),
    /// A token that the caller gave for this read.
    Token {
        /// The token, raw.
        token: SecretString,
        /// The host to which alone it is sent, with its port.
        host: String,
    },
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
    /// Whether its host is asked over plain HTTP.
    pub plain_http: Option<PlainHttp>,
    /// How old the last answer may be that stands in while whoever reads is blocked.
    pub max_age: Option<Duration>,
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
    let url = AzureUrl::from_repo_url(&input.url)?;
    let request = parse(&url.to_file_url()?)?;
    let client =
        Client::shared().map_err(|error| Read::unable(Purpose::File, &input.url, &error))?;
    let cancellation = input.cancellation;
    let authorization = cancellation
        .run_until_cancelled(authorize(
            client,
            &request,
            input.source,
            input.retry,
            input.plain_http,
        ))
        .await
        .ok_or_else(|| Read::ended(Purpose::File, &input.url))?
        .map_err(|error| Read::unable(Purpose::File, &input.url, &error))?;
    let mut exchange = Exchange {
        url: input.url,
        request,
        authorization,
        purpose: Purpose::File,
        status: StatusCode::OK.as_u16(),
        cancellation,
    };
    let key = Key::of(&exchange.request, &exchange.authorization);
    let last = LastGood::of(&kept().files, key, input.max_age);
    let item = get_item(client, &url, &exchange, &input.conditions);
    let item = last.or(&exchange.request, &exchange.authorization, item);
    let answer = exchange
        .cancellation
        .run_until_cancelled(item)
        .await
        .unwrap_or_else(|| Err(Read::ended(Purpose::File, &exchange.url)));
    match answer {
        Ok(Answer::New((response, request))) => {
            exchange.request = request;
            new(response, exchange, &last).await
        }
        Ok(Answer::Last(file)) => stale(file, exchange, &input.conditions),
        Err(error) => {
            if error.kind() == ErrorKind::NotModified {
                last.confirm(|file| is_had(file, &input.conditions));
            }
            Err(error)
        }
    }
}

async fn new(
    response: Response,
    mut exchange: Exchange,
    last: &LastGood<File>,
) -> Result<ReadUrlResponse, Error> {
    exchange.status = response.status().as_u16();
    let exchange = Arc::new(exchange);
    let etag = header(&response, &ETAG);
    let last_modified = header(&response, &LAST_MODIFIED);
    let is_json = is_json(&response);
    let mut body = Body::of(response, Arc::clone(&exchange)).await;
    if is_json {
        refuse_description(&mut body, &exchange).await?;
    }
    if last.is_wanted() {
        let filled = body.fill(MOST_KEPT);
        let filled = exchange.cancellation.run_until_cancelled(filled).await;
        filled.ok_or_else(|| exchange.ended())?;
    }
    match body.whole().filter(|content| content.len() <= MOST_KEPT) {
        Some(content) => last.put(File {
            etag: etag.clone(),
            last_modified: last_modified.clone(),
            content: Bytes::copy_from_slice(content),
        }),
        // The caller may have something newer now than what was remembered.
        None => last.confirm(|file| etag.is_some() && file.etag == etag),
    }
    Ok(ReadUrlResponse {
        etag,
        last_modified,
        body,
        exchange,
    })
}

/// Refuses the description of what is no file, which Azure DevOps gives in place of a content.
async fn refuse_description(body: &mut Body, exchange: &Exchange) -> Result<(), Error> {
    let filled = body.fill(MOST_DESCRIPTION);
    let filled = exchange.cancellation.run_until_cancelled(filled).await;
    filled.ok_or_else(|| exchange.ended())?;
    let path = parameter(&exchange.request, "path").unwrap_or_default();
    let described = body
        .whole()
        .and_then(|answer| rest::described(answer, &path));
    match described {
        Some(kind) => {
            let why = format!("it is a {kind} and not a file");
            Err(exchange.read().unusable(ErrorKind::Input, &why))
        }
        None => Ok(()),
    }
}

/// What was read last, as if it had come now.
fn stale(
    file: Good<File>,
    mut exchange: Exchange,
    conditions: &Conditions,
) -> Result<ReadUrlResponse, Error> {
    if is_had(&file.value, conditions) {
        return Err(exchange.read().unchanged(None));
    }
    let File {
        etag,
        last_modified,
        content,
    } = file.value;
    exchange.tell_stale();
    exchange.status = NOT_ASKED;
    let exchange = Arc::new(exchange);
    Ok(ReadUrlResponse {
        etag,
        last_modified,
        body: Body::of_content(content.into(), Arc::clone(&exchange)),
        exchange,
    })
}

/// Whether a file is what the caller has already.
fn is_had(file: &File, conditions: &Conditions) -> bool {
    conditions.are_met(file.etag.as_deref(), file.last_modified.as_deref())
}

/// The answer with the file's content, and the REST URL that was asked for it.
async fn get_item(
    client: &Client,
    url: &AzureUrl,
    exchange: &Exchange,
    conditions: &Conditions,
) -> Result<(Response, Url), Error> {
    let mut spellings = Spellings::of_file(url, &exchange.authorization);
    while let Some(spelling) = spellings.next() {
        let request = if spelling.is_as_written() {
            exchange.request.clone()
        } else {
            parse(&spelling.url.to_file_url()?)?
        };
        match ask(client, exchange, &request, conditions).await {
            Err(error) => spellings.note(&spelling, error)?,
            Ok(response) => {
                if spellings.is_written_missing() {
                    learn_of_folder(url, &exchange.authorization);
                }
                return Ok((response, request));
            }
        }
    }
    Err(spellings.failure())
}

async fn ask(
    client: &Client,
    exchange: &Exchange,
    request: &Url,
    conditions: &Conditions,
) -> Result<Response, Error> {
    let read = Read {
        request,
        ..exchange.read()
    };
    let answer = rest::get_item(client, request.clone(), read.authorization, conditions).await;
    let answer = answer.map_err(|failure| read.failed(failure))?;
    accept(&read, conditions, answer).await
}

pub(super) async fn authorize(
    client: &Client,
    request: &Url,
    source: CredentialSource,
    retry: Retry,
    plain: Option<PlainHttp>,
) -> Result<Authorization, Error> {
    plain_http::check(request, plain)?;
    let authorization = match source {
        CredentialSource::Nobody => Authorization::anonymous(),
        CredentialSource::Provided(headers) => Authorization::provided(headers)?,
        CredentialSource::Token { token, host } => {
            if quirks::host(request) != host {
                let message =
                    format!("the token in the options is for {host}, which the URL does not name");
                return Err(Error::new(ErrorKind::Input, message));
            }
            Authorization::of_callers_token(&token)?
        }
        CredentialSource::Configured(credentials) => {
            credentials.authorize(request, &client.entra()).await?
        }
    };
    tell_who(&authorization, request);
    Ok(authorization.with_retry(retry))
}

async fn accept(
    read: &Read<'_>,
    conditions: &Conditions,
    response: Response,
) -> Result<Response, Error> {
    let status = response.status();
    let is_content = status == StatusCode::OK;
    if is_success(status) && is_page(&response) && !may_be_page(read.request) {
        return Err(read.page(status, Wanted::File));
    }
    if is_content && !conditions.are_met_by(response.headers()) {
        return Ok(response);
    }
    if is_content || (status == StatusCode::NOT_MODIFIED && conditions.are_some()) {
        return Err(read.unchanged(Some(status)));
    }
    Err(read.refused(&Refusal::read(response, &read.secrets()).await))
}

/// Whether a status says that all is well, and not that somebody has to sign in.
pub(super) fn is_success(status: StatusCode) -> bool {
    status.is_success() && status != StatusCode::NON_AUTHORITATIVE_INFORMATION
}

/// Whether the file that a REST URL names may be a page itself, by its name.
fn may_be_page(request: &Url) -> bool {
    let path = parameter(request, "path").unwrap_or_default();
    let path = path.to_ascii_lowercase();
    PAGES.iter().any(|ending| path.ends_with(ending))
}

/// The text of a header; a byte is a character, as in `fetch`.
pub(super) fn header(response: &Response, name: &HeaderName) -> Option<String> {
    let value = response.headers().get(name)?;
    let text: String = value.as_bytes().iter().copied().map(char::from).collect();
    (!text.is_empty()).then_some(text)
}
