//! An archive that was downloaded to a file without a name.

use std::{
    fs::File,
    io::{self, SeekFrom, Write},
    path::PathBuf,
};

use tokio::io::{AsyncSeekExt, AsyncWriteExt, BufWriter};

use super::{body::Body, exchange::Exchange, tree::blocking};
use crate::{archive, error::Error, limits::Limit};

/// How much is written at once.
const PIECE: usize = 256 * 1024;

/// A file that has no name, so that nothing is left of it however the process ends.
#[derive(Debug)]
pub struct Stored {
    file: File,
    length: u64,
}

impl Stored {
    /// Stores what comes, which is no more than a limit allows, in a file in `directory`.
    ///
    /// # Errors
    /// The download broke off, was ended, or is too large; the file could not be written.
    pub(super) async fn download(
        body: &mut Body,
        limit: Limit,
        directory: PathBuf,
        exchange: &Exchange,
    ) -> Result<Self, Error> {
        let unwritable = |error: io::Error| {
            let message = format!("no archive could be stored: {error}");
            exchange
                .read()
                .unable_to(&Error::other(message).because(error))
        };
        body.check(0, limit)?;
        let file = blocking(move || tempfile::tempfile_in(directory)).await;
        let file = tokio::fs::File::from_std(file.map_err(unwritable)?);
        let mut file = BufWriter::with_capacity(PIECE, file);
        let mut length = 0;
        loop {
            match body.next().await {
                Ok(Some(piece)) => {
                    length += piece.len() as u64;
                    body.check(length, limit)?;
                    file.write_all(&piece).await.map_err(unwritable)?;
                }
                Ok(None) => break,
                Err(_) if !exchange.cancellation.is_cancelled() && body.restart().await? => {
                    body.check(0, limit)?;
                    length = 0;
                    empty(&mut file).await.map_err(unwritable)?;
                }
                Err(error) => return Err(error),
            }
        }
        file.flush().await.map_err(unwritable)?;
        let length = file.seek(SeekFrom::End(0)).await.map_err(unwritable)?;
        Ok(Self {
            file: file.into_inner().into_std().await,
            length,
        })
    }

    /// Stores what is there already, in a file in `directory`.
    ///
    /// # Errors
    /// The file could not be written.
    pub(super) fn write(content: &[u8], directory: PathBuf) -> io::Result<Self> {
        let mut file = tempfile::tempfile_in(directory)?;
        file.write_all(content)?;
        Ok(Self {
            file,
            length: content.len() as u64,
        })
    }

    /// All of it.
    pub(super) fn read(&self) -> io::Result<Vec<u8>> {
        let mut content = Vec::new();
        self.copy_to(&mut content)?;
        Ok(content)
    }

    /// Writes all of it to somewhere else.
    pub(super) fn copy_to(&self, to: impl Write) -> io::Result<()> {
        archive::copy(self.open()?, to).map_err(io::Error::other)
    }

    /// The file, to read at places: where it stands is shared with others who read it.
    pub(super) fn open(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// Its size in bytes.
    pub(super) const fn length(&self) -> u64 {
        self.length
    }

    /// How many bytes it takes on disk, where the system says it: it has whole blocks there.
    pub(super) fn on_disk(&self) -> u64 {
        #[cfg(unix)]
        let blocks = {
            use std::os::unix::fs::MetadataExt;
            let metadata = self.file.metadata();
            // Of this size whatever the disk's own blocks are.
            metadata.map_or(0, |metadata| metadata.blocks().saturating_mul(512))
        };
        #[cfg(not(unix))]
        let blocks = 0;
        self.length.max(blocks)
    }
}

async fn empty(file: &mut BufWriter<tokio::fs::File>) -> io::Result<()> {
    file.flush().await?;
    file.rewind().await?;
    file.get_mut().set_len(0).await
}
