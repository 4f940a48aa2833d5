//! A URL: whether it can be read, and if not, which of the things that it names is the first that is not as it
//! should be.

use std::{env, sync::Arc};

use reqwest::StatusCode;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use url::{Url, quirks};

use super::{
    access::Access,
    context::{Context, credential_report},
    near::near,
    others::who_else_sees,
    probe::{Probe, Trouble, probe},
    report::{At, Cause, Check, State, UrlParts, UrlReport},
};
use crate::{
    credentials::{Authorization, Identity},
    error::{Error, ErrorKind},
    reader::{self, CredentialSource, HostPolicy, ReadRequest},
    rest::{self, Call, Conditions, GitApi, Item, OrganizationApi, Ref, Repository},
    text::readable,
    url::{AzureUrl, OrganizationUrl, Pattern, SafeUrl, Version, VersionType, without_secrets},
};

/// The most names that a message lists.
const MOST_LISTED: usize = 8;

/// The most folders that are looked into from the end of a path.
const MOST_FOLDERS: usize = 32;

/// Hosts that other integrations of Backstage read, and which.
const OF_OTHERS: [(&str, &str); 4] = [
    ("github.com", "integrations.github"),
    ("gitlab.com", "integrations.gitlab"),
    ("bitbucket.org", "integrations.bitbucketCloud"),
    ("gitea.com", "integrations.gitea"),
];

/// How a URL was read.
#[derive(Debug)]
pub(super) struct Reading {
    report: UrlReport,
    /// The repository and what is asked of it; `None` where the URL names none, and then the report has the
    /// cause.
    repository: Option<(AzureUrl, Asked)>,
    /// Why it could not be read.
    error: Option<Error>,
}

impl Reading {
    /// The organization that it is in.
    pub(super) fn place(&self) -> Option<OrganizationUrl> {
        let repository = self.repository.as_ref();
        repository.map(|(repository, _)| OrganizationUrl::of(repository))
    }
}

/// Reads a URL as a reader would.
///
/// `position` is its place among the URLs that were given, from 1 on.
pub(super) async fn read(context: &Context<'_>, text: &str, position: usize) -> Reading {
    let mut report = UrlReport {
        // What is no URL may be anything, also a token.
        url: if web_url(text).is_some() {
            readable(without_secrets(text))
        } else {
            format!("argument {position}")
        },
        parts: None,
        credential: None,
        request: None,
        status: None,
        answer: None,
        is_readable: false,
        checks: Vec::new(),
        cause: None,
    };
    let (url, repository) = match repository_of(context, text) {
        Ok(found) => found,
        Err(cause) => {
            report.cause = Some(cause);
            return Reading {
                report,
                repository: None,
                error: None,
            };
        }
    };
    let (selection, reason) = context.credentials.select(&url);
    report.credential = Some(credential_report(&selection, reason));
    report.parts = Some(parts_of(&url, &repository));
    let asked = Asked::of(&url, &repository);
    report.request = asked.request(&repository);
    let error = match timeout(context.most, asked.read(context, &url, &repository)).await {
        Ok(Ok(answer)) => {
            report.is_readable = true;
            report.status = Some(StatusCode::OK.as_u16());
            report.answer = Some(readable(answer));
            None
        }
        Ok(Err(error)) => Some(error),
        Err(_) => Some(Error::other(
            Trouble::silent(context.most, quirks::host(&url)).message,
        )),
    };
    if let Some(error) = &error {
        report.status = error.request().and_then(|request| request.status);
        report.answer = Some(error.to_string());
    }
    Reading {
        report,
        repository: Some((repository, asked)),
        error,
    }
}

/// The URL that a text is; `None` of what is none of the web.
fn web_url(text: &str) -> Option<SafeUrl> {
    let url = SafeUrl::parse(text).ok()?;
    matches!(url.scheme(), "http" | "https").then_some(url)
}

