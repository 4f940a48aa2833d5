//! Which credential serves a URL, and what it puts on a request.
//!
//! `selection` chooses; `authorization` makes the headers of what was chosen. Tokens of Entra ID
//! (for service principals, managed identities and the default chain) have their place between.

mod authorization;
mod selection;

pub use authorization::{Authorization, Identity, basic};
pub use selection::{Credentials, organization_of};
