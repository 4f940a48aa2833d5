//! What a store asks of its keys and values.

use std::hash::Hash;

/// Something that takes room.
pub trait Weigh {
    /// How much, in bytes.
    fn bytes(&self) -> u64;
}

/// What something is kept under.
pub trait CacheKey: Clone + Eq + Hash {
    /// Whether it may be kept for a later time. What may not is shared while it is made, and then gone.
    fn may_be_kept(&self) -> bool;
}
