//! One call for the sake of its outcome: what came of it, and where the fault is if it failed.

use std::time::{Duration, Instant, SystemTime};

use reqwest::StatusCode;
use tokio::time::timeout;

use super::report::{At, Cause, Check, State};
use crate::{
    credentials::{Authorization, CredentialName, Identity, TokenError},
    http::{self, Answer, ErrorKind, limiter::headers::LimitHeaders, secrets},
    rest::{Call, InvalidAnswer, Refusal},
    secrets::Secrets,
    text::readable,
};

/// What to do where a credential gives no token, and why does not say it.
pub(super) const CHECK_CREDENTIAL: &str =
    "check this credential in the configuration: its tenant, its client and what vouches for it";

/// What to do where a certificate cannot be read.
const CHECK_FILE: &str = "put the file there, or correct clientCertificatePath; in a container, check that it is mounted, and that the backend's user may read it";

/// Why a call failed.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    pub at: At,
    /// Whether Azure DevOps has no such thing, or does not show it.
    pub is_missing: bool,
    pub message: String,
    pub advice: String,
}

/// What came of a call.
#[derive(Debug)]
pub(super) struct Probe {
    pub outcome: Result<Answer, Trouble>,
    /// What it said of limits.
    pub limits: LimitHeaders,
    pub elapsed: Duration,
}

impl Trouble {
    pub(super) fn new(at: At, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            at,
            is_missing: false,
            message: readable(message),
            advice: readable(advice),
        }
    }

    /// What a message says, and what it says to check, which stands at its end.
    pub(super) fn of_message(at: At, message: &str, otherwise: &str) -> Self {
        match message.split_once(". Check ") {
            Some((message, advice)) => Self::new(at, message, format!("check {advice}")),
            None if message.contains("could not be read") => Self::new(at, message, CHECK_FILE),
            None => Self::new(at, message, otherwise),
        }
    }

    /// There is no token.
    pub(super) fn no_token(error: &TokenError) -> Self {
        let message = format!("there is no token: {error}");
        Self::of_message(At::Credential, &message, CHECK_CREDENTIAL)
    }

    /// An answer is not one of the REST API.
    pub(super) fn odd(error: &InvalidAnswer) -> Self {
        let advice = "check what stands between, such as a proxy or gateway";
        Self::new(
            At::Network,
            format!("the answer cannot be used: {}", error.0),
            advice,
        )
    }

    /// It was not done in time.
    pub(super) fn silent(most: Duration, what: &str) -> Self {
        Self::new(
            At::Network,
            format!("{what} did not answer within {} s", most.as_secs()),
            "from this machine, run curl -v with the URL: if it connects, the server hangs; if it does not, a firewall stands between, or a proxy is needed (HTTPS_PROXY)",
        )
    }

    pub(super) fn into_check(self, name: &'static str) -> Check {
        Check::new(name, State::Problem, self.message).advising(self.advice)
    }

    pub(super) fn into_cause(self) -> Cause {
        Cause::new(self.at, self.message, self.advice)
    }
}

impl Probe {
    /// There is no answer; how long that took is not told.
    pub(super) fn failed(trouble: Trouble) -> Self {
        Self {
            outcome: Err(trouble),
            limits: LimitHeaders::default(),
            elapsed: Duration::ZERO,
        }
    }
}

/// Sends a call, which may take so long.
pub(super) async fn probe(call: Call, authorization: &Authorization, most: Duration) -> Probe {
    let host = url::quirks::host(call.url()).to_owned();
    let began = Instant::now();
    let sent = timeout(most, call.send()).await;
    let elapsed = began.elapsed();
    let answer = match sent {
        Err(_) => return Probe::failed(Trouble::silent(most, &host)),
        Ok(Err(error)) => return Probe::failed(trouble_of(error, authorization, &host)),
        Ok(Ok(answer)) => answer,
    };
    let limits = LimitHeaders::read(answer.headers(), SystemTime::now());
    let outcome = if answer.status() == StatusCode::OK && !answer.is_page() {
        Ok(answer)
    } else {
        let secrets = secrets(authorization);
        Err(of_refusal(
            &Refusal::read(answer, &secrets).await,
            authorization,
            &limits,
        ))
    };
    Probe {
        outcome,
        limits,
        elapsed,
    }
}

