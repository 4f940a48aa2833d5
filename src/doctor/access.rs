//! An organization, as the credential that serves it sees it: is there a token, who is signed in, what may it
//! read, how much is left of its budget.

use std::time::SystemTime;

use tokio::time::timeout;
use url::Url;

use super::{
    context::{Context, credential_report},
    others::who_else,
    probe::{CHECK_CREDENTIAL, Probe, Trouble, probe},
    report::{At, Check, CredentialReport, IdentityReport, OrganizationReport, State, TokenReport},
    time::iso_8601,
};
use crate::{
    credentials::{Authorization, Reason, Selection},
    http::limiter::headers::LimitHeaders,
    reader::TOKENS_END,
    rest::{self, OrganizationApi, Project},
    text::readable,
    url::{OrganizationUrl, is_services_host},
};

/// What was found of an organization, and how to ask it more.
#[derive(Clone, Debug)]
pub(super) struct Access {
    pub report: OrganizationReport,
    /// Its API; `None` where signing in failed.
    pub api: Option<OrganizationApi>,
    /// The projects that are seen.
    pub projects: Vec<Project>,
    /// What keeps the organization as a whole from being read.
    pub trouble: Option<Trouble>,
}

/// Below this a budget is worth a warning.
const LITTLE_LEFT: f64 = 0.2;

/// A principal that is held back for longer than this is slowed down noticeably.
const LONG_DELAY_SECONDS: f64 = 1.0;

impl Access {
    fn of(organization: &OrganizationUrl, credential: CredentialReport) -> Self {
        let report = OrganizationReport {
            host: organization.host(),
            organization: Some(readable(organization.name())),
            credential,
            token: None,
            identity: None,
            projects: None,
            can_read_code: None,
            api_version: None,
            budget_left: None,
            latency_ms: None,
            checks: Vec::new(),
        };
        Self {
            report,
            api: None,
            projects: Vec::new(),
            trouble: None,
        }
    }

    fn add(&mut self, check: Check) {
        self.report.checks.push(check);
    }

    fn failed(mut self, name: &'static str, trouble: Trouble) -> Self {
        self.add(trouble.clone().into_check(name));
        self.trouble = Some(trouble);
        self
    }
}

/// Looks at an organization with the credential that serves it.
pub(super) async fn access(context: &Context<'_>, place: &OrganizationUrl) -> Access {
    let Ok(url) = place.to_url() else {
        let none = credential_report(&Selection::Nothing, Reason::Nothing);
        let trouble = Trouble::new(At::Url, "the host is no host of a URL", "check the host");
        return Access::of(place, none).failed("organization", trouble);
    };
    let (selection, reason) = context.credentials.select(&url);
    let mut access = Access::of(place, credential_report(&selection, reason));
    let authorization = match authorize(context, &url).await {
        Ok(authorization) => authorization,
        Err(trouble) => return access.failed("token", trouble),
    };
    access.report.credential.kind = authorization.identity().title();
    add_token(&mut access, &authorization, place);
    let guessed = context.is_guessed(place);
    // Gentle with each principal, however many organizations it reads.
    let permits = context.permits_of(&authorization);
    let permit = permits.acquire().await;
    let signed_in = sign_in(place, &authorization, context, guessed).await;
    match signed_in {
        Ok((api, probe)) => Box::pin(fill(access, api, probe, context)).await,
        Err((mut trouble, limits)) => {
            // Others may be the same principal, which would wait for itself.
            drop(permit);
            add_limits(&mut access, &limits);
            if trouble.at == At::Credential || trouble.is_missing {
                let others = who_else(context, place, &access.report.credential.place).await;
                trouble.advice = [others, trouble.advice].concat();
            }
            access.failed("sign-in", trouble)
        }
    }
}

/// Says that a credential for any organization has none to be tried with, and whether it gets a token.
pub(super) async fn access_to_none(context: &Context<'_>, host: &str) -> Access {
    let place = OrganizationUrl::new(&format!("https://{host}"), "");
    let serving = context.credentials.for_any_organization(host);
    let (selection, reason) = match serving {
        Some(Some(placed)) => (Selection::Configured(placed), Reason::AnyOrganization),
        Some(None) => (Selection::DefaultChain, Reason::DefaultChain),
        None => (Selection::Nothing, Reason::Nothing),
    };
    let mut access = Access::of(&place, credential_report(&selection, reason));
    access.report.organization = None;
    let Ok(url) = place.to_url() else {
        return access;
    };
    let authorization = match authorize(context, &url).await {
        Ok(authorization) => authorization,
        Err(trouble) => return access.failed("token", trouble),
    };
    access.report.credential.kind = authorization.identity().title();
    add_token(&mut access, &authorization, &place);
    let message = "no organization is known to try it with";
    let check = Check::new("sign-in", State::Unknown, message)
        .advising("give a URL of a repository in it: doctor URL");
    access.add(check);
    access
}

