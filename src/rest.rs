//! Typed calls of the Azure DevOps Git REST API, and what its errors say.

use std::{
    fmt,
    marker::PhantomData,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;
use percent_encoding::percent_decode_str;
use reqwest::{
    Response, StatusCode,
    header::{
        ACCEPT, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE, IF_NONE_MATCH,
        LAST_MODIFIED,
    },
};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, IgnoredAny, SeqAccess, Visitor},
};
use tokio::time::timeout;
use url::Url;

use crate::{
    credentials::{Authorization, TokenError},
    error::{Error, ErrorKind},
    http::{
        Blocked, Client, Failure, NotRenewed, Question, Tried, is_page, patiently, piece,
        without_byte_order_mark,
    },
    limits::Limit,
    secrets::Secrets,
    text::readable,
    url::is_object_id,
};

/// The most of an error's body that is read.
const MAX_ERROR_BODY: usize = 64 * 1024;

/// The most folders that one request asks for.
pub const MOST_FOLDERS: usize = 250;

/// How long is waited for an error's body: what it is is known already.
const ERROR_BODY_TIME: Duration = Duration::from_secs(5);

/// The most characters of Azure DevOps' own words that a message repeats, and of a status' phrase.
const MAX_WORDS: usize = 1000;
const MAX_REASON: usize = 200;

/// What the caller has already, so that the same need not be sent again.
#[derive(Clone, Debug, Default)]
pub struct Conditions {
    etag: Option<HeaderValue>,
    modified_after: Option<SystemTime>,
}

/// The last second that an HTTP date can name, in milliseconds since 1970.
const LAST_HTTP_DATE: f64 = 253_402_300_799_000.0;

impl Conditions {
    /// Takes the `ETag` of an earlier answer and its time in milliseconds since 1970.
    ///
    /// # Errors
    /// The etag holds what no header can, or the time is no date that HTTP can name.
    pub fn new(etag: Option<&str>, modified_after: Option<f64>) -> Result<Self, Error> {
        let etag = etag
            .filter(|etag| !etag.is_empty())
            .map(etag_header)
            .transpose()?;
        let modified_after = modified_after.map(http_time).transpose()?;
        Ok(Self {
            etag,
            modified_after,
        })
    }

    /// Whether there are any.
    #[must_use]
    pub const fn are_some(&self) -> bool {
        self.etag.is_some() || self.modified_after.is_some()
    }

    /// Whether an answer's headers say that it is what the caller has: a server that knows no
    /// conditions sends it all the same.
    #[must_use]
    pub fn are_met_by(&self, headers: &HeaderMap) -> bool {
        let modified = headers.get(LAST_MODIFIED);
        let modified = modified.and_then(|modified| modified.to_str().ok());
        self.compare(headers.get(ETAG), modified)
    }

    /// Whether they are met by an answer that is there already, with this etag and this time.
    #[must_use]
    pub fn are_met(&self, etag: Option<&str>, modified: Option<&str>) -> bool {
        let etag = etag.and_then(|etag| etag_header(etag).ok());
        self.compare(etag.as_ref(), modified)
    }

    fn compare(&self, etag: Option<&HeaderValue>, modified: Option<&str>) -> bool {
        // As in HTTP, an etag that differs settles the matter whatever the times say.
        if let Some(own) = &self.etag {
            return etag.is_some_and(|other| opaque(other) == opaque(own));
        }
        let modified = modified.and_then(|modified| httpdate::parse_http_date(modified).ok());
        let after = self.modified_after;
        modified.is_some_and(|modified| after.is_some_and(|after| modified <= after))
    }

    fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        if let Some(etag) = &self.etag {
            headers.insert(IF_NONE_MATCH, etag.clone());
        }
        if let Some(value) = self
            .modified_after
            .and_then(|time| HeaderValue::from_str(&httpdate::fmt_http_date(time)).ok())
        {
            headers.insert(IF_MODIFIED_SINCE, value);
        }
        headers
    }
}

