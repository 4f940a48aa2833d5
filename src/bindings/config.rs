//! Configuration across the boundary.

use napi::Either;
use napi_derive::napi;
use secrecy::ExposeSecret;

use super::crossing::Failure;
use crate::{
    config::{self, ClientCertificate, CredentialKind},
    error::Error,
};

/// One entry of `integrations.azure`, types checked and nothing else.
#[napi(object, object_to_js = false)]
pub struct IntegrationFields {
    /// The host; `dev.azure.com` where it is missing.
    pub host: Option<String>,
    /// The credentials in their order.
    pub credentials: Option<Vec<CredentialFields>>,
    /// How patiently it is asked.
    pub retry: Option<RetryFields>,
    /// Whether it is asked over plain HTTP.
    pub plain_http: Option<String>,
    /// How old a stale answer may be, in milliseconds.
    pub max_stale: Option<f64>,
    /// Whether one of the removed keys `credential` and `token` is there.
    pub has_removed_keys: bool,
}

/// How patiently a host is asked, as it is written; what is missing is as by default.
#[napi(object, object_to_js = false)]
#[derive(Clone)]
pub struct RetryFields {
    /// How often a question is asked again at most; 0 for never.
    pub max_retries: Option<f64>,
    /// The statuses after which it is.
    pub retry_status_codes: Option<Vec<f64>>,
    /// The most requests in a minute; -1 for any number.
    pub max_api_requests_per_minute: Option<f64>,
}

/// One credential as it is written.
#[napi(object)]
pub struct CredentialFields {
    /// The organizations that it serves.
    pub organizations: Option<Vec<String>>,
    /// Of a service principal or managed identity.
    pub client_id: Option<String>,
    /// Of a service principal.
    pub client_secret: Option<String>,
    /// Of a service principal: its certificate with the private key, in PEM.
    pub client_certificate: Option<String>,
    /// Of a service principal: the path of a file with the same.
    pub client_certificate_path: Option<String>,
    /// Of a managed identity that stands in for an app's secret.
    pub managed_identity_client_id: Option<String>,
    /// The Entra ID tenant of an app.
    pub tenant_id: Option<String>,
    /// A personal access token, raw.
    pub personal_access_token: Option<String>,
}

/// One integration, valid.
#[napi(object)]
pub struct IntegrationConfig {
    /// The host with its port.
    pub host: String,
    /// The credentials, if any are written.
    pub credentials: Option<Vec<Credential>>,
    /// Where it stands in the app-config, as `integrations.azure[0]`; missing where it was made elsewhere.
    pub place: Option<String>,
}

/// One credential with its kind; the fields of other kinds are missing.
#[napi(object)]
pub struct Credential {
    /// The kind's name in Backstage's types.
    pub kind: String,
    /// The organizations that it serves.
    pub organizations: Option<Vec<String>>,
    /// Of a service principal or managed identity.
    pub client_id: Option<String>,
    /// Of a service principal.
    pub client_secret: Option<String>,
    /// Of a service principal: its certificate with the private key, in PEM.
    pub client_certificate: Option<String>,
    /// Of a service principal: the path of a file with the same.
    pub client_certificate_path: Option<String>,
    /// Of a managed identity that stands in for an app's secret.
    pub managed_identity_client_id: Option<String>,
    /// The Entra ID tenant of an app.
    pub tenant_id: Option<String>,
    /// A personal access token, raw.
    pub personal_access_token: Option<String>,
}

/// Checks one integration by every rule beyond types.
#[napi(catch_unwind)]
pub fn read_integration_config(fields: IntegrationFields) -> Either<IntegrationConfig, Failure> {
    match config::IntegrationConfig::read(fields.into()) {
        Ok(config) => Either::A(config.into()),
        Err(error) => Either::B(error.into()),
    }
}

/// The keys that a credential lacks to be of the kind that its other keys are of.
#[napi(catch_unwind)]
pub fn lacking_keys(credential: CredentialFields) -> Vec<&'static str> {
    config::CredentialFields::from(credential).lacking()
}

/// The integration to add to those of these hosts, if one is missing.
#[napi(catch_unwind)]
pub fn missing_integration(hosts: Vec<String>) -> Option<IntegrationConfig> {
    config::lacks_azure(hosts.iter().map(String::as_str))
        .then(|| config::IntegrationConfig::azure().into())
}

impl From<IntegrationFields> for config::IntegrationFields {
    fn from(fields: IntegrationFields) -> Self {
        let credentials = fields.credentials;
        Self {
            host: fields.host,
            credentials: credentials.map(|all| all.into_iter().map(Into::into).collect()),
            retry: fields.retry.map(Into::into),
            plain_http: fields.plain_http,
            max_stale: fields.max_stale,
            has_removed_keys: fields.has_removed_keys,
        }
    }
}

/// The integrations, in their order.
pub(super) fn configs_of(
    integrations: Vec<IntegrationConfig>,
) -> Result<Vec<config::IntegrationConfig>, Error> {
    integrations.into_iter().map(TryInto::try_into).collect()
}

/// What is configured of plain HTTP.
pub(super) fn plain_http_of(text: Option<&str>) -> Result<Option<config::PlainHttp>, Error> {
    text.map(config::PlainHttp::read).transpose()
}

/// What is configured, or what there is without.
pub(super) fn retry_of(fields: Option<&RetryFields>) -> Result<config::Retry, Error> {
    fields.map_or_else(
        || Ok(config::Retry::default()),
        |fields| config::Retry::read(&fields.clone().into()),
    )
}

