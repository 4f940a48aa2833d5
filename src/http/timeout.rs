//! Timeouts of a content: for the next chunk, and for all chunks together.

use std::{pin::pin, time::Duration};

use tokio::time::{Instant, timeout};

use super::error::{Error, ErrorKind};
use crate::limits::Limit;

/// How long a server may be silent while a caller waits for it; Azure DevOps holds answers back for
/// up to half a minute when an identity nears its limit.
const IDLE_TIMEOUT: Duration = Duration::from_secs(120);

/// How often it is noted how long was waited: what is waited for may have been left alone meanwhile, which
/// is not waiting.
const TICK: Duration = Duration::from_secs(1);

/// Waits for what a server sends, but not for ever.
///
/// The clock runs only while a caller waits: a consumer may take its time between two chunks.
///
/// # Errors
/// What is waited for fails, or the server fell silent.
pub async fn with_read_timeout<T, E>(sent: impl Future<Output = Result<T, E>>) -> Result<T, Error>
where
    Error: From<E>,
{
    match timeout(IDLE_TIMEOUT, sent).await {
        Ok(sent) => sent.map_err(Into::into),
        Err(_) => Err(ErrorKind::Stalled.into()),
    }
}

/// How long callers waited for the content of one answer, all together.
///
/// Time in which no caller asks for the next chunk does not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct ContentWait {
    waited: Duration,
}

impl ContentWait {
    /// Waits for some of the content; `None` where that would take all of it longer than
    /// [`Limit::ContentWait`].
    pub async fn wait<T>(&mut self, some: impl Future<Output = T>) -> Option<T> {
        let mut some = pin!(some);
        loop {
            let most = Duration::from_millis(Limit::ContentWait.most());
            let left = most
                .checked_sub(self.waited)
                .filter(|left| !left.is_zero())?;
            let tick = left.min(TICK);
            let began = Instant::now();
            let came = timeout(tick, &mut some).await;
            self.waited += began.elapsed().min(tick);
            if let Ok(came) = came {
                return Some(came);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::time::sleep;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn pieces_count_together_and_pauses_between_them_do_not() {
        let most = Duration::from_millis(Limit::ContentWait.most());
        let mut wait = ContentWait::default();
        for _ in 0..9 {
            assert!(wait.wait(sleep(most / 10)).await.is_some());
            sleep(most).await;
        }
        let began = Instant::now();
        assert!(wait.wait(pending::<()>()).await.is_none());
        assert!(began.elapsed() <= most / 10 + TICK);
        assert!(wait.wait(sleep(TICK)).await.is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn time_in_which_nobody_looks_does_not_count() {
        let most = Duration::from_millis(Limit::ContentWait.most());
        let mut wait = ContentWait::default();
        {
            let mut waiting = pin!(wait.wait(pending::<()>()));
            assert!(timeout(TICK * 2, &mut waiting).await.is_err());
            sleep(most * 2).await;
            assert!(timeout(most / 2, &mut waiting).await.is_err());
        }
        assert!(wait.wait(sleep(TICK)).await.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn who_is_silent_is_not_waited_for_for_ever() {
        let silent = with_read_timeout(pending::<Result<(), Error>>()).await;
        let kind = silent.map_err(|error| error.kind);
        assert!(matches!(kind, Err(ErrorKind::Stalled)));
    }
}
