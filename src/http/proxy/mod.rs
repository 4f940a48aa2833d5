//! Proxies: which one a request goes through, and what one says that makes no tunnel.

mod bypass;
mod environment;
mod tunnel;

pub(super) use environment::{Invalid, Proxies, Route};
pub use environment::{proxies, route_to};
pub(super) use tunnel::answer_to_connect;