/// Signs in with the credential that serves a URL, in the time that a check may take.
async fn authorize(context: &Context<'_>, url: &Url) -> Result<Authorization, Trouble> {
    let authorized = context.credentials.authorize(url, context.entra);
    match timeout(context.most, authorized).await {
        Ok(authorized) => authorized.map_err(|error| {
            Trouble::of_message(At::Credential, &error.to_string(), CHECK_CREDENTIAL)
        }),
        Err(_) => Err(Trouble::silent(context.most, "the token endpoint")),
    }
}

/// What can be said of the credential before it is sent.
fn add_token(access: &mut Access, authorization: &Authorization, place: &OrganizationUrl) {
    if let Some(facts) = authorization.token_facts() {
        let expires_at = iso_8601(facts.expires_on);
        let left = facts.expires_on.duration_since(SystemTime::now());
        let minutes = left.unwrap_or_default().as_secs() / 60;
        access.add(Check::ok(
            "token",
            format!("Entra ID gave a token, which is valid for {minutes} minutes and is renewed by itself"),
        ));
        access.report.token = Some(TokenReport {
            expires_at,
            tenant_id: facts.tenant,
            object_id: facts.object,
        });
        return;
    }
    if authorization.identity().is_personal_access_token() {
        let mut message =
            "when a personal access token expires cannot be seen through it".to_owned();
        if is_services_host(&place.host()) {
            message = format!("{message}; {TOKENS_END}");
        }
        let advice =
            "look under User settings, Personal access tokens in Azure DevOps, as its owner";
        access.add(Check::new("expiry", State::Unknown, message).advising(advice));
        return;
    }
    if let Some(why) = authorization.without_default() {
        let state = if why.is_absence() {
            State::Warning
        } else {
            State::Problem
        };
        let message = format!(
            "no credential is configured, and the default credential chain has none: {why}"
        );
        let advice =
            "add a credential under integrations.azure; without one only public projects are read";
        access.add(Check::new("token", state, message).advising(advice));
        return;
    }
    let message = "no credential serves it, so reads are anonymous";
    let advice = "add a credential under integrations.azure, or check the organizations that are named there";
    access.add(Check::new("token", State::Warning, message).advising(advice));
}

type SignedIn = (OrganizationApi, Probe);

/// Asks who is signed in. Where only the name of a collection is known, it may be below `/tfs/`.
async fn sign_in(
    place: &OrganizationUrl,
    authorization: &Authorization,
    context: &Context<'_>,
    is_guessed: bool,
) -> Result<SignedIn, (Trouble, LimitHeaders)> {
    let ask = async |place: OrganizationUrl| {
        let api = OrganizationApi::new(place, authorization.clone(), context.retry.clone());
        let called = api.and_then(|api| api.connection_data().map(|call| (api, call)));
        let (api, call) = called.map_err(|error| {
            let trouble = Trouble::new(At::Unknown, error.to_string(), String::new());
            (trouble, LimitHeaders::default())
        })?;
        let probe = probe(call, authorization, context.most).await;
        match probe.outcome {
            Err(trouble) => Err((trouble, probe.limits)),
            Ok(_) => Ok((api, probe)),
        }
    };
    let found = ask(place.clone()).await;
    match found {
        Err((trouble, _)) if trouble.is_missing && is_guessed => {
            ask(place.below_virtual_directory()).await
        }
        found => found,
    }
    .map_err(|(trouble, limits)| (no_organization(trouble, place), limits))
}

fn no_organization(trouble: Trouble, place: &OrganizationUrl) -> Trouble {
    if !trouble.is_missing {
        return trouble;
    }
    let (host, name) = (place.host(), place.name());
    Trouble {
        is_missing: true,
        ..Trouble::new(
            At::Organization,
            format!(
                "there is no organization or collection {name} at {host} ({})",
                trouble.message
            ),
            "check its name in the URL and in the configuration",
        )
    }
}

