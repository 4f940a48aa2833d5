//! `readUrl`: one file.

use std::{pin::pin, sync::Arc};

use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{ETAG, LAST_MODIFIED},
};

use super::{
    cache::{File, FreshOrStale, Key, StaleAnswer, StaleSlot, store},
    context::{NOT_ASKED, ReadContext, ReadRequest, Wanted},
    messages::Purpose,
    spelling::{Spellings, learn_of_folder},
    transfer::Body,
};
use crate::{
    error::{Error, ErrorKind},
    http::Answer,
    rest::{self, Conditions},
    url::{AzureUrl, parameter},
};

/// The largest file that is remembered, in bytes.
const MOST_KEPT: usize = 1024 * 1024;

/// The most bytes in which Azure DevOps describes a folder or submodule.
const MOST_DESCRIPTION: usize = 32 * 1024;

/// The endings of files that are pages themselves.
const PAGES: [&str; 3] = [".html", ".htm", ".xhtml"];

/// A file that is there.
#[derive(Debug)]
pub struct ReadUrlResponse {
    /// The `ETag` header.
    pub etag: Option<String>,
    /// The `Last-Modified` header, as it came.
    pub last_modified: Option<String>,
    /// The content.
    pub body: Body,
    /// The status of the answer; 0 where it is a stale one.
    pub status: u16,
    /// How it was read.
    pub context: Arc<ReadContext>,
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
pub async fn read_url(read: ReadRequest, conditions: Conditions) -> Result<ReadUrlResponse, Error> {
    let url = read.url.clone();
    let file = AzureUrl::of(&url)?;
    let request = file.to_file_url()?.into();
    let context = ReadContext::begin(Purpose::File, url, file, request, read).await?;
    let key = Key::of(&context.request, context.authorization());
    let last = StaleSlot::of(&store().files, key, context.policy.max_stale);
    // Pinned, as are other futures that pass through several functions: each would hold it once more.
    let read = {
        let file = pin!(get_file(&context, &conditions));
        context.until_ended(last.or(&context, file)).await
    };
    match read {
        Ok(FreshOrStale::Fresh(answer)) => fresh(answer, context, &last).await,
        Ok(FreshOrStale::Stale(file)) => stale(file, context, &conditions),
        Err(error) => {
            if error.kind() == ErrorKind::NotModified {
                last.confirm(|file| is_had(file, &conditions));
            }
            Err(error)
        }
    }
}

async fn fresh(
    answer: Answer,
    context: ReadContext,
    last: &StaleSlot<File>,
) -> Result<ReadUrlResponse, Error> {
    let status = answer.status().as_u16();
    let etag = answer.header(&ETAG);
    let last_modified = answer.header(&LAST_MODIFIED);
    let is_json = answer.is_json();
    let mut body = Body::of(answer, Arc::new(context)).await;
    let context = Arc::clone(body.context());
    // On the heap, since most answers need neither.
    if is_json {
        Box::pin(refuse_description(&mut body, &context)).await?;
    }
    if last.is_wanted() {
        Box::pin(fill(&mut body, MOST_KEPT, &context)).await?;
    }
    match body.whole().filter(|bytes| bytes.len() <= MOST_KEPT) {
        Some(bytes) => last.put(File {
            etag: etag.clone(),
            last_modified: last_modified.clone(),
            content: Bytes::copy_from_slice(bytes),
        }),
        // The caller may have something newer now than what was remembered.
        None => last.confirm(|file| etag.is_some() && file.etag == etag),
    }
    Ok(ReadUrlResponse {
        etag,
        last_modified,
        body,
        status,
        context,
    })
}

/// Takes what comes of a content, as long as it is no more than this.
async fn fill(body: &mut Body, most: usize, context: &ReadContext) -> Result<(), Error> {
    let filled = pin!(body.fill(most));
    let filled = context.cancellation.run_until_cancelled(filled).await;
    filled.ok_or_else(|| context.ended())
}

/// Refuses the description of what is no file, which Azure DevOps gives in place of a content.
async fn refuse_description(body: &mut Body, context: &ReadContext) -> Result<(), Error> {
    fill(body, MOST_DESCRIPTION, context).await?;
    let path = parameter(&context.request, "path").unwrap_or_default();
    let described = body
        .whole()
        .and_then(|answer| rest::described(answer, &path));
    match described {
        Some(kind) => {
            let why = format!("it is a {kind} and not a file");
            Err(context.messages().unusable(ErrorKind::Input, &why))
        }
        None => Ok(()),
    }
}

/// The stale answer, as if it had come now.
fn stale(
    file: StaleAnswer<File>,
    context: ReadContext,
    conditions: &Conditions,
) -> Result<ReadUrlResponse, Error> {
    if is_had(&file.value, conditions) {
        return Err(context.messages().unchanged(None));
    }
    let File {
        etag,
        last_modified,
        content,
    } = file.value;
    context.tell_stale();
    let context = Arc::new(context);
    Ok(ReadUrlResponse {
        etag,
        last_modified,
        body: Body::of_content(content.into(), Arc::clone(&context)),
        status: NOT_ASKED,
        context,
    })
}

/// Whether a file is what the caller has already.
fn is_had(file: &File, conditions: &Conditions) -> bool {
    conditions.are_met(file.etag.as_deref(), file.last_modified.as_deref())
}

/// The answer with the file's content, by the first spelling of its path that is there.
async fn get_file(context: &ReadContext, conditions: &Conditions) -> Result<Answer, Error> {
    let written = context.api.url();
    let mut spellings = Spellings::of_file(written, context.authorization());
    while let Some(spelling) = spellings.next() {
        let url = if spelling.is_as_written {
            context.request.clone()
        } else {
            spelling.url.to_file_url()?.into()
        };
        let answer = context.send(context.api.file_at(url, conditions)).await?;
        let wanted = wanted_of(spelling.url.path());
        match accept(context, conditions, answer, wanted).await {
            Err(error) => spellings.note(&spelling, error)?,
            Ok(answer) => {
                if spellings.is_written_missing() {
                    learn_of_folder(&context.api);
                }
                return Ok(answer);
            }
        }
    }
    Err(spellings.failure())
}

/// The answer, where it has the file and the caller does not.
async fn accept(
    context: &ReadContext,
    conditions: &Conditions,
    answer: Answer,
    wanted: Wanted,
) -> Result<Answer, Error> {
    let status = answer.status();
    let is_had = status == StatusCode::OK && conditions.are_met_by(answer.headers());
    let is_not_modified = status == StatusCode::NOT_MODIFIED && conditions.are_some();
    let unchanged = |answer: &Answer| {
        let messages = context.messages_of(answer.request());
        Err(messages.unchanged(Some(status)))
    };
    if is_not_modified {
        return unchanged(&answer);
    }
    let answer = context.accept(answer, wanted).await?;
    if is_had {
        return unchanged(&answer);
    }
    Ok(answer)
}

/// What the answer has to be for the file at a path, which may be a page itself by its name.
fn wanted_of(path: Option<&str>) -> Wanted {
    let path = path.unwrap_or_default().to_ascii_lowercase();
    if PAGES.iter().any(|ending| path.ends_with(ending)) {
        Wanted::Any
    } else {
        Wanted::File
    }
}
