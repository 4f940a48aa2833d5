//! Proxies: which one a request goes through, and what one says that makes no tunnel.

mod bypass;
mod environment;
mod tunnel;

pub use environment::proxies;
pub(super) use environment::{Invalid, Proxies, Route};
pub(super) use tunnel::answer_to_connect;