/// The repository that a URL names, on a configured host.
fn repository_of(context: &Context<'_>, text: &str) -> Result<(SafeUrl, AzureUrl), Cause> {
    let form = "copy it from the address bar: https://dev.azure.com/{organization}/{project}/_git/{repository}?path=/{file}";
    let url = web_url(text).ok_or_else(|| Cause::new(At::Url, "this is no URL", form))?;
    let host = quirks::host(&url);
    if context.host_of(host).is_none() {
        return Err(not_configured(context, host));
    }
    match AzureUrl::of(&url) {
        Ok(repository) => Ok((url, repository)),
        Err(error) => Err(Cause::new(At::Url, error.to_string(), form)),
    }
}

fn not_configured(context: &Context<'_>, host: &str) -> Cause {
    let names: Vec<&str> = context.hosts.iter().map(|it| it.host.as_str()).collect();
    let near = near(host, names.iter().copied());
    let cause = match OF_OTHERS.iter().find(|(other, _)| *other == host) {
        Some((_, key)) => Cause::new(
            At::Configuration,
            format!("{host} is no host of Azure DevOps"),
            format!(
                "nothing is wrong with Azure DevOps: Backstage reads it by another integration, see {key}"
            ),
        ),
        None => Cause::new(
            At::Configuration,
            format!("the host {host} is not configured"),
            format!(
                "add it under integrations.azure, or check the URL: configured are {}",
                names.join(", ")
            ),
        ),
    };
    cause.near(near)
}

fn parts_of(url: &Url, repository: &AzureUrl) -> UrlParts {
    let path = repository.path().filter(|path| !path.is_empty());
    UrlParts {
        host: quirks::host(url).to_owned(),
        organization: readable(OrganizationUrl::of(repository).name()),
        project: readable(repository.project()),
        repository: readable(repository.repo()),
        path: path.map(readable),
        version: repository.named_version().map(version_in_words),
        is_pattern: Pattern::of(url).is_some(),
    }
}

fn version_in_words(version: &Version) -> String {
    let kind = version.version_type.descriptor();
    readable(format!("{kind} {}", version.name))
}

/// What a URL asks for.
#[derive(Debug)]
enum Asked {
    /// The content of a file; or a folder, as it turns out.
    File,
    /// A repository, or the folder in which the matches of a pattern are.
    Folder(String),
}

impl Asked {
    fn of(url: &Url, repository: &AzureUrl) -> Self {
        if let Some(pattern) = Pattern::of(url) {
            return Self::Folder(pattern.folder);
        }
        match repository.path() {
            None | Some("" | "/") => Self::Folder(String::new()),
            Some(_) => Self::File,
        }
    }

    fn request(&self, repository: &AzureUrl) -> Option<String> {
        let url = match self {
            Self::File => repository.to_file_url(),
            Self::Folder(folder) => repository.at_path(folder).to_archive_url(),
        };
        url.ok().map(|url| SafeUrl::from(url).to_string())
    }

    /// The answer in words.
    async fn read(
        &self,
        context: &Context<'_>,
        url: &SafeUrl,
        repository: &AzureUrl,
    ) -> Result<String, Error> {
        match self {
            Self::File => {
                let read = reader::read_url(request(context, url), Conditions::default());
                // On the heap, as the list below: a diagnosis is rare, and what looks at it is not to be as large.
                match Box::pin(read).await {
                    Ok(response) => Ok(match &response.etag {
                        Some(etag) => format!("a file with the ETag {etag}"),
                        None => "a file".to_owned(),
                    }),
                    // A folder is read as a tree.
                    Err(error) if error.kind() == ErrorKind::Input => {
                        let folder = repository.path().unwrap_or_default();
                        list(context, url, folder).await.map_err(|_| error)
                    }
                    Err(error) => Err(error),
                }
            }
            Self::Folder(folder) => list(context, url, &format!("/{folder}")).await,
        }
    }
}

