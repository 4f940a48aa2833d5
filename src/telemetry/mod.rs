//! What happens, as measurements and as events of the log.

pub mod log;
pub mod metrics;
