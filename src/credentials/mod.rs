//! Which credential serves a URL, and what it puts on a request.
//!
//! `selection` chooses; `authorization` makes the headers of what was chosen. Between them are the
//! tokens of Entra ID: `tokens` keeps those of one credential, `registry` has one such keeper for a
//! credential in the whole process, and each asks a `TokenSource` (`sources` for what is configured,
//! `default_chain` for what is not), which goes through `entra` or runs `developer_tools`.

mod authorization;
mod certificate;
mod default_chain;
mod developer_tools;
mod entra;
mod environment;
mod federated;
mod identity;
mod imds;
mod reader;
mod refusal;
mod registry;
mod selection;
mod sharing;
mod sources;
mod standing;
mod token;
mod tokens;

pub use authorization::{Authorization, Proof, no_token};
pub use default_chain::Link;
pub use entra::Entra;
pub use identity::{Identity, Named};
pub use reader::Reader;
pub use selection::{Chosen, Credentials, Placed, organization_of, scope_of};
pub use sharing::Sharing;
pub use standing::{Where, accepted, refused};
pub use token::{CannotBeAsked, TokenError};

use tokens::Tokens;
