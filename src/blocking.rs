//! Work that blocks, done on a thread that may.

use std::io;

use tokio::task::{self, JoinError};

use crate::{error::Error, fault};

/// Does work that blocks on a thread that may block.
pub(crate) async fn blocking<T: Send + 'static, E: From<Interrupted> + Send + 'static>(
    work: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E> {
    let work = || {
        fault::point("blocking work");
        work()
    };
    match task::spawn_blocking(work).await {
        Ok(done) => done,
        Err(end) => Err(Interrupted::by(&end).into()),
    }
}

/// Why work that blocks has no outcome.
pub(crate) enum Interrupted {
    /// It panicked.
    Panicked,
    /// The runtime ended under it.
    Ended,
}

impl Interrupted {
    pub(crate) fn by(end: &JoinError) -> Self {
        if end.is_panic() {
            Self::Panicked
        } else {
            Self::Ended
        }
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Self {
        match interrupted {
            Interrupted::Panicked => Self::panicked(),
            Interrupted::Ended => Self::other("the work on the archive was interrupted"),
        }
    }
}

impl From<Interrupted> for io::Error {
    fn from(interrupted: Interrupted) -> Self {
        Self::other(Error::from(interrupted))
    }
}