/// Lists a folder: the archive that a tree is read by may be large.
async fn list(context: &Context<'_>, url: &SafeUrl, folder: &str) -> Result<String, Error> {
    let listing = reader::list(request(context, url), folder, reader::Depth::One);
    let listing = Box::pin(listing).await?;
    let count = listing.entries.len();
    let entries = if count == 1 { "entry" } else { "entries" };
    Ok(format!(
        "a folder with {count} {entries}, at commit {}",
        listing.etag
    ))
}

fn request(context: &Context<'_>, url: &SafeUrl) -> ReadRequest {
    let host = context.host_of(quirks::host(url));
    ReadRequest {
        url: url.clone(),
        source: CredentialSource::Configured(Arc::clone(context.credentials)),
        policy: Arc::new(HostPolicy {
            retry: context.retry.clone(),
            plain_http: host.and_then(|host| host.plain_http),
            max_stale: None,
            directory: env::temp_dir(),
        }),
        cancellation: CancellationToken::new(),
    }
}

/// Says why a URL could not be read.
pub(super) async fn trace(
    context: &Context<'_>,
    reading: Reading,
    access: Option<&Access>,
) -> UrlReport {
    let Reading {
        mut report,
        repository,
        error,
    } = reading;
    let (Some(error), Some((repository, asked))) = (error, repository) else {
        return report;
    };
    // Before anything was asked.
    if error.kind() == ErrorKind::Input && error.request().is_none() {
        let advice = "correct the URL where it is used";
        report.cause = Some(Trouble::of_message(At::Url, &error.to_string(), advice).into_cause());
        return report;
    }
    let Some(access) = access else {
        report.cause = Some(unknown(&error));
        return report;
    };
    let mut trail = Trail {
        context,
        repository: &repository,
        asked: &asked,
        access,
        checks: Vec::new(),
    };
    let cause = match Box::pin(trail.follow()).await {
        Err(cause) => cause,
        Ok(()) => unknown(&error),
    };
    report.checks = trail.checks;
    report.cause = Some(cause);
    report
}

fn unknown(error: &Error) -> Cause {
    Trouble::new(
        At::Unknown,
        format!("everything that the URL names is there, and yet: {error}"),
        "try again; if it stays so, it is worth an issue",
    )
    .into_cause()
}

/// The way down from the organization to the path.
struct Trail<'a> {
    context: &'a Context<'a>,
    repository: &'a AzureUrl,
    asked: &'a Asked,
    access: &'a Access,
    checks: Vec<Check>,
}

