//! Work that ends early once nobody waits for it.

use std::io;

use crate::error::Error;

/// Asked in every loop, whether nobody waits for the work any longer.
pub type IsEnded<'a> = &'a (dyn Fn() -> bool + Sync);

/// Goes on, unless nobody waits for the work any longer.
pub(super) fn unless(is_ended: IsEnded<'_>) -> Result<(), Error> {
    if is_ended() {
        return Err(Error::other(ENDED));
    }
    Ok(())
}

/// What ends work that nobody waits for.
const ENDED: &str = "the read was ended";

/// A reader that gives nothing more once nobody waits for it.
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
