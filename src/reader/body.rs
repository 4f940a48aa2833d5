//! The content of an answer, pulled as the caller asks for it.

use std::{mem, sync::Arc, time::Duration};

use bytes::Bytes;
use reqwest::Response;
use tokio::time::{Instant, timeout_at};

use super::exchange::Exchange;
use crate::{
    error::Error,
    http::{Failure, patiently},
};

/// What is at most read before the caller has asked for it.
const AHEAD: usize = 64 * 1024;

/// How long a small body may take to come with the answer's head.
const PATIENCE: Duration = Duration::from_millis(20);

/// A body: what has come already, and where the rest comes from.
///
/// A small body that is there at once comes whole, so that reading it costs no second crossing to
/// JavaScript. Of any other only what was asked for is read, and the server is held back.
#[derive(Debug)]
pub struct Body {
    ready: Vec<u8>,
    rest: Rest,
    exchange: Arc<Exchange>,
}

#[derive(Debug)]
enum Rest {
    None,
    Waiting(Response),
    Failed(Failure),
}

impl Body {
    /// Takes the body of an answer whose head is there.
    pub async fn of(mut response: Response, exchange: Arc<Exchange>) -> Self {
        let mut ready = Vec::new();
        let is_large = |length| length > AHEAD as u64;
        let rest = if response.content_length().is_some_and(is_large) {
            Rest::Waiting(response)
        } else {
            let deadline = Instant::now() + PATIENCE;
            loop {
                match timeout_at(deadline, response.chunk()).await {
                    Ok(Ok(Some(chunk))) => ready.extend_from_slice(&chunk),
                    Ok(Ok(None)) => break Rest::None,
                    Ok(Err(error)) => break Rest::Failed(Failure::Transport(error)),
                    Err(_) => break Rest::Waiting(response),
                }
                if ready.len() > AHEAD {
                    break Rest::Waiting(response);
                }
            }
        };
        Self {
            ready,
            rest,
            exchange,
        }
    }

    /// The whole content, if it is there already; the body is then at its end.
    pub fn take_whole(&mut self) -> Option<Vec<u8>> {
        matches!(self.rest, Rest::None).then(|| mem::take(&mut self.ready))
    }

    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// The connection broke, the server fell silent, or the caller ended the read, before the end.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let exchange = Arc::clone(&self.exchange);
        let pulled = exchange.cancellation.run_until_cancelled(self.pull());
        let Some(piece) = pulled.await else {
            self.close();
            return Err(exchange.ended());
        };
        piece.map_err(|failure| exchange.read().broken(failure))
    }

    /// Everything that is still to come, as one piece.
    ///
    /// # Errors
    /// As [`Self::next`].
    pub async fn collect(&mut self) -> Result<Vec<u8>, Error> {
        let mut content = Vec::new();
        while let Some(piece) = self.next().await? {
            content.extend_from_slice(&piece);
        }
        Ok(content)
    }

    /// Lets go of the connection; nothing more comes.
    pub fn close(&mut self) {
        self.ready = Vec::new();
        self.rest = Rest::None;
    }

    async fn pull(&mut self) -> Result<Option<Bytes>, Failure> {
        if !self.ready.is_empty() {
            return Ok(Some(mem::take(&mut self.ready).into()));
        }
        match &mut self.rest {
            Rest::None => return Ok(None),
            // Pieces that are dropped half-way are not lost: the answer stays where it is.
            Rest::Waiting(response) => match patiently(response.chunk()).await {
                Ok(Some(piece)) => return Ok(Some(piece)),
                Ok(None) => {}
                Err(failure) => self.rest = Rest::Failed(failure),
            },
            Rest::Failed(_) => {}
        }
        match mem::replace(&mut self.rest, Rest::None) {
            Rest::Failed(failure) => Err(failure),
            _ => Ok(None),
        }
    }
}