impl From<RetryFields> for config::RetryFields {
    fn from(fields: RetryFields) -> Self {
        Self {
            max_retries: fields.max_retries,
            status_codes: fields.retry_status_codes,
            requests_per_minute: fields.max_api_requests_per_minute,
        }
    }
}

impl From<CredentialFields> for config::CredentialFields {
    fn from(fields: CredentialFields) -> Self {
        Self {
            organizations: fields.organizations,
            client_id: fields.client_id,
            client_secret: fields.client_secret,
            client_certificate: fields.client_certificate,
            client_certificate_path: fields.client_certificate_path,
            managed_identity_client_id: fields.managed_identity_client_id,
            tenant_id: fields.tenant_id,
            personal_access_token: fields.personal_access_token,
        }
    }
}

impl From<config::IntegrationConfig> for IntegrationConfig {
    fn from(config: config::IntegrationConfig) -> Self {
        let credentials = config.credentials;
        Self {
            host: config.host,
            credentials: credentials.map(|all| all.into_iter().map(Into::into).collect()),
            place: config.place,
        }
    }
}

impl From<config::Credential> for Credential {
    fn from(credential: config::Credential) -> Self {
        let mut fields = Self {
            kind: credential.kind.name().to_owned(),
            organizations: credential.organizations,
            client_id: None,
            client_secret: None,
            client_certificate: None,
            client_certificate_path: None,
            managed_identity_client_id: None,
            tenant_id: None,
            personal_access_token: None,
        };
        match credential.kind {
            CredentialKind::ClientSecret {
                tenant_id,
                client_id,
                client_secret,
            } => {
                fields.tenant_id = Some(tenant_id);
                fields.client_id = Some(client_id);
                fields.client_secret = Some(client_secret.expose_secret().to_owned());
            }
            CredentialKind::ClientCertificate {
                tenant_id,
                client_id,
                certificate,
            } => {
                fields.tenant_id = Some(tenant_id);
                fields.client_id = Some(client_id);
                match certificate {
                    ClientCertificate::Text(pem) => {
                        fields.client_certificate = Some(pem.expose_secret().to_owned());
                    }
                    ClientCertificate::File(path) => fields.client_certificate_path = Some(path),
                }
            }
            CredentialKind::ManagedIdentity { client_id } => fields.client_id = Some(client_id),
            CredentialKind::ManagedIdentityClientAssertion {
                tenant_id,
                client_id,
                managed_identity_client_id,
            } => {
                fields.tenant_id = Some(tenant_id);
                fields.client_id = Some(client_id);
                fields.managed_identity_client_id = Some(managed_identity_client_id);
            }
            CredentialKind::PersonalAccessToken { token } => {
                fields.personal_access_token = Some(token.expose_secret().to_owned());
            }
        }
        fields
    }
}

impl TryFrom<IntegrationConfig> for config::IntegrationConfig {
    type Error = Error;

    fn try_from(config: IntegrationConfig) -> Result<Self, Error> {
        let credentials = config
            .credentials
            .map(|all| all.into_iter().map(TryInto::try_into).collect())
            .transpose()?;
        Ok(Self {
            host: config.host,
            credentials,
            place: config.place,
        })
    }
}

impl TryFrom<Credential> for config::Credential {
    type Error = Error;

    fn try_from(credential: Credential) -> Result<Self, Error> {
        let kind_name = credential.kind;
        let needed = |field: Option<String>, name: &str| {
            field.ok_or_else(|| {
                Error::other(format!("Credential of kind '{kind_name}' needs '{name}'"))
            })
        };
        let kind = match kind_name.as_str() {
            "ClientSecret" => CredentialKind::ClientSecret {
                tenant_id: needed(credential.tenant_id, "tenantId")?,
                client_id: needed(credential.client_id, "clientId")?,
                client_secret: needed(credential.client_secret, "clientSecret")?.into(),
            },
            "ClientCertificate" => CredentialKind::ClientCertificate {
                tenant_id: needed(credential.tenant_id, "tenantId")?,
                client_id: needed(credential.client_id, "clientId")?,
                // Where both are there, the text comes first, as for Backstage.
                certificate: match (
                    credential.client_certificate,
                    credential.client_certificate_path,
                ) {
                    (Some(pem), _) => ClientCertificate::Text(pem.into()),
                    (None, path) => ClientCertificate::File(needed(
                        path,
                        "clientCertificate' or 'clientCertificatePath",
                    )?),
                },
            },
            "ManagedIdentity" => CredentialKind::ManagedIdentity {
                client_id: needed(credential.client_id, "clientId")?,
            },
            "ManagedIdentityClientAssertion" => CredentialKind::ManagedIdentityClientAssertion {
                tenant_id: needed(credential.tenant_id, "tenantId")?,
                client_id: needed(credential.client_id, "clientId")?,
                managed_identity_client_id: needed(
                    credential.managed_identity_client_id,
                    "managedIdentityClientId",
                )?,
            },
            "PersonalAccessToken" => CredentialKind::PersonalAccessToken {
                token: needed(credential.personal_access_token, "personalAccessToken")?.into(),
            },
            _ => {
                return Err(Error::other(format!(
                    "Credential kind '{kind_name}' not supported"
                )));
            }
        };
        Ok(Self {
            organizations: credential.organizations,
            kind,
        })
    }
}
