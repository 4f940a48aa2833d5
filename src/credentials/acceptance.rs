//! Refused credentials: one log event when a credential is refused, and one when it works again.

use std::{
    collections::HashSet,
    sync::{
        LazyLock,
        atomic::{AtomicBool, Ordering},
    },
};

use parking_lot::Mutex;

use super::{authorization::Authorization, identity::Identity};
use crate::telemetry::log::{Event, Repeat, emit};

/// How many refusals are remembered as logged; others are logged once a minute.
const MOST_REFUSED: usize = 1_000;

/// The current refusals, by the credential's place and by what refuses it.
static REFUSED: LazyLock<Mutex<HashSet<String>>> = LazyLock::new(Mutex::default);

/// Whether there are any, so that an accepted request need not take the lock.
static IS_ANY_REFUSED: AtomicBool = AtomicBool::new(false);

/// What accepts or refuses a credential.
#[derive(Clone, Copy, Debug)]
pub enum Authority<'a> {
    /// The token endpoint, such as Entra ID.
    Tokens,
    /// An organization or collection.
    Organization {
        /// The host, with its port.
        host: &'a str,
        /// Its name.
        organization: &'a str,
    },
}

impl Authority<'_> {
    fn key(self, place: &str) -> String {
        match self {
            Self::Tokens => place.to_owned(),
            Self::Organization { host, organization } => [place, host, organization].join("\0"),
        }
    }
}

/// Notes that a credential was refused, and logs it unless that was done.
///
/// `why` is what the answer said, or what to check.
pub fn refused(authorization: &Authorization, by: Authority<'_>, why: &str) {
    let place = authorization.place();
    if is_nobodys(authorization) || !is_new(by.key(&place)) {
        return;
    }
    let credential = authorization.named();
    let message = match by {
        Authority::Tokens => format!("No token is given for {credential}: {why}"),
        Authority::Organization { host, organization } => {
            format!("{host}, organization {organization}, refuses {credential}: {why}")
        }
    };
    emit(Repeat::EveryMinute, &message, || {
        let line = Event::warning("credential refused", message.as_str());
        about(authorization, by, line)
    });
}

/// Notes that a credential was accepted, and logs it where it was refused before.
pub fn accepted(authorization: &Authorization, by: Authority<'_>) {
    if !IS_ANY_REFUSED.load(Ordering::Relaxed) || is_nobodys(authorization) {
        return;
    }
    let place = authorization.place();
    {
        let mut refused = REFUSED.lock();
        if !refused.remove(&by.key(&place)) {
            return;
        }
        IS_ANY_REFUSED.store(!refused.is_empty(), Ordering::Relaxed);
    }
    let credential = authorization.named();
    let message = match by {
        Authority::Tokens => format!("Tokens are given for {credential} again"),
        Authority::Organization { host, organization } => {
            format!("{host}, organization {organization}, accepts {credential} again")
        }
    };
    emit(Repeat::EveryMinute, &message, || {
        let line = Event::info("credential accepted", message.as_str());
        about(authorization, by, line)
    });
}

/// The line, with whose credential it is about, and who accepts or refuses it.
fn about(authorization: &Authorization, by: Authority<'_>, line: Event) -> Event {
    let line = line
        .with("credential", authorization.identity().title())
        .with("place", &*authorization.place());
    match by {
        Authority::Tokens => line,
        Authority::Organization { host, organization } => {
            line.with("host", host).with("organization", organization)
        }
    }
}

/// Whether it is no credential of this backend: none at all, or that of one read.
fn is_nobodys(authorization: &Authorization) -> bool {
    authorization.identity() == Identity::Anonymous || authorization.is_callers()
}

fn is_new(key: String) -> bool {
    let mut refused = REFUSED.lock();
    if refused.len() >= MOST_REFUSED && !refused.contains(&key) {
        return true;
    }
    IS_ANY_REFUSED.store(true, Ordering::Relaxed);
    refused.insert(key)
}
