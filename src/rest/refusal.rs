//! What an answer says that is a refusal.

use std::{sync::Arc, time::Duration};

use percent_encoding::percent_decode_str;
use reqwest::{
    StatusCode,
    header::{CONTENT_TYPE, HeaderMap},
};
use serde::Deserialize;
use tokio::time::timeout;

use super::json::json;
use crate::{
    credentials::TokenError,
    http::{Answer, Attempts, with_read_timeout},
    secrets::Secrets,
    text::readable,
};

/// The most of an error's body that is read.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// How long is waited for an error's body: what it is is known already.
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);

/// The most characters of Azure DevOps' own words that a message repeats, and of a status' phrase.
const MAX_WORDS: usize = 1000;

const MAX_REASON: usize = 200;

/// How Azure DevOps says that there is no such folder.
const NO_SUCH_FOLDER: &str = "TF401174";

/// The answer to a call that was refused.
#[derive(Debug)]
pub struct Refusal {
    /// The status.
    pub status: StatusCode,
    /// The status' phrase as the server put it.
    pub reason: String,
    /// What Azure DevOps said of it, where it said something readable.
    pub words: Option<String>,
    /// Whether the answer is a page (HTML).
    pub is_page: bool,
    /// Why the token that was refused was not replaced, where another was asked for.
    pub not_renewed: Option<Arc<TokenError>>,
    /// Whether it was refused because its principal is rate limited.
    pub is_rate_limited: bool,
    /// How often it was asked.
    pub attempts: Attempts,
}

impl Refusal {
    /// Reads the rest of a refused answer; what cannot be read is left out, and so are secrets that were
    /// `sent`.
    pub async fn read(answer: Answer, sent: &Secrets) -> Self {
        let status = answer.status();
        let reason = beginning(&readable(sent.redact(&answer.reason())), MAX_REASON);
        let in_headers = words_of_headers(answer.headers(), sent);
        let is_page = answer.is_page();
        let not_renewed = answer.not_renewed.clone();
        let is_rate_limited = answer.is_rate_limited;
        let attempts = answer.attempts;
        let words = timeout(ERROR_BODY_TIME, words(answer, sent)).await;
        let words = words.ok().flatten().or(in_headers);
        Self {
            status,
            reason,
            words,
            is_page,
            not_renewed,
            is_rate_limited,
            attempts,
        }
    }
}

/// The body of the API's errors, as far as a person needs it: its own, and that of what stands before
/// it, which wraps a message as if it were a list.
#[derive(Deserialize)]
#[serde(untagged)]
enum ErrorBody {
    Own { message: String },
    Wrapped { value: WrappedMessage },
}

#[derive(Deserialize)]
struct WrappedMessage {
    #[serde(rename = "Message", alias = "message")]
    message: String,
}

impl ErrorBody {
    fn message(self) -> String {
        match self {
            Self::Own { message } => message,
            Self::Wrapped { value } => value.message,
        }
    }
}

/// The words of an answer without a body, form-encoded in a header: what was refused, and a code.
fn words_of_headers(headers: &HeaderMap, sent: &Secrets) -> Option<String> {
    let value = headers.get("x-tfs-serviceerror")?.to_str().ok()?;
    let value = sent.redact(value).replace('+', " ");
    one_line(&percent_decode_str(&value).decode_utf8_lossy(), sent)
}

async fn words(mut answer: Answer, sent: &Secrets) -> Option<String> {
    let is_json = answer
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    if !is_json {
        return None;
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = with_read_timeout(answer.next_chunk()).await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BODY {
            return None;
        }
    }
    message_in(&body, sent)
}

/// Whether an answer says that there is no such folder. Any other `404` may mean that the server does not
/// know the call.
pub async fn says_no_such_folder(answer: Answer) -> bool {
    let words = Refusal::read(answer, &Secrets::default()).await.words;
    words.is_some_and(|words| words.starts_with(NO_SUCH_FOLDER))
}

/// What an error's body in JSON says, where it says something, without what was sent.
#[must_use]
pub fn message_in(body: &[u8], sent: &Secrets) -> Option<String> {
    let body: ErrorBody = json(body).ok()?;
    one_line(&body.message(), sent)
}

/// The text in one line, without secrets and not too long, if there is any.
fn one_line(text: &str, sent: &Secrets) -> Option<String> {
    // Before it is cut: a part of a secret could be left.
    let text = sent.redact(text);
    let words: Vec<&str> = text.split_whitespace().collect();
    let words = beginning(&readable(words.join(" ")), MAX_WORDS);
    (!words.is_empty()).then_some(words)
}

fn beginning(text: &str, most: usize) -> String {
    text.chars().take(most).collect()
}

#[cfg(test)]
mod tests {
    use reqwest::header::HeaderValue;

    use super::*;

    fn headers(name: reqwest::header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    #[test]
    fn what_stands_in_the_header_is_read() {
        let name = reqwest::header::HeaderName::from_static("x-tfs-serviceerror");
        let said = words_of_headers(
            &headers(name, "TF400813%3A+The+user+%27%27+may+not"),
            &Secrets::default(),
        );
        assert_eq!(said.as_deref(), Some("TF400813: The user '' may not"));
    }
}
