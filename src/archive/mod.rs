//! Zips: what is in one, its contents, and parts of it on disk or as another zip.
//!
//! [`Archive`] is the index of a zip in a file; `inflate` gives contents, verified; [`extract`]
//! writes them to a directory, in parallel; [`repack`] copies them, as they are, into another zip.

mod extract;
mod index;
mod inflate;
mod name;
mod repack;

pub use extract::{Placed, extract};
pub use index::{Archive, Entry};
pub use repack::{copy, repack};

use crate::error::{Error, ErrorKind};

/// Says that a zip is not as it should be.
fn damaged(why: impl std::fmt::Display) -> Error {
    Error::new(ErrorKind::Damaged, format!("the archive is damaged: {why}"))
}
