//! What the environment says about who signs in.

use std::env;

use crate::credentials::token::TokenError;

/// A variable; an empty one counts as none.
pub(crate) fn var(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

/// A variable without which there is nothing to do.
pub(crate) fn needed(name: &str) -> Result<String, TokenError> {
    var(name).ok_or_else(|| TokenError::absent(format!("{name} is not set")))
}
