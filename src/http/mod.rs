//! The one HTTP client of the process: TLS, proxies, redirects, connections shared by all readers;
//! limits that are kept, and faults that are ridden out.

mod attempts;
mod cause;
mod client;
mod closings;
mod connection_error;
mod content;
mod direct;
mod gate;
mod gathered;
pub mod pace;
mod proxy;
mod redirect;
mod report;
mod resolver;
mod sent;
pub mod signals;
pub mod tls;
mod transport;
mod wait;

pub use attempts::Tried;
pub use client::{
    Asked, Blocked, Client, Failure, NotRenewed, Question, is_json, is_page, piece,
    without_byte_order_mark,
};
pub use connection_error::ConnectionError;
pub use gate::{Closed, Limit, limits};
pub use gathered::Gathered;
pub use redirect::Away;
pub use sent::secrets;

/// The proxies that the environment names, in words that show no secret.
#[must_use]
pub fn proxies() -> Vec<String> {
    proxy::Proxies::of_process().described()
}
pub use wait::{ContentWait, patiently};
