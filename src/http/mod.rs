//! The one HTTP client of the process: TLS, proxies, redirects, connections shared by all readers.

mod client;
mod direct;
mod redirect;
mod transport;
mod trust;

pub use client::{Client, Failure, NotRenewed, Request, patiently};
