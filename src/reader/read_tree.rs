//! `readTree`: a repository, or a folder of one, as an archive at a fixed commit.

use std::sync::Arc;

use reqwest::{Response, StatusCode, header::CONTENT_TYPE};
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{
    body::Body,
    exchange::Exchange,
    explain::{Purpose, Read},
    read_url::{CredentialSource, authorize},
};
use crate::{
    credentials::Authorization,
    error::{Error, ErrorKind},
    http::Client,
    rest::{self, InvalidAnswer, Refusal},
    url::{AzureUrl, parse},
};

/// A tree to read.
#[derive(Debug)]
pub struct ReadTree {
    /// Its web URL.
    pub url: String,
    /// Who reads.
    pub source: CredentialSource,
    /// The commit that the caller has already.
    pub etag: Option<String>,
    /// Ends the read when it is cancelled, with all that comes of it.
    pub cancellation: CancellationToken,
}

/// A tree that is there, and not yet downloaded.
#[derive(Debug)]
pub struct ReadTreeResponse {
    /// The commit.
    pub etag: String,
    /// The folder in the archive that is the tree; the whole archive where it is empty.
    pub subpath: String,
    /// The archive.
    pub body: Body,
    /// How it was read.
    pub exchange: Arc<Exchange>,
}

/// Finds the newest commit, and asks for the archive of that commit where the caller has it not.
///
/// # Errors
/// The URL names no repository; there is no usable credential; Azure DevOps has no such repository,
/// version or folder ([`ErrorKind::NotFound`]), asks to sign in ([`ErrorKind::Authentication`]), or
/// refuses; the commit is the one that the caller has ([`ErrorKind::NotModified`]); there are no
/// commits; there is no answer; the caller ended the read.
pub async fn read_tree(input: ReadTree) -> Result<ReadTreeResponse, Error> {
    let cancellation = input.cancellation.clone();
    let url = input.url.clone();
    cancellation
        .run_until_cancelled(find(input))
        .await
        .unwrap_or_else(|| Err(Read::ended(Purpose::Tree, &url)))
}

async fn find(input: ReadTree) -> Result<ReadTreeResponse, Error> {
    let unable = |error: Error| Read::unable(Purpose::Tree, &input.url, &error);
    let url = AzureUrl::from_repo_url(&input.url)?;
    let commits = parse(&url.to_commits_url()?)?;
    let client = Client::shared().map_err(unable)?;
    let authorization = authorize(client, &commits, input.source)
        .await
        .map_err(unable)?;
    let etag = newest_commit(client, &input.url, commits, &authorization).await?;
    if input.etag.as_deref() == Some(&etag) {
        return Err(Read::unchanged(&input.url));
    }
    let mut archive = Archive {
        client,
        web_url: &input.url,
        authorization: &authorization,
    };
    let (request, response) = archive.get(&url.at_commit(&etag)).await?;
    let exchange = Arc::new(Exchange {
        request,
        authorization: authorization.clone(),
        purpose: Purpose::Tree,
        status: response.status().as_u16(),
        cancellation: input.cancellation,
        url: input.url.clone(),
    });
    Ok(ReadTreeResponse {
        etag,
        subpath: last_segment(url.path()),
        body: Body::of(response, Arc::clone(&exchange)).await,
        exchange,
    })
}

pub(super) async fn newest_commit(
    client: &Client,
    url: &str,
    request: Url,
    authorization: &Authorization,
) -> Result<String, Error> {
    let read = Read {
        url,
        request: &request,
        authorization,
        purpose: Purpose::Tree,
    };
    let answer = rest::get_newest_commit(client, request.clone(), authorization).await;
    let response = accept(&read, answer.map_err(|failure| read.failed(failure))?).await?;
    let id = rest::commit_id(response).await;
    let id = id.map_err(|InvalidAnswer(why)| read.unusable(ErrorKind::Other, why))?;
    id.ok_or_else(|| read.unusable(ErrorKind::NotFound, "the repository has no commits"))
}

/// How archives are asked for.
struct Archive<'a> {
    client: &'a Client,
    web_url: &'a str,
    authorization: &'a Authorization,
}

impl Archive<'_> {
    /// Asks for the archive with the modes of files first, where the host may know how.
    async fn get(&mut self, url: &AzureUrl) -> Result<(Url, Response), Error> {
        if let Some(with_modes) = url.to_archive_url_with_modes()? {
            let request = parse(&with_modes)?;
            let response = self.ask(&request).await?;
            if response.status() != StatusCode::BAD_REQUEST {
                return self.accept(request, response).await;
            }
        }
        let request = parse(&url.to_archive_url()?)?;
        let response = self.ask(&request).await?;
        self.accept(request, response).await
    }

    async fn ask(&self, request: &Url) -> Result<Response, Error> {
        let answer = rest::get_archive(self.client, request.clone(), self.authorization).await;
        answer.map_err(|failure| self.read(request).failed(failure))
    }

    async fn accept(&self, request: Url, response: Response) -> Result<(Url, Response), Error> {
        let read = self.read(&request);
        let response = accept(&read, response).await?;
        if is_page(&response) {
            return Err(read.page(response.status()));
        }
        Ok((request, response))
    }

    fn read<'a>(&'a self, request: &'a Url) -> Read<'a> {
        Read {
            url: self.web_url,
            request,
            authorization: self.authorization,
            purpose: Purpose::Tree,
        }
    }
}

pub(super) async fn accept(read: &Read<'_>, response: Response) -> Result<Response, Error> {
    let status = response.status();
    if status.is_success() && status != StatusCode::NON_AUTHORITATIVE_INFORMATION {
        return Ok(response);
    }
    Err(read.refused(&Refusal::read(response).await))
}

fn is_page(response: &Response) -> bool {
    let content_type = response.headers().get(CONTENT_TYPE);
    content_type.is_some_and(|value| value.as_bytes().starts_with(b"text/html"))
}

/// A zip of a folder holds its entries under the folder's last segment.
fn last_segment(path: Option<&str>) -> String {
    let mut segments = path.unwrap_or_default().split('/');
    let last = segments.rfind(|segment| !segment.is_empty());
    last.unwrap_or_default().to_owned()
}
