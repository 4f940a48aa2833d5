//! The core of `backstage-azure-devops-native`: reads Azure DevOps repositories for a Backstage backend.
//!
//! The core knows nothing of Node. `bindings` is the only module that does; TypeScript (`ts/`) is the face
//! that Backstage sees.
//!
//! # Terms
//!
//! | term | meaning |
//! | --- | --- |
//! | credential | an entry of `integrations.azure[].credentials`, or a link of the default chain |
//! | principal | whom Azure DevOps sees behind a credential: limits are counted and caches are kept by it |
//! | token, token cache, provider | an Entra ID access token; what keeps and renews one; what obtains one |
//! | limiter, permit, cool-down | what lets requests of a principal through to a host; leave for one request; the time in which there is none |
//! | throttled, rate limited | held back by Azure DevOps: by delays, by `429`, or by refusals |
//! | retry, attempt, transient | sending again; each time; an error that is worth it |
//! | stale answer | the last good answer, while a principal is throttled |
//! | shared cache | the cache service that the replicas of a backend have in common |
//! | listing, tree, archive, glob | the items of a commit; a folder being read; its zip; the pattern of a search |
//!
//! # One read
//!
//! ```text
//! bindings::reader     readUrl(url, options)            a value in, a promise out
//! reader::read_url     ReadContext::begin               the safe URL, the credential, the policy of the host
//!                      GitApi::file → Call              the REST URL and its headers
//!                      ReadContext::send                the one place that sends, checks and explains
//! http::client         Limiter::acquire → Permit        waits for a permit, then sends; retries what is transient
//! credentials          Authorization::request_auth      the header, with a token of the token cache
//! http::Answer         → transfer::Body                 content as it comes, or whole with its head
//! ```
//!
//! A failure is an [`http::Error`] below, and an [`error::Error`] with a message for a person above
//! `ReadContext::send`.
//!
//! # Modules
//!
//! Each layer uses those after it: `bindings → doctor → reader → rest → http → credentials`.
//!
//! - `bindings`: the Node boundary.
//! - [`doctor`]: why a URL cannot be read.
//! - [`reader`]: `readUrl`, `readTree` and `search`.
//! - [`rest`]: the Git REST API, as typed calls.
//! - [`http`]: the one client of the process, with retries and limits.
//! - [`credentials`]: which credential serves a URL, and what it puts on a request.
//!
//! Below them, and without knowledge of them:
//!
//! - [`config`]: `integrations.azure`, validated.
//! - [`url`]: repository URLs, their REST URLs, and [`url::SafeUrl`], which displays no secret.
//! - [`glob`]: what a glob rules out without being run.
//! - [`archive`]: zips: index, contents, extraction, repacking.
//! - [`cache`]: bounded stores, and work that is done once for all who ask.
//! - [`shared_cache`]: the cache that replicas share.
//! - [`telemetry`]: measurements, and events of the log.
//! - [`error`], [`limits`], [`secrets`], [`text`]: errors, bounds, redaction, and text from outside made
//!   readable.
//! - [`shortage`]: what is freed where disk, files or memory run out.
//! - [`mod@panic`], `fault`: panics as failures, and where tests cause them.
//! - `blocking`: what blocks, or takes long, on a thread that may.
//! - [`clock`], [`backoff`]: time, chance, and waits after failures.

pub mod archive;
pub mod backoff;
mod blocking;
pub mod cache;
pub mod clock;
pub mod config;
pub mod credentials;
pub mod doctor;
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

// Unit tests run without Node, so without the module that needs it.
#[cfg(not(test))]
mod bindings;
