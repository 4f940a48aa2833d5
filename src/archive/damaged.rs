//! The message about a damaged zip.

use std::fmt;

use crate::error::{Error, ErrorKind};

/// Says that a zip is not as it should be.
pub(super) fn damaged(why: impl fmt::Display) -> Error {
    Error::new(ErrorKind::Damaged, format!("the archive is damaged: {why}"))
}