/// Looks at what the principal may do, now that it is signed in.
async fn fill(
    mut access: Access,
    api: OrganizationApi,
    probe: Probe,
    context: &Context<'_>,
) -> Access {
    let latency = u64::try_from(probe.elapsed.as_millis()).unwrap_or(u64::MAX);
    access.report.latency_ms = Some(latency);
    add_limits(&mut access, &probe.limits);
    if let Ok(answer) = probe.outcome {
        match rest::connection_data(answer).await {
            Ok(who) => {
                access.add(signed_in(&who, latency));
                access.report.identity = who.name.map(|name| IdentityReport {
                    name: readable(name),
                    account: who.account.map(readable),
                    id: who.id.map(readable),
                });
            }
            Err(error) => access.add(Trouble::odd(&error).into_check("sign-in")),
        }
    }
    let (projects, version) = tokio::join!(projects(&api, context), git_version(&api, context));
    access.report.api_version = version;
    match projects {
        Ok(projects) => {
            access.report.projects = Some(projects.len());
            access.add(projects_check(projects.len()));
            if let Some(first) = projects.first() {
                let code = code(&api, first, context).await;
                access.report.can_read_code = Some(code.state == State::Ok);
                access.add(code);
            }
            access.projects = projects;
        }
        Err(trouble) => {
            // Reading code does not need it: a token may have the scope Code (Read) alone.
            let check = Check::new("projects", State::Unknown, trouble.message);
            access.add(
                check.advising("projects can be listed with the scope Project and Team (Read)"),
            );
        }
    }
    access.api = Some(api);
    access
}

fn signed_in(who: &rest::ConnectionData, latency: u64) -> Check {
    let account = who.account.as_deref().filter(|account| !account.is_empty());
    let name = who.name.as_deref().unwrap_or("an identity without a name");
    let whom = match account {
        Some(account) if account != name => format!("{name} ({account})"),
        _ => name.to_owned(),
    };
    Check::ok(
        "sign-in",
        readable(format!("signed in as {whom}, in {latency} ms")),
    )
}

async fn projects(api: &OrganizationApi, context: &Context<'_>) -> Result<Vec<Project>, Trouble> {
    let call = api
        .projects()
        .map_err(|error| Trouble::new(At::Unknown, error.to_string(), String::new()))?;
    let probe = probe(call, api.authorization(), context.most).await;
    let projects = rest::projects(probe.outcome?).await;
    projects.map_err(|error| Trouble::odd(&error))
}

fn projects_check(count: usize) -> Check {
    match count {
        0 => Check::new("projects", State::Problem, "it sees no project").advising(
            "add it to a project, as a member of the group Readers for example (Project settings, Permissions)",
        ),
        1 => Check::ok("projects", "it sees one project"),
        count => Check::ok("projects", format!("it sees {count} projects")),
    }
}

/// Whether the repositories of a project are listed: the scope Code (Read) is needed for that.
async fn code(api: &OrganizationApi, project: &Project, context: &Context<'_>) -> Check {
    let name = readable(&project.name);
    let Ok(call) = api.repositories(&project.id) else {
        return Check::new(
            "code",
            State::Unknown,
            "the project has no id that can be asked for",
        );
    };
    let probe = probe(call, api.authorization(), context.most).await;
    match probe.outcome {
        Ok(answer) => match rest::repositories(answer).await {
            Ok(repositories) => {
                let count = repositories.len();
                let counted = if count == 1 {
                    "one repository".to_owned()
                } else {
                    format!("{count} repositories")
                };
                Check::ok("code", format!("it may read code: {counted} in {name}"))
            }
            Err(error) => Trouble::odd(&error).into_check("code"),
        },
        Err(trouble) => {
            let scope = "give it the scope Code (Read), or permission to read the repositories, and the access level Basic";
            let message = format!(
                "it is signed in, and may not list the repositories of {name}: {}",
                trouble.message
            );
            Check::new("code", State::Problem, message).advising(scope)
        }
    }
}

async fn git_version(api: &OrganizationApi, context: &Context<'_>) -> Option<String> {
    let call = api.git_resources().ok()?;
    let probe = probe(call, api.authorization(), context.most).await;
    let version = rest::git_version(probe.outcome.ok()?).await;
    version.ok().flatten().map(readable)
}

fn add_limits(access: &mut Access, limits: &LimitHeaders) {
    access.report.budget_left = limits.left;
    let delay = limits.delay.unwrap_or_default().as_secs_f64();
    if let Some(wait) = limits.retry_after {
        let message = format!("Azure DevOps asks to wait for {} s", wait.as_secs().max(1));
        access.add(slowed(message));
    } else if delay >= LONG_DELAY_SECONDS {
        let message = format!("Azure DevOps held the answer back for {delay:.1} s");
        access.add(slowed(message));
    } else if let Some(left) = limits.left {
        let message = format!("{:.0} % of the budget is left", left * 100.0);
        let state = if left < LITTLE_LEFT {
            State::Warning
        } else {
            State::Ok
        };
        access.add(Check::new("limits", state, message));
    }
}

fn slowed(message: String) -> Check {
    Check::new("limits", State::Warning, message).advising("see docs/throttling.md")
}
