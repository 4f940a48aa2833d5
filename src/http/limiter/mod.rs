//! What lets requests of one principal through to one host: as fast as Azure DevOps lets it ask.
//!
//! `queue` keeps the order and hands out permits; [`policy`] says when there is one; [`headers`]
//! reads what answers say of limits; `cool_down` shares cool-downs with other replicas.

mod cool_down;
mod counters;
pub mod headers;
mod operation;
pub mod policy;
mod queue;
mod telemetry;

pub(super) use operation::Operation;
pub use policy::Cause;
pub(super) use policy::RateLimit;
pub use queue::{Limit, Throttled, limits};
pub(super) use queue::{Limiter, Permit};
pub(super) use telemetry::LIMITED;
