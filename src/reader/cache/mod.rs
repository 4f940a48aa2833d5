//! What the process keeps of repositories, each for the principal that read it.

mod blob;
mod keys;
mod replicas;
mod stale;
mod store;

pub(super) use blob::{Blob, MOST_IN_MEMORY, id};
pub(super) use keys::{Key, List};
pub(super) use replicas::Replicas;
pub(super) use stale::{File, FreshOrStale, StaleAnswer, StaleSlot};
pub(super) use store::{Absent, LastListed, keep_archive, store};
pub use store::{bytes_stored, set_limits};
