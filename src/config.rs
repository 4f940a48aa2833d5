//! `integrations.azure` of the app-config, checked and made into configuration.
//!
//! The rules and their words are those of `@backstage/integration`:
//! <https://backstage.io/docs/integrations/azure/locations>.

use std::{collections::HashMap, fmt, num::NonZeroU32, sync::Arc};

use secrecy::SecretString;

use crate::{
    error::Error,
    url::{AZURE_HOST, is_azures_own, is_valid_host},
};

/// One integration as it is written in the app-config, types checked and nothing else.
#[derive(Default)]
pub struct IntegrationFields {
    /// `host`; `dev.azure.com` where it is missing.
    pub host: Option<String>,
    /// `credentials`, in their order.
    pub credentials: Option<Vec<CredentialFields>>,
    /// `retry`.
    pub retry: Option<RetryFields>,
    /// `plainHttp`.
    pub plain_http: Option<String>,
    /// `staleIfThrottled.maxAge`, in milliseconds.
    pub max_stale: Option<f64>,
    /// Whether one of the removed keys `credential` and `token` is there.
    pub has_removed_keys: bool,
}

/// Whether a host is read over plain HTTP, where the configuration says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PlainHttp {
    /// It is.
    Allow,
    /// It is not.
    Refuse,
}

impl PlainHttp {
    /// Reads `plainHttp` of a host.
    ///
    /// # Errors
    /// It is neither `allow` nor `refuse`.
    pub fn read(text: &str) -> Result<Self, Error> {
        match text {
            "allow" => Ok(Self::Allow),
            "refuse" => Ok(Self::Refuse),
            _ => Err(Error::other(format!(
                "'plainHttp' must be 'allow' or 'refuse', but is '{text}'"
            ))),
        }
    }

    /// Checks that it can be so for a host: Azure's own are never asked over plain HTTP.
    fn check(self, host: &str) -> Result<(), Error> {
        let name = host.split(':').next().unwrap_or_default();
        if self == Self::Allow && is_azures_own(name) {
            return Err(Error::other(
                "'plainHttp' cannot be 'allow', because a host of Azure DevOps Services is never asked over plain HTTP",
            ));
        }
        Ok(())
    }
}

/// `retry` as it is written in the app-config: the keys are those that Backstage has for GitLab.
#[derive(Clone, Debug, Default)]
pub struct RetryFields {
    /// `maxRetries`.
    pub max_retries: Option<f64>,
    /// `retryStatusCodes`.
    pub status_codes: Option<Vec<f64>>,
    /// `maxApiRequestsPerMinute`; -1 for any number.
    pub requests_per_minute: Option<f64>,
}

/// One credential as it is written in the app-config.
#[derive(Default)]
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

impl CredentialFields {
    /// The keys that a credential lacks to be of the kind that its other keys are of, as far as that is clear.
    #[must_use]
    pub fn lacking(&self) -> Vec<&'static str> {
        let needed = if self.personal_access_token.is_some() {
            Vec::new()
        } else if self.client_secret.is_some()
            || self.client_certificate.is_some()
            || self.client_certificate_path.is_some()
            || self.managed_identity_client_id.is_some()
        {
            vec![("clientId", &self.client_id), ("tenantId", &self.tenant_id)]
        } else if self.tenant_id.is_some() {
            let vouches = ("clientSecret", &self.client_secret);
            vec![("clientId", &self.client_id), vouches]
        } else {
            vec![("clientId", &self.client_id)]
        };
        let lacking = needed.into_iter().filter(|(_, value)| value.is_none());
        lacking.map(|(key, _)| key).collect()
    }
}

/// One integration, valid.
#[derive(Clone, Debug)]
pub struct IntegrationConfig {
    /// The host with its port, as URLs write it.
    pub host: String,
    /// The credentials; none where none are written.
    pub credentials: Option<Vec<Credential>>,
    /// Its place in the app-config, such as `integrations.azure[0]`; `None` where it was made elsewhere.
    pub place: Option<String>,
}

/// What Backstage writes for "as many as you like".
const ANY_NUMBER: f64 = -1.0;

/// How often a request is retried, and how many requests are sent in a minute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retry {
    /// The most retries.
    pub max_retries: u32,
    /// The statuses that are retried.
    pub statuses: Arc<[u16]>,
    /// The most requests in a minute; no limit where it is `None`.
    pub per_minute: Option<NonZeroU32>,
}

impl Default for Retry {
    fn default() -> Self {
        Self {
            max_retries: 5,
            statuses: Arc::new([408, 429, 500, 502, 503, 504]),
            per_minute: None,
        }
    }
}

