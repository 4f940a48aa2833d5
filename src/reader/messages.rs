//! The messages of failed reads: what was read, as what, with which credential, what Azure DevOps said, what
//! to check.
//!
//! The messages begin as those of Backstage's own reader do.

use reqwest::StatusCode;
use url::quirks;

use crate::{
    credentials::{Authorization, Identity, TokenError, no_token},
    error::{Error, ErrorKind, FailedRequest},
    http::{self, Away, Cause, ConnectionError, Redirected, Throttled, asks_to_sign_in, secrets},
    limits::Limit,
    rest::Refusal,
    secrets::Secrets,
    text::readable,
    url::{SafeUrl, is_services_host, scope_of},
};

/// What is read: messages begin with it, as those of Backstage's own reader do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// One file.
    File,
    /// A repository or folder.
    Tree,
}

impl Purpose {
    /// How a failure before any answer begins.
    const fn failed(self) -> &'static str {
        match self {
            Self::File => "Unable to read",
            Self::Tree => "Failed to read tree from",
        }
    }
}

/// What happens to tokens for all organizations, on the day that Backstage's own reader names.
pub const TOKENS_END: &str = "a token for all organizations stops working on January 27, 2027";

/// Where that is explained.
const TOKENS_PAGE: &str =
    "https://backstage.io/docs/integrations/azure/locations#using-a-personal-access-token-pat";

/// The messages about one read.
#[derive(Debug)]
pub(super) struct Messages<'a> {
    /// The URL that the caller gave.
    pub url: &'a SafeUrl,
    /// The REST URL that was asked for.
    pub request: &'a SafeUrl,
    /// What authorizes it.
    pub authorization: &'a Authorization,
    /// What is read.
    pub purpose: Purpose,
}

/// Says that the caller ended a read.
pub(super) fn ended(purpose: Purpose, url: &SafeUrl) -> Error {
    let message = format!("{} {url}, the caller ended the read", purpose.failed());
    Error::new(ErrorKind::Aborted, message)
}

/// Says that a read did not get as far as a request, and why.
pub(super) fn unable(purpose: Purpose, url: &SafeUrl, error: &Error) -> Error {
    let why = match error.kind() {
        ErrorKind::InvalidCharacter => {
            format!(
                "InvalidCharacterError: {error}. Check what the configuration puts in personalAccessToken: it holds a character that no token has"
            )
        }
        _ => error.to_string(),
    };
    let kind = match error.kind() {
        kind @ (ErrorKind::Authentication | ErrorKind::Input) => kind,
        _ => ErrorKind::Other,
    };
    Error::new(kind, format!("{} {url}, {why}", purpose.failed()))
}