/// There is an answer, and it is a refusal.
fn of_refusal(refusal: &Refusal, authorization: &Authorization, limits: &LimitHeaders) -> Trouble {
    let Refusal { status, reason, .. } = refusal;
    let identity = authorization.identity();
    let said = refusal.words.as_ref().map_or_else(String::new, |words| {
        format!(". It said: {}", words.trim_end_matches('.'))
    });
    let renewed = refusal.not_renewed.as_ref();
    let renewed = renewed.map_or_else(String::new, |why| {
        format!(". No new token could be obtained: {why}")
    });
    let answered = format!("Azure DevOps answered {} {reason}", status.as_u16());
    if refusal.is_rate_limited || *status == StatusCode::TOO_MANY_REQUESTS {
        return limited(&answered, &said, limits, authorization.named());
    }
    let (at, message, advice) = match *status {
        StatusCode::UNAUTHORIZED | StatusCode::NON_AUTHORITATIVE_INFORMATION => (
            At::Credential,
            format!("asked with {}, {answered}: it asks to sign in{said}{renewed}", authorization.named()),
            advice_to_sign_in(identity),
        ),
        status if status.is_success() => (
            At::Credential,
            "Azure DevOps answered with a page (HTML): that is how it asks to sign in, unless what stands between has answered".to_owned(),
            identity.advice().to_owned(),
        ),
        StatusCode::FORBIDDEN => (
            At::Credential,
            format!("{answered}: it knows who asks, and forbids it{said}"),
            if is_of_policy(refusal) {
                OF_POLICY.to_owned()
            } else {
                identity.advice_on_permissions().to_owned()
            },
        ),
        StatusCode::NOT_FOUND => (At::Unknown, format!("{answered}{said}"), String::new()),
        status if status.is_server_error() => (
            At::Network,
            format!("{answered}{said}"),
            "try again in a while; if it stays so, see https://status.dev.azure.com for Azure DevOps Services; of a server of your own, check that it runs, and the load balancer or gateway before it".to_owned(),
        ),
        _ => (
            At::Network,
            format!("{answered}{said}"),
            "check what stands between, such as a proxy or gateway".to_owned(),
        ),
    };
    Trouble {
        is_missing: *status == StatusCode::NOT_FOUND,
        ..Trouble::new(at, message, advice)
    }
}

/// What to do where Azure DevOps does not know who asks.
fn advice_to_sign_in(identity: Identity) -> String {
    let advice = identity.advice();
    if identity.is_personal_access_token() {
        return format!(
            "{advice}: its owner sees that under User settings, Personal access tokens"
        );
    }
    advice.to_owned()
}

/// What to do where a policy of the tenant forbids it.
const OF_POLICY: &str = "ask an administrator of Entra ID which policy it is, as its sign-in logs say: the policy may admit this identity, or this machine's address";

/// Whether a conditional access policy forbids it.
///
/// <https://learn.microsoft.com/azure/devops/organizations/accounts/change-application-access-policies>
fn is_of_policy(refusal: &Refusal) -> bool {
    let words = refusal.words.as_deref().unwrap_or_default();
    words.contains("VS403463") || words.to_lowercase().contains("conditional access")
}

fn limited(answered: &str, said: &str, limits: &LimitHeaders, who: CredentialName<'_>) -> Trouble {
    let wait = limits.retry_after.map_or_else(
        || "It will be let in again by itself".to_owned(),
        |wait| format!("It will be let in again in {} s", wait.as_secs().max(1)),
    );
    Trouble::new(
        At::Limits,
        format!("{answered}: {who} has used more than Azure DevOps allows{said}"),
        format!(
            "{wait}. Check what else reads with it, give organizations credentials of their own, and see docs/throttling.md"
        ),
    )
}

/// There is no answer.
pub(super) fn trouble_of(error: http::Error, authorization: &Authorization, host: &str) -> Trouble {
    let secrets = secrets(authorization);
    let identity = authorization.identity();
    let is_rate_limited = error.is_rate_limited;
    match error.kind {
        ErrorKind::Connection(error) => Trouble::new(
            At::Network,
            secrets.redact(&error.to_string()),
            secrets.redact(&error.advice()),
        ),
        ErrorKind::Token(error) => Trouble::no_token(&error),
        ErrorKind::Throttled(_) => limited(
            "nothing was asked",
            "",
            &LimitHeaders::default(),
            authorization.named(),
        ),
        ErrorKind::Redirect(to) if is_rate_limited => limited(
            &format!("Azure DevOps redirected to {}", to.to.place(&secrets)),
            "",
            &LimitHeaders::read(&to.headers, SystemTime::now()),
            authorization.named(),
        ),
        ErrorKind::Redirect(to) => of_redirect(&to, identity, &secrets),
        ErrorKind::TooManyRedirects => Trouble::new(
            At::Network,
            format!("{host} redirects in circles"),
            "check the host in the URL, and what stands between",
        ),
        ErrorKind::Stalled => Trouble::new(
            At::Network,
            format!("{host} did not answer in time"),
            "check the network, and the server",
        ),
        _ => Trouble::new(
            At::Network,
            format!("the answer of {host} was truncated or damaged on its way"),
            "check what stands between, such as a proxy or gateway",
        ),
    }
}

fn of_redirect(redirected: &http::Redirected, identity: Identity, secrets: &Secrets) -> Trouble {
    let place = redirected.to.place(secrets);
    if redirected.to.is_sign_in {
        return Trouble::new(
            At::Credential,
            format!("Azure DevOps redirected to {place}: it asks to sign in"),
            advice_to_sign_in(identity),
        );
    }
    Trouble::new(
        At::Network,
        format!("it was redirected to {place}, where no credential is sent"),
        "check the host in the URL and under integrations.azure, and what stands between",
    )
}
