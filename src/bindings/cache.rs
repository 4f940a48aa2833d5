//! The bounds of what the process keeps, across the boundary.

use napi::Either;
use napi_derive::napi;

use super::{crossing::Failure, telemetry::number};
use crate::{error::Error, limits::read_bytes, reader};

/// The most that the process keeps of repositories.
#[napi(object, object_from_js = false)]
pub struct CacheBounds {
    /// In memory.
    pub memory_bytes: f64,
    /// On disk.
    pub disk_bytes: f64,
}

/// Bounds what the process keeps of repositories, in bytes: lists and contents in memory, archives on
/// disk. 0 keeps nothing; without a number it is what this package thinks right. Gives the bounds.
#[napi(catch_unwind)]
pub fn keep_at_most(memory: Option<f64>, disk: Option<f64>) -> Either<CacheBounds, Failure> {
    match bounds(memory, disk) {
        Ok((memory, disk)) => {
            let (memory, disk) = reader::set_limits(memory, disk);
            Either::A(CacheBounds {
                memory_bytes: number(memory),
                disk_bytes: number(disk),
            })
        }
        Err(error) => Either::B(error.into()),
    }
}

fn bounds(memory: Option<f64>, disk: Option<f64>) -> Result<(Option<u64>, Option<u64>), Error> {
    let read = |key, bytes: Option<f64>| bytes.map(|bytes| read_bytes(key, bytes)).transpose();
    Ok((
        read("backend.reading.azureDevOps.cache.memoryBytes", memory)?,
        read("backend.reading.azureDevOps.cache.diskBytes", disk)?,
    ))
}
