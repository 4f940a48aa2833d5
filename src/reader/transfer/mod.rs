//! The content of answers on its way: pulled as it is asked for, or stored in a file without a name.

mod body;
mod download;
mod reopenable;
mod temporary_file;
mod unread;

pub use body::Body;
pub(super) use download::Download;
pub(super) use reopenable::{InFile, Opened, Reopenable, hold_at_most, idle_bytes, let_go_of_idle};
pub(super) use temporary_file::{OnDisk, TemporaryFile};
pub(super) use unread::{let_go_of_unread, wait_at_most};
