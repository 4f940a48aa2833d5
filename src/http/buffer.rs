//! A content that is taken into memory as it comes, within a limit.

use super::error::{Error, ErrorKind};
use crate::limits::Limit;

/// What has come of a content.
///
/// It takes memory for what has come and never for what was announced, and of that no more than its limit
/// allows, because it grows up to there and not beyond.
#[derive(Debug)]
pub struct Buffer {
    content: Vec<u8>,
    limit: Limit,
}

impl Buffer {
    /// Nothing yet, of a content that is bounded by this limit.
    #[must_use]
    pub const fn within(limit: Limit) -> Self {
        Self {
            content: Vec::new(),
            limit,
        }
    }

    /// Checks that so many bytes were not announced in vain.
    ///
    /// # Errors
    /// They are more than the limit allows.
    pub fn expect(&self, bytes: u64) -> Result<(), Error> {
        if bytes > self.limit.most() {
            return Err(ErrorKind::Exceeded(self.limit, self.came()).into());
        }
        Ok(())
    }

    /// Takes what comes next.
    ///
    /// # Errors
    /// It would be more than the limit allows, or than there is memory.
    pub fn add(&mut self, piece: &[u8]) -> Result<(), Error> {
        let bytes = self.content.len().saturating_add(piece.len());
        self.expect(bytes as u64)?;
        if bytes > self.content.capacity() {
            let most = usize::try_from(self.limit.most()).unwrap_or(usize::MAX);
            let wanted = self.content.capacity().saturating_mul(2);
            let wanted = wanted.min(most).max(bytes);
            let more = wanted - self.content.len();
            let reserved = self.content.try_reserve_exact(more);
            reserved.map_err(|_| ErrorKind::OutOfMemory(self.came()))?;
        }
        self.content.extend_from_slice(piece);
        Ok(())
    }

    /// Forgets what has come: the content is sent again.
    pub fn clear(&mut self) {
        self.content.clear();
    }

    /// How many bytes have come.
    #[must_use]
    pub const fn came(&self) -> u64 {
        self.content.len() as u64
    }

    /// What has come.
    #[must_use]
    pub fn content(&self) -> &[u8] {
        &self.content
    }

    /// The whole content.
    #[must_use]
    pub fn into_content(self) -> Vec<u8> {
        self.content
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_taken_for_what_comes_and_not_beyond_the_limit() {
        let most = usize::try_from(Limit::PathBytes.most()).unwrap_or_default();
        let mut gathered = Buffer::within(Limit::PathBytes);
        for _ in 0..most / 10 {
            assert!(gathered.add(&[1; 10]).is_ok());
            assert!(gathered.content.capacity() <= most);
        }
        let refused = gathered.add(&[1; 10]);
        assert!(matches!(
            refused.map_err(|error| error.kind),
            Err(ErrorKind::Exceeded(Limit::PathBytes, 4090))
        ));
        assert!(gathered.add(&[1; 6]).is_ok());
        assert_eq!(gathered.into_content().len(), most);
    }
}
