//! The core of `backstage-azure-devops-native`: Azure DevOps repositories for a Backstage backend.
//!
//! Data flows one way: `bindings → reader → rest → http → credentials`; the others lean on nothing
//! but each other.
//!
//! - [`config`]: `integrations.azure`, checked and made into configuration.
//! - [`url`]: repository URLs and the REST URLs that read them.
//! - [`pattern`]: what a pattern for paths says before anybody runs it.
//! - [`expansion`]: what the braces of a pattern expand to, without expanding them.
//! - [`credentials`]: which credential serves a URL, and what it puts on a request.
//! - [`http`]: the one client of the process.
//! - [`rest`]: typed calls of the Git REST API.
//! - [`reader`]: what a Backstage URL reader does with a URL.
//! - [`error`]: the one error, told apart by kind.
//! - [`cache`]: what is kept for whoever asks again, within bounds.
//! - [`limits`]: how much a server may send, and an archive hold.
//! - [`room`]: what the machine has run out of, and who lets go of some of it.
//! - [`shared`]: the cache that replicas of a backend share.
//! - [`metrics`] and [`log`]: what happens, for whoever measures and whoever keeps the log.
//! - [`text`] and [`secrets`]: what others say, made safe to repeat.
//! - [`panic`]: bugs, caught where somebody waits, and told by their place.
//! - [`clock`] and [`backoff`]: time, chance, and how long to wait after failures.
//! - `fault`: where tests make panics, in a build of their own.
//! - `bindings`: the only room that knows Node.

pub mod archive;
pub mod backoff;
pub mod cache;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod error;
mod fault;
pub mod glob;
pub mod http;
pub mod limits;
pub mod panic;
pub mod reader;
pub mod rest;
pub mod secrets;
pub mod shared_cache;
pub mod shortage;
pub mod telemetry;
pub mod text;
pub mod url;

// Unit tests run without Node, so without the room that needs it.
#[cfg(not(test))]
mod bindings;
