//! The kind of credential that reads, as messages and log events name it.

use std::fmt;

use crate::config::CredentialKind;

/// One of the default chain's ways to a token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Link {
    /// An app with its secret or certificate in the environment.
    Environment,
    /// An app for which Kubernetes vouches.
    WorkloadIdentity,
    /// The machine's identity, or one assigned to it.
    ManagedIdentity,
    /// The account that is signed in to the Azure CLI.
    AzureCli,
    /// The account that is signed in to the Azure Developer CLI.
    AzureDeveloperCli,
}

impl Link {
    pub(super) const ALL: [Self; 5] = [
        Self::Environment,
        Self::WorkloadIdentity,
        Self::ManagedIdentity,
        Self::AzureCli,
        Self::AzureDeveloperCli,
    ];

    /// What it is called in messages.
    pub(super) const fn title(self) -> &'static str {
        match self {
            Self::Environment => "environment",
            Self::WorkloadIdentity => "workload identity",
            Self::ManagedIdentity => "managed identity",
            Self::AzureCli => "Azure CLI",
            Self::AzureDeveloperCli => "Azure Developer CLI",
        }
    }

    /// Whether `AZURE_TOKEN_CREDENTIALS` means this link, among others or alone.
    pub(super) fn is_meant_by(self, name: &str) -> bool {
        let (own, group) = match self {
            Self::Environment => ("environmentcredential", "prod"),
            Self::WorkloadIdentity => ("workloadidentitycredential", "prod"),
            Self::ManagedIdentity => ("managedidentitycredential", "prod"),
            Self::AzureCli => ("azureclicredential", "dev"),
            Self::AzureDeveloperCli => ("azuredeveloperclicredential", "dev"),
        };
        name == own || name == group
    }

    /// Whether the chain ends where this link is set up and fails: then it is meant to be used, and to read
    /// with another one would only hide the failure.
    pub(super) const fn is_meant(self) -> bool {
        matches!(self, Self::Environment | Self::WorkloadIdentity)
    }
}

/// The kind of credential that a request is made with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Identity {
    /// No credential is configured, and none is found.
    Anonymous,
    /// The owner of a personal access token.
    PersonalAccessToken,
    /// A service principal with its secret.
    ServicePrincipal,
    /// A service principal with its certificate.
    ServicePrincipalWithCertificate,
    /// A managed identity.
    ManagedIdentity,
    /// A service principal for which a managed identity vouches.
    ManagedIdentityClientAssertion,
    /// The link of the default chain that answered.
    Default(Link),
    /// The headers of the caller's own credentials provider.
    Provided,
    /// The user that one read is made for, by an access token in its options.
    CallersToken,
    /// The same, by a personal access token.
    CallersPersonalAccessToken,
}

impl Identity {
    /// That of a configured credential.
    #[must_use]
    pub const fn of_kind(kind: &CredentialKind) -> Self {
        match kind {
            CredentialKind::PersonalAccessToken { .. } => Self::PersonalAccessToken,
            CredentialKind::ClientSecret { .. } => Self::ServicePrincipal,
            CredentialKind::ClientCertificate { .. } => Self::ServicePrincipalWithCertificate,
            CredentialKind::ManagedIdentity { .. } => Self::ManagedIdentity,
            CredentialKind::ManagedIdentityClientAssertion { .. } => {
                Self::ManagedIdentityClientAssertion
            }
        }
    }

    /// The kind of credential in plain words.
    #[must_use]
    pub const fn title(self) -> &'static str {
        match self {
            Self::Anonymous => "no credential",
            Self::PersonalAccessToken => "a personal access token",
            Self::ServicePrincipal => "a service principal",
            Self::ServicePrincipalWithCertificate => "a service principal with a certificate",
            Self::ManagedIdentity => "a managed identity",
            Self::ManagedIdentityClientAssertion => {
                "a service principal for which a managed identity vouches"
            }
            Self::Default(Link::Environment) => "the service principal of the environment",
            Self::Default(Link::WorkloadIdentity) => "the workload identity of the environment",
            Self::Default(Link::ManagedIdentity) => "the managed identity of this machine",
            Self::Default(Link::AzureCli) => "the account of the Azure CLI",
            Self::Default(Link::AzureDeveloperCli) => "the account of the Azure Developer CLI",
            Self::Provided => "the headers of a credentials provider",
            Self::CallersToken => "the access token in the options of the read",
            Self::CallersPersonalAccessToken => {
                "the personal access token in the options of the read"
            }
        }
    }

    /// Where it comes from, where that is not the app-config.
    pub(super) const fn place(self) -> &'static str {
        match self {
            Self::Anonymous => "none",
            Self::Default(_) => "default credential chain",
            Self::Provided => "credentials provider",
            Self::CallersToken | Self::CallersPersonalAccessToken => "options of the read",
            Self::PersonalAccessToken
            | Self::ServicePrincipal
            | Self::ServicePrincipalWithCertificate
            | Self::ManagedIdentity
            | Self::ManagedIdentityClientAssertion => "integrations.azure",
        }
    }

    /// Whether it shows a personal access token.
    #[must_use]
    pub const fn is_personal_access_token(self) -> bool {
        matches!(
            self,
            Self::PersonalAccessToken | Self::CallersPersonalAccessToken
        )
    }

    /// What to check when Azure DevOps asks this identity to sign in.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Anonymous => {
                "add a credential under integrations.azure, or check that its organizations name this one"
            }
            Self::PersonalAccessToken | Self::CallersPersonalAccessToken => {
                "check that the token has not expired or been revoked, that it is for this organization, and that its scope includes Code (Read)"
            }
            Self::ServicePrincipal
            | Self::ServicePrincipalWithCertificate
            | Self::ManagedIdentityClientAssertion
            | Self::Default(Link::Environment | Link::WorkloadIdentity) => {
                "check that the service principal was added to the organization (Organization settings, Users), that it may read the repository, and that the organization is connected to its tenant"
            }
            Self::ManagedIdentity | Self::Default(Link::ManagedIdentity) => {
                "check that the managed identity was added to the organization (Organization settings, Users), that it may read the repository, and that the organization is connected to its tenant"
            }
            Self::Default(Link::AzureCli | Link::AzureDeveloperCli) => {
                "check that the account that is signed in there may read the repository, and that it is signed in to the organization's tenant"
            }
            Self::Provided => "check the credentials provider that this reader was given",
            Self::CallersToken => {
                "check that the token has not expired, that it is one for Azure DevOps, and that its user may read the repository"
            }
        }
    }

    /// What to check when Azure DevOps knows this identity, and forbids it to read.
    #[must_use]
    pub const fn advice_on_permissions(self) -> &'static str {
        match self {
            Self::PersonalAccessToken | Self::CallersPersonalAccessToken => {
                "check that its owner may read the repository (Project settings, Repositories, Security), and that its scope includes Code (Read)"
            }
            Self::Anonymous | Self::Provided => self.advice(),
            _ => {
                "check that it may read the repository (Project settings, Repositories, Security), and that its access level includes repositories (Basic)"
            }
        }
    }
}

/// The kind of credential and its place, in words for a message.
#[derive(Clone, Copy, Debug)]
pub struct CredentialName<'a> {
    /// The kind of credential.
    pub identity: Identity,
    /// Its place in the app-config, if it stands there.
    pub place: Option<&'a str>,
}

impl fmt::Display for CredentialName<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { identity, place } = self;
        match place {
            Some(place) => write!(formatter, "{identity} ({place})"),
            None => identity.fmt(formatter),
        }
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.title())
    }
}