impl Retry {
    /// Checks the fields; what is missing is as by default.
    ///
    /// # Errors
    /// An invalid number of retries or requests, or an invalid status; the message says
    /// which.
    pub fn read(fields: &RetryFields) -> Result<Self, Error> {
        let mut retry = Self::default();
        if let Some(number) = fields.max_retries {
            retry.max_retries = whole(number)
                .ok_or_else(|| refused("maxRetries", "a whole number, or 0 for none", number))?;
        }
        if let Some(codes) = &fields.status_codes {
            let status = |code: &f64| {
                let status = whole(*code).and_then(|code| u16::try_from(code).ok());
                status
                    .filter(|status| (100..600).contains(status))
                    .ok_or_else(|| refused("retryStatusCodes", "a status of HTTP", *code))
            };
            retry.statuses = codes.iter().map(status).collect::<Result<_, _>>()?;
        }
        if let Some(number) = fields
            .requests_per_minute
            .filter(|number| number.to_bits() != ANY_NUMBER.to_bits())
        {
            let most = whole(number).and_then(NonZeroU32::new);
            retry.per_minute = Some(most.ok_or_else(|| {
                let expected = "a whole number from 1 on, or -1 for any number";
                refused("maxApiRequestsPerMinute", expected, number)
            })?);
        }
        Ok(retry)
    }
}

fn whole(number: f64) -> Option<u32> {
    let is_whole = number.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&number);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "it is whole, and in range"
    )]
    is_whole.then_some(number as u32)
}

fn refused(key: &str, expected: &str, number: f64) -> Error {
    Error::other(format!("'retry.{key}' must be {expected}, but is {number}"))
}

/// One credential, valid.
#[derive(Clone, Debug)]
pub struct Credential {
    /// The organizations that it serves; all that no other credential names where it is `None`.
    pub organizations: Option<Vec<String>>,
    /// How it signs in.
    pub kind: CredentialKind,
}

impl Credential {
    /// Whether it serves every organization that no other credential names.
    #[must_use]
    pub fn is_for_any_organization(&self) -> bool {
        self.organizations.as_ref().is_none_or(Vec::is_empty)
    }
}

/// Where an app's certificate is, and in the same place its private key, both in PEM.
#[derive(Clone)]
pub enum ClientCertificate {
    /// In the configuration.
    Text(SecretString),
    /// In the file of this path, which need not be there before it is needed.
    File(String),
}

impl fmt::Debug for ClientCertificate {
    /// Without the path: by mistake it may be the certificate itself.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("ClientCertificate")
    }
}

/// The five ways in which a configured credential signs in. No `Debug` shows a secret.
#[derive(Clone)]
pub enum CredentialKind {
    /// A service principal with its secret.
    ClientSecret {
        /// The Entra ID tenant.
        tenant_id: String,
        /// The app's client id.
        client_id: String,
        /// The app's secret.
        client_secret: SecretString,
    },
    /// A service principal with its certificate.
    ClientCertificate {
        /// The Entra ID tenant.
        tenant_id: String,
        /// The app's client id.
        client_id: String,
        /// The app's certificate.
        certificate: ClientCertificate,
    },
    /// A managed identity; `system-assigned` is the machine's own.
    ManagedIdentity {
        /// The identity's client id.
        client_id: String,
    },
    /// A managed identity whose token is exchanged for an app's.
    ManagedIdentityClientAssertion {
        /// The Entra ID tenant.
        tenant_id: String,
        /// The app's client id.
        client_id: String,
        /// The identity's client id; `system-assigned` is the machine's own.
        managed_identity_client_id: String,
    },
    /// A personal access token.
    PersonalAccessToken {
        /// The token, raw.
        token: SecretString,
    },
}

impl CredentialKind {
    /// The kind's name in Backstage's types.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ClientSecret { .. } => "ClientSecret",
            Self::ClientCertificate { .. } => "ClientCertificate",
            Self::ManagedIdentity { .. } => "ManagedIdentity",
            Self::ManagedIdentityClientAssertion { .. } => "ManagedIdentityClientAssertion",
            Self::PersonalAccessToken { .. } => "PersonalAccessToken",
        }
    }
}

impl fmt::Debug for CredentialKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name())
    }
}

/// What vouches for a service principal.
enum Voucher {
    Secret(SecretString),
    Certificate(ClientCertificate),
    ManagedIdentity(String),
}

