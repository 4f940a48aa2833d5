//! What was found: it crosses to JavaScript as JSON, in the form of `ts/diagnosis/report.ts`.

use serde::Serialize;

use crate::text::readable;

/// Everything that was found.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Findings {
    /// The hosts, in the order of the configuration.
    pub hosts: Vec<HostReport>,
    /// The organizations and collections, in the order of the configuration.
    pub organizations: Vec<OrganizationReport>,
    /// The URLs, as they were given.
    pub urls: Vec<UrlReport>,
}

/// What a check found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It is as it should be.
    Ok,
    /// Reads work, and may not do so one day.
    Warning,
    /// Reads do not work.
    Problem,
    /// It could not be found out.
    Unknown,
}

/// One thing that was looked at.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// What was looked at.
    pub name: &'static str,
    /// What was found.
    pub state: State,
    /// The same in words.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

impl Check {
    pub(super) fn new(name: &'static str, state: State, message: impl Into<String>) -> Self {
        Self {
            name,
            state,
            message: message.into(),
            advice: None,
        }
    }

    pub(super) fn ok(name: &'static str, message: impl Into<String>) -> Self {
        Self::new(name, State::Ok, message)
    }

    pub(super) fn advising(mut self, advice: impl Into<String>) -> Self {
        let advice = advice.into();
        self.advice = (!advice.is_empty()).then_some(advice);
        self
    }
}

/// A credential, without its secret.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CredentialReport {
    /// The kind of credential in plain words.
    pub kind: &'static str,
    /// Its place in the configuration, or what else it comes from.
    pub place: String,
    /// Why it is the one that serves.
    pub reason: &'static str,
}

/// An access token of Entra ID.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TokenReport {
    /// In ISO 8601.
    pub expires_at: String,
    /// The tenant that it is of.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant_id: Option<String>,
    /// The object in it that it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object_id: Option<String>,
}

/// Whom Azure DevOps sees.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct IdentityReport {
    /// The name that is displayed.
    pub name: String,
    /// The account, such as a mail address.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Its id.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
}

/// A certificate of a server's chain.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CertificateReport {
    /// Whose it is.
    pub subject: String,
    /// Who signed it.
    pub issuer: String,
    /// In ISO 8601.
    pub expires_at: String,
}

/// A host.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HostReport {
    /// Its name, with the port.
    pub host: String,
    /// The way to it.
    pub route: String,
    /// What it presented.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub certificates: Vec<CertificateReport>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// An organization or collection, as the credential that serves it sees it.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrganizationReport {
    /// Its host.
    pub host: String,
    /// Its name; missing where none is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub organization: Option<String>,
    /// What serves it.
    pub credential: CredentialReport,
    /// The token of Entra ID, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenReport>,
    /// Whom it sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<IdentityReport>,
    /// How many projects are seen.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub projects: Option<usize>,
    /// Whether repositories can be listed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub can_read_code: Option<bool>,
    /// The newest version of the Git REST API.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub api_version: Option<String>,
    /// What is left of the budget, from 0 to 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub budget_left: Option<f64>,
    /// How long the first answer took.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub latency_ms: Option<u64>,
    /// What was looked at.
    pub checks: Vec<Check>,
}

/// What a repository URL names.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlParts {
    /// The host, with the port.
    pub host: String,
    /// The organization or collection.
    pub organization: String,
    /// The project.
    pub project: String,
    /// The repository.
    pub repository: String,
    /// The path.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// As `branch main`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Whether the path is a pattern.
    pub is_pattern: bool,
}

/// Where the cause of a failure is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum At {
    /// The URL itself.
    Url,
    /// The configuration.
    Configuration,
    /// The credential, or what it may do.
    Credential,
    /// The network, a proxy, a certificate, or the server.
    Network,
    /// The principal has used more than it may.
    Limits,
    /// There is no such organization or collection.
    Organization,
    /// There is no such project, or it is not seen.
    Project,
    /// There is no such repository, it is not seen, disabled or empty.
    Repository,
    /// There is no such branch, tag or commit.
    Version,
    /// There is no such file or folder.
    Path,
    /// It was not found.
    Unknown,
}

/// Why a URL cannot be read.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Cause {
    /// Where it was found.
    pub at: At,
    /// What was found.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// What nearly has the name that is not there.
    pub near: Vec<String>,
}

impl Cause {
    pub(super) fn new(at: At, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self {
            at,
            message: readable(message),
            advice: readable(advice),
            near: Vec::new(),
        }
    }

    /// The same, with what nearly has the name that is not there.
    pub(super) fn near(self, names: Vec<String>) -> Self {
        Self {
            near: names.into_iter().map(readable).collect(),
            ..self
        }
    }
}

/// A URL, and whether it can be read.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct UrlReport {
    /// The URL, without secrets.
    pub url: String,
    /// What it names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<UrlParts>,
    /// What serves it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub credential: Option<CredentialReport>,
    /// The REST URL that it is read by.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request: Option<String>,
    /// The status of the answer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<u16>,
    /// What the read gave, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Whether it can be read.
    pub is_readable: bool,
    /// What was looked at.
    pub checks: Vec<Check>,
    /// Why it cannot be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cause: Option<Cause>,
}