/// A character is a byte, as where the etag was read from an answer.
fn etag_header(etag: &str) -> Result<HeaderValue, Error> {
    let refused = || invalid("etag is not one that a server could have given");
    let bytes: Result<Vec<u8>, _> = etag.chars().map(u8::try_from).collect();
    let bytes = bytes.map_err(|error| refused().because(error))?;
    HeaderValue::from_bytes(&bytes).map_err(|error| refused().because(error))
}

/// An etag without the mark of a weak one, which does not matter to who only reads.
fn opaque(etag: &HeaderValue) -> &[u8] {
    let bytes = etag.as_bytes();
    bytes.strip_prefix(b"W/").unwrap_or(bytes)
}

fn http_time(milliseconds: f64) -> Result<SystemTime, Error> {
    if !(0.0..=LAST_HTTP_DATE).contains(&milliseconds) {
        return Err(invalid(
            "lastModifiedAfter is not a date that HTTP can name",
        ));
    }
    Ok(SystemTime::UNIX_EPOCH + Duration::from_secs_f64(milliseconds / 1000.0))
}

fn invalid(what: &str) -> Error {
    Error::new(ErrorKind::Input, format!("The option {what}"))
}

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
    /// Whether it was refused because its reader had asked for more than it may.
    pub is_limit: bool,
    /// How often it was asked.
    pub tried: Option<Tried>,
}

/// Asks for an item's content as it is.
///
/// `url` is what [`crate::url::AzureUrl::to_file_url`] gives. Any status is an answer.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn get_item(
    client: &Client,
    url: Url,
    authorization: &Authorization,
    conditions: &Conditions,
) -> Result<Response, Failure> {
    let question = Question {
        operation: "file",
        url,
        headers: conditions.headers(),
        body: None,
    };
    client.ask(question, authorization).await
}

/// Asks for the newest commit of a branch, tag or commit, as a list of one.
///
/// `url` is what [`crate::url::AzureUrl::to_newest_commit_url`] gives. Any status is an answer.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn get_newest_commit(
    client: &Client,
    url: Url,
    authorization: &Authorization,
) -> Result<Response, Failure> {
    let question = get("commit", url, "application/json");
    client.ask_whole(question, authorization).await
}

/// Asks for a zip of a repository or folder.
///
/// `url` is what [`crate::url::AzureUrl::to_archive_url`] gives. Any status is an answer.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn get_archive(
    client: &Client,
    url: Url,
    authorization: &Authorization,
) -> Result<Response, Failure> {
    let question = get("archive", url, "application/zip");
    client.ask(question, authorization).await
}

/// Asks for the list of what is below a folder.
///
/// `url` is what [`crate::url::AzureUrl::to_list_url`] gives. Any status is an answer.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn list_items(
    client: &Client,
    url: Url,
    authorization: &Authorization,
) -> Result<Response, Failure> {
    let question = get("list", url, "application/json");
    client.ask_whole(question, authorization).await
}

/// Asks for what is directly in each of these folders at a commit.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get-items-batch>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn list_folders(
    client: &Client,
    url: Url,
    authorization: &Authorization,
    commit: &str,
    folders: &[String],
) -> Result<Response, Failure> {
    let descriptors = folders.iter().map(|folder| ItemDescriptor {
        path: folder,
        version: commit,
        version_type: "commit",
        version_options: "none",
        recursion_level: "oneLevel",
    });
    let question = ItemsQuestion {
        item_descriptors: descriptors.collect(),
    };
    let question = post("folders", url, "application/json", &question);
    client.ask_whole(question, authorization).await
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemsQuestion<'a> {
    item_descriptors: Vec<ItemDescriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemDescriptor<'a> {
    path: &'a str,
    version: &'a str,
    version_type: &'a str,
    version_options: &'a str,
    recursion_level: &'a str,
}

