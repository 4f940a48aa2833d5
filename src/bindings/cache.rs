//! The bounds of what the process keeps, across the boundary.

use napi_derive::napi;

use super::{limits::whole, telemetry::number};
use crate::reader;

/// Bounds what the process keeps of repositories, in bytes: lists and contents in memory, archives on
/// disk. 0 keeps nothing; without a number it is what this package thinks right. Gives the bounds.
#[napi(catch_unwind)]
pub fn keep_at_most(memory: Option<f64>, disk: Option<f64>) -> CacheBounds {
    let (memory, disk) = reader::set_limits(memory.map(whole), disk.map(whole));
    CacheBounds {
        memory_bytes: number(memory),
        disk_bytes: number(disk),
    }
}

/// The most that the process keeps of repositories.
#[napi(object, object_from_js = false)]
pub struct CacheBounds {
    /// In memory.
    pub memory_bytes: f64,
    /// On disk.
    pub disk_bytes: f64,
}