impl Voucher {
    fn into_kind(self, tenant_id: String, client_id: String) -> CredentialKind {
        match self {
            Self::Secret(client_secret) => CredentialKind::ClientSecret {
                tenant_id,
                client_id,
                client_secret,
            },
            Self::Certificate(certificate) => CredentialKind::ClientCertificate {
                tenant_id,
                client_id,
                certificate,
            },
            Self::ManagedIdentity(managed_identity_client_id) => {
                CredentialKind::ManagedIdentityClientAssertion {
                    tenant_id,
                    client_id,
                    managed_identity_client_id,
                }
            }
        }
    }
}

impl CredentialFields {
    /// The kind whose fields are all there while the others are not.
    fn into_credential(self) -> Option<Credential> {
        let trimmed = |field: Option<String>| field.map(|text| trim(&text).to_owned());
        let text = |pem: String| ClientCertificate::Text(pem.into());
        let mut vouchers = [
            trimmed(self.client_secret).map(|secret| Voucher::Secret(secret.into())),
            trimmed(self.client_certificate).map(|pem| Voucher::Certificate(text(pem))),
            trimmed(self.client_certificate_path)
                .map(|path| Voucher::Certificate(ClientCertificate::File(path))),
            trimmed(self.managed_identity_client_id).map(Voucher::ManagedIdentity),
        ]
        .into_iter()
        .flatten();
        let voucher = vouchers.next();
        if vouchers.next().is_some() {
            return None;
        }
        let kind = match (
            trimmed(self.client_id),
            trimmed(self.tenant_id),
            voucher,
            trimmed(self.personal_access_token),
        ) {
            (Some(client_id), Some(tenant_id), Some(voucher), None) => {
                voucher.into_kind(tenant_id, client_id)
            }
            (Some(client_id), None, None, None) => CredentialKind::ManagedIdentity { client_id },
            (None, None, None, Some(token)) => CredentialKind::PersonalAccessToken {
                token: token.into(),
            },
            _ => return None,
        };
        Some(Credential {
            organizations: self.organizations,
            kind,
        })
    }
}

impl IntegrationConfig {
    /// Checks one integration.
    ///
    /// # Errors
    /// A removed key, an invalid host, credentials of no kind, organizations named
    /// twice (all of these in one message), a credential other than a token for another host than
    /// `dev.azure.com`, or two credentials without organizations.
    pub fn read(fields: IntegrationFields) -> Result<Self, Error> {
        if fields.has_removed_keys {
            return Err(invalid(
                ", 'credential' and 'token' have been removed. Use 'credentials' instead.",
            ));
        }
        let host = fields.host.unwrap_or_else(|| AZURE_HOST.to_owned());
        if !is_valid_host(&host) {
            return Err(invalid(format!(", '{host}' is not a valid host")));
        }
        let credentials = fields
            .credentials
            .map(|credentials| read_credentials(&host, credentials))
            .transpose()?;
        let retry = Retry::read(&fields.retry.unwrap_or_default());
        retry.map_err(|rule| invalid(format!(" for {host}: {rule}")))?;
        let plain_http = fields.plain_http.as_deref().map(PlainHttp::read);
        plain_http
            .transpose()
            .and_then(|plain_http| plain_http.map_or(Ok(()), |it| it.check(&host)))
            .map_err(|rule| invalid(format!(" for {host}: {rule}")))?;
        if fields.max_stale.is_some_and(|time| time <= 0.0) {
            let rule = "'staleIfThrottled.maxAge' must be longer than no time";
            return Err(invalid(format!(" for {host}: {rule}")));
        }
        Ok(Self {
            host,
            credentials,
            place: None,
        })
    }

    /// What serves `dev.azure.com` where no integration is written for it.
    #[must_use]
    pub fn azure() -> Self {
        Self {
            host: AZURE_HOST.to_owned(),
            credentials: None,
            place: None,
        }
    }

    /// What the credential at a position is called in messages: by its place in the app-config, else by
    /// its host.
    #[must_use]
    pub fn place_of_credential(&self, position: usize) -> String {
        match &self.place {
            Some(place) => format!("{place}.credentials[{position}]"),
            None => format!("{}, credentials[{position}]", self.host),
        }
    }
}

/// Whether `dev.azure.com` is to be added to the integrations of these hosts.
#[must_use]
pub fn lacks_azure<'a>(mut hosts: impl Iterator<Item = &'a str>) -> bool {
    !hosts.any(|host| host == AZURE_HOST)
}

