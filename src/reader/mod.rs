//! What a Backstage URL reader does with a URL: `readUrl`, `readTree` and `search`; and listing a folder.

mod cache;
mod context;
#[cfg(test)]
mod futures;
mod list;
mod messages;
mod plain_http;
mod policy;
mod read_tree;
mod read_url;
mod search;
mod spelling;
mod transfer;
mod tree;

pub use cache::{bytes_stored, set_limits};
pub use context::{CredentialSource, ReadContext, ReadRequest};
pub use list::{Depth, Entry, FolderListing, list, list_url};
pub use messages::{Purpose, TOKENS_END};
pub use plain_http::check as check_plain_http;
pub use policy::HostPolicy;
pub use read_tree::{ReadTree, ReadTreeResponse, read_tree};
pub use read_url::{ReadUrlResponse, read_url};
pub use search::{Candidates, Contents, Found, FoundFiles, Search};
pub use transfer::Body;
pub use tree::{Files, Packed, Tree};
