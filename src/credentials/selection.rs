//! The choice of a credential by the URL that is to be read.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use secrecy::SecretString;
use url::{Url, quirks};

use super::{
    acceptance::{self, Authority},
    authorization::{Authorization, basic, bearer, no_default_token, no_token},
    configured::Placed,
    providers::entra::Entra,
    token::TokenErrorKind,
};
use crate::{
    config::{CredentialKind, IntegrationConfig},
    error::Error,
    url::{AZURE_HOST, is_visual_studio, organization_in, organization_of, origin},
};

/// Every configured credential, found by host and organization.
///
/// A credential that names the URL's organization comes before the host's credential for any
/// organization. The name as it stands in the URL is tried first, then decoded and without regard
/// to case, as Azure DevOps itself reads it. For `{org}.visualstudio.com` the organization is
/// the host's, and what `dev.azure.com` has for that organization serves it too. The default chain
/// comes last, for `dev.azure.com` alone.
#[derive(Debug, Default)]
pub struct Credentials {
    exact: HashMap<(String, String), Arc<Placed>>,
    folded: HashMap<(String, String), Arc<Placed>>,
    /// What serves any organization of a host; `None` is the default chain.
    any: HashMap<String, Option<Arc<Placed>>>,
    /// The hosts that have any credential.
    hosts: HashSet<String>,
    /// All of them, with their hosts, in their order.
    all: Vec<(String, Arc<Placed>)>,
}

/// What serves a URL.
#[derive(Clone, Copy, Debug)]
pub enum Selection<'a> {
    /// A credential of the configuration.
    Configured(&'a Placed),
    /// The credential of the environment, the machine or a developer's tool.
    DefaultChain,
    /// Nothing: reads are anonymous.
    Nothing,
}

/// Why a credential is the one that serves a URL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// It names the organization.
    NamesOrganization,
    /// It serves every organization of the host that no other one names.
    AnyOrganization,
    /// None is configured for it, and the host has the default chain.
    DefaultChain,
    /// None is configured, for this organization or for the host at all.
    Nothing,
}

/// A token and the header that it makes.
#[derive(Debug)]
pub struct FoundToken {
    /// The value of the `Authorization` header.
    pub header: SecretString,
    /// The token, raw.
    pub token: SecretString,
    /// Whether it is one of Entra ID, and not a personal access token.
    pub is_bearer: bool,
}

impl Credentials {
    /// Takes the credentials of all integrations, in their order.
    ///
    /// Of several for one organization the last serves it, of several for any organization of a
    /// host the first.
    #[must_use]
    pub fn from_integrations(integrations: &[IntegrationConfig]) -> Self {
        let mut credentials = Self::default();
        for integration in integrations {
            for (position, credential) in integration.credentials.iter().flatten().enumerate() {
                let place = integration.place_of_credential(position).into();
                let placed = Placed::new(credential.clone(), place);
                credentials.add(&integration.host, &Arc::new(placed));
            }
            if integration.host == AZURE_HOST {
                let host = integration.host.clone();
                credentials.any.entry(host).or_insert(None);
            }
        }
        credentials
    }