impl Trail<'_> {
    /// Goes down as long as all is as it should be.
    async fn follow(&mut self) -> Result<(), Cause> {
        if let Some(trouble) = &self.access.trouble {
            let mut cause = trouble.clone().into_cause();
            if cause.at == At::Organization {
                cause.near = self.near_organizations();
            }
            return Err(self.stop("organization", cause));
        }
        let Some(api) = self.access.api.clone() else {
            return Ok(());
        };
        let organization = self.access.report.organization.clone();
        self.pass("organization", organization.unwrap_or_default());
        let project = self.project(&api).await;
        let git = GitApi::new(
            self.repository.clone(),
            api.authorization().clone(),
            self.context.retry.clone(),
        );
        let git = git.map_err(|error| unknown(&error))?;
        let found = self.repository(&api, &git, project).await?;
        self.version(&git, &found).await?;
        self.path(&git).await
    }

    /// The organizations that the configuration names and that are nearly the one that is not there.
    fn near_organizations(&self) -> Vec<String> {
        let wanted = OrganizationUrl::of(self.repository).name();
        let configured = self.context.credentials.all();
        let named =
            configured.flat_map(|(_, placed)| placed.credential.organizations.iter().flatten());
        near(&wanted, named.map(String::as_str))
    }

    fn pass(&mut self, name: &'static str, message: impl Into<String>) {
        self.checks.push(Check::ok(name, message));
    }

    /// Notes where the way ends.
    fn stop(&mut self, name: &'static str, cause: Cause) -> Cause {
        self.checks
            .push(Check::new(name, State::Problem, cause.message.clone()));
        cause
    }

    async fn ask(&self, call: Result<Call, Error>, as_who: &Authorization) -> Probe {
        match call {
            Ok(call) => probe(call, as_who, self.context.most).await,
            Err(error) => Probe::failed(Trouble::new(At::Unknown, error.to_string(), "")),
        }
    }

    /// The cause, where a call failed for another reason than that there is no such thing; with who else could.
    async fn not_missing(&self, trouble: Trouble) -> Cause {
        let mut cause = trouble.into_cause();
        if cause.at == At::Credential {
            if let (Some(who), Some(api)) = (&self.access.report.identity, &self.access.api) {
                let name = &who.name;
                cause.message = format!(
                    "the identity \"{name}\" is signed in, and may not read this: {}",
                    cause.message
                );
                cause.advice = advice_to_signed_in(api.authorization().identity());
            }
            cause.advice = [self.who_else().await, cause.advice].concat();
        }
        cause
    }

    async fn who_else(&self) -> String {
        let serving = &self.access.report.credential.place;
        who_else_sees(self.context, self.repository, serving).await
    }

    /// Whether the project is seen. That it is not need not be the fault: a token may see repositories alone.
    async fn project(&mut self, api: &OrganizationApi) -> Option<Cause> {
        let wanted = self.repository.project().to_owned();
        let probe = self.ask(api.project(&wanted), api.authorization()).await;
        match probe.outcome {
            Ok(_) => {
                self.pass("project", readable(wanted));
                None
            }
            Err(trouble) if trouble.is_missing => Some(self.no_project(&wanted).await),
            Err(_) => None,
        }
    }

    async fn no_project(&self, wanted: &str) -> Cause {
        let names: Vec<&str> = self
            .access
            .projects
            .iter()
            .map(|it| it.name.as_str())
            .collect();
        let near = near(wanted, names.iter().copied());
        let organization = self
            .access
            .report
            .organization
            .as_deref()
            .unwrap_or_default();
        let message = format!(
            "{organization} has no project {wanted}, or this credential does not see it; {}",
            listed("it sees", &names)
        );
        let advice = "check the project's name in the URL, or have the project's administrator add the credential's identity to it, as a Reader for example";
        let others = self.who_else().await;
        Cause::new(At::Project, message, others + advice).near(near)
    }

    /// The repository, where it is seen and can be read.
    async fn repository(
        &mut self,
        api: &OrganizationApi,
        git: &GitApi,
        project: Option<Cause>,
    ) -> Result<Repository, Cause> {
        let probe = self.ask(git.repository(), api.authorization()).await;
        let answer = match probe.outcome {
            Ok(answer) => answer,
            Err(trouble) => {
                let cause = match project {
                    Some(cause) if trouble.is_missing => cause,
                    _ if trouble.is_missing => self.no_repository(api).await,
                    _ => self.not_missing(trouble).await,
                };
                let name = if cause.at == At::Project {
                    "project"
                } else {
                    "repository"
                };
                return Err(self.stop(name, cause));
            }
        };
        let found = rest::repository(answer).await;
        let found = found.map_err(|error| Trouble::odd(&error).into_cause())?;
        if found.is_disabled {
            return Err(self.stop("repository", disabled(&found.name)));
        }
        if found.default_branch.is_none() && self.repository.named_version().is_none() {
            let name = &found.name;
            let cause = Cause::new(
                At::Repository,
                format!("the repository {name} is empty: it has no default branch"),
                "push a first commit to it, or take its locations out of the catalog",
            );
            return Err(self.stop("repository", cause));
        }
        self.pass("repository", readable(&found.name));
        Ok(found)
    }

    async fn no_repository(&self, api: &OrganizationApi) -> Cause {
        let (project, wanted) = (self.repository.project(), self.repository.repo());
        let probe = self
            .ask(api.repositories(project), api.authorization())
            .await;
        let repositories = match probe.outcome {
            Ok(answer) => rest::repositories(answer).await.unwrap_or_default(),
            Err(trouble) => return self.not_missing(trouble).await,
        };
        let same = repositories
            .iter()
            .find(|it| it.name.to_lowercase() == wanted.to_lowercase());
        if let Some(same) = same.filter(|it| it.is_disabled) {
            return disabled(&same.name);
        }
        let names: Vec<&str> = repositories.iter().map(|it| it.name.as_str()).collect();
        let near = near(wanted, names.iter().copied());
        let message = format!(
            "the project {project} has no repository {wanted}, or this credential does not see it; {}",
            listed("it sees", &names)
        );
        let advice = "check the repository's name in the URL: it may have been renamed, or moved to another project; or let the credential's identity read it (Project settings, Repositories, Security)";
        let others = self.who_else().await;
        Cause::new(At::Repository, message, others + advice).near(near)
    }

    /// Whether the version is there.
    async fn version(&mut self, git: &GitApi, found: &Repository) -> Result<(), Cause> {
        let Some(version) = self.repository.named_version().cloned() else {
            let branch = short(found.default_branch.as_deref().unwrap_or_default());
            self.pass("version", readable(format!("the default branch, {branch}")));
            return Ok(());
        };
        if version.version_type == VersionType::Commit {
            return self.commit(git, &version).await;
        }
        let (own, other) = match version.version_type {
            VersionType::Tag => ("tags", "heads"),
            _ => ("heads", "tags"),
        };
        if self.has_ref(git, own, &version.name).await? {
            self.pass("version", version_in_words(&version));
            return Ok(());
        }
        let cause = self.no_ref(git, found, &version, (own, other)).await;
        Err(self.stop("version", cause))
    }

    async fn commit(&mut self, git: &GitApi, version: &Version) -> Result<(), Cause> {
        let probe = self.ask(git.newest_commit(), git.authorization()).await;
        match probe.outcome {
            Ok(_) => {
                self.pass("version", version_in_words(version));
                Ok(())
            }
            Err(trouble) if trouble.is_missing => {
                let cause = Cause::new(
                    At::Version,
                    format!("the repository has no commit {}", version.name),
                    "check that it was pushed to this repository, and that its id is in full",
                );
                Err(self.stop("version", cause))
            }
            Err(trouble) => {
                let cause = self.not_missing(trouble).await;
                Err(self.stop("version", cause))
            }
        }
    }

    async fn has_ref(&self, git: &GitApi, kind: &str, name: &str) -> Result<bool, Cause> {
        let refs = self.refs(git, &format!("{kind}/{name}")).await;
        let refs = refs.map_err(Trouble::into_cause)?;
        let full = format!("refs/{kind}/{name}");
        Ok(refs.iter().any(|it| it.name == full))
    }

    async fn refs(&self, git: &GitApi, filter: &str) -> Result<Vec<Ref>, Trouble> {
        let probe = self.ask(git.refs(filter), git.authorization()).await;
        let refs = rest::refs(probe.outcome?).await;
        refs.map_err(|error| Trouble::odd(&error))
    }

    async fn no_ref(
        &self,
        git: &GitApi,
        found: &Repository,
        version: &Version,
        (own, other): (&str, &str),
    ) -> Cause {
        let name = &version.name;
        let kind = version.version_type.descriptor();
        if self.has_ref(git, other, name).await.unwrap_or(false) {
            let (is, prefix) = match version.version_type {
                VersionType::Tag => ("branch", VersionType::Branch.prefix()),
                _ => ("tag", VersionType::Tag.prefix()),
            };
            return Cause::new(
                At::Version,
                format!("{name} is a {is}, and the URL asks for a {kind}"),
                format!("write version={prefix}{name} in the URL"),
            );
        }
        let refs = self.refs(git, &format!("{own}/")).await.unwrap_or_default();
        let names: Vec<&str> = refs.iter().map(|it| short(&it.name)).collect();
        let mut near = near(name, names.iter().copied());
        let default = short(found.default_branch.as_deref().unwrap_or_default());
        let is_branch = own == "heads";
        if is_branch && !default.is_empty() && !near.iter().any(|it| it == default) {
            near.push(default.to_owned());
        }
        let what = if is_branch {
            "its branches are"
        } else {
            "its tags are"
        };
        let there = listed(what, &names);
        let cause = Cause::new(
            At::Version,
            format!(
                "the repository has no {kind} {name}; its default branch is {default}, and {there}"
            ),
            format!(
                "check the {kind} in the URL (names are case-sensitive), or leave version out to read the default branch"
            ),
        );
        cause.near(near)
    }

    /// Whether the path is there: the deepest folder that is, and what is in it.
    async fn path(&mut self, git: &GitApi) -> Result<(), Cause> {
        let path = match self.asked {
            Asked::File => self.repository.path().unwrap_or_default(),
            Asked::Folder(folder) => folder,
        };
        let segments: Vec<&str> = path.split('/').filter(|it| !it.is_empty()).collect();
        // From the end: most often it is the file alone that is not there.
        for depth in (0..segments.len()).rev().take(MOST_FOLDERS) {
            let folder = format!("/{}", segments.get(..depth).unwrap_or_default().join("/"));
            let probe = self.ask(git.folder(&folder), git.authorization()).await;
            let items = match probe.outcome {
                Ok(answer) => rest::items(answer).await,
                Err(trouble) if trouble.is_missing => continue,
                Err(trouble) => {
                    let cause = self.not_missing(trouble).await;
                    return Err(self.stop("path", cause));
                }
            };
            let items = items.map_err(|error| Trouble::odd(&error).into_cause())?;
            let wanted = segments.get(depth).copied().unwrap_or_default();
            if let Some(cause) = no_item(&folder, wanted, &items) {
                return Err(self.stop("path", cause));
            }
            self.pass("path", readable(format!("{folder} has {wanted}")));
            return Ok(());
        }
        Ok(())
    }
}