impl Messages<'_> {
    /// What was sent in confidence, and is repeated in no message.
    pub(super) fn secrets(&self) -> Secrets {
        secrets(self.authorization)
    }

    /// The same failure, with the request that it followed, and with the status of its answer.
    fn told(&self, error: Error, status: Option<StatusCode>) -> Error {
        let (request, authorization) = (self.request.clone(), self.authorization.clone());
        error.after(move || FailedRequest {
            url: request.to_string(),
            scope: readable(scope_of(&request)),
            credential: authorization.identity().title(),
            place: authorization.place(),
            status: status.map(|status| status.as_u16()),
        })
    }

    /// What others have said, without what they were sent.
    fn said(&self, words: &str) -> String {
        self.secrets().redact(words).into_owned()
    }

    /// Azure DevOps answered, but not with the content.
    pub(super) fn refused(&self, refusal: &Refusal) -> Error {
        let status = refusal.status;
        let kind = match status {
            _ if refusal.is_rate_limited => ErrorKind::Other,
            StatusCode::NOT_FOUND => ErrorKind::NotFound,
            StatusCode::UNAUTHORIZED | StatusCode::NON_AUTHORITATIVE_INFORMATION => {
                ErrorKind::Authentication
            }
            StatusCode::FORBIDDEN => ErrorKind::NotAllowed,
            _ => ErrorKind::Other,
        };
        let mut message = if refusal.is_rate_limited {
            self.outcome_in_words(&format!("{} {}", status.as_u16(), refusal.reason))
        } else {
            self.outcome(status, &refusal.reason)
        };
        if status == StatusCode::NON_AUTHORITATIVE_INFORMATION {
            message.push_str(". Azure DevOps answered with its sign-in page");
        } else if status.is_success() {
            message.push_str(
                ". Only 200 has the content: check what stands between, such as a proxy or gateway",
            );
        }
        if let Some(words) = &refusal.words {
            message.push_str(". Azure DevOps said: ");
            message.push_str(words.trim_end_matches('.'));
        }
        message.push_str(self.of_others(refusal));
        message.push_str(". ");
        if refusal.is_rate_limited {
            message.push_str(&self.limits());
        } else {
            message.push_str(&self.by_whom(status));
        }
        if let Some(error) = &refusal.not_renewed {
            message.push_str(&not_renewed(error));
        }
        message.push_str(&refusal.attempts.to_string());
        let error = self.told(Error::new(self.kind(kind), message), Some(status));
        if kind == ErrorKind::NotFound {
            return error.of_what_is_missing();
        }
        error
    }

    /// Says that something else may have answered, since Azure DevOps explains errors in JSON. It
    /// sends a page itself only to unknown principals, and a Server for what is not there.
    fn of_others(&self, refusal: &Refusal) -> &'static str {
        let of_azure = [StatusCode::UNAUTHORIZED, StatusCode::NOT_FOUND];
        let is_theirs = refusal.words.is_none() && !of_azure.contains(&refusal.status);
        if !is_theirs || refusal.is_rate_limited || !refusal.is_page || refusal.status.is_success()
        {
            ""
        } else if refusal.status == StatusCode::BAD_REQUEST && self.request.scheme() == "http" {
            ". The answer is a page (HTML): check whether the port speaks TLS (https://), and what stands between, such as a proxy or gateway"
        } else {
            ". The answer is a page (HTML): check what stands between, such as a proxy or gateway"
        }
    }

    /// Who asked for more than it may, and what helps.
    fn limits(&self) -> String {
        let who = self.authorization.named();
        let scope = scope_of(self.request);
        format!(
            "Read with {who} for {scope}, which has used more than Azure DevOps allows: check what else reads with it, or give organizations credentials of their own"
        )
    }

    /// Something else failed after the answer came.
    pub(super) fn unable_to(&self, error: &Error) -> Error {
        let said = self.said(&error.to_string());
        let error = Error::new(error.kind(), said);
        self.told(unable(self.purpose, self.url, &error), None)
    }

    /// The answer is what the caller has; with its status, if it came just now.
    pub(super) fn unchanged(&self, status: Option<StatusCode>) -> Error {
        let url = self.url;
        let message = format!("{url} has not been modified");
        self.told(Error::new(ErrorKind::NotModified, message), status)
    }

    /// Azure DevOps answered with a page where something else was asked for.
    pub(super) fn page(&self, status: StatusCode, wanted: &str) -> Error {
        let message = format!(
            "{}. Azure DevOps answered with a page (HTML) in place of {wanted}: that is how it asks to sign in, unless what stands between, such as a proxy or gateway, has answered. {}",
            self.outcome_of(status),
            self.by_whom(StatusCode::UNAUTHORIZED)
        );
        self.told(Error::new(ErrorKind::Authentication, message), Some(status))
    }

    /// There is an answer, but what it says cannot be used.
    pub(super) fn unusable(&self, kind: ErrorKind, why: &str) -> Error {
        let url = self.url;
        let failed = self.purpose.failed();
        let request = self.request;
        let why = self.said(why);
        let message = format!("{failed} {url}, {why}. It was asked for as {request}");
        self.told(Error::new(kind, message), None)
    }

    /// There is no usable answer.
    pub(super) fn failed(&self, error: http::Error) -> Error {
        let status = error.status();
        let http::Error {
            kind,
            attempts,
            is_rate_limited,
            not_renewed: why,
        } = error;
        let mut message = match kind {
            http::ErrorKind::Redirect(redirected) if is_rate_limited => {
                self.redirected_while_rate_limited(&redirected)
            }
            kind => self.happened(kind),
        };
        if let Some(why) = why {
            message = message.adding(&not_renewed(&why));
        }
        self.told(message.adding(&attempts.to_string()), status)
    }

    fn happened(&self, kind: http::ErrorKind) -> Error {
        use http::ErrorKind::{
            Broken, Connection, Damaged, Encoding, Exceeded, OutOfMemory, Redirect, Stalled,
            Throttled, Token, TooManyRedirects, Truncated,
        };
        let (url, request) = (self.url, self.request);
        let host = quirks::host(request);
        let failed = self.purpose.failed();
        let message = match kind {
            Redirect(redirected) => return self.redirected(&redirected),
            Token(error) => {
                let error = no_token(&self.authorization.named(), request, &error);
                return unable(self.purpose, url, &error);
            }
            Exceeded(limit, came) => return self.exceeded(limit, came),
            Connection(error) => return self.unconnected(&error),
            Throttled(throttled) => return self.throttled(throttled),
            TooManyRedirects => format!("{failed} {url}, {host} redirects in circles"),
            Stalled => format!("{failed} {url}, {host} did not answer in time"),
            Truncated => format!("{failed} {url}, the content of {request} was truncated"),
            Broken(words) => {
                let words = self.said(&words);
                format!("{failed} {url}, the content of {request} was truncated: {words}")
            }
            Damaged(why) | Encoding(why) => format!(
                "{failed} {url}, the content of {request} cannot be used: {why}. Check what stands between, such as a proxy or gateway"
            ),
            OutOfMemory(came) => format!(
                "{failed} {url}, there is no memory for more than {came} bytes of the content of {request}"
            ),
        };
        Error::other(message)
    }

    /// An answer has more than it may have.
    fn exceeded(&self, limit: Limit, came: u64) -> Error {
        let content = format!("the content of {}", self.request);
        self.unable_to(&match limit {
            Limit::ContentWait => limit.exceeded(format!("{content}, of which {came} bytes came,")),
            _ => limit.exceeded(content),
        })
    }

    /// Azure DevOps sends a principal that is rate limited to sign in as well.
    fn redirected_while_rate_limited(&self, redirected: &Redirected) -> Error {
        let to = redirected.to.place(&self.secrets());
        let outcome = self.outcome_of(redirected.status);
        let limits = self.limits();
        Error::other(format!(
            "{outcome}. Azure DevOps redirected to {to}, which was not followed. {limits}"
        ))
    }

    /// The answer is elsewhere, where no credential is taken.
    fn redirected(&self, Redirected { to, status, .. }: &Redirected) -> Error {
        let outcome = self.outcome_of(*status);
        let Away { is_sign_in, .. } = to;
        let to = to.place(&self.secrets());
        if *is_sign_in {
            let by_whom = self.by_whom(StatusCode::UNAUTHORIZED);
            let message = format!(
                "{outcome}. Azure DevOps redirected to {to}, which was not followed: that is how it asks to sign in. {by_whom}"
            );
            return Error::new(ErrorKind::Authentication, message);
        }
        let who = self.authorization.named();
        let scope = scope_of(self.request);
        Error::other(format!(
            "{outcome}. It was redirected to {to}, which was not followed, because a credential is sent to no other host, and from TLS to no plain text. Read with {who} for {scope}: check the host in the URL and under integrations.azure, and what stands between, such as a proxy or gateway"
        ))
    }

    /// Nothing was asked, because there was no time left to wait for it.
    fn throttled(&self, Throttled { wait, cause }: Throttled) -> Error {
        let url = self.url;
        let host = quirks::host(self.request);
        let (why, advice) = match (wait, cause) {
            (Some(wait), _) => (
                format!(
                    "{host} asks to wait for another {} s",
                    wait.as_secs().max(1)
                ),
                self.limits(),
            ),
            (None, Cause::Limited) => (
                "too many requests wait with the same credential".to_owned(),
                self.limits(),
            ),
            (None, Cause::Configured(most)) => (
                format!(
                    "too many requests wait: maxApiRequestsPerMinute lets {most} go in a minute"
                ),
                self.read_with(),
            ),
            (None, Cause::Unanswered(_)) => (
                format!("too many requests wait for {host}, which answers slowly"),
                self.read_with(),
            ),
        };
        let failed = self.purpose.failed();
        Error::other(format!("{failed} {url}, {why}. {advice}"))
    }

    /// There was no connection, or no answer on it.
    fn unconnected(&self, error: &ConnectionError) -> Error {
        let mut message = format!(
            "{} {}, {}",
            self.purpose.failed(),
            self.url,
            self.said(&error.to_string())
        );
        for more in [error.advice(), self.read_with()] {
            if !more.is_empty() {
                message.push_str(". ");
                message.push_str(&more);
            }
        }
        Error::other(message)
    }

    /// Who read.
    fn read_with(&self) -> String {
        let failure = self.chain_failure().unwrap_or_default();
        let who = self.authorization.named();
        let scope = scope_of(self.request);
        format!("Read with {who} for {scope}{failure}")
    }

    /// Why the read is anonymous although a credential was set up.
    fn chain_failure(&self) -> Option<String> {
        let why = self.authorization.without_default()?;
        let failed = format!(", because the default credential chain failed: {why}");
        (!why.is_absence()).then_some(failed)
    }

    fn outcome_of(&self, status: StatusCode) -> String {
        self.outcome(status, status.canonical_reason().unwrap_or_default())
    }

    fn outcome(&self, status: StatusCode, reason: &str) -> String {
        match status {
            StatusCode::NON_AUTHORITATIVE_INFORMATION => self.outcome_in_words(&self.rejected()),
            _ => self.outcome_in_words(&format!("{} {reason}", status.as_u16())),
        }
    }

    fn outcome_in_words(&self, what: &str) -> String {
        let url = self.url;
        let request = self.request;
        match self.purpose {
            Purpose::File => format!("{url} could not be read as {request}, {what}"),
            Purpose::Tree => {
                format!("Failed to read tree from {url}, {what}. It was asked for as {request}")
            }
        }
    }

    /// What Backstage's own reader says where the sign-in page is the answer.
    fn rejected(&self) -> String {
        let is_global = if self.is_azures() {
            " and is not a global token"
        } else {
            ""
        };
        format!(
            "Azure DevOps rejected the provided credentials. If you are using a personal access token, check that it has not expired{is_global}. See {TOKENS_PAGE}"
        )
    }

    /// Whether the host is one of Azure DevOps Services, and no server.
    fn is_azures(&self) -> bool {
        is_services_host(quirks::host(self.request))
    }

    /// What an anonymous read does not find may be visible to the credential that the default chain failed
    /// to obtain: it must not count as gone.
    fn kind(&self, kind: ErrorKind) -> ErrorKind {
        match self.authorization.without_default() {
            Some(error) if kind == ErrorKind::NotFound && !error.is_absence() => error.error_kind(),
            _ => kind,
        }
    }

    /// Which credential read, what to check, and, for an anonymous read, why the default chain found none.
    fn by_whom(&self, status: StatusCode) -> String {
        let identity = self.authorization.identity();
        let scope = scope_of(self.request);
        let mut said = format!("Read with {} for {scope}", self.authorization.named());
        if let Some(failure) = self.chain_failure() {
            said.push_str(&failure);
            return said;
        }
        let asks_to_sign_in = asks_to_sign_in(status);
        let is_forbidden = status == StatusCode::FORBIDDEN;
        let is_missing = status == StatusCode::NOT_FOUND;
        let is_hidden = is_missing && identity == Identity::Anonymous;
        if asks_to_sign_in {
            said.push_str(": ");
            said.push_str(identity.advice());
            if identity.is_personal_access_token() && self.is_azures() {
                said.extend(["; ", TOKENS_END, ", see ", TOKENS_PAGE]);
            }
        } else if is_forbidden {
            said.push_str(": ");
            said.push_str(identity.advice_on_permissions());
        } else if is_hidden {
            said.push_str(": what is not public is not found without one; see integrations.azure");
        } else if is_missing {
            said.push_str(": check the names in the URL (project, repository, branch or tag, path), and that it may read the repository, since what it may not read is not found either");
        }
        if let Some(why) = self.authorization.without_default()
            && (asks_to_sign_in || is_forbidden || is_hidden)
        {
            said.push_str(". The default credential chain has none either: ");
            said.push_str(&why.to_string());
        }
        said
    }
}

/// Says that a refused token was not replaced, and why.
fn not_renewed(error: &TokenError) -> String {
    format!(". No new token could be obtained: {error}")
}
