//! Panics that a test asks for, across the boundary.

use napi_derive::napi;

use crate::fault;

/// Panics at a place the next time that somebody comes there.
#[napi(catch_unwind)]
pub fn panic_at(place: String) {
    fault::panic_at(place);
}

/// The places at which nobody came since a panic was asked for there, and where none is made any more.
#[napi(catch_unwind)]
pub fn disarm_panics() -> Vec<String> {
    fault::disarm()
}
