//! Whether another configured credential would do where the one that serves does not.

use tokio::time::timeout;

use super::{
    context::{Context, all},
    probe::probe,
};
use crate::{
    credentials::{Authorization, Credentials, Placed},
    error::Error,
    rest::{Call, GitApi, OrganizationApi},
    url::{AzureUrl, OrganizationUrl},
};

/// The most other credentials that are tried.
const MOST: usize = 8;

/// What is asked with each.
enum Asked<'a> {
    Organization(&'a OrganizationUrl),
    Repository(&'a AzureUrl),
}

/// Which other credentials of the host are let into an organization, in words; empty where none is. None is
/// sent to another host than its own.
pub(super) async fn who_else(
    context: &Context<'_>,
    place: &OrganizationUrl,
    serving: &str,
) -> String {
    others(context, place, serving, &Asked::Organization(place)).await
}

/// Which other credentials of the host see a repository, in words; empty where none does.
pub(super) async fn who_else_sees(
    context: &Context<'_>,
    repository: &AzureUrl,
    serving: &str,
) -> String {
    let place = OrganizationUrl::of(repository);
    others(context, &place, serving, &Asked::Repository(repository)).await
}

async fn others(
    context: &Context<'_>,
    place: &OrganizationUrl,
    serving: &str,
    asked: &Asked<'_>,
) -> String {
    if !context.may_try_others() {
        return String::new();
    }
    let host = place.host();
    let configured = context.credentials.all();
    let others = configured
        .filter(|(own, placed)| *own == host && &*placed.place != serving)
        .take(MOST)
        .map(|(_, placed)| async move {
            let sees = is_let_in(context, place, placed, asked).await;
            sees.then(|| placed.place.to_string())
        });
    let sees: Vec<String> = all(others).await.into_iter().flatten().collect();
    let name = place.name();
    match sees.as_slice() {
        [] => String::new(),
        [one] => format!(
            "{one} is let in. Either name {name} in its organizations, and nowhere else, or mend the credential that serves now: "
        ),
        many => format!(
            "{} are let in. Either name {name} in the organizations of one of them, and nowhere else, or mend the credential that serves now: ",
            many.join(", ")
        ),
    }
}

async fn is_let_in(
    context: &Context<'_>,
    place: &OrganizationUrl,
    placed: &Placed,
    asked: &Asked<'_>,
) -> bool {
    let Ok(url) = place.to_url() else {
        return false;
    };
    let authorized = Credentials::authorize_with(placed, &url, context.entra);
    let Ok(Ok(authorization)) = timeout(context.most, authorized).await else {
        return false;
    };
    let permits = context.permits_of(&authorization);
    let _permit = permits.acquire().await;
    let Ok(call) = call(asked, &authorization, context) else {
        return false;
    };
    probe(call, &authorization, context.most)
        .await
        .outcome
        .is_ok()
}

fn call(
    asked: &Asked<'_>,
    authorization: &Authorization,
    context: &Context<'_>,
) -> Result<Call, Error> {
    let (authorization, retry) = (authorization.clone(), context.retry.clone());
    match asked {
        Asked::Organization(place) => {
            OrganizationApi::new((*place).clone(), authorization, retry)?.connection_data()
        }
        Asked::Repository(url) => GitApi::new((*url).clone(), authorization, retry)?.repository(),
    }
}
