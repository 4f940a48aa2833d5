//! The closings of gates, as replicas tell each other of them.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    credentials::Authorization,
    shared::{Entry, NoAnswer, SharedCache, every_cache},
};

/// How old what is known of other replicas may be, for whoever wants to go.
pub(super) const NEWS_AGE: Duration = Duration::from_millis(500);

/// How often it is looked whether a closing still stands where the others look for it.
pub(super) const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Two closings whose ends are no further apart are one. Times of day are not that exact.
const SAME: Duration = Duration::from_millis(100);

/// No closing is longer than this: what says so is wrong.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the closings of a reader's gate at a host stand; nothing where nobody shares, or where the
/// reader is not known by the same name in other processes.
pub(super) fn key_of(authorization: &Authorization, host: &str) -> Option<String> {
    if every_cache().is_empty() {
        return None;
    }
    Some(authorization.sharing()?.key("closing", host))
}

/// Until when another replica has closed the gate, if one has.
pub(super) async fn heard(key: &str) -> Option<Instant> {
    let caches = every_cache();
    let answers = join_all(caches.iter().map(|cache| closing(cache, key))).await;
    answers.into_iter().flatten().flatten().max()
}

/// Tells the other replicas that the gate is closed, unless they know of a closing that ends later;
/// gives the end of that one.
pub(super) async fn tell(key: &str, until: Instant) -> Option<Instant> {
    let caches = every_cache();
    let told = join_all(caches.iter().map(|cache| tell_through(cache, key, until))).await;
    told.into_iter().flatten().max()
}

/// Writes only what is later than what is there, so that of two closings the later one stays.
async fn tell_through(cache: &SharedCache, key: &str, until: Instant) -> Option<Instant> {
    let known = closing(cache, key).await.ok()?;
    if known.is_none_or(|known| known + SAME < until) {
        let life = until.saturating_duration_since(Instant::now());
        let end = SystemTime::now() + life;
        let end = end.duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry {
            key: key.to_owned(),
            value: end.as_millis().to_string(),
            life,
        };
        // It is tried again as long as the gate is closed.
        let _ = cache.set(entry).await;
    }
    known
}

async fn closing(cache: &SharedCache, key: &str) -> Result<Option<Instant>, NoAnswer> {
    let end = cache.get(key).await?;
    Ok(end.and_then(|end| time_of(&end, SystemTime::now())))
}

/// When a closing ends; nothing where it is over, or where it cannot be one.
fn time_of(end: &str, now: SystemTime) -> Option<Instant> {
    let end = UNIX_EPOCH.checked_add(Duration::from_millis(end.parse().ok()?))?;
    let wait = end.duration_since(now).ok()?;
    (SAME..LONGEST)
        .contains(&wait)
        .then(|| Instant::now() + wait)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_a_closing_that_is_not_over_is_one() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let wait = |end| time_of(end, now).map(|until| (until - Instant::now()).as_millis());
        assert_eq!(wait("1003000"), Some(3_000));
        for none in [
            "1000000",
            "999000",
            "",
            "soon",
            "-1",
            "1e9",
            "99999999999999999",
        ] {
            assert_eq!(wait(none), None, "{none}");
        }
    }
}
