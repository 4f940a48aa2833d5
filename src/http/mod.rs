//! The one HTTP client of the process: TLS, proxies, redirects, connections shared by all readers;
//! limits that are kept, and faults that are ridden out.

mod attempts;
mod client;
mod closings;
mod direct;
mod gate;
pub mod pace;
mod redirect;
mod report;
mod sent;
pub mod signals;
mod transport;
mod trust;

pub use attempts::Tried;
pub use client::{
    Asked, Blocked, Client, Failure, NotRenewed, Question, is_json, is_page, patiently, piece,
    without_byte_order_mark,
};
pub use gate::{Closed, Limit, limits};
pub use redirect::Away;
pub use sent::secrets;
