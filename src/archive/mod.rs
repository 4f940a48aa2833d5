//! Zips: what is in one, its contents, and parts of it on disk or as another zip.
//!
//! [`Archive`] is the index of a zip in a file; `inflate` gives contents, verified; [`extract`]
//! writes them to a directory, in parallel; [`repack`] copies them, as they are, into another zip.
//! Names are made canonical in `name`, where the index is read: nothing else sees another form.

mod damaged;
mod ended;
mod extract;
mod folders;
mod index;
mod inflate;
mod install;
mod link;
mod name;
mod repack;
mod staging;
mod unwritable;

pub use ended::IsEnded;
pub use extract::extract;
pub use index::{Archive, Entry, Placed};
pub use name::{canonical, names_drive};
pub use repack::{copy, repack};
