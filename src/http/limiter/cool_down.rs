//! Cool-downs, shared with other replicas.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use futures_util::future::join_all;
use tokio::time::Instant;

use crate::{
    credentials::{Authorization, SharedKeys},
    shared_cache::{Entry, NoAnswer, SharedCache, every_cache},
};

/// How old the news of other replicas may be when a permit is asked for.
pub(crate) const NEWS_AGE: Duration = Duration::from_millis(500);

/// How often a replica checks that its cool-down is still in the shared cache.
pub(crate) const CHECK_EVERY: Duration = Duration::from_secs(1);

/// Two cool-downs whose ends are no further apart are one. Times of day are not that exact.
const SAME: Duration = Duration::from_millis(100);

/// No cool-down is longer than this, which is the longest wait that a server is believed to ask for:
/// what says so is wrong.
const LONGEST: Duration = Duration::from_secs(60 * 60 + 60);

/// For how long another replica is believed at a time; a longer wait asks it again.
const BELIEVED: Duration = Duration::from_secs(60);

/// Where the cool-downs of a principal at a host are shared.
#[derive(Clone, Debug)]
pub(crate) struct CoolDownKey {
    key: String,
    sharing: SharedKeys,
}

impl CoolDownKey {
    /// `None` where no cache is shared, or where
    /// the principal has no name that other processes know.
    pub(crate) fn of(authorization: &Authorization, host: &str) -> Option<Self> {
        if every_cache().is_empty() {
            return None;
        }
        let sharing = authorization.sharing()?;
        let key = sharing.key("closing", host);
        Some(Self { key, sharing })
    }

    /// The end of a cool-down as it is shared; sealed, where the principal has a secret to seal with.
    fn written(&self, end: String) -> Option<String> {
        if self.sharing.seals() {
            return self.sharing.seal(&self.key, end.into_bytes());
        }
        Some(end)
    }

    fn read(&self, entry: String) -> Option<String> {
        if self.sharing.seals() {
            let end = self.sharing.open(&self.key, &entry)?;
            return String::from_utf8(end).ok();
        }
        Some(entry)
    }
}

/// The end of the cool-down that another replica shares, if there is one.
pub(crate) async fn heard(place: &CoolDownKey) -> Option<Instant> {
    let caches = every_cache();
    let answers = join_all(caches.iter().map(|cache| cool_down(cache, place))).await;
    answers.into_iter().flatten().flatten().max().map(believed)
}

/// Tells the other replicas of a cool-down, unless they know of one that ends later. Returns the end of that
/// one.
pub(crate) async fn announce(place: &CoolDownKey, until: Instant) -> Option<Instant> {
    let caches = every_cache();
    let told = join_all(caches.iter().map(|cache| tell_through(cache, place, until))).await;
    told.into_iter().flatten().max().map(believed)
}

fn believed(until: Instant) -> Instant {
    until.min(Instant::now() + BELIEVED)
}

/// Writes only what is later than what is there, so that of two cool-downs the later one stays.
async fn tell_through(cache: &SharedCache, place: &CoolDownKey, until: Instant) -> Option<Instant> {
    let known = cool_down(cache, place).await.ok()?;
    if known.is_none_or(|known| known + SAME < until) {
        let life = until.saturating_duration_since(Instant::now());
        let end = SystemTime::now() + life;
        let end = end.duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry {
            key: place.key.clone(),
            value: place.written(end.as_millis().to_string())?,
            life,
        };
        // It is tried again as long as the limiter is closed.
        let _ = cache.set(entry).await;
    }
    known
}

async fn cool_down(cache: &SharedCache, place: &CoolDownKey) -> Result<Option<Instant>, NoAnswer> {
    let entry = cache.get(&place.key).await?;
    let end = entry.and_then(|entry| place.read(entry));
    Ok(end.and_then(|end| time_of(&end, SystemTime::now())))
}

/// When a cool-down ends; `None` where it is over, or where it cannot be one.
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
    use crate::shared_cache::{share_through, tests::Service};

    #[tokio::test(start_paused = true)]
    async fn nobody_is_believed_for_longer_than_a_minute_at_a_time() {
        let now = Instant::now();
        let wait = |seconds| believed(now + Duration::from_secs(seconds)) - now;
        assert_eq!(wait(3).as_secs(), 3);
        assert_eq!(wait(3_000), BELIEVED);
    }

    #[tokio::test]
    async fn a_closing_stands_where_every_plugin_looks_for_it() {
        let services = ["one", "another"].map(|plugin| {
            let service = Service::default();
            share_through(format!("{plugin} that hears"), service.clone());
            service
        });
        let Some(place) = CoolDownKey::of(&Authorization::anonymous(), "a host") else {
            unreachable!("there are caches");
        };
        let until = Instant::now() + Duration::from_secs(30);
        announce(&place, until).await;
        for service in &services {
            assert!(service.entries().contains_key(&place.key));
        }
        services[0].go();
        let heard = heard(&place).await;
        assert!(heard.is_some_and(|heard| until - SAME < heard && heard < until + SAME));
        services[1].go();
    }

    #[test]
    fn a_closing_is_one_only_of_whoever_has_the_secret() {
        let place = |token: &str| {
            let headers = vec![("Authorization".to_owned(), token.into())];
            let sharing = Authorization::provided(headers).ok()?.sharing()?;
            let key = "closing".to_owned();
            Some(CoolDownKey { key, sharing })
        };
        let (Some(own), Some(other)) = (place("a"), place("b")) else {
            unreachable!("headers have a secret");
        };
        let written = own.written("1003000".to_owned()).unwrap_or_default();
        assert_eq!(own.read(written.clone()).as_deref(), Some("1003000"));
        assert_eq!(other.read(written), None);
        assert_eq!(own.read("1003000".to_owned()), None);
    }

    #[tokio::test(start_paused = true)]
    async fn only_a_closing_that_is_not_over_is_one() {
        let now = UNIX_EPOCH + Duration::from_secs(1_000);
        let wait = |end| time_of(end, now).map(|until| (until - Instant::now()).as_millis());
        assert_eq!(wait("1003000"), Some(3_000));
        assert_eq!(wait("4600000"), Some(3_600_000));
        for none in [
            "1000000",
            "999000",
            "",
            "soon",
            "-1",
            "1e9",
            "87400000",
            "99999999999999999",
        ] {
            assert_eq!(wait(none), None, "{none}");
        }
    }
}