fn read_credentials(host: &str, fields: Vec<CredentialFields>) -> Result<Vec<Credential>, Error> {
    let doubles = organizations_named_twice(&fields);
    let mut credentials = Vec::with_capacity(fields.len());
    let mut errors = Vec::new();
    for (index, fields) in fields.into_iter().enumerate() {
        match fields.into_credential() {
            Some(credential) => credentials.push(credential),
            None => errors.push(format!(
                "credential at position {} is not a valid credential",
                index + 1
            )),
        }
    }
    errors.extend(doubles);
    if !errors.is_empty() {
        return Err(invalid(format!(" for {host}: {}", errors.join("; "))));
    }
    check_together(host, &credentials)?;
    Ok(credentials)
}

fn check_together(host: &str, credentials: &[Credential]) -> Result<(), Error> {
    let is_token = |credential: &Credential| {
        matches!(credential.kind, CredentialKind::PersonalAccessToken { .. })
    };
    if host != AZURE_HOST && !credentials.iter().all(is_token) {
        return Err(invalid(format!(
            " for {host}, only personal access tokens can be used with hosts other than {AZURE_HOST}"
        )));
    }
    let for_any = credentials.iter().filter(|c| c.is_for_any_organization());
    if for_any.count() > 1 {
        return Err(invalid(format!(
            " for {host}, you cannot specify multiple credentials without organizations"
        )));
    }
    Ok(())
}

/// One message for each organization that is named more than once, with the credentials' positions.
fn organizations_named_twice(credentials: &[CredentialFields]) -> Vec<String> {
    let mut order: Vec<&str> = Vec::new();
    let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
    for (index, credential) in credentials.iter().enumerate() {
        for organization in credential.organizations.iter().flatten() {
            let entry = positions.entry(organization).or_insert_with(|| {
                order.push(organization);
                Vec::new()
            });
            entry.push(index + 1);
        }
    }
    // Upstream's order is that of a JavaScript object's keys: whole numbers first, ascending.
    order.sort_by_key(|organization| array_index(organization).map_or((1, 0), |index| (0, index)));
    order
        .into_iter()
        .filter_map(|organization| {
            let (last, before) = positions.get(organization)?.split_last()?;
            if before.is_empty() {
                return None;
            }
            let before: Vec<String> = before.iter().map(ToString::to_string).collect();
            Some(format!(
                "organization {organization} is specified multiple times in credentials at positions {} and {last}",
                before.join(", ")
            ))
        })
        .collect()
}

/// The number that a JavaScript object takes a key for when it orders its keys.
fn array_index(key: &str) -> Option<u32> {
    let index: u32 = key.parse().ok()?;
    (index.to_string() == key && index != u32::MAX).then_some(index)
}

/// Trims what JavaScript's `String.trim` trims, which is not quite what Rust's does.
fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| c == '\u{feff}' || (c.is_whitespace() && c != '\u{85}'))
}

