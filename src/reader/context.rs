//! [`ReadContext`]: one read, and the one place where its requests are sent, checked and explained.

use std::{pin::pin, sync::Arc};

use reqwest::StatusCode;
use secrecy::SecretString;
use tokio_util::sync::CancellationToken;
use url::quirks;

use super::{
    messages::{Messages, Purpose, ended, unable},
    plain_http,
    policy::HostPolicy,
};
use crate::{
    credentials::{Authorization, Credentials},
    error::{Error, ErrorKind},
    http::{Answer, Client},
    rest::{Call, GitApi, Refusal},
    telemetry::log::{Event, Repeat, emit},
    text::readable,
    url::{AzureUrl, SafeUrl, organization_of, scope_of},
};

/// The status of a stale answer: nothing was asked.
pub(super) const NOT_ASKED: u16 = 0;

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

/// A read as a caller asks for it: what all kinds of reads have in common.
#[derive(Debug)]
pub struct ReadRequest {
    /// The web URL.
    pub url: SafeUrl,
    /// What authorizes it.
    pub source: CredentialSource,
    /// How its host is read.
    pub policy: Arc<HostPolicy>,
    /// Ends the read when it is cancelled, with all that comes of it.
    pub cancellation: CancellationToken,
}

/// One read: who reads what, why, and until when.
#[derive(Clone, Debug)]
pub struct ReadContext {
    /// The web URL that messages name.
    pub url: SafeUrl,
    /// The REST URL that was asked for last.
    pub request: SafeUrl,
    /// What is read.
    pub purpose: Purpose,
    /// The repository, as the principal calls it.
    pub api: GitApi,
    /// How its host is read.
    pub policy: Arc<HostPolicy>,
    /// Ends what is left of the read.
    pub cancellation: CancellationToken,
}

/// What an answer has to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    Archive,
    File,
    Json,
    /// Bytes, which may be a page as well.
    Any,
}

impl ReadContext {
    /// Begins a read: authorizes it, and logs which credential reads.
    ///
    /// # Errors
    /// The host is not read over plain HTTP; there is no usable credential; the caller ended the read.
    pub(super) async fn begin(
        purpose: Purpose,
        url: SafeUrl,
        repository: AzureUrl,
        request: SafeUrl,
        read: ReadRequest,
    ) -> Result<Self, Error> {
        let ReadRequest {
            source,
            policy,
            cancellation,
            ..
        } = read;
        let authorized = {
            let authorized = pin!(async {
                plain_http::check(&request, policy.plain_http)?;
                let authorization = authorize(&request, source).await?;
                tell_credential(&authorization, &request);
                GitApi::new(repository, authorization, policy.retry.clone())
            });
            cancellation.run_until_cancelled(authorized).await
        };
        let api = authorized
            .ok_or_else(|| ended(purpose, &url))?
            .map_err(|error| unable(purpose, &url, &error))?;
        Ok(Self {
            url,
            request,
            purpose,
            api,
            policy,
            cancellation,
        })
    }

    /// What authorizes it.
    #[must_use]
    pub fn authorization(&self) -> &Authorization {
        self.api.authorization()
    }

    /// The host, and the organization or collection on it.
    #[must_use]
    pub fn scope(&self) -> String {
        readable(scope_of(&self.request))
    }

    /// The same read, with this URL as the last request.
    pub(super) fn asking(&self, request: SafeUrl) -> Self {
        Self {
            request,
            ..self.clone()
        }
    }

    /// Another request of the same read, for all who wait for its answer: it ends with the last of
    /// them, and not with the first who asked.
    pub(super) fn for_all(&self, request: SafeUrl) -> Arc<Self> {
        Arc::new(Self {
            cancellation: CancellationToken::new(),
            ..self.asking(request)
        })
    }

    /// Sends a call. Any status is an answer.
    ///
    /// # Errors
    /// There is no answer, in the words of [`super::messages`].
    pub(super) async fn send(&self, call: Call) -> Result<Answer, Error> {
        let request = call.url().clone();
        let answer = call.send().await;
        answer.map_err(|error| self.messages_of(&request).failed(error))
    }

    /// Sends a call, and returns the answer if it has what is wanted.
    ///
    /// # Errors
    /// As [`Self::send`] and [`Self::accept`].
    pub(super) async fn fetch(&self, call: Call, wanted: Wanted) -> Result<Answer, Error> {
        let answer = self.send(call).await?;
        self.accept(answer, wanted).await
    }

    /// The answer, if it has what is wanted.
    ///
    /// # Errors
    /// It is a refusal, or a page instead of what is wanted.
    pub(super) async fn accept(&self, answer: Answer, wanted: Wanted) -> Result<Answer, Error> {
        let status = answer.status();
        if let Some(wanted) = wanted.in_place_of_page()
            && is_success(status)
            && answer.is_page()
        {
            return Err(self.messages_of(answer.request()).page(status, wanted));
        }
        if status == StatusCode::OK {
            return Ok(answer);
        }
        // On the heap: it is rare, and each read would have room for it.
        Err(Box::pin(self.refused(answer)).await)
    }

