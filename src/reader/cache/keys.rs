//! The keys of what is cached: an address, and the principal for whom it was read.

use std::sync::Arc;

use url::Url;

use crate::{
    cache::{CacheKey, Weigh},
    credentials::{Authorization, Principal},
    rest::ItemList,
};

/// An address, and the principal that it was read for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    principal: Principal,
    address: String,
    may_be_kept: bool,
}

impl Key {
    /// What a REST URL gives that names a commit or an object.
    pub(crate) fn of(url: &Url, authorization: &Authorization) -> Self {
        Self::at(url.to_string(), authorization)
    }

    /// What a REST URL gives for a question.
    pub(crate) fn of_answer(url: &Url, question: &str, authorization: &Authorization) -> Self {
        Self::at(format!("{url} {question}"), authorization)
    }

    fn at(address: String, authorization: &Authorization) -> Self {
        Self {
            principal: authorization.principal().clone(),
            address,
            may_be_kept: !authorization.is_callers(),
        }
    }

    /// The address, without the principal.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Weigh for Key {
    fn bytes(&self) -> u64 {
        (size_of::<Self>() + self.address.len()) as u64
    }
}

impl CacheKey for Key {
    fn may_be_kept(&self) -> bool {
        self.may_be_kept
    }
}

/// What is in a folder, or below it.
pub(crate) type List = Arc<ItemList>;
