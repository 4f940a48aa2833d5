//! A reader across the boundary: made once for a host with its options, then called.

use std::{path::PathBuf, sync::Arc, time::Duration};

use napi::{Either, Env, bindgen_prelude::PromiseRaw};
use napi_derive::napi;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;

use super::{
    asked::Asked,
    body::Body,
    cancellation::{Cancellation, child_of},
    config::{RetryFields, plain_http_of, retry_of},
    content::Content,
    credentials::Credentials,
    crossing::{Failure, cross},
    search::Search,
    tree::ReadTreeResult,
};
use crate::{
    credentials,
    error::Error,
    reader::{self, CredentialSource, HostPolicy, ReadRequest, ReadTree},
    rest::Conditions,
    url::SafeUrl,
};

/// How a host is read: the same for all reads of one reader.
#[napi(object, object_to_js = false)]
pub struct ReaderOptions {
    /// The host, with its port; a token in the options of a read is sent to it alone.
    pub host: String,
    /// How often and for how long requests are retried; missing where nothing is configured.
    pub retry: Option<RetryFields>,
    /// Whether the host is read over plain HTTP; missing where nothing is configured.
    pub plain_http: Option<String>,
    /// How old a stale answer may be that stands in while a principal is throttled, in milliseconds;
    /// missing where none may.
    pub max_stale: Option<f64>,
    /// Where archives are stored while they are read, in files without a name.
    pub directory: String,
}

/// What one read is asked for with.
#[napi(object, object_to_js = false)]
#[derive(Default)]
pub struct ReadOptions {
    /// The headers of the caller's own credentials provider, each a name and a value; missing where
    /// it had none.
    pub headers: Option<Vec<Vec<String>>>,
    /// A token of the caller's, with which this is read in place of any credential.
    pub token: Option<String>,
    /// The `ETag`, or the commit, of an earlier answer.
    pub etag: Option<String>,
    /// The time of an earlier answer, in milliseconds since 1970.
    pub last_modified_after: Option<f64>,
}

