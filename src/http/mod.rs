//! The one HTTP client of the process: TLS, proxies, redirects, connections shared by all readers;
//! limits that are kept, and faults that are ridden out.

mod attempts;
mod client;
mod closings;
mod content;
mod direct;
mod gate;
mod gathered;
pub mod pace;
mod redirect;
mod report;
mod sent;
pub mod signals;
mod transport;
mod trust;
mod wait;

pub use attempts::Tried;
pub use client::{
    Asked, Blocked, Client, Failure, NotRenewed, Question, is_json, is_page, piece,
    without_byte_order_mark,
};
pub use gate::{Closed, Limit, limits};
pub use gathered::Gathered;
pub use redirect::Away;
pub use sent::secrets;
pub use wait::{ContentWait, patiently};
