//! Bounded stores, and work that is done once for all who ask for it meanwhile.

mod lru;
mod recent_map;
mod single_flight;
mod store;
mod traits;

pub use lru::LruCache;
pub use recent_map::RecentMap;
pub use single_flight::{Coalescer, SingleFlight};
pub use store::Cache;
pub use traits::{CacheKey, Weigh};
