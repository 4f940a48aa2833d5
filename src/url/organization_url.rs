//! [`OrganizationUrl`]: an organization of Azure DevOps, or a collection of a server; and the REST URLs in it.

use url::{Url, quirks};

use super::{
    azure_url::{API_VERSION, AzureUrl, VIRTUAL_DIRECTORY, rest_url},
    host::is_visual_studio,
    parse::parse,
    scope::organization_of,
};
use crate::error::Error;

/// An organization of Azure DevOps Services, or a collection of a server.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OrganizationUrl {
    origin: String,
    /// What stands in the path before the project; nothing on the older hosts, which have the name themselves.
    owner: Option<String>,
}

impl OrganizationUrl {
    /// The one that a repository is in.
    #[must_use]
    pub fn of(url: &AzureUrl) -> Self {
        Self::new(url.origin(), url.owner())
    }

    /// The one with this name, or with this path (`tfs/{collection}`), at an origin.
    #[must_use]
    pub fn new(origin: &str, name: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            owner: (!is_visual_studio(origin)).then(|| name.to_owned()),
        }
    }

    /// A host itself, above all organizations.
    #[must_use]
    pub fn of_host(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            owner: None,
        }
    }

    /// The collection of this name below the path under which a server has its collections, unless it was set
    /// up otherwise.
    #[must_use]
    pub fn below_virtual_directory(&self) -> Self {
        let owner = self.owner.as_ref();
        Self {
            origin: self.origin.clone(),
            owner: owner.map(|owner| format!("{VIRTUAL_DIRECTORY}/{owner}")),
        }
    }

    /// Its host, with the port.
    #[must_use]
    pub fn host(&self) -> String {
        let url = parse(&self.origin);
        url.map_or_else(|_| String::new(), |url| quirks::host(&url).to_owned())
    }

    /// Its name, without a server's virtual directory.
    #[must_use]
    pub fn name(&self) -> String {
        let url = self.to_url().ok();
        url.and_then(|url| organization_of(&url))
            .unwrap_or_default()
    }

    /// What is the same for every spelling of it at an origin: names match without regard to case, and with
    /// and without a server's virtual directory.
    #[must_use]
    pub fn key(&self) -> (String, String) {
        (self.origin.clone(), self.name().to_lowercase())
    }

    /// Its web URL.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_url(&self) -> Result<Url, Error> {
        self.resource(&[])
    }

    /// The REST URL of who is signed in.
    ///
    /// The page of it is gone; Microsoft's own client signs in with it:
    /// <https://github.com/microsoft/azure-devops-node-api/blob/master/api/WebApi.ts>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_connection_data_url(&self) -> Result<Url, Error> {
        self.resource(&["_apis", "connectionData"])
    }

    /// The REST URL of the projects, as many as a page has.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/core/projects/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_projects_url(&self) -> Result<Url, Error> {
        self.versioned(&["_apis", "projects"])
    }

    /// The REST URL of one project.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/core/projects/get>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_project_url(&self, project: &str) -> Result<Url, Error> {
        self.versioned(&["_apis", "projects", project])
    }

    /// The REST URL of the repositories of a project.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/repositories/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_repositories_url(&self, project: &str) -> Result<Url, Error> {
        self.versioned(&[project, "_apis", "git", "repositories"])
    }

    /// The REST URL of where the Git API is, and in which versions.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_git_resources_url(&self) -> Result<Url, Error> {
        self.resource(&["_apis", "git"])
    }

    fn versioned(&self, parts: &[&str]) -> Result<Url, Error> {
        let mut url = self.resource(parts)?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        Ok(url)
    }

    fn resource(&self, parts: &[&str]) -> Result<Url, Error> {
        let owner = self.owner.as_deref();
        let parts: Vec<&str> = owner.into_iter().chain(parts.iter().copied()).collect();
        rest_url(&self.origin, &parts)
    }
}
