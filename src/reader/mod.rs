//! What a Backstage URL reader does with a URL.

mod body;
mod exchange;
mod explain;
mod read_url;

pub use body::Body;
pub use exchange::Exchange;
pub use read_url::{CredentialSource, ReadUrl, ReadUrlResponse, read_url};
