//! The content of an answer, pulled as the caller asks for it.

use std::{mem, pin::pin, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::{
    StatusCode,
    header::{ETAG, HeaderValue},
};
use tokio::time::{Instant, timeout_at};

use crate::{
    error::Error,
    http::{self, Answer, Buffer, ContentWait, ErrorKind, Resend, with_read_timeout},
    limits::Limit,
    reader::context::ReadContext,
};

/// The most that is read before the caller asks for it.
const AHEAD: usize = 64 * 1024;

/// How long a small body may take to come with the answer's head.
const PATIENCE: Duration = Duration::from_millis(20);

/// A body: what has come already, and where the rest comes from.
///
/// A small body that arrives at once comes whole, so that reading it costs no second crossing to JavaScript.
/// Any other is read as the caller asks for it, and the server is held back. One that breaks off continues
/// where it did, if its `ETag` is still the same.
#[derive(Debug)]
pub struct Body {
    ready: Vec<u8>,
    /// Whether any of it was given to the caller.
    is_given: bool,
    /// How many bytes have come, and how many were announced, if they were.
    came: u64,
    length: Option<u64>,
    rest: Rest,
    /// How long callers waited for it, repeated requests included.
    wait: ContentWait,
    etag: Option<HeaderValue>,
    resend: Option<Box<Resend>>,
    context: Arc<ReadContext>,
}

#[derive(Debug)]
enum Rest {
    None,
    Waiting(Box<Answer>),
    Failed(http::Error),
}

impl Body {
    /// The body of an answer whose head has come.
    pub(crate) async fn of(mut answer: Answer, mut context: Arc<ReadContext>) -> Self {
        let etag = answer.headers().get(ETAG).cloned();
        let length = answer.content_length();
        let resend = answer.take_resend();
        Arc::make_mut(&mut context).request = answer.request().clone();
        let room = length.map_or(0, |length| length.min(AHEAD as u64));
        let mut ready = Vec::with_capacity(usize::try_from(room).unwrap_or_default());
        let is_large = |length| length > AHEAD as u64;
        let rest = if answer.content_length().is_some_and(is_large) {
            Rest::Waiting(Box::new(answer))
        } else {
            let deadline = Instant::now() + PATIENCE;
            loop {
                match timeout_at(deadline, answer.next_chunk()).await {
                    Ok(Ok(Some(chunk))) => ready.extend_from_slice(&chunk),
                    Ok(Ok(None)) if is_short(ready.len() as u64, length) => {
                        break Rest::Failed(ErrorKind::Truncated.into());
                    }
                    Ok(Ok(None)) => break Rest::None,
                    Ok(Err(error)) => break Rest::Failed(error),
                    Err(_) => break Rest::Waiting(Box::new(answer)),
                }
                if ready.len() > AHEAD {
                    break Rest::Waiting(Box::new(answer));
                }
            }
        };
        Self {
            is_given: false,
            came: ready.len() as u64,
            length,
            ready,
            rest,
            wait: ContentWait::default(),
            etag,
            resend,
            context,
        }
    }

    /// A body whose content is known.
    pub(crate) fn of_content(ready: Vec<u8>, context: Arc<ReadContext>) -> Self {
        Self {
            is_given: false,
            came: ready.len() as u64,
            length: None,
            ready,
            rest: Rest::None,
            wait: ContentWait::default(),
            etag: None,
            resend: None,
            context,
        }
    }

    /// The read whose body it is.
    pub(crate) const fn context(&self) -> &Arc<ReadContext> {
        &self.context
    }

    /// The whole content, if it is there already.
    pub(crate) fn whole(&self) -> Option<&[u8]> {
        matches!(self.rest, Rest::None).then_some(self.ready.as_slice())
    }

    /// The whole content, if it is there already and no more than a file may have in memory; the body is
    /// then at its end.
    pub fn take_whole(&mut self) -> Option<Vec<u8>> {
        let is_allowed = self.ready.len() as u64 <= Limit::FileBytes.most();
        let is_whole = matches!(self.rest, Rest::None);
        (is_whole && is_allowed).then(|| mem::take(&mut self.ready))
    }

    /// Takes what comes, as long as it is no more than this. A failure is reported by the next read.
    pub(crate) async fn fill(&mut self, most: usize) {
        let mut wait = mem::take(&mut self.wait);
        let filled = wait.wait(pin!(self.fill_up(most))).await;
        self.wait = wait;
        if let Err(failure) = filled.unwrap_or_else(|| Err(self.waited_too_long())) {
            self.rest = Rest::Failed(failure);
        }
    }

    async fn fill_up(&mut self, most: usize) -> Result<(), http::Error> {
        while self.ready.len() <= most {
            match self.receive().await {
                Ok(Some(piece)) => self.ready.extend_from_slice(&piece),
                Ok(None) => break,
                Err(failure) => self.go_on(failure).await?,
            }
        }
        Ok(())
    }

    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// The connection broke, the server stalled or took too
    /// long, or the caller ended the read, before the end; the content does not decode.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let context = Arc::clone(&self.context);
        let mut wait = mem::take(&mut self.wait);
        let pulled = {
            // Pinned: each function would hold it once more.
            let pulled = pin!(self.pull());
            let pulled = pin!(wait.wait(pulled));
            context.cancellation.run_until_cancelled(pulled).await
        };
        self.wait = wait;
        let Some(pulled) = pulled else {
            self.close();
            return Err(context.ended());
        };
        match pulled.unwrap_or_else(|| Err(self.waited_too_long())) {
            Ok(piece) => {
                self.is_given |= piece.is_some();
                Ok(piece)
            }
            Err(failure) => Err(self.end(failure)),
        }
    }

    fn waited_too_long(&self) -> http::Error {
        ErrorKind::Exceeded(Limit::ContentWait, self.came).into()
    }

    /// Closes the connection after a failure; what would fail again is not asked for again.
    fn end(&mut self, failure: http::Error) -> Error {
        self.close();
        if failure.is_final() {
            self.resend = None;
        }
        self.context.messages().failed(failure)
    }

    /// Checks the content against a limit: the bytes taken so far, and those announced.
    ///
    /// # Errors
    /// It exceeds the limit; the connection is closed.
    pub(crate) fn check(&mut self, taken: u64, limit: Limit) -> Result<(), Error> {
        if taken.max(self.length.unwrap_or(0)) <= limit.most() {
            return Ok(());
        }
        Err(self.end(ErrorKind::Exceeded(limit, self.came).into()))
    }

    /// Everything that is still to come, as one piece.
    ///
    /// # Errors
    /// As [`Self::next`]; there is more than [`Limit::FileBytes`] allows, or than there is memory.
    pub async fn collect(&mut self) -> Result<Vec<u8>, Error> {
        let may_begin_anew = self.may_begin_anew();
        let mut content = Buffer::within(Limit::FileBytes);
        self.check(0, Limit::FileBytes)?;
        loop {
            match self.next().await {
                Ok(Some(piece)) => content.add(&piece).map_err(|failure| self.end(failure))?,
                Ok(None) => return Ok(content.into_content()),
                Err(_) if may_begin_anew && self.is_wanted() && self.restart().await? => {
                    self.check(0, Limit::FileBytes)?;
                    content.clear();
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn is_wanted(&self) -> bool {
        !self.context.cancellation.is_cancelled()
    }

    /// Closes the connection; nothing more comes.
    pub fn close(&mut self) {
        self.ready = Vec::new();
        self.rest = Rest::None;
    }

    /// Starts over after a failure, where it may be asked for again: what came before is void.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn restart(&mut self) -> Result<bool, Error> {
        let context = Arc::clone(&self.context);
        let again = {
            let again = pin!(self.ask_again());
            context.cancellation.run_until_cancelled(again).await
        };
        let Some(again) = again else {
            return Err(context.ended());
        };
        let Some(answer) = again else {
            return Ok(false);
        };
        let answer = answer.map_err(|failure| context.messages().failed(failure))?;
        let answer_length = answer.content_length();
        self.rest = Rest::Waiting(Box::new(answer));
        self.length = answer_length;
        self.ready = Vec::new();
        self.came = 0;
        self.is_given = false;
        Ok(true)
    }

    async fn pull(&mut self) -> Result<Option<Bytes>, http::Error> {
        loop {
            // A truncated content that may start over is not handed out before.
            let is_void = matches!(self.rest, Rest::Failed(_)) && self.may_begin_anew();
            if !self.ready.is_empty() && !is_void {
                return Ok(Some(mem::take(&mut self.ready).into()));
            }
            match self.receive().await {
                Ok(piece) => return Ok(piece),
                Err(failure) => self.go_on(failure).await?,
            }
        }
    }

    /// The next piece as it comes. Dropping the future half-way loses nothing: the answer stays where it is.
    async fn receive(&mut self) -> Result<Option<Bytes>, http::Error> {
        match &mut self.rest {
            Rest::None => Ok(None),
            Rest::Waiting(answer) => match with_read_timeout(answer.next_chunk()).await? {
                Some(piece) => {
                    self.came += piece.len() as u64;
                    Ok(Some(piece))
                }
                None if is_short(self.came, self.length) => Err(ErrorKind::Truncated.into()),
                None => {
                    self.rest = Rest::None;
                    Ok(None)
                }
            },
            Rest::Failed(_) => match mem::replace(&mut self.rest, Rest::None) {
                Rest::Failed(failure) => Err(failure),
                _ => Ok(None),
            },
        }
    }

    /// Whether another answer may replace this one: none of it was handed out, nor an etag that the other
    /// would have to have.
    const fn may_begin_anew(&self) -> bool {
        !self.is_given && self.etag.is_none()
    }

    /// Asks for the missing rest, or fails with the error.
    async fn go_on(&mut self, failure: http::Error) -> Result<(), http::Error> {
        self.rest = Rest::None;
        if failure.is_final() {
            return Err(failure);
        }
        if self.may_begin_anew() {
            self.ready = Vec::new();
            self.came = 0;
        }
        let is_possible = self.came == 0 || self.etag.is_some();
        let again = if is_possible {
            self.ask_again().await
        } else {
            None
        };
        let Some(answer) = again else {
            return Err(self.last(failure));
        };
        let mut answer = answer?;
        if self.etag.is_some() && self.etag.as_ref() != answer.headers().get(ETAG) {
            return Err(self.last(failure));
        }
        if self.came == 0 {
            self.length = answer.content_length();
        }
        match skip(&mut answer, self.came).await {
            Ok(rest) => {
                self.came += rest.len() as u64;
                self.ready.extend_from_slice(&rest);
                self.rest = Rest::Waiting(Box::new(answer));
            }
            Err(failure) => self.rest = Rest::Failed(failure),
        }
        Ok(())
    }

    /// The same answer once more; `None` where it was asked for often enough.
    async fn ask_again(&mut self) -> Option<Result<Answer, http::Error>> {
        let resend = self.resend.as_mut()?;
        let api = &self.context.api;
        let answer = api.client().resend(resend, api.authorization()).await?;
        // Something else than before is no content.
        let is_content = |answer: &Answer| answer.status() == StatusCode::OK;
        answer.map_or_else(
            |error| Some(Err(error)),
            |answer| is_content(&answer).then_some(Ok(answer)),
        )
    }

    fn last(&self, error: http::Error) -> http::Error {
        match &self.resend {
            Some(resend) => error.after(resend.attempts()),
            None => error,
        }
    }
}

/// Whether less has come than was announced: not all ways in which HTTP/2 ends a stream are errors.
fn is_short(came: u64, length: Option<u64>) -> bool {
    length.is_some_and(|length| came < length)
}

/// Drops so many bytes, and gives what comes with the last of them.
async fn skip(answer: &mut Answer, mut bytes: u64) -> Result<Bytes, http::Error> {
    while bytes > 0 {
        let Some(mut piece) = with_read_timeout(answer.next_chunk()).await? else {
            break;
        };
        let skipped = usize::try_from(bytes)
            .unwrap_or(usize::MAX)
            .min(piece.len());
        let rest = piece.split_off(skipped);
        bytes -= skipped as u64;
        if !rest.is_empty() {
            return Ok(rest);
        }
    }
    Ok(Bytes::new())
}
