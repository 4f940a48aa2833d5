//! What a glob says before it is run.

mod expansion;
mod shape;

pub use expansion::Expansion;
pub use shape::{Segment, Shape, check_groups, literal_folder, weight};
