//! Zips: what is in one, its contents, and parts of it on disk or as another zip.
//!
//! [`Archive`] is the index of a zip in a file; `inflate` gives contents, verified; [`extract`]
//! writes them to a directory, in parallel; [`repack`] copies them, as they are, into another zip.
//! Names are made canonical in `name`, where the index is read: nothing else sees another form.

mod extract;
mod folders;
mod index;
mod inflate;
mod install;
mod link;
mod name;
mod repack;
mod staging;

pub use extract::{Placed, extract};
pub use index::{Archive, Entry};
pub use name::{canonical, names_drive};
pub use repack::{copy, repack};

use std::io;

use crate::error::{Error, ErrorKind};

/// Asked in every loop, whether nobody waits for the work any longer.
pub type IsEnded<'a> = &'a (dyn Fn() -> bool + Sync);

/// Goes on, unless nobody waits for the work any longer.
fn unless(is_ended: IsEnded<'_>) -> Result<(), Error> {
    if is_ended() {
        return Err(Error::other(ENDED));
    }
    Ok(())
}

/// What ends work that nobody waits for.
const ENDED: &str = "the read was ended";

/// A reader that gives nothing more once nobody waits for it.
struct UntilEnded<'a, R> {
    from: R,
    is_ended: IsEnded<'a>,
}

impl<R: io::Read> io::Read for UntilEnded<'_, R> {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if (self.is_ended)() {
            return Err(io::Error::other(ENDED));
        }
        self.from.read(to)
    }
}

/// Says that a zip is not as it should be.
fn damaged(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Damaged, format!("the archive is damaged: {why}"))
}