/// Asks for a blob's content as it is.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/blobs/get-blob>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn get_blob(
    client: &Client,
    url: Url,
    authorization: &Authorization,
) -> Result<Response, Failure> {
    let question = get("blob", url, "application/octet-stream");
    client.ask(question, authorization).await
}

/// Asks for the blobs with these ids in a zip.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/blobs/get-blobs-zip>
///
/// # Errors
/// There is no answer, or it leads to another host.
pub async fn get_blobs(
    client: &Client,
    url: Url,
    authorization: &Authorization,
    ids: &[&String],
) -> Result<Response, Failure> {
    let question = post("blobs", url, "application/zip", &ids);
    client.ask(question, authorization).await
}

fn post(
    operation: &'static str,
    url: Url,
    accept: &'static str,
    body: &impl Serialize,
) -> Question {
    let body = serde_json::to_vec(body).unwrap_or_default();
    Question {
        body: Some(body.into()),
        ..get(operation, url, accept)
    }
}

fn get(operation: &'static str, url: Url, accept: &'static str) -> Question {
    Question {
        operation,
        url,
        headers: HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(accept))]),
        body: None,
    }
}

/// Reads the id of the newest commit; nothing where there is none.
///
/// # Errors
/// The answer broke off, or is none that the REST API gives.
pub async fn commit_id(response: Response) -> Result<Option<String>, InvalidAnswer> {
    commit_id_in(&content(response, "commits").await?)
}

/// The id of the newest commit that a list of commits in JSON names; nothing where it has none.
///
/// # Errors
/// It is no such list, or no commit has such an id.
pub fn commit_id_in(answer: &[u8]) -> Result<Option<String>, InvalidAnswer> {
    let commits: Values<First<Commit>> = list(answer, "commits")?;
    let id = commits.value.0.map(|commit| commit.commit_id);
    let is_one = id.as_ref().is_none_or(|id| is_object_id(id));
    is_one.then_some(id).ok_or_else(|| no_id("commits"))
}

/// A file or folder of a repository.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Item {
    /// Its path, without a slash before it.
    pub path: String,
    /// The id of its content.
    pub id: String,
    /// Whether it is a folder.
    pub is_folder: bool,
}

/// Reads the files and folders of a list; submodules are left out.
///
/// # Errors
/// The answer broke off, or is none that the REST API gives.
pub async fn items(response: Response) -> Result<Vec<Item>, InvalidAnswer> {
    items_in(&content(response, "files").await?)
}

/// The files and folders of a list in JSON.
///
/// # Errors
/// It is no such list, or names what git cannot have.
pub fn items_in(answer: &[u8]) -> Result<Vec<Item>, InvalidAnswer> {
    let items: Values<Vec<ListedItem>> = list(answer, "files")?;
    read_items(items.value, "files")
}

/// Reads a list for each folder that was asked for; submodules are left out.
///
/// # Errors
/// The answer broke off, or is none that the REST API gives.
pub async fn item_batches(response: Response) -> Result<Vec<Vec<Item>>, InvalidAnswer> {
    item_batches_in(&content(response, "folders").await?)
}

/// The lists of folders, at most [`MOST_FOLDERS`], in JSON.
///
/// # Errors
/// They are no such lists, or name what git cannot have.
pub fn item_batches_in(answer: &[u8]) -> Result<Vec<Vec<Item>>, InvalidAnswer> {
    let lists: Values<AtMost<Vec<ListedItem>, MOST_FOLDERS>> = list(answer, "folders")?;
    let lists = lists.value.0.into_iter();
    lists.map(|list| read_items(list, "folders")).collect()
}

fn read_items(items: Vec<ListedItem>, what: &str) -> Result<Vec<Item>, InvalidAnswer> {
    let items = items.into_iter().filter_map(Item::read);
    let checked = items.map(|item| item.checked(what));
    checked.collect()
}

