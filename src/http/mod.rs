//! The one HTTP client of the process: TLS, proxies, redirects, and connections that all readers share;
//! limits that are kept, and faults that are retried.

mod answer;
mod azure_transport;
mod buffer;
mod cause;
mod client;
mod connection_error;
mod content;
mod error;
pub mod limiter;
mod local;
mod proxy;
mod redirect;
mod request;
mod resolver;
mod retry;
mod sent_secrets;
mod timeout;
pub mod tls;

pub use answer::{Answer, asks_to_sign_in, without_byte_order_mark};
pub use buffer::Buffer;
pub use client::Client;
pub use connection_error::ConnectionError;
pub use error::{Error, ErrorKind, Redirected};
pub use limiter::{Cause, Limit, Throttled, limits};
pub use proxy::{proxies, route_to};
pub use redirect::Away;
pub use request::{Request, Resend};
pub use retry::Attempts;
pub use sent_secrets::secrets;
pub use timeout::{ContentWait, with_read_timeout};
