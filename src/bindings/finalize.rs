//! The finalizers of objects that JavaScript has released.

use napi::{Env, bindgen_prelude::ObjectFinalize};

use super::{body, cancellation, credentials, doctor, reader, search, tree, url};
use crate::{fault, panic};

/// Drops an object that JavaScript has released. Dropping may do more than free memory, and a panic in there
/// would end the process.
fn finalize(object: impl Sized) {
    panic::contained(|| {
        let _object = object;
        fault::point("end of an object");
    });
}

/// Gives classes an end that cannot panic.
macro_rules! ends_safely {
    ($($class:ty),+) => {$(
        impl ObjectFinalize for $class {
            fn finalize(self, _: Env) -> napi::Result<()> {
                finalize(self);
                Ok(())
            }
        }
    )+};
}

ends_safely!(
    body::Body,
    cancellation::Cancellation,
    credentials::Credentials,
    doctor::Doctor,
    reader::Reader,
    search::Contents,
    search::Search,
    tree::Archive,
    tree::Packed,
    tree::Tree,
    url::AzureUrl
);
