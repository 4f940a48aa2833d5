//! The message about a file that cannot be written.

use std::io;

use super::name::Shown;
use crate::error::Error;

pub(super) fn unwritable(path: &str, error: io::Error) -> Error {
    let path = Shown(path);
    Error::other(format!("{path} could not be written: {error}")).because(error)
}