impl Item {
    fn read(item: ListedItem) -> Option<Self> {
        let is_folder = match item.kind {
            Kind::Blob => false,
            Kind::Tree => true,
            Kind::Commit | Kind::Other => return None,
        };
        let mut path = item.path;
        let slashes = path.len() - path.trim_start_matches('/').len();
        path.drain(..slashes);
        Some(Self {
            path,
            id: item.object_id,
            is_folder,
        })
    }

    /// The same, where git can have it: it has an id, and a path that leads nowhere else and is no longer
    /// than one in an archive may be.
    ///
    /// # Errors
    /// It is none.
    pub(crate) fn checked(self, what: &str) -> Result<Self, InvalidAnswer> {
        if !is_object_id(&self.id) {
            return Err(no_id(what));
        }
        let is_short = self.path.len() as u64 <= Limit::PathBytes.most();
        // The folder that is listed may itself be the repository.
        let is_root = self.path.is_empty() && self.is_folder;
        let leads_elsewhere = |name: &str| matches!(name, "" | "." | "..") || name.contains('\0');
        let is_path = is_root || !self.path.split('/').any(leads_elsewhere);
        let is_one = is_short && is_path && within_depth(&self.path);
        is_one.then_some(self).ok_or_else(|| {
            InvalidAnswer(format!(
                "the list of {what} has a path that no file can have"
            ))
        })
    }
}

fn within_depth(path: &str) -> bool {
    path.split('/').count() as u64 <= Limit::PathDepth.most()
}

/// The content of an answer that was read whole.
async fn content(response: Response, what: &'static str) -> Result<Bytes, InvalidAnswer> {
    let content = patiently(response.bytes()).await;
    content.map_err(|_| InvalidAnswer(format!("the list of {what} broke off")))
}

fn list<T: DeserializeOwned>(answer: &[u8], what: &str) -> Result<T, InvalidAnswer> {
    json(answer).map_err(|_| InvalidAnswer(format!("the answer is no list of {what}")))
}

fn no_id(what: &str) -> InvalidAnswer {
    InvalidAnswer(format!(
        "the list of {what} has an id that is none: git's have 40 or 64 hex digits"
    ))
}

/// Reads JSON, before which a byte order mark may stand.
fn json<T: DeserializeOwned>(body: &[u8]) -> serde_json::Result<T> {
    serde_json::from_slice(without_byte_order_mark(body))
}

/// What an answer to the question for a file's content describes in its place, in a word: the folder or
/// submodule of that path.
#[must_use]
pub fn described(answer: &[u8], path: &str) -> Option<&'static str> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Answer {
        One(ListedItem),
        List(Values<Vec<ListedItem>>),
    }
    let item = match json(answer).ok()? {
        Answer::One(item) => item,
        Answer::List(list) => list.value.into_iter().next()?,
    };
    let what = match item.kind {
        Kind::Tree => "folder",
        Kind::Commit => "submodule",
        Kind::Blob | Kind::Other => return None,
    };
    // A server may write the path in its own way.
    let names = |path: &str| -> Vec<String> {
        let names = path.split('/').filter(|name| !matches!(*name, "" | "."));
        names.map(str::to_lowercase).collect()
    };
    (is_object_id(&item.object_id) && names(&item.path) == names(path)).then_some(what)
}

#[derive(Deserialize)]
struct Values<T> {
    value: T,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedItem {
    object_id: String,
    #[serde(rename = "gitObjectType")]
    kind: Kind,
    path: String,
}

/// What an item is.
#[derive(Clone, Copy, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Blob,
    Tree,
    Commit,
    #[serde(other)]
    Other,
}

/// The first of a list, of which the others take no memory.
struct First<T>(Option<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for First<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for Read<T> {
            type Value = First<T>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<First<T>, A::Error> {
                let first = list.next_element()?;
                while let Some(IgnoredAny) = list.next_element()? {}
                Ok(First(first))
            }
        }

        deserializer.deserialize_seq(Read(PhantomData))
    }
}

/// A list of no more than so many: an empty one in JSON takes less than one in memory.
struct AtMost<T, const MOST: usize>(Vec<T>);