fn invalid(what: impl fmt::Display) -> Error {
    Error::other(format!("Invalid Azure integration config{what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(organizations: &[&str]) -> CredentialFields {
        CredentialFields {
            organizations: Some(organizations.iter().map(ToString::to_string).collect()),
            personal_access_token: Some("s3cret".to_owned()),
            ..CredentialFields::default()
        }
    }

    fn read(host: &str, credentials: Vec<CredentialFields>) -> Result<IntegrationConfig, Error> {
        IntegrationConfig::read(IntegrationFields {
            host: Some(host.to_owned()),
            credentials: Some(credentials),
            ..IntegrationFields::default()
        })
    }

    fn message(result: Result<IntegrationConfig, Error>) -> String {
        result.map_or_else(|error| error.to_string(), |_| "valid".to_owned())
    }

    #[test]
    fn retries_are_numbers_that_make_sense() {
        let read = |max_retries, code, requests_per_minute| {
            Retry::read(&RetryFields {
                max_retries: Some(max_retries),
                status_codes: Some(vec![code]),
                requests_per_minute: Some(requests_per_minute),
            })
        };
        let retry = read(0.0, 503.0, -1.0);
        let expected = Retry {
            max_retries: 0,
            statuses: Arc::new([503]),
            per_minute: None,
        };
        assert_eq!(retry.ok(), Some(expected));
        for (retry, key) in [
            (read(-1.0, 503.0, 1.0), "maxRetries"),
            (read(0.5, 503.0, 1.0), "maxRetries"),
            (read(f64::NAN, 503.0, 1.0), "maxRetries"),
            (read(1.0, 42.0, 1.0), "retryStatusCodes"),
            (read(1.0, 503.0, 0.0), "maxApiRequestsPerMinute"),
            (read(1.0, 503.0, -2.0), "maxApiRequestsPerMinute"),
        ] {
            let message = retry.map_or_else(|error| error.to_string(), |_| String::new());
            assert!(message.contains(key), "{key}: {message}");
        }
    }

    #[test]
    fn azures_own_hosts_are_not_asked_over_plain_http() {
        let read = |host: &str, plain_http: &str| {
            message(IntegrationConfig::read(IntegrationFields {
                host: Some(host.to_owned()),
                plain_http: Some(plain_http.to_owned()),
                ..IntegrationFields::default()
            }))
        };
        for (host, plain_http) in [
            ("server", "allow"),
            ("server", "refuse"),
            (AZURE_HOST, "refuse"),
        ] {
            assert_eq!(read(host, plain_http), "valid");
        }
        assert_eq!(
            read("server", "maybe"),
            "Invalid Azure integration config for server: 'plainHttp' must be 'allow' or 'refuse', but is 'maybe'"
        );
        for host in [
            AZURE_HOST,
            "dev.azure.com:8080",
            "o.visualstudio.com",
            "dev.azure.com.",
        ] {
            assert!(
                read(host, "allow").contains("'plainHttp' cannot be 'allow'"),
                "{host}"
            );
        }
    }

    #[test]
    fn positions_are_those_of_the_config() {
        let any = token(&[]);
        assert_eq!(
            message(read(
                AZURE_HOST,
                vec![any, token(&["a"]), token(&["a", "b"]), token(&["a"])]
            )),
            "Invalid Azure integration config for dev.azure.com: organization a is specified multiple times in credentials at positions 2, 3 and 4"
        );
    }

    #[test]
    fn other_hosts_take_tokens_only() {
        let identity = CredentialFields {
            client_id: Some("id".to_owned()),
            ..CredentialFields::default()
        };
        assert_eq!(
            message(read("server", vec![identity])),
            "Invalid Azure integration config for server, only personal access tokens can be used with hosts other than dev.azure.com"
        );
    }

    /// The kind of a credential that has these fields.
    fn kind_of(fields: &[&str]) -> Result<&'static str, Error> {
        let field = |name: &str| fields.contains(&name).then(|| " s3cret ".to_owned());
        let fields = CredentialFields {
            organizations: None,
            client_id: field("clientId"),
            client_secret: field("clientSecret"),
            client_certificate: field("clientCertificate"),
            client_certificate_path: field("clientCertificatePath"),
            managed_identity_client_id: field("managedIdentityClientId"),
            tenant_id: field("tenantId"),
            personal_access_token: field("personalAccessToken"),
        };
        let kind = |config: IntegrationConfig| config.credentials?.pop().map(|one| one.kind.name());
        read(AZURE_HOST, vec![fields]).map(|config| kind(config).unwrap_or_default())
    }

    #[test]
    fn a_certificate_goes_with_an_app_of_a_tenant_and_nothing_else() {
        for place in ["clientCertificate", "clientCertificatePath"] {
            let kind = kind_of(&["clientId", "tenantId", place]);
            assert_eq!(kind.ok(), Some("ClientCertificate"));
            assert!(kind_of(&["clientId", place]).is_err());
            assert!(kind_of(&["tenantId", place]).is_err());
            assert!(kind_of(&[place]).is_err());
        }
        for others in [
            ["clientCertificate", "clientCertificatePath"],
            ["clientCertificate", "clientSecret"],
            ["clientCertificatePath", "managedIdentityClientId"],
            ["clientCertificatePath", "personalAccessToken"],
        ] {
            assert!(kind_of(&[&["clientId", "tenantId"], &others[..]].concat()).is_err());
        }
    }

    #[test]
    fn trimming_is_javascripts() {
        assert_eq!(trim("\u{feff}\u{a0} x\u{2028}\n"), "x");
        assert_eq!(trim("\u{85}x"), "\u{85}x");
    }

    #[test]
    fn a_secret_is_not_in_debug() {
        let certificate = |text: Option<&str>, path: Option<&str>| CredentialFields {
            organizations: Some(vec![format!("{text:?}")]),
            client_id: Some("id".to_owned()),
            tenant_id: Some("id".to_owned()),
            client_certificate: text.map(|_| "s3cret".to_owned()),
            client_certificate_path: path.map(|_| "s3cret".to_owned()),
            ..CredentialFields::default()
        };
        let certificates = [
            certificate(Some("text"), None),
            certificate(None, Some("path")),
        ];
        let config = read(
            AZURE_HOST,
            [token(&["a"])].into_iter().chain(certificates).collect(),
        );
        assert!(config.is_ok());
        assert!(!format!("{config:?}").contains("s3cret"));
    }
}
