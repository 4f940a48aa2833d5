//! Reads across the boundary: one call in, one value out.

use std::{sync::Arc, time::Duration};

use napi::{
    Either, Env,
    bindgen_prelude::{Buffer, Null, PromiseRaw},
};
use napi_derive::napi;
use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{
    Failure,
    config::{RetryFields, plain_http_of, retry_of},
    credentials::Credentials,
    cross,
    limits::{buffer, whole},
    telemetry::number,
};
use crate::{
    fault,
    reader::{self, CredentialSource, Exchange},
    rest::Conditions,
    url::without_secrets,
};

/// A file to read.
#[napi(object, object_to_js = false)]
pub struct ReadUrlOptions {
    /// Its web URL.
    pub url: String,
    /// The headers of the caller's own credentials provider, each a name and a value; missing where
    /// it had none.
    pub headers: Option<Vec<Vec<String>>>,
    /// A token of the caller's, with which this is read in place of any credential.
    pub token: Option<CallersToken>,
    /// How patiently it is read; missing where nothing is configured.
    pub retry: Option<RetryFields>,
    /// Whether its host is asked over plain HTTP; missing where nothing is configured.
    pub plain_http: Option<String>,
    /// How old may be what stands in while whoever reads is blocked, in milliseconds; missing where
    /// nothing may.
    pub max_age: Option<f64>,
    /// The `ETag` of an earlier answer.
    pub etag: Option<String>,
    /// The time of an earlier answer, in milliseconds since 1970.
    pub last_modified_after: Option<f64>,
}

/// A token that the caller of a read gives.
#[napi(object, object_to_js = false)]
pub struct CallersToken {
    /// The token, raw.
    pub token: String,
    /// The host of the reader, to which alone it is sent.
    pub host: String,
}