    /// Says that an answer is a refusal, and why.
    pub(super) async fn refused(&self, answer: Answer) -> Error {
        let request = answer.request().clone();
        let messages = self.messages_of(&request);
        messages.refused(&Refusal::read(answer, &messages.secrets()).await)
    }

    /// Says that something else failed after the answer came.
    #[must_use]
    pub fn unable_to(&self, error: &Error) -> Error {
        self.messages().unable_to(error)
    }

    /// Says that the caller ended the read.
    pub(super) fn ended(&self) -> Error {
        ended(self.purpose, &self.url)
    }

    /// What the caller waits for; an error where the caller ends the read meanwhile.
    pub(super) async fn until_ended<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, Error> {
        let done = self.cancellation.run_until_cancelled(work).await;
        done.unwrap_or_else(|| Err(self.ended()))
    }

    /// The messages about it.
    pub(super) fn messages(&self) -> Messages<'_> {
        self.messages_of(&self.request)
    }

    /// The messages about a request of it.
    pub(super) fn messages_of<'a>(&'a self, request: &'a SafeUrl) -> Messages<'a> {
        Messages {
            url: &self.url,
            request,
            authorization: self.authorization(),
            purpose: self.purpose,
        }
    }

    /// Logs, once a minute, that a stale answer stands in.
    pub(super) fn tell_stale(&self) {
        let scope = self.scope();
        let authorization = self.authorization();
        let message = format!(
            "Answering from what was read of {scope} before, while Azure DevOps throttles {}",
            authorization.named()
        );
        emit(Repeat::EveryMinute, &message, || {
            Event::warning("stale", message.as_str())
                .with("scope", scope.as_str())
                .with("credential", authorization.identity().title())
                .with("place", &*authorization.place())
        });
    }

    /// Logs, once for each organization or collection, that it does not know a call, and what is done
    /// instead.
    pub(super) fn falls_back(&self, call: &str, instead: &str) {
        let scope = self.scope();
        emit(Repeat::Once, &format!("{scope} {call}"), || {
            let message = format!("{scope} does not support {call}; falling back: {instead}");
            Event::info("fallen back", message)
                .with("host", quirks::host(&self.request))
                .with("missing", call)
        });
    }
}

impl Wanted {
    /// What is named in the message about a page in its place; `None` where a page is as good.
    const fn in_place_of_page(self) -> Option<&'static str> {
        match self {
            Self::Archive => Some("an archive"),
            Self::File => Some("a file"),
            Self::Json => Some("JSON"),
            Self::Any => None,
        }
    }
}

async fn authorize(request: &SafeUrl, source: CredentialSource) -> Result<Authorization, Error> {
    match source {
        CredentialSource::Nobody => Ok(Authorization::anonymous()),
        CredentialSource::Provided(headers) => Authorization::provided(headers),
        CredentialSource::Token { token, host } => {
            if quirks::host(request) != host {
                let message =
                    format!("the token in the options is for {host}, which the URL does not name");
                return Err(Error::new(ErrorKind::Input, message));
            }
            Authorization::of_callers_token(&token)
        }
        CredentialSource::Configured(credentials) => {
            let entra = Client::shared()?.entra();
            credentials.authorize(request, &entra).await
        }
    }
}

/// Logs which credential reads, once for each organization or collection.
fn tell_credential(authorization: &Authorization, request: &SafeUrl) {
    if let Some(warning) = authorization.warning(request) {
        emit(Repeat::Once, &warning, || {
            let event = Event::warning("credential chosen", warning.as_str());
            about_credential(event, authorization, request)
        });
        return;
    }
    // Not the message, which would be made at each read.
    let (identity, place) = (authorization.identity(), authorization.place());
    let about = (
        identity,
        place,
        quirks::host(request),
        organization_of(request),
    );
    emit(Repeat::Once, &about, || {
        let scope = scope_of(request);
        let message = format!("Reading {scope} with {}", authorization.named());
        let event = Event::info("credential chosen", message);
        about_credential(event, authorization, request)
    });
}

/// The event, with whose credential reads what.
fn about_credential(event: Event, authorization: &Authorization, request: &SafeUrl) -> Event {
    event
        .with("scope", scope_of(request).as_str())
        .with("credential", authorization.identity().title())
        .with("place", &*authorization.place())
}

/// Whether a status is a success, and not the `203` of a sign-in page.
pub(super) fn is_success(status: StatusCode) -> bool {
    status.is_success() && status != StatusCode::NON_AUTHORITATIVE_INFORMATION
}

/// Whether a server says by this status that it does not know a call.
pub(super) const fn is_unknown(status: StatusCode) -> bool {
    matches!(status.as_u16(), 400 | 404 | 405 | 406 | 501)
}

/// Whether a server, or a proxy before it that lets only some requests through, says by this status that it
/// does not take what is posted.
pub(super) const fn is_not_taken(status: StatusCode) -> bool {
    is_unknown(status) || matches!(status.as_u16(), 403 | 411 | 413 | 415)
}
