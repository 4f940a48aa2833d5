//! A zip that is made as it is read.

use std::{
    io::{self, Write},
    mem,
    sync::Arc,
};

use bytes::Bytes;
use tokio::{
    sync::mpsc,
    task::{self, JoinHandle},
};

use super::files::unreadable;
use crate::{
    archive::{self, Archive},
    blocking::Interrupted,
    error::{Error, ErrorKind},
    fault,
    reader::{
        cache::{Key, store},
        context::ReadContext,
        transfer::TemporaryFile,
    },
};

/// How much is handed on at once.
const PIECE: usize = 256 * 1024;

/// How many chunks of an archive are made ahead of the reader.
const PIECES_AHEAD: usize = 4;

/// A zip that is made as it is read.
#[derive(Debug)]
pub struct Packed {
    pieces: mpsc::Receiver<Result<Bytes, Error>>,
    /// What makes it, until it is known how that ended.
    work: Option<JoinHandle<()>>,
    context: Arc<ReadContext>,
}

impl Packed {
    /// The archive as it came, even if it is one whose files would not be read.
    pub(crate) fn copy(stored: Arc<TemporaryFile>, context: Arc<ReadContext>, key: Key) -> Self {
        let (reading, copying) = (Arc::clone(&context), Arc::clone(&context));
        let work = move |writer: &mut Pieces| {
            let open = || stored.open().map_err(|error| unreadable(&error));
            let is_ended = || copying.cancellation.is_cancelled();
            // The next download may be sound.
            let opened = Archive::open(open()?, &is_ended);
            if opened.is_err_and(|error| error.kind() == ErrorKind::Damaged) {
                forget(Some(&key));
            }
            archive::copy(open()?, writer)
        };
        let failed = move |error: &Error| reading.unable_to(error);
        Self::of(work, failed, context)
    }

    /// What the work writes, on a thread that may block.
    pub(super) fn of(
        work: impl FnOnce(&mut Pieces) -> Result<(), Error> + Send + 'static,
        failed: impl FnOnce(&Error) -> Error + Send + 'static,
        context: Arc<ReadContext>,
    ) -> Self {
        let (sender, pieces) = mpsc::channel(PIECES_AHEAD);
        let work = task::spawn_blocking(move || {
            let mut writer = Pieces {
                piece: Vec::with_capacity(PIECE),
                sender: sender.clone(),
            };
            fault::point("packing");
            let packed = work(&mut writer);
            let flush = |()| writer.flush().map_err(|error| unreadable(&error));
            // Where the reader has gone, nothing has failed.
            if let Err(error) = packed.and_then(flush)
                && !sender.is_closed()
            {
                let _ = sender.blocking_send(Err(failed(&error)));
            }
        });
        Self {
            pieces,
            work: Some(work),
            context,
        }
    }

    /// The next piece, or nothing at the end.
    ///
    /// # Errors
    /// The archive that it is made of is damaged; the read was ended.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let cancellation = &self.context.cancellation;
        match cancellation.run_until_cancelled(self.pieces.recv()).await {
            Some(Some(piece)) => piece.map(Some),
            Some(None) => self.end().await.map(|()| None),
            None => {
                self.close();
                Err(self.context.ended())
            }
        }
    }

    /// Makes sure that nothing more comes because it is whole, and not because the work broke off.
    async fn end(&mut self) -> Result<(), Error> {
        let Some(work) = self.work.take() else {
            return Ok(());
        };
        let ended = work.await.map_err(|end| Error::from(Interrupted::by(&end)));
        ended.map_err(|error| self.context.unable_to(&error))
    }

    /// Makes no more.
    pub fn close(&mut self) {
        self.pieces.close();
    }
}

/// Hands on what is written, in pieces.
pub(super) struct Pieces {
    piece: Vec<u8>,
    sender: mpsc::Sender<Result<Bytes, Error>>,
}

impl Write for Pieces {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let room = PIECE - self.piece.len();
        let taken = bytes.get(..room).unwrap_or(bytes);
        self.piece.extend_from_slice(taken);
        if self.piece.len() == PIECE {
            self.flush()?;
        }
        Ok(taken.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.piece.is_empty() {
            return Ok(());
        }
        let piece = mem::replace(&mut self.piece, Vec::with_capacity(PIECE));
        let sent = self.sender.blocking_send(Ok(piece.into()));
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "nobody reads the archive"))
    }
}

/// Another read asks for the archive again.
pub(super) fn forget(key: Option<&Key>) {
    if let Some(key) = key {
        store().archives.forget(key);
    }
}
