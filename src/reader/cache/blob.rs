//! Contents by their git object ids, which are their hashes.

use std::{
    io::{self, Write},
    sync::Arc,
};

use aws_lc_rs::digest::{Context, SHA1_FOR_LEGACY_USE_ONLY, SHA256};
use bytes::Bytes;

use crate::{
    blocking::blocking,
    cache::Weigh,
    error::Error,
    http::Answer,
    limits::Limit,
    reader::{
        context::ReadContext,
        transfer::{Body, TemporaryFile},
    },
};

/// Contents above this size are not kept in memory: they would push out too many others.
pub(crate) const MOST_IN_MEMORY: usize = 1024 * 1024;

/// A content: in memory, or in a file without a name where it is large.
#[derive(Clone, Debug)]
pub(crate) enum Blob {
    Small(Bytes),
    Large(Arc<TemporaryFile>),
}

impl Blob {
    /// The content of an answer; `None` where its id is another.
    ///
    /// # Errors
    /// The content broke off, is more than may be held in memory, or could not be stored in `directory`.
    pub(crate) async fn receive(
        answer: Answer,
        context: &ReadContext,
        wanted: &str,
    ) -> Result<Option<Self>, Error> {
        let length = answer.content_length();
        let mut body = Body::of(answer, Arc::new(context.clone())).await;
        if length.is_some_and(|length| length <= MOST_IN_MEMORY as u64) {
            let bytes = body.collect().await?;
            return Ok((id(&bytes, wanted) == wanted).then(|| Self::Small(bytes.into())));
        }
        let limit = Limit::FileBytes;
        let stored =
            TemporaryFile::download(&mut body, limit, context.policy.directory.clone()).await?;
        let wanted = wanted.to_owned();
        let read = blocking(move || Self::from_file(stored, &wanted)).await;
        read.map_err(|error| context.unable_to(&unreadable(error)))
    }

    fn from_file(stored: TemporaryFile, wanted: &str) -> io::Result<Option<Self>> {
        let mut hash = Hash::of(stored.length(), wanted);
        stored.copy_to(&mut hash)?;
        if hash.id() != wanted {
            return Ok(None);
        }
        Ok(Some(if stored.length() <= MOST_IN_MEMORY as u64 {
            Self::Small(stored.read()?.into())
        } else {
            Self::Large(Arc::new(stored))
        }))
    }

    /// All of it.
    ///
    /// # Errors
    /// The file cannot be read.
    pub(crate) async fn content(self) -> Result<Vec<u8>, Error> {
        match self {
            Self::Small(content) => Ok(content.to_vec()),
            Self::Large(stored) => blocking(move || stored.read()).await.map_err(unreadable),
        }
    }
}

impl Weigh for Blob {
    fn bytes(&self) -> u64 {
        match self {
            Self::Small(content) => content.len() as u64,
            Self::Large(stored) => stored.length(),
        }
    }
}

fn unreadable(error: io::Error) -> Error {
    Error::other(format!("the content cannot be read: {error}")).because(error)
}

/// The id that git gives to a content, in the hash that `like` is in.
///
/// <https://git-scm.com/book/en/v2/Git-Internals-Git-Objects>
pub(crate) fn id(content: &[u8], like: &str) -> String {
    let mut hash = Hash::of(content.len() as u64, like);
    hash.0.update(content);
    hash.id()
}

/// An id that is computed as the content comes.
struct Hash(Context);

impl Hash {
    fn of(length: u64, like: &str) -> Self {
        let is_sha256 = like.len() == 64;
        let algorithm = if is_sha256 {
            &SHA256
        } else {
            &SHA1_FOR_LEGACY_USE_ONLY
        };
        let mut hash = Context::new(algorithm);
        hash.update(format!("blob {length}\0").as_bytes());
        Self(hash)
    }

    fn id(self) -> String {
        hex::encode(self.0.finish())
    }
}

impl Write for Hash {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.update(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_those_of_git() {
        let empty = "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391";
        assert_eq!(id(b"", empty), empty);
        let hello = "ce013625030ba8dba906f756967f9e9ca394464a";
        assert_eq!(id(b"hello\n", hello), hello);
    }

    #[test]
    fn a_content_in_a_file_has_the_id_that_it_has_in_memory() -> io::Result<()> {
        for size in [0, MOST_IN_MEMORY, MOST_IN_MEMORY + 1] {
            let content = vec![7; size];
            let wanted = id(&content, "");
            let stored = || TemporaryFile::write(&content, &std::env::temp_dir());
            let blob = Blob::from_file(stored()?, &wanted)?;
            let is_small = matches!(blob, Some(Blob::Small(_)));
            assert_eq!(is_small, size <= MOST_IN_MEMORY, "{size}");
            assert!(blob.is_some_and(|blob| blob.bytes() == size as u64));
            let another = id(b"another", "");
            assert!(Blob::from_file(stored()?, &another)?.is_none());
        }
        Ok(())
    }
}
