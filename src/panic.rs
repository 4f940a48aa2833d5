//! Panics, each a bug of this package: caught where a caller waits, and reported by their place alone.
//!
//! A panic's own message may hold data, such as a URL with its password, so it is reported
//! only where it is written in the source as it is.

use std::{
    backtrace::{Backtrace, BacktraceStatus},
    cell::Cell,
    io::{self, Write},
    mem,
    panic::{self, AssertUnwindSafe, Location, PanicHookInfo},
};

use futures_util::FutureExt;

use crate::error::Error;

thread_local! {
    static TOLD: Cell<bool> = const { Cell::new(false) };
}

/// What the future gives, or that it panicked.
///
/// # Errors
/// Those of the future.
pub async fn caught<T>(future: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    // On the heap: this future would have room for it twice.
    let future = Box::pin(future);
    #[expect(
        clippy::redundant_async_block,
        reason = "in a future of its own, so that its end is caught as well"
    )]
    let future = AssertUnwindSafe(async move { future.await });
    let outcome = future.catch_unwind().await;
    outcome.unwrap_or_else(|_| Err(Error::panicked()))
}

/// Does something whose panic would end the process, as in what C calls.
pub fn contained(act: impl FnOnce()) {
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(act)) {
        // Its own end could panic again.
        mem::forget(payload);
        // The next call must not report it.
        let _ = take_told();
    }
}

/// Reports panics on standard error from now on: by their place, without their message about
/// anything that came from outside.
pub fn tell_by_place() {
    panic::set_hook(Box::new(|info| {
        // There may be no standard error.
        let _ = writeln!(io::stderr(), "{}", line(info));
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            let _ = writeln!(io::stderr(), "{backtrace}");
        }
        let _ = TOLD.try_with(|told| told.set(true));
    }));
}

/// Whether a panic was reported on this thread since the last call.
#[must_use]
pub fn take_told() -> bool {
    TOLD.take()
}

fn line(info: &PanicHookInfo<'_>) -> String {
    let place = info.location().map(Location::to_string);
    let place = place.as_deref().unwrap_or("an unknown place");
    let said = info.payload().downcast_ref::<&'static str>();
    let said = said.map_or_else(String::new, |said| format!(" ({said})"));
    format!(
        "backstage-azure-devops-native {} panicked at {place}{said}, which is a bug worth reporting",
        env!("CARGO_PKG_VERSION")
    )
}

#[cfg(test)]
mod tests {
    use std::{
        pin::Pin,
        task::{Context, Poll},
    };

    use super::*;

    struct EndsBadly;

    impl Drop for EndsBadly {
        #[expect(clippy::panic, reason = "that is what it is for")]
        fn drop(&mut self) {
            panic!("at its end");
        }
    }

    impl Future for EndsBadly {
        type Output = Result<(), Error>;

        fn poll(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Self::Output> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn a_future_that_panics_at_its_end_is_caught_as_well() {
        assert!(caught(EndsBadly).await.is_err());
    }

    #[test]
    fn what_is_contained_ends_nothing() {
        contained(|| drop(EndsBadly));
    }
}
