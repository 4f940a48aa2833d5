//! Why no token was given, in words: what was asked, the code of the answer, what to check.

use std::{
    error::Error as StdError,
    io,
    time::{Duration, SystemTime},
};

use azure_core::{
    error::{Error, ErrorKind},
    http::{
        RawResponse, StatusCode,
        headers::{HeaderName, RETRY_AFTER},
    },
};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use crate::credentials::token::{CannotBeAsked, TokenError, TokenErrorKind};
use crate::{secrets::Secrets, text::readable};

const DATE: HeaderName = HeaderName::from_static("date");

/// The most characters of another program's words that a message repeats.
const MAX_WORDS: usize = 600;

/// No wait that a server asks for is believed to be longer.
const LONGEST_WAIT: Duration = Duration::from_secs(60 * 60);

/// What was asked for a token, and the secrets that were sent with the request.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    giver: Giver,
    sent: Secrets,
}

/// What gives tokens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Giver {
    /// Entra ID, at this host.
    Entra(String),
    /// The machine's endpoint for managed identities.
    ManagedIdentity,
    /// A developer's tool, by the name of its program.
    Tool(&'static str),
}

impl Asked {
    pub(crate) fn entra(authority: &Url) -> Self {
        let host = authority.host_str().unwrap_or_default();
        Self::of(Giver::Entra(host.to_owned()))
    }

    pub(crate) fn managed_identity() -> Self {
        Self::of(Giver::ManagedIdentity)
    }

    pub(crate) fn tool(program: &'static str) -> Self {
        Self::of(Giver::Tool(program))
    }

    fn of(giver: Giver) -> Self {
        let sent = Secrets::default();
        Self { giver, sent }
    }

    /// The same, which was sent this secret.
    pub(crate) fn with(mut self, secret: &SecretString) -> Self {
        self.sent.add(secret.expose_secret());
        self
    }

    fn name(&self) -> String {
        match &self.giver {
            Giver::Entra(host) => format!("Entra ID ({host})"),
            Giver::ManagedIdentity => "the machine's managed identity endpoint".to_owned(),
            Giver::Tool(program) => (*program).to_owned(),
        }
    }

    /// What they said, in one line, not too long, and without what they were sent.
    fn words(&self, said: &str) -> String {
        let said = self.sent.redact(said);
        let line = said.split_whitespace().collect::<Vec<_>>().join(" ");
        readable(line).chars().take(MAX_WORDS).collect()
    }

    /// What a tool wrote when it failed: its last error, without the warnings before it.
    fn tools_words(&self, program: &str, written: &str) -> String {
        let last = written.rfind("ERROR:").unwrap_or_default();
        let said = self.words(&written[last..]);
        if said.is_empty() {
            format!("{program} failed and said nothing")
        } else {
            said
        }
    }
}

/// What Entra ID and the managed identity endpoints answer when they refuse.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorBody {
    error: serde_json::Value,
    error_description: String,
    /// App Service's shape.
    message: String,
}

/// Puts what `azure_identity` says into our words.
pub(crate) fn explain(error: &Error, asked: &Asked) -> TokenError {
    let innermost = innermost(error);
    let unreachable = || {
        let words = asked.words(&innermost.to_string());
        TokenError::unreachable(format!("{} {words}", asked.name()))
    };
    match innermost.kind() {
        ErrorKind::HttpResponse {
            status,
            raw_response: Some(response),
            ..
        } => refused(*status, response, asked),
        // The client's own words go on after a name.
        ErrorKind::Other if asked.giver == Giver::ManagedIdentity => TokenError::absent(format!(
            "{} {}: check that this machine is in Azure and has a managed identity",
            asked.name(),
            asked.words(&innermost.to_string())
        )),
        ErrorKind::Connection if source_of::<CannotBeAsked>(innermost).is_some() => {
            unreachable().lasting()
        }
        ErrorKind::Connection | ErrorKind::Io | ErrorKind::Other => unreachable(),
        ErrorKind::DataConversion => no_token(asked),
        _ => TokenError::refused(match &asked.giver {
            Giver::Tool(program) => match source_of::<io::Error>(innermost) {
                Some(error) => format!("{program} {error}"),
                None => asked.tools_words(program, &innermost.to_string()),
            },
            _ => format!("{}: {}", asked.name(), asked.words(&innermost.to_string())),
        }),
    }
}

/// Says that what was answered is no token.
pub(crate) fn no_token(asked: &Asked) -> TokenError {
    TokenError::refused(match asked.giver {
        Giver::Tool("az") => {
            "az printed no token that can be used: check that it is 2.54 or newer".to_owned()
        }
        _ => format!("{} answered with what is no token", asked.name()),
    })
}

/// The error that came first; those around it say only which credential it was.
fn innermost(error: &Error) -> &Error {
    let mut found = error;
    let mut next = error.source();
    while let Some(cause) = next {
        if let Some(cause) = cause.downcast_ref::<Error>() {
            found = cause;
        }
        next = cause.source();
    }
    found
}

fn source_of<E: StdError + 'static>(error: &Error) -> Option<&E> {
    error.source()?.downcast_ref()
}

