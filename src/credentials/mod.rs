//! Which credential serves a URL, and what it puts on a request.
//!
//! [`Credentials`] selects a credential and signs in with it; [`Authorization`] is what it puts on
//! requests. Access tokens of Entra ID come from a `token_cache`, one for each credential in the
//! process (`token_caches`), which asks a provider (`providers`) for new ones.

mod acceptance;
mod authorization;
mod configured;
mod identity;
mod principal;
mod providers;
mod selection;
mod shared_keys;
mod token;
mod token_cache;
mod token_caches;

pub use acceptance::{Authority, accepted, refused};
pub use authorization::{Authorization, RequestAuth, TokenFacts, no_token};
pub use configured::Placed;
pub use identity::{CredentialName, Identity, Link};
pub use principal::Principal;
pub use providers::Entra;
pub use selection::{Credentials, Reason, Selection};
pub use shared_keys::SharedKeys;
pub use token::{CannotBeAsked, TokenError};
pub use token_cache::Renewal;
