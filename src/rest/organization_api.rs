//! [`OrganizationApi`]: typed calls about an organization, its projects, and their repositories.

use reqwest::Method;

use super::call::{Call, Caller, Content, get};
use crate::{
    config::Retry,
    credentials::Authorization,
    error::Error,
    http::Request,
    url::{OrganizationUrl, SafeUrl},
};

/// The REST API of an organization or collection, as one principal calls it.
#[derive(Clone, Debug)]
pub struct OrganizationApi {
    caller: Caller,
    url: OrganizationUrl,
}

impl OrganizationApi {
    /// The API of an organization.
    ///
    /// # Errors
    /// The HTTP client could not be set up.
    pub fn new(
        url: OrganizationUrl,
        authorization: Authorization,
        retry: Retry,
    ) -> Result<Self, Error> {
        let caller = Caller::new(authorization, retry)?;
        Ok(Self { caller, url })
    }

    /// What authorizes the calls.
    #[must_use]
    pub fn authorization(&self) -> &Authorization {
        self.caller.authorization()
    }

    /// Who is signed in.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn connection_data(&self) -> Result<Call, Error> {
        let url = self.url.to_connection_data_url()?;
        Ok(self.json("connectionData", url.into()))
    }

    /// The first page of the projects that the principal sees.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/core/projects/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn projects(&self) -> Result<Call, Error> {
        let url = self.url.to_projects_url()?;
        Ok(self.json("projects", url.into()))
    }

    /// One project, by its name or id.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/core/projects/get>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn project(&self, name: &str) -> Result<Call, Error> {
        let url = self.url.to_project_url(name)?;
        Ok(self.json("project", url.into()))
    }

    /// The repositories of a project that the principal sees.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/repositories/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn repositories(&self, project: &str) -> Result<Call, Error> {
        let url = self.url.to_repositories_url(project)?;
        Ok(self.json("repositories", url.into()))
    }

    /// Which versions the Git API is there in.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn git_resources(&self) -> Result<Call, Error> {
        let url = self.url.to_git_resources_url()?;
        let request = Request {
            method: Method::OPTIONS,
            ..get("versions", url.into(), "application/json")
        };
        Ok(self.caller.call(request, Content::Buffered))
    }

    fn json(&self, operation: &'static str, url: SafeUrl) -> Call {
        let request = get(operation, url, "application/json");
        self.caller.call(request, Content::Buffered)
    }
}