/// A file that is there.
#[napi(object, object_from_js = false)]
pub struct ReadUrlResult {
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Last-Modified` header, as it came.
    pub last_modified: Option<String>,
    /// The whole content, if it came with the head.
    pub content: Option<Buffer>,
    /// The content to pull, if it did not.
    pub body: Option<Body>,
    /// The REST URL that was asked.
    pub request: String,
    /// The kind of credential in plain words.
    pub credential: &'static str,
    /// The credential's place in the app-config, or where else it comes from.
    pub place: String,
    /// The host, and the organization or collection on it.
    pub scope: String,
    /// The answer's status; 0 where an earlier answer stands in.
    pub status: u16,
}

/// Ends reads.
#[napi(custom_finalize)]
#[derive(Default)]
pub struct Cancellation {
    pub(super) token: CancellationToken,
}

#[napi]
impl Cancellation {
    /// One that has not been asked to end anything.
    #[napi(constructor, catch_unwind)]
    pub fn new() -> Self {
        fault::point("constructor");
        Self::default()
    }

    /// Ends the reads that were started with this, and closes their connections.
    #[napi(catch_unwind)]
    pub fn cancel(&self) {
        self.token.cancel();
    }
}

/// Bounds what the process keeps of repositories, in bytes: lists and contents in memory, archives on
/// disk. 0 keeps nothing; without a number it is what this package thinks right. Gives the bounds.
#[napi(catch_unwind)]
pub fn keep_at_most(memory: Option<f64>, disk: Option<f64>) -> CacheBounds {
    let (memory, disk) = reader::keep_at_most(memory.map(whole), disk.map(whole));
    CacheBounds {
        memory_bytes: number(memory),
        disk_bytes: number(disk),
    }
}

/// The most that the process keeps of repositories.
#[napi(object, object_from_js = false)]
pub struct CacheBounds {
    /// In memory.
    pub memory_bytes: f64,
    /// On disk.
    pub disk_bytes: f64,
}

/// Reads one file, with the configured credentials, or with the options' headers where there are
/// none.
#[napi(catch_unwind)]
pub fn read_url<'env>(
    env: &'env Env,
    options: ReadUrlOptions,
    credentials: Option<&Credentials>,
    cancellation: Option<&Cancellation>,
) -> napi::Result<PromiseRaw<'env, Either<ReadUrlResult, Failure>>> {
    let source = source_of(credentials, options.headers, options.token);
    let conditions = Conditions::new(options.etag.as_deref(), options.last_modified_after);
    // A child, so that closing one body does not end the other reads of the same cancellation.
    let cancellation = cancellation.map(|cancellation| cancellation.token.child_token());
    let retry = retry_of(options.retry);
    let read = conditions.and_then(|conditions| {
        Ok(reader::ReadUrl {
            url: options.url,
            source,
            retry: retry?,
            plain_http: plain_http_of(options.plain_http.as_deref())?,
            max_age: options.max_age.and_then(duration),
            conditions,
            cancellation: cancellation.unwrap_or_default(),
        })
    });
    cross(env, async move {
        // On the heap: it is large, and moves on its way to the runtime.
        match Box::pin(reader::read_url(read?)).await {
            Ok(response) => Ok(response.into()),
            Err(error) => Err(error),
        }
    })
}

/// The token that the caller gave, else the configured credentials, or where there are none the headers
/// of a provider.
pub(super) fn source_of(
    credentials: Option<&Credentials>,
    headers: Option<Vec<Vec<String>>>,
    token: Option<CallersToken>,
) -> CredentialSource {
    if let Some(CallersToken { token, host }) = token {
        let token = token.trim().into();
        return CredentialSource::Token { token, host };
    }
    match (credentials, headers) {
        (Some(credentials), _) => {
            CredentialSource::Configured(Arc::clone(&credentials.credentials))
        }
        (None, Some(headers)) => CredentialSource::Provided(pairs(headers)),
        (None, None) => CredentialSource::Nobody,
    }
}

/// Content that is pulled piece by piece.
#[napi(custom_finalize)]
pub struct Body {
    pull: Arc<Mutex<reader::Body>>,
    exchange: Arc<Exchange>,
}

#[napi]
impl Body {
    /// The next piece; `null` at the end.
    #[napi(catch_unwind)]
    pub fn next<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Either<Buffer, Null>, Failure>>> {
        let (pull, exchange) = (Arc::clone(&self.pull), Arc::clone(&self.exchange));
        cross(env, async move {
            let piece = pull.lock().await.next().await;
            release(&pull, &exchange);
            Ok(piece?.map_or(Either::B(Null), |bytes| Either::A(Vec::from(bytes).into())))
        })
    }

    /// Everything that is still to come.
    #[napi(catch_unwind)]
    pub fn collect<'env>(
        &self,
        env: &'env Env,
    ) -> napi::Result<PromiseRaw<'env, Either<Buffer, Failure>>> {
        let (pull, exchange) = (Arc::clone(&self.pull), Arc::clone(&self.exchange));
        cross(env, async move {
            let content = pull.lock().await.collect().await;
            release(&pull, &exchange);
            buffer(content?).map_err(|error| exchange.unable_to(&error))
        })
    }

    /// Lets go of the connection; what is being pulled fails.
    #[napi(catch_unwind)]
    pub fn close(&self) {
        self.exchange.cancellation.cancel();
        release(&self.pull, &self.exchange);
    }
}

/// Lets go of the connection of a read that was ended.
///
/// Called after ending it, and after every pull: whoever of the two comes last finds the body free.
fn release(pull: &Mutex<reader::Body>, exchange: &Exchange) {
    if exchange.cancellation.is_cancelled()
        && let Ok(mut body) = pull.try_lock()
    {
        body.close();
    }
}

impl From<reader::ReadUrlResponse> for ReadUrlResult {
    fn from(mut response: reader::ReadUrlResponse) -> Self {
        let request = without_secrets(response.exchange.request.as_str());
        let credential = response.exchange.authorization.identity().title();
        let place = response.exchange.authorization.place().to_string();
        let status = response.exchange.status;
        let scope = response.exchange.scope();
        let content = response.body.take_whole().map(Buffer::from);
        let body = content.is_none().then(|| Body {
            pull: Arc::new(Mutex::new(response.body)),
            exchange: response.exchange,
        });
        Self {
            etag: response.etag,
            last_modified: response.last_modified,
            content,
            body,
            request,
            credential,
            place,
            scope,
            status,
        }
    }
}

/// A time from JavaScript; nothing where it is none.
pub(super) fn duration(milliseconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(milliseconds / 1000.0).ok()
}

fn pairs(headers: Vec<Vec<String>>) -> Vec<(String, SecretString)> {
    headers
        .into_iter()
        .filter_map(|header| <[String; 2]>::try_from(header).ok())
        .map(|[name, value]| (name, value.into()))
        .collect()
}
