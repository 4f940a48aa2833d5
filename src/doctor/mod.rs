//! `doctor`: what a read depends on, looked at piece by piece, and why a URL cannot be read.
//!
//! It asks as a reader would, through the same credentials, limiter and client, so that what it finds is what
//! a reader meets. Every check is bounded in time, and each principal is asked only a few things at once.

mod access;
mod connection;
mod context;
mod near;
mod others;
mod probe;
mod report;
mod time;
mod trace;

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
    time::Duration,
};

use futures_util::future::join;
use tokio_util::sync::CancellationToken;
use url::quirks;

use self::{
    access::{Access, access, access_to_none},
    connection::connection,
    context::{Context, all, host_of},
    trace::{read, trace},
};
pub use self::{
    context::DoctorHost,
    report::{
        At, Cause, CertificateReport, Check, CredentialReport, Findings, HostReport,
        IdentityReport, OrganizationReport, State, TokenReport, UrlParts, UrlReport,
    },
};
use crate::{
    credentials::{Credentials, Entra},
    error::{Error, ErrorKind},
    http::Client,
    reader::check_plain_http,
    url::{AzureUrl, OrganizationUrl, parse},
};

/// What is to be looked at.
#[derive(Debug)]
pub struct Questions {
    /// URLs that are to be read.
    pub urls: Vec<String>,
    /// URLs whose organizations are to be looked at, and nothing else of them.
    pub known: Vec<String>,
    /// The longest that one check may take.
    pub most: Duration,
}

/// Looks at hosts, organizations, credentials and URLs.
#[derive(Debug)]
pub struct Doctor {
    credentials: Arc<Credentials>,
    hosts: Vec<DoctorHost>,
    entra: Entra,
}

impl Doctor {
    /// A doctor for these hosts and credentials.
    ///
    /// # Errors
    /// The HTTP client could not be set up.
    pub fn new(credentials: Credentials, hosts: Vec<DoctorHost>) -> Result<Self, Error> {
        Ok(Self {
            credentials: Arc::new(credentials),
            hosts,
            entra: Client::shared()?.entra(),
        })
    }

    /// Looks at everything side by side.
    ///
    /// # Errors
    /// The caller ended it.
    pub async fn examine(
        &self,
        questions: Questions,
        cancellation: CancellationToken,
    ) -> Result<Findings, Error> {
        let examined = self.examine_all(&questions);
        let examined = cancellation.run_until_cancelled(Box::pin(examined)).await;
        examined.ok_or_else(|| Error::new(ErrorKind::Aborted, "the caller ended it"))
    }

    async fn examine_all(&self, questions: &Questions) -> Findings {
        let known = self.organizations_of(questions);
        let (credentials, hosts) = (&self.credentials, &self.hosts);
        let context = &Context::new(credentials, hosts, &self.entra, questions.most, &known);
        let places = self.places(&known);
        let unplaced = self.unplaced_hosts(&places);
        let accesses = all(places.iter().map(|place| access(context, place)));
        let unplaced = all(unplaced.iter().map(|host| access_to_none(context, host)));
        let readings = all(questions
            .urls
            .iter()
            .zip(1..)
            .map(|(url, position)| read(context, url, position)));
        let hosts = self
            .hosts
            .iter()
            .filter(|host| self.is_looked_at(host, &places));
        let of_hosts = all(hosts.map(|host| connection(context, host, &places)));
        let (accesses, (unplaced, (readings, hosts))) =
            join(accesses, join(unplaced, join(readings, of_hosts))).await;
        let keys = places.iter().map(OrganizationUrl::key);
        let by_place: HashMap<(String, String), &Access> = keys.zip(&accesses).collect();
        let urls = all(readings.into_iter().map(|reading| {
            let access = reading
                .place()
                .and_then(|place| by_place.get(&place.key()).copied());
            trace(context, reading, access)
        }));
        let urls = urls.await;
        let organizations = accesses.into_iter().chain(unplaced);
        Findings {
            hosts,
            organizations: organizations.map(|access| access.report).collect(),
            urls,
        }
    }

    /// The organizations of the URLs on configured hosts.
    fn organizations_of(&self, questions: &Questions) -> Vec<OrganizationUrl> {
        let urls = questions.urls.iter().chain(&questions.known);
        let parsed = urls.filter_map(|url| {
            let url = parse(url).ok()?;
            let host = host_of(&self.hosts, quirks::host(&url))?;
            // A credential goes over plain HTTP nowhere where a reader refuses it.
            check_plain_http(&url, host.plain_http).ok()?;
            Some(OrganizationUrl::of(&AzureUrl::of(&url).ok()?))
        });
        unique(parsed)
    }

    /// The organizations that the configuration names, and then those that are known by URLs.
    fn places(&self, known: &[OrganizationUrl]) -> Vec<OrganizationUrl> {
        let named = self.credentials.all().flat_map(|(host, placed)| {
            let organizations = placed.credential.organizations.iter().flatten();
            organizations.map(|name| self.named(host, name, known))
        });
        unique(named.chain(known.iter().cloned()))
    }

    /// The organization of this name, as a URL has it where one is known.
    fn named(&self, host: &str, name: &str, known: &[OrganizationUrl]) -> OrganizationUrl {
        let mut known = known.iter();
        let same = known.find(|place| {
            place.host() == host && place.name().to_lowercase() == name.to_lowercase()
        });
        same.cloned().unwrap_or_else(|| {
            let origin = host_of(&self.hosts, host).map(DoctorHost::origin);
            OrganizationUrl::new(&origin.unwrap_or_default(), name)
        })
    }

    /// The hosts with a credential for any organization, and no organization to try it with.
    fn unplaced_hosts(&self, places: &[OrganizationUrl]) -> Vec<String> {
        let is_lonely = self.hosts.iter().all(|host| !host.is_listed);
        let hosts = self.hosts.iter().filter(|host| host.is_listed || is_lonely);
        let hosts = hosts.map(|host| &host.host);
        let lacks = |host: &&String| {
            let serves = self.credentials.for_any_organization(host).is_some();
            serves && !places.iter().any(|place| place.host() == **host)
        };
        hosts.filter(lacks).cloned().collect()
    }

    /// Whether anything is to be learned of a host: the one that is always there may not be used at all.
    fn is_looked_at(&self, host: &DoctorHost, places: &[OrganizationUrl]) -> bool {
        let is_lonely = self.hosts.len() == 1;
        host.is_listed || is_lonely || places.iter().any(|place| place.host() == host.host)
    }
}

fn unique(places: impl Iterator<Item = OrganizationUrl>) -> Vec<OrganizationUrl> {
    let mut seen = HashSet::new();
    places.filter(|place| seen.insert(place.key())).collect()
}