fn refused(status: StatusCode, response: &RawResponse, asked: &Asked) -> TokenError {
    let body: ErrorBody = serde_json::from_slice(response.body()).unwrap_or_default();
    let said = [&body.error_description, &body.message]
        .into_iter()
        .find(|text| !text.is_empty());
    let said = said.map_or_else(|| error_code(&body), |text| without_trace(text));
    let said = asked.words(said);
    let status = u16::from(status);
    let mut message = format!("{} refused, {status}", asked.name());
    if !said.is_empty() {
        message.push_str(": ");
        message.push_str(said.trim_end_matches('.'));
    }
    if let Some(advice) = advice(&said, asked) {
        message.push_str(". Check ");
        message.push_str(advice);
    }
    let kind = match status {
        408 | 429 | 500.. => TokenErrorKind::Unreachable,
        _ => TokenErrorKind::Refused,
    };
    TokenError::new(kind, message).after(retry_after(response))
}

fn error_code(body: &ErrorBody) -> &str {
    let code = body.error.as_str().or_else(|| body.error["code"].as_str());
    code.unwrap_or_default()
}

/// What Entra ID says without the ids and the time at its end, which only its support can use.
fn without_trace(description: &str) -> &str {
    description
        .split_once("Trace ID:")
        .map_or(description, |(said, _)| said)
}

/// A number of seconds, or a date by the sender's clock.
///
/// <https://www.rfc-editor.org/rfc/rfc9110#field.retry-after>
fn retry_after(response: &RawResponse) -> Option<Duration> {
    let text = |name: HeaderName| response.headers().get_optional_str(&name).map(str::trim);
    let value = text(RETRY_AFTER)?;
    if let Ok(seconds) = value.parse() {
        return Some(Duration::from_secs(seconds).min(LONGEST_WAIT));
    }
    let date = httpdate::parse_http_date(value).ok()?;
    let sent = text(DATE).and_then(|sent| httpdate::parse_http_date(sent).ok());
    let now = sent.unwrap_or_else(SystemTime::now);
    let wait = date.duration_since(now).unwrap_or_default();
    Some(wait.min(LONGEST_WAIT))
}

/// What to check, by the code that Entra ID gave.
///
/// <https://learn.microsoft.com/entra/identity-platform/reference-error-codes>
fn advice(said: &str, asked: &Asked) -> Option<&'static str> {
    let Giver::Entra(_) = asked.giver else {
        return (asked.giver == Giver::ManagedIdentity).then_some(
            "that the identity is assigned to this machine, and that its clientId is right",
        );
    };
    let code = said.strip_prefix("AADSTS")?.split(':').next()?;
    Some(match code {
        "7000215" => "that clientSecret is the secret's value, and not its id",
        "7000222" => "the client secret: it has expired, and the app needs a new one",
        "7000218" => "that the app is one that has secrets",
        "700016" => "clientId and tenantId: this tenant has no such app",
        "7000112" => "the app: it is disabled in its tenant",
        "90002" | "900021" | "900023" | "5000224" => {
            "tenantId, and AZURE_AUTHORITY_HOST if the tenant is in a sovereign cloud"
        }
        "700027" if said.contains("expired") => {
            "the certificate: it has expired, and the app needs a new one"
        }
        "700027" | "1000502" | "7000214" | "7000274" | "7000277" => {
            "that the certificate is the app's, and that it has neither expired nor been revoked"
        }
        "70021" | "70025" | "700021" | "700023" | "700211" | "700212" | "700213" | "7002138" => {
            "the app's federated credentials: none has this issuer, subject and audience"
        }
        "700024" => "this machine's clock, and the time for which the assertion is valid",
        "500011" => "that tenantId is the tenant to which the organization is connected",
        "53003" | "530003" => "the tenant's conditional access policies",
        _ => "tenantId, clientId and what vouches for them",
    })
}

#[cfg(test)]
mod tests {
    use azure_core::http::headers::Headers;

    use super::*;

    fn wait(headers: &[(&'static str, &'static str)]) -> Option<Duration> {
        let mut all = Headers::new();
        for (name, value) in headers {
            all.insert(*name, *value);
        }
        let answer = RawResponse::from_bytes(StatusCode::TooManyRequests, all, "{}");
        refused(
            StatusCode::TooManyRequests,
            &answer,
            &Asked::managed_identity(),
        )
        .retry_after
    }

    #[test]
    fn a_wait_is_a_number_or_a_date_by_the_servers_clock() {
        let date = ("date", "Tue, 15 Nov 1994 08:12:31 GMT");
        let until = ("retry-after", "Tue, 15 Nov 1994 08:12:41 GMT");
        assert_eq!(
            wait(&[("retry-after", " 7 ")]),
            Some(Duration::from_secs(7))
        );
        assert_eq!(wait(&[until, date]), Some(Duration::from_secs(10)));
        assert_eq!(wait(&[until]), Some(Duration::ZERO));
        assert_eq!(wait(&[("retry-after", "soon")]), None);
        for endless in ["18446744073709551615", "Fri, 31 Dec 9999 23:59:59 GMT"] {
            assert_eq!(wait(&[("retry-after", endless)]), Some(LONGEST_WAIT));
        }
    }

    #[test]
    fn of_a_tool_that_fails_its_last_error_is_told() {
        let az = Asked::tool("az");
        let warned = "WARNING: old\nERROR: a\nWARNING: older\nERROR: Please run 'az login'\n";
        assert_eq!(az.tools_words("az", warned), "ERROR: Please run 'az login'");
        assert_eq!(az.tools_words("az", "no\n such"), "no such");
        assert_eq!(az.tools_words("az", "\n"), "az failed and said nothing");
    }
}
