//! What a Backstage URL reader does with a URL.

mod blob;
mod body;
mod exchange;
mod explain;
mod listing;
mod read_tree;
mod read_url;
mod tree;

pub use body::Body;
pub use exchange::Exchange;
pub use explain::Purpose;
pub use listing::{Contents, Listing, Search, list};
pub use read_tree::{ReadTree, ReadTreeResponse, read_tree};
pub use read_url::{CredentialSource, ReadUrl, ReadUrlResponse, read_url};
pub use tree::{Repacked, Tree};
