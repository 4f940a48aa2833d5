//! Places at which a test makes a panic; without the feature `panics`, as published, there are none.

#[cfg(feature = "panics")]
use parking_lot::Mutex;

/// The places at which the next who comes there panics, once for each time that it stands here.
#[cfg(feature = "panics")]
static ARMED: Mutex<Vec<String>> = Mutex::new(Vec::new());

/// What the message of a made panic holds besides: outside data, as that of a real one may.
#[cfg(feature = "panics")]
const OUTSIDE: &str = "https://user:s3cret@dev.azure.com";

/// Panics at a place the next time that somebody comes there.
#[cfg(feature = "panics")]
pub(crate) fn panic_at(place: String) {
    let mut armed = ARMED.lock();
    armed.push(place);
}

/// The places at which nobody came since a panic was asked for there, and where none is made any more.
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
