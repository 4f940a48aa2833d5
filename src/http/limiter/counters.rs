//! [`Counters`]: the counters of one principal's requests to one host, at hand for the next request.

use parking_lot::Mutex;
use reqwest::StatusCode;

use super::operation::Operation;
use crate::{
    cache::RecentMap,
    telemetry::metrics::{Counter, Labels, Metric},
};

/// For how many organizations counters are at hand: those that were asked last. Those of others are looked
/// for among all of the process.
const MOST_ORGANIZATIONS: usize = 1000;

/// The counters of one principal's requests to one host. To build their labels, and to look for them by
/// those, would cost each request more than to count it.
#[derive(Debug)]
pub(super) struct Counters {
    by_organization: Mutex<RecentMap<Vec<Known>>>,
}

/// A counter, and of what it is: an organization has few.
#[derive(Debug)]
struct Known {
    metric: Metric,
    operation: &'static str,
    status: Option<StatusCode>,
    counter: Counter,
}

impl Counters {
    pub(super) fn new() -> Self {
        Self {
            by_organization: Mutex::new(RecentMap::new(MOST_ORGANIZATIONS)),
        }
    }

    /// The counter of an operation, and of how it was answered, where that is counted; the labels are those
    /// of its series.
    pub(super) fn of(
        &self,
        metric: Metric,
        operation: &Operation<'_>,
        status: Option<StatusCode>,
        labels: impl FnOnce() -> Labels,
    ) -> Counter {
        let mut all = self.by_organization.lock();
        let is_it = |known: &Known| {
            known.metric == metric && known.operation == operation.name && known.status == status
        };
        let of_organization = all.get_mut(operation.organization);
        if let Some(known) = of_organization
            .as_ref()
            .and_then(|all| all.iter().find(|it| is_it(it)))
        {
            return known.counter.clone();
        }
        let counter = Counter::of(metric, labels());
        let known = Known {
            metric,
            operation: operation.name,
            status,
            counter: counter.clone(),
        };
        match of_organization {
            Some(of_organization) => of_organization.push(known),
            None => all.set(operation.organization, vec![known]),
        }
        counter
    }
}