    /// What serves the URL.
    #[must_use]
    pub fn for_url(&self, url: &Url) -> Selection<'_> {
        self.select(url).0
    }

    /// What serves the URL, and why.
    #[must_use]
    pub fn select(&self, url: &Url) -> (Selection<'_>, Reason) {
        let host = quirks::host(url);
        let named = self
            .by_exact_name(host, url)
            .or_else(|| self.by_folded_name(host, url));
        match (named, self.any.get(host)) {
            (Some(credential), _) => (Selection::Configured(credential), Reason::NamesOrganization),
            (None, Some(Some(credential))) => {
                (Selection::Configured(credential), Reason::AnyOrganization)
            }
            (None, Some(None)) => (Selection::DefaultChain, Reason::DefaultChain),
            (None, None) => (Selection::Nothing, Reason::Nothing),
        }
    }

    /// Every configured credential with its host, in their order.
    pub fn all(&self) -> impl Iterator<Item = (&str, &Arc<Placed>)> {
        self.all
            .iter()
            .map(|(host, placed)| (host.as_str(), placed))
    }

    /// The credential of a host for every organization that no other one names; `None` where it is the default
    /// chain, and nothing where the host has neither.
    #[must_use]
    pub fn for_any_organization(&self, host: &str) -> Option<Option<&Arc<Placed>>> {
        self.any.get(host).map(Option::as_ref)
    }

    /// Signs in for the URL with the credential that serves it; anonymously where none does, or where the
    /// default chain finds none.
    ///
    /// # Errors
    /// The credential is a token that no header can hold, or no token can be obtained for it.
    pub async fn authorize(&self, url: &Url, entra: &Entra) -> Result<Authorization, Error> {
        let authorization = match self.for_url(url) {
            Selection::Nothing => Authorization::anonymous(),
            Selection::DefaultChain => Authorization::of_default_chain(entra).await,
            Selection::Configured(placed) => Self::authorize_with(placed, url, entra).await?,
        };
        // Where a host has credentials and this organization is left out, its name may be misspelled.
        let is_left_out = self.hosts.contains(quirks::host(url));
        Ok(authorization.left_out(is_left_out))
    }

    /// Signs in with one credential, whichever serves the URL.
    ///
    /// # Errors
    /// As [`Self::authorize`].
    pub async fn authorize_with(
        placed: &Placed,
        url: &Url,
        entra: &Entra,
    ) -> Result<Authorization, Error> {
        let authorization = placed.authorization(entra)?;
        // So that a failure is reported before Azure DevOps is asked for anything.
        check_token(&authorization, url).await?;
        Ok(authorization)
    }

    /// The token that serves the URL, for others to read with; none where nothing serves it.
    ///
    /// # Errors
    /// As [`Self::authorize`], or the default chain failed: others do not learn why they read
    /// anonymously.
    pub async fn token_for(&self, url: &Url, entra: &Entra) -> Result<Option<FoundToken>, Error> {
        if let Selection::Configured(placed) = self.for_url(url)
            && let CredentialKind::PersonalAccessToken { token } = &placed.credential.kind
        {
            return Ok(Some(FoundToken {
                header: basic(token)?,
                token: token.clone(),
                is_bearer: false,
            }));
        }
        let authorization = self.authorize(url, entra).await?;
        if let Some(error) = authorization.failed_default() {
            return Err(no_default_token(url, error));
        }
        let token = authorization.bearer().await;
        let token = token.map_err(|error| no_token(&authorization.named(), url, &error))?;
        Ok(token.map(|token| FoundToken {
            header: bearer(&token),
            token,
            is_bearer: true,
        }))
    }

    fn add(&mut self, host: &str, placed: &Arc<Placed>) {
        self.hosts.insert(host.to_owned());
        self.all.push((host.to_owned(), Arc::clone(placed)));
        if placed.credential.is_for_any_organization() {
            let first = || Some(Arc::clone(placed));
            self.any.entry(host.to_owned()).or_insert_with(first);
        }
        for organization in placed.credential.organizations.iter().flatten() {
            let key = (host.to_owned(), organization.clone());
            self.exact.insert(key, Arc::clone(placed));
            let key = (host.to_owned(), organization.to_lowercase());
            self.folded.insert(key, Arc::clone(placed));
        }
    }

    fn by_exact_name(&self, host: &str, url: &Url) -> Option<&Arc<Placed>> {
        let segments = url.path().split('/').filter(|segment| !segment.is_empty());
        let name = organization_in(host, segments, |segment| segment == "tfs")?;
        self.exact.get(&(host.to_owned(), name.to_owned()))
    }

    fn by_folded_name(&self, host: &str, url: &Url) -> Option<&Arc<Placed>> {
        let get = |host: &str, name: &str| {
            let key = (host.to_owned(), name.to_lowercase());
            self.folded.get(&key)
        };
        if is_visual_studio(&origin(url)) {
            let name = host.split('.').next()?;
            let is_the_organizations = host == format!("{name}.visualstudio.com");
            let elsewhere = || is_the_organizations.then(|| get(AZURE_HOST, name))?;
            return get(host, name).or_else(elsewhere);
        }
        get(host, &organization_of(url)?)
    }
}