impl<'de, T: Deserialize<'de>, const MOST: usize> Deserialize<'de> for AtMost<T, MOST> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Read<T, const MOST: usize>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>, const MOST: usize> Visitor<'de> for Read<T, MOST> {
            type Value = AtMost<T, MOST>;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(formatter, "a list of at most {MOST}")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
                let mut read = Vec::new();
                while let Some(element) = list.next_element()? {
                    if read.len() == MOST {
                        return Err(de::Error::invalid_length(MOST + 1, &self));
                    }
                    read.push(element);
                }
                Ok(AtMost(read))
            }
        }

        deserializer.deserialize_seq(Read(PhantomData))
    }
}

/// An answer that cannot be used, and why.
#[derive(Clone, Debug)]
pub struct InvalidAnswer(pub String);

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Commit {
    commit_id: String,
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

impl Refusal {
    /// Reads the rest of a refused answer; what cannot be read is left out, and what was `sent` in
    /// confidence.
    pub async fn read(response: Response, sent: &Secrets) -> Self {
        let status = response.status();
        let reason = reason_phrase(&response, sent);
        let in_headers = words_of_headers(response.headers(), sent);
        let is_page = is_page(&response);
        let not_renewed = response.extensions().get::<NotRenewed>();
        let not_renewed = not_renewed.map(|NotRenewed(error)| Arc::clone(error));
        let is_limit = response.extensions().get::<Blocked>().is_some();
        let tried = response.extensions().get::<Tried>().copied();
        let words = timeout(ERROR_BODY_TIME, words(response, sent)).await;
        let words = words.ok().flatten().or(in_headers);
        Self {
            status,
            reason,
            words,
            is_page,
            not_renewed,
            is_limit,
            tried,
        }
    }
}

/// What an answer without a body says, form-encoded: who was refused, and under which code.
fn words_of_headers(headers: &HeaderMap, sent: &Secrets) -> Option<String> {
    let value = headers.get("x-tfs-serviceerror")?.to_str().ok()?;
    let value = sent.redact(value).replace('+', " ");
    one_line(&percent_decode_str(&value).decode_utf8_lossy(), sent)
}

async fn words(mut response: Response, sent: &Secrets) -> Option<String> {
    let is_json = response
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.contains("json"));
    if !is_json {
        return None;
    }
    let mut body = Vec::new();
    while let Ok(Some(chunk)) = patiently(piece(&mut response)).await {
        body.extend_from_slice(&chunk);
        if body.len() > MAX_ERROR_BODY {
            return None;
        }
    }
    message_in(&body, sent)
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

/// The phrase that the server sent, or the standard's where the protocol has none.
fn reason_phrase(response: &Response, sent: &Secrets) -> String {
    let own = response.extensions().get::<hyper::ext::ReasonPhrase>();
    let Some(own) = own else {
        return response
            .status()
            .canonical_reason()
            .unwrap_or_default()
            .to_owned();
    };
    let phrase = String::from_utf8_lossy(own.as_bytes());
    beginning(&readable(sent.redact(&phrase)), MAX_REASON)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: reqwest::header::HeaderName, value: &'static str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_static(value));
        headers
    }

    fn conditions(etag: Option<&str>, after: Option<f64>) -> Conditions {
        Conditions::new(etag, after).unwrap_or_else(|error| unreachable!("{error}"))
    }

    #[test]
    fn a_server_that_knows_no_conditions_is_not_believed_to_have_news() {
        let same = conditions(Some("\"a\""), None);
        assert!(same.are_met_by(&headers(ETAG, "W/\"a\"")));
        assert!(!same.are_met_by(&headers(ETAG, "\"b\"")));
        let after = conditions(None, Some(1_600_000_000_000.0));
        assert!(after.are_met_by(&headers(LAST_MODIFIED, "Sun, 13 Sep 2020 12:26:40 GMT")));
        assert!(!after.are_met_by(&headers(LAST_MODIFIED, "Sun, 13 Sep 2020 12:26:41 GMT")));
    }

    #[test]
    fn no_conditions_are_never_met() {
        assert!(!Conditions::default().are_met_by(&headers(ETAG, "\"a\"")));
        assert!(!conditions(Some(""), None).are_some());
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

    #[test]
    fn an_etag_is_sent_back_byte_for_byte() {
        let known = conditions(Some("\"\u{e9}\""), None);
        let sent = known.headers().get(IF_NONE_MATCH).cloned();
        assert_eq!(
            sent.as_ref().map(HeaderValue::as_bytes),
            Some(&b"\"\xe9\""[..])
        );
    }

    #[test]
    fn an_etag_that_differs_settles_it_whatever_the_times_say() {
        let both = conditions(Some("\"a\""), Some(1_600_000_000_000.0));
        let mut answered = headers(LAST_MODIFIED, "Sun, 13 Sep 2020 12:26:40 GMT");
        answered.insert(ETAG, HeaderValue::from_static("\"b\""));
        assert!(!both.are_met_by(&answered));
    }

    const ID: &str = "0123456789abcdef0123456789ABCDEF01234567";

    fn listed(kind: &str, path: &str, id: &str) -> String {
        format!(r#"{{"gitObjectType":"{kind}","path":"{path}","objectId":"{id}"}}"#)
    }

    #[test]
    fn the_first_commit_of_a_list_is_the_newest() {
        let answer = |ids: &[&str]| {
            let commits = ids.iter().map(|id| format!(r#"{{"commitId":"{id}"}}"#));
            let commits: Vec<String> = commits.collect();
            format!("\u{feff}{{\"value\":[{}]}}", commits.join(",")).into_bytes()
        };
        let newest = commit_id_in(&answer(&[ID, "other"])).ok().flatten();
        assert_eq!(newest.as_deref(), Some(ID));
        assert!(commit_id_in(&answer(&[])).is_ok_and(|id| id.is_none()));
        for id in ["", "other", &ID[1..], &[ID, "0"].concat()] {
            assert!(commit_id_in(&answer(&[id])).is_err(), "{id}");
        }
    }

    #[test]
    fn items_are_those_that_git_can_have() {
        let one = |item: &str| items_in(format!(r#"{{"value":[{item}]}}"#).as_bytes());
        let path = |item: &str| Some(one(item).ok()?.pop()?.path);
        assert_eq!(
            path(&listed("blob", "/a/b..c", ID)),
            Some("a/b..c".to_owned())
        );
        assert_eq!(path(&listed("tree", "/", ID)), Some(String::new()));
        assert_eq!(path(&listed("commit", "/../x", "")), None);
        for wrong in ["/", "/../x", "/a/..", "/./x", "/a//x", "/a/", r"/a\u0000"] {
            assert!(one(&listed("blob", wrong, ID)).is_err(), "{wrong}");
        }
        for long in ["/x".repeat(257), "x".repeat(4097)] {
            assert!(one(&listed("blob", &long, ID)).is_err());
        }
        assert!(one(&listed("tree", "/a", "no id")).is_err());
    }

    #[test]
    fn no_more_lists_are_read_than_are_asked_for() {
        let lists = |count: usize| {
            let lists = vec!["[]"; count].join(",");
            item_batches_in(format!(r#"{{"value":[{lists}]}}"#).as_bytes())
        };
        assert!(lists(MOST_FOLDERS).is_ok_and(|lists| lists.len() == MOST_FOLDERS));
        assert!(lists(MOST_FOLDERS + 1).is_err());
    }

    #[test]
    fn what_cannot_be_asked_is_said() {
        assert!(Conditions::new(Some("a\nb"), None).is_err());
        for time in [f64::NAN, f64::INFINITY, -1.0, LAST_HTTP_DATE + 1000.0] {
            assert!(Conditions::new(None, Some(time)).is_err(), "{time}");
        }
    }
}
