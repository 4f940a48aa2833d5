//! What a Backstage URL reader does with a URL.

mod blob;
mod body;
mod contents;
mod download;
mod exchange;
mod explain;
mod held;
mod kept;
mod last_good;
mod listing;
mod plain_http;
mod read_tree;
mod read_url;
mod replicas;
mod spelling;
mod stored;
mod tree;
mod unread;
mod walk;

pub use body::Body;
pub use contents::Contents;
pub use exchange::Exchange;
pub use explain::Purpose;
pub use kept::{bytes_kept, keep_at_most};
pub use listing::{Listing, Search, list};
pub use read_tree::{ReadTree, ReadTreeResponse, read_tree};
pub use read_url::{CredentialSource, ReadUrl, ReadUrlResponse, read_url};
pub use tree::{Files, Packed, Tree};