/// Obtains a token, if the credential needs one, and logs where the token endpoint refuses the credential.
async fn check_token(authorization: &Authorization, url: &Url) -> Result<(), Error> {
    let Some(tokens) = authorization.tokens() else {
        return Ok(());
    };
    match tokens.get().await {
        Ok(_) => {
            acceptance::accepted(authorization, Authority::Tokens);
            Ok(())
        }
        Err(error) => {
            if error.kind == TokenErrorKind::Refused {
                acceptance::refused(authorization, Authority::Tokens, &error.to_string());
            }
            Err(no_token(&authorization.named(), url, &error))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CredentialFields, IntegrationFields};

    fn integration(host: &str, credentials: &[(&str, Option<&[&str]>)]) -> IntegrationConfig {
        let fields = credentials
            .iter()
            .map(|(token, organizations)| CredentialFields {
                organizations: organizations.map(|o| o.iter().map(ToString::to_string).collect()),
                personal_access_token: Some((*token).to_owned()),
                ..CredentialFields::default()
            });
        IntegrationConfig::read(IntegrationFields {
            host: Some(host.to_owned()),
            credentials: Some(fields.collect()),
            ..IntegrationFields::default()
        })
        .unwrap_or_else(|error| unreachable!("{error}"))
    }

    fn chosen(integrations: &[IntegrationConfig], url: &str) -> Option<String> {
        use crate::config::CredentialKind::PersonalAccessToken;
        use secrecy::ExposeSecret;

        let url = Url::parse(url).ok()?;
        match Credentials::from_integrations(integrations).for_url(&url) {
            Selection::Configured(placed) => match &placed.credential.kind {
                PersonalAccessToken { token } => Some(token.expose_secret().to_owned()),
                _ => None,
            },
            _ => None,
        }
    }

    fn place(integrations: &[IntegrationConfig], url: &str) -> Option<String> {
        let url = Url::parse(url).ok()?;
        match Credentials::from_integrations(integrations).for_url(&url) {
            Selection::Configured(placed) => Some(placed.place.to_string()),
            _ => None,
        }
    }

    #[test]
    fn a_credential_is_called_by_its_place_in_the_app_config() {
        let listed: [(&str, Option<&[&str]>); 2] = [("any", None), ("mine", Some(&["mine"]))];
        let mut azure = integration(AZURE_HOST, &listed);
        azure.place = Some("integrations.azure[3]".to_owned());
        let url = "https://dev.azure.com/mine/p/_git/r";
        let expected = "integrations.azure[3].credentials[1]";
        assert_eq!(place(&[azure], url).as_deref(), Some(expected));
        let made_elsewhere = integration(AZURE_HOST, &listed);
        let expected = "dev.azure.com, credentials[1]";
        assert_eq!(place(&[made_elsewhere], url).as_deref(), Some(expected));
    }

    #[test]
    fn an_organizations_own_credential_comes_before_the_hosts() {
        let azure = [integration(
            AZURE_HOST,
            &[("any", None), ("mine", Some(&["My Org"]))],
        )];
        for (url, expected) in [
            ("https://dev.azure.com/my%20org/p/_git/r", "mine"),
            ("https://dev.azure.com/MY%20ORG/p/_git/r", "mine"),
            ("https://dev.azure.com/other/p/_git/r", "any"),
        ] {
            assert_eq!(chosen(&azure, url).as_deref(), Some(expected), "{url}");
        }
    }

    #[test]
    fn a_collection_is_found_with_and_without_tfs() {
        let server = [integration("server:8080", &[("coll", Some(&["Coll"]))])];
        for path in ["Coll/p", "tfs/coll/p", "TFS/Coll/p", "tfs%2FColl/p"] {
            let url = format!("http://server:8080/{path}/_git/r");
            assert_eq!(chosen(&server, &url).as_deref(), Some("coll"), "{url}");
        }
        assert_eq!(chosen(&server, "http://server:8080/tfs/other/p"), None);
    }

    #[test]
    fn the_old_hosts_are_served_by_their_organizations_credential() {
        let azure = [integration(
            AZURE_HOST,
            &[("any", None), ("org", Some(&["Org"]))],
        )];
        assert_eq!(
            chosen(&azure, "https://org.visualstudio.com/p/_git/r").as_deref(),
            Some("org")
        );
        assert_eq!(
            chosen(&azure, "https://other.visualstudio.com/p/_git/r"),
            None
        );
    }

    #[test]
    fn a_host_below_an_organizations_is_not_the_organizations() {
        let azure = [integration(AZURE_HOST, &[("org", Some(&["Org"]))])];
        let url = "https://org.other.visualstudio.com/p/_git/r";
        assert_eq!(chosen(&azure, url), None);
    }

    #[test]
    fn an_encoded_slash_does_not_end_the_name_of_an_organization() {
        let azure = [integration(AZURE_HOST, &[("org", Some(&["org"]))])];
        for path in ["org%2Fother/p", "%2Forg/p"] {
            let url = format!("https://dev.azure.com/{path}");
            assert_eq!(chosen(&azure, &url), None, "{url}");
        }
    }

    #[test]
    fn the_old_hosts_own_credential_comes_before_dev_azure_com_s() {
        let both = [
            integration(AZURE_HOST, &[("new", Some(&["org"]))]),
            integration("org.visualstudio.com", &[("old", Some(&["org"]))]),
        ];
        let url = "https://org.visualstudio.com/p/_git/r";
        assert_eq!(chosen(&both, url).as_deref(), Some("old"));
    }

    #[test]
    fn the_exact_name_wins_over_one_that_differs_by_case() {
        let azure = [integration(
            AZURE_HOST,
            &[("upper", Some(&["ORG"])), ("lower", Some(&["org"]))],
        )];
        assert_eq!(
            chosen(&azure, "https://dev.azure.com/ORG/p").as_deref(),
            Some("upper")
        );
        assert_eq!(
            chosen(&azure, "https://dev.azure.com/org/p").as_deref(),
            Some("lower")
        );
    }
}
