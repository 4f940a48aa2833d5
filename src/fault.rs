//! Places where a test can cause a panic. Published builds, without the feature `panics`, have none.

#[cfg(feature = "panics")]
use parking_lot::Mutex;

/// The places where the next call panics, once for each entry.
#[cfg(feature = "panics")]
static ARMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the message of a made panic holds besides: outside data, as that of a real one may.
#[cfg(feature = "panics")]
const OUTSIDE: &str = "https://user:s3cret@dev.azure.com";

/// Causes a panic at a place, the next time that it is reached.
#[cfg(feature = "panics")]
pub(crate) fn panic_at(place: String) {
    let mut armed = ARMED.lock();
    armed.push(place);
}

/// Takes back the panics that have not happened, and returns their places.
#[cfg(feature = "panics")]
pub(crate) fn disarm() -> Vec<String> {
    let mut armed = ARMED.lock();
    std::mem::take(&mut armed)
}

/// A place where a test may make a panic.
#[cfg(feature = "panics")]
pub(crate) fn point(place: &str) {
    let mut armed = ARMED.lock();
    let Some(at) = armed.iter().position(|armed| armed == place) else {
        return;
    };
    armed.remove(at);
    drop(armed);
    #[expect(clippy::panic, reason = "that is what it is for")]
    {
        panic!("made at {place}, with {OUTSIDE}");
    }
}

/// A place where a test may make a panic, which is not in this build.
#[cfg(not(feature = "panics"))]
pub(crate) const fn point(_place: &str) {}