/// What to do where an identity is known, and what it asks for is refused.
fn advice_to_signed_in(identity: Identity) -> String {
    if identity.is_personal_access_token() {
        return "first check that the scope of its token includes Code (Read), then that its owner may read the repository (Project settings, Repositories, Security)".to_owned();
    }
    identity.advice_on_permissions().to_owned()
}

fn no_item(folder: &str, wanted: &str, items: &[Item]) -> Option<Cause> {
    let inside = folder.trim_start_matches('/');
    let names: Vec<&str> = items
        .iter()
        .map(|item| item.path.as_str())
        .filter(|path| *path != inside)
        .filter_map(|path| path.rsplit('/').next())
        .collect();
    if names.contains(&wanted) {
        return None;
    }
    let near = near(wanted, names.iter().copied());
    let is_case = near
        .first()
        .is_some_and(|it| it.to_lowercase() == wanted.to_lowercase());
    let shown = if folder == "/" { "the root" } else { folder };
    let why = if is_case {
        "; paths are case-sensitive".to_owned()
    } else {
        format!("; {}", listed("it has", &names))
    };
    let advice = match near.first() {
        Some(first) => format!("write {first} in the path, if that is meant"),
        None => "check the path in the URL, and whether it is there in this version".to_owned(),
    };
    let cause = Cause::new(At::Path, format!("{shown} has no {wanted}{why}"), advice);
    Some(cause.near(near))
}

/// Some of the names, and how many more there are.
fn listed(what: &str, names: &[&str]) -> String {
    if names.is_empty() {
        return format!("{what} none");
    }
    let shown = names.iter().take(MOST_LISTED).copied().collect::<Vec<_>>();
    let more = names.len() - shown.len();
    let shown = shown.join(", ");
    if more == 0 {
        format!("{what} {shown}")
    } else {
        format!("{what} {shown} and {more} more")
    }
}

/// The name of a branch or tag without `refs/heads/` or `refs/tags/`.
fn short(name: &str) -> &str {
    name.splitn(3, '/').nth(2).unwrap_or(name)
}

fn disabled(name: &str) -> Cause {
    Cause::new(
        At::Repository,
        format!("the repository {name} is disabled, so nothing in it can be read"),
        "enable it (Project settings, Repositories), or take its locations out of the catalog",
    )
}