/// A file that is there.
#[napi(object, object_from_js = false)]
pub struct ReadUrlResult {
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Last-Modified` header, as it came.
    pub last_modified: Option<String>,
    /// The whole content, if it came with the head.
    #[napi(ts_type = "Buffer")]
    pub content: Option<Content>,
    /// The content to pull, if it did not.
    pub body: Option<Body>,
    /// What was asked, where that was wanted.
    pub asked: Option<Asked>,
}

/// Reads the repositories of one host.
#[napi(custom_finalize)]
pub struct Reader {
    host: String,
    policy: Arc<HostPolicy>,
    credentials: Option<Arc<credentials::Credentials>>,
}

#[napi]
impl Reader {
    /// A reader with the configured credentials, or, where there are none, with the headers in the options
    /// of each read.
    #[napi(catch_unwind)]
    pub fn for_host(
        options: ReaderOptions,
        credentials: Option<&Credentials>,
    ) -> Either<Reader, Failure> {
        match policy_of(&options) {
            Ok(policy) => Either::A(Self {
                host: options.host,
                policy: Arc::new(policy),
                credentials: credentials.map(|it| Arc::clone(&it.credentials)),
            }),
            Err(error) => Either::B(error.into()),
        }
    }

    /// Reads one file; tells what was asked where that is wanted.
    #[napi(catch_unwind)]
    pub fn read_url<'env>(
        &self,
        env: &'env Env,
        url: String,
        wants_asked: bool,
        options: Option<ReadOptions>,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Either<ReadUrlResult, Failure>>> {
        let options = options.unwrap_or_default();
        let conditions = Conditions::new(options.etag.as_deref(), options.last_modified_after);
        let read = self.request(options, cancellation);
        cross(env, async move {
            let read = async { reader::read_url(read.of(&url)?, conditions?).await };
            match read.await {
                Ok(response) => Ok(ReadUrlResult::of(response, wants_asked)),
                Err(error) if wants_asked => Err(error),
                Err(error) => Err(error.without_request()),
            }
        })
    }

    /// Finds the newest commit of a repository, and asks for the archive of the folder that the URL names.
    #[napi(catch_unwind)]
    pub fn read_tree<'env>(
        &self,
        env: &'env Env,
        url: String,
        options: ReadOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Either<ReadTreeResult, Failure>>> {
        let etag = options.etag.clone();
        let read = self.request(options, cancellation);
        cross(env, async move {
            let read = read.of(&url)?;
            let tree = ReadTree { read, etag };
            Ok(reader::read_tree(tree).await?.into())
        })
    }

    /// Lists the folder, or the one file, that the URL names; of a pattern everything below the folder in which
    /// alone there can be matches. What is there comes as JSON.
    #[napi(catch_unwind)]
    pub fn list<'env>(
        &self,
        env: &'env Env,
        url: String,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Either<String, Failure>>> {
        let read = self.request(ReadOptions::default(), cancellation);
        cross(env, async move {
            let listing = reader::list_url(read.of(&url)?).await?;
            serde_json::to_string(&listing).map_err(|error| Error::other(error.to_string()))
        })
    }

    /// Begins a search for what matches the glob in the URL's path.
    #[napi(catch_unwind)]
    pub fn search<'env>(
        &self,
        env: &'env Env,
        url: String,
        options: ReadOptions,
        cancellation: Option<&Cancellation>,
    ) -> napi::Result<PromiseRaw<'env, Either<Search, Failure>>> {
        let etag = options.etag.clone();
        let read = self.request(options, cancellation);
        cross(env, async move {
            Ok(reader::Search::begin(read.of(&url)?, etag).await?.into())
        })
    }
}

/// A read before its URL is parsed, which is left to the runtime.
struct Request {
    source: CredentialSource,
    policy: Arc<HostPolicy>,
    cancellation: CancellationToken,
}

impl Request {
    fn of(self, url: &str) -> Result<ReadRequest, Error> {
        Ok(ReadRequest {
            url: SafeUrl::parse(url)?,
            source: self.source,
            policy: self.policy,
            cancellation: self.cancellation,
        })
    }
}

impl Reader {
    fn request(&self, options: ReadOptions, cancellation: Option<&Cancellation>) -> Request {
        Request {
            source: self.source(options.headers, options.token),
            policy: Arc::clone(&self.policy),
            cancellation: child_of(cancellation),
        }
    }

    /// The token that the caller gave, else the configured credentials, or where there are none the headers
    /// of a provider.
    fn source(&self, headers: Option<Vec<Vec<String>>>, token: Option<String>) -> CredentialSource {
        if let Some(token) = token {
            return CredentialSource::Token {
                token: token.trim().into(),
                host: self.host.clone(),
            };
        }
        match (&self.credentials, headers) {
            (Some(credentials), _) => CredentialSource::Configured(Arc::clone(credentials)),
            (None, Some(headers)) => CredentialSource::Provided(pairs(headers)),
            (None, None) => CredentialSource::Nobody,
        }
    }
}

fn policy_of(options: &ReaderOptions) -> Result<HostPolicy, Error> {
    Ok(HostPolicy {
        retry: retry_of(options.retry.as_ref())?,
        plain_http: plain_http_of(options.plain_http.as_deref())?,
        max_stale: options.max_stale.and_then(duration),
        directory: PathBuf::from(&options.directory),
    })
}

impl ReadUrlResult {
    fn of(mut response: reader::ReadUrlResponse, wants_asked: bool) -> Self {
        let asked = wants_asked.then(|| {
            let context = &response.context;
            Asked::of(context, &context.request, response.status)
        });
        let etag = response.etag.take();
        let last_modified = response.last_modified.take();
        let content = response.body.take_whole().map(Content);
        let body = content.is_none().then(|| Body::of(response));
        Self {
            etag,
            last_modified,
            content,
            body,
            asked,
        }
    }
}

/// A duration from JavaScript; `None` where it is not a valid one.
fn duration(milliseconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

fn pairs(headers: Vec<Vec<String>>) -> Vec<(String, SecretString)> {
    headers
        .into_iter()
        .filter_map(|header| <[String; 2]>::try_from(header).ok())
        .map(|[name, value]| (name, value.into()))
        .collect()
}
