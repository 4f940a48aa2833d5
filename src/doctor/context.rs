//! What all checks of one examination share.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use parking_lot::Mutex;
use tokio::sync::Semaphore;

use super::report::CredentialReport;
use crate::{
    config::{PlainHttp, Retry},
    credentials::{Authorization, Credentials, Entra, Identity, Principal, Reason, Selection},
    url::{AZURE_HOST, OrganizationUrl},
};

/// How many things one principal is asked at once.
const MOST_OF_PRINCIPAL: usize = 6;

/// How many organizations or URLs are looked at side by side.
const MOST_AT_ONCE: usize = 64;

/// How often other credentials are tried in the place of one that is refused.
const MOST_TRIES: usize = 16;

/// How often a check asks again where a connection broke: one that was kept open may have.
const RETRIES: u32 = 1;

/// A host that is configured.
#[derive(Clone, Debug)]
pub struct DoctorHost {
    /// Its name, with the port.
    pub host: String,
    /// Whether it is asked over plain HTTP.
    pub plain_http: Option<PlainHttp>,
    /// Whether it stands in the configuration, and was not added as the one that is always there.
    pub is_listed: bool,
}

impl DoctorHost {
    /// Its origin, where no URL of it is known.
    pub(super) fn origin(&self) -> String {
        let is_plain = self.plain_http == Some(PlainHttp::Allow);
        let scheme = if is_plain { "http" } else { "https" };
        format!("{scheme}://{}", self.host)
    }
}

/// The host of this name, where it is configured.
pub(super) fn host_of<'a>(hosts: &'a [DoctorHost], name: &str) -> Option<&'a DoctorHost> {
    hosts.iter().find(|host| host.host == name)
}

/// What all checks of one examination share.
#[derive(Debug)]
pub(super) struct Context<'a> {
    pub credentials: &'a Arc<Credentials>,
    pub hosts: &'a [DoctorHost],
    pub entra: &'a Entra,
    /// The longest that one check may take.
    pub most: Duration,
    /// How often a check asks again.
    pub retry: Retry,
    /// The organizations that are known by a URL: of others, where on a server they are is a guess.
    known: HashSet<(String, String)>,
    permits: Mutex<HashMap<Principal, Arc<Semaphore>>>,
    /// How often other credentials may still be tried.
    tries: AtomicUsize,
}

impl<'a> Context<'a> {
    pub(super) fn new(
        credentials: &'a Arc<Credentials>,
        hosts: &'a [DoctorHost],
        entra: &'a Entra,
        most: Duration,
        known: &[OrganizationUrl],
    ) -> Self {
        let retry = Retry {
            max_retries: RETRIES,
            statuses: Arc::new([]),
            per_minute: None,
        };
        Self {
            credentials,
            hosts,
            entra,
            most,
            retry,
            known: known.iter().map(OrganizationUrl::key).collect(),
            permits: Mutex::default(),
            tries: AtomicUsize::new(MOST_TRIES),
        }
    }

    /// The permits of a principal, one of which is held while it is asked something.
    pub(super) fn permits_of(&self, authorization: &Authorization) -> Arc<Semaphore> {
        let mut permits = self.permits.lock();
        let new = || Arc::new(Semaphore::new(MOST_OF_PRINCIPAL));
        Arc::clone(
            permits
                .entry(authorization.principal().clone())
                .or_insert_with(new),
        )
    }

    /// Whether other credentials may be tried once more: where one that serves many organizations is refused, a
    /// few of them tell all there is to tell.
    pub(super) fn may_try_others(&self) -> bool {
        let less = |left: usize| left.checked_sub(1);
        self.tries.fetch_update(Relaxed, Relaxed, less).is_ok()
    }

    pub(super) fn host_of(&self, host: &str) -> Option<&DoctorHost> {
        host_of(self.hosts, host)
    }

    /// Whether an organization may be somewhere else on its server.
    pub(super) fn is_guessed(&self, place: &OrganizationUrl) -> bool {
        place.host() != AZURE_HOST && !self.known.contains(&place.key())
    }
}

/// A credential, as a report names it.
pub(super) fn credential_report(selection: &Selection<'_>, reason: Reason) -> CredentialReport {
    let (kind, place) = match selection {
        Selection::Configured(placed) => {
            let identity = Identity::of_kind(&placed.credential.kind);
            (identity.title(), placed.place.to_string())
        }
        Selection::DefaultChain => (
            "the default credential chain",
            "default credential chain".to_owned(),
        ),
        Selection::Nothing => ("no credential", "none".to_owned()),
    };
    CredentialReport {
        kind,
        place,
        reason: reason_in_words(reason),
    }
}

const fn reason_in_words(reason: Reason) -> &'static str {
    match reason {
        Reason::NamesOrganization => "it names this organization",
        Reason::AnyOrganization => {
            "it serves every organization of the host that no other credential names"
        }
        Reason::DefaultChain => "no credential is configured for it, so the default chain is tried",
        Reason::Nothing => "no credential is configured for it",
    }
}

/// All of them side by side, in their order.
pub(super) fn all<F: Future>(
    work: impl Iterator<Item = F>,
) -> impl Future<Output = Vec<F::Output>> {
    // Collected, so that the future does not hold the iterator, whose closures would tie it to a lifetime.
    let work: Vec<F> = work.collect();
    async { stream::iter(work).buffered(MOST_AT_ONCE).collect().await }
}
