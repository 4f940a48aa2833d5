//! Work that ends early once its read has ended.

use std::io;

use crate::error::Error;

/// Asked in every loop: whether the read has ended.
pub type IsEnded<'a> = &'a (dyn Fn() -> bool + Sync);

/// An error where the read has ended.
pub(super) fn unless(is_ended: IsEnded<'_>) -> Result<(), Error> {
    if is_ended() {
        return Err(Error::other(ENDED));
    }
    Ok(())
}

/// The message where the read has ended.
const ENDED: &str = "the read was ended";

/// A reader that fails once the read has ended.
pub(super) struct UntilEnded<'a, R> {
    pub from: R,
    pub is_ended: IsEnded<'a>,
}

impl<R: io::Read> io::Read for UntilEnded<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if (self.is_ended)() {
            return Err(io::Error::other(ENDED));
        }
        self.from.read(to)
    }
}
