//! [`GitApi`]: typed calls of the Git REST API.

use std::sync::Arc;

use reqwest::Method;
use serde::Serialize;

use super::{
    call::{Call, Caller, Content, get, post},
    conditions::Conditions,
};
use crate::{
    config::Retry,
    credentials::Authorization,
    error::Error,
    http::{Client, Request},
    url::{AzureUrl, SafeUrl},
};

/// The Git REST API of one repository, as one principal calls it.
///
/// Each method makes a [`Call`], which is sent when [`Call::send`] is awaited: so the URL of a call is
/// known before it is sent, to look for its answer in a cache, and after it failed, to say what was asked.
#[derive(Clone, Debug)]
pub struct GitApi {
    caller: Caller,
    url: Arc<AzureUrl>,
}

impl GitApi {
    /// The API of the repository that a URL names, at the version and path that it names.
    ///
    /// # Errors
    /// The HTTP client could not be set up.
    pub fn new(url: AzureUrl, authorization: Authorization, retry: Retry) -> Result<Self, Error> {
        let caller = Caller::new(authorization, retry)?;
        let url = Arc::new(url);
        Ok(Self { caller, url })
    }

    /// The same repository at another path or version.
    #[must_use]
    pub fn at(&self, url: AzureUrl) -> Self {
        Self {
            caller: self.caller.clone(),
            url: Arc::new(url),
        }
    }

    /// The same, with another policy of retries.
    #[must_use]
    pub fn with_retry(&self, retry: Retry) -> Self {
        Self {
            caller: self.caller.with_retry(retry),
            url: Arc::clone(&self.url),
        }
    }

    /// What authorizes the calls.
    #[must_use]
    pub fn authorization(&self) -> &Authorization {
        self.caller.authorization()
    }

    /// How often and for how long a call is retried.
    #[must_use]
    pub fn retry(&self) -> &Retry {
        self.caller.retry()
    }

    /// The repository, path and version.
    #[must_use]
    pub const fn url(&self) -> &Arc<AzureUrl> {
        &self.url
    }

    /// Asks a caller-supplied call to be sent again where its answer broke off.
    #[must_use]
    pub const fn client(&self) -> &'static Client {
        self.caller.client()
    }

    /// The content of the file at the path.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get>
    ///
    /// # Errors
    /// The URL names no path.
    pub fn file(&self, conditions: &Conditions) -> Result<Call, Error> {
        Ok(self.file_at(self.url.to_file_url()?.into(), conditions))
    }

    /// The content of the file of the repository that has this REST URL.
    #[must_use]
    pub fn file_at(&self, url: SafeUrl, conditions: &Conditions) -> Call {
        let request = Request {
            operation: "file",
            method: Method::GET,
            url,
            headers: conditions.headers(),
            body: None,
        };
        self.call(request, Content::Streamed)
    }

    /// The newest commit of the version, as a list of one.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn newest_commit(&self) -> Result<Call, Error> {
        let url = self.url.to_newest_commit_url()?;
        let request = get("commit", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    /// A zip of the repository, or of the folder at the path.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn archive(&self) -> Result<Call, Error> {
        let url = self.url.to_archive_url()?;
        let request = get("archive", url.into(), "application/zip");
        Ok(self.call(request, Content::Streamed))
    }

    /// A zip with the modes of files; `None` where the host does not know how to make one.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn archive_with_modes(&self) -> Result<Option<Call>, Error> {
        let url = self.url.to_archive_url_with_modes()?;
        Ok(url.map(|url| {
            let request = get("archive", url.into(), "application/zip");
            self.call(request, Content::Streamed)
        }))
    }

    /// All files and folders below a folder.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn list(&self, folder: &str) -> Result<Call, Error> {
        let url = self.url.to_list_url(folder)?;
        let request = get("list", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    /// What describes the item at a path, as a list of one.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn item(&self, path: &str) -> Result<Call, Error> {
        let url = self.url.to_item_url(path)?;
        let request = get("list", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    /// What is directly in each of these folders at a commit; at most [`super::MOST_FOLDERS`] of them.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get-items-batch>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn folders(&self, commit: &str, folders: &[String]) -> Result<Call, Error> {
        let descriptors = folders.iter().map(|folder| ItemDescriptor {
            path: folder,
            version: commit,
            version_type: "commit",
            version_options: "none",
            recursion_level: "oneLevel",
        });
        let body = ItemsRequest {
            item_descriptors: descriptors.collect(),
        };
        let url = self.url.to_folders_url()?;
        let request = post("folders", url.into(), "application/json", &body);
        Ok(self.call(request, Content::Buffered))
    }

    /// The content of the blob with this id.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/blobs/get-blob>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn blob(&self, id: &str) -> Result<Call, Error> {
        let url = self.url.to_blobs_url(Some(id))?;
        let request = get("blob", url.into(), "application/octet-stream");
        Ok(self.call(request, Content::Streamed))
    }

    /// The blobs with these ids in a zip.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/blobs/get-blobs-zip>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn blobs(&self, ids: &[String]) -> Result<Call, Error> {
        let url = self.url.to_blobs_url(None)?;
        let request = post("blobs", url.into(), "application/zip", &ids);
        Ok(self.call(request, Content::Streamed))
    }

    /// The repository itself.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/repositories/get-repository>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn repository(&self) -> Result<Call, Error> {
        let url = self.url.to_repository_url()?;
        let request = get("repository", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    /// The branches and tags whose names begin so, as `heads/` or `tags/v1`.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/refs/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn refs(&self, filter: &str) -> Result<Call, Error> {
        let url = self.url.to_refs_url(filter)?;
        let request = get("refs", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    /// What is directly in a folder, after the folder itself.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn folder(&self, folder: &str) -> Result<Call, Error> {
        let url = self.url.to_folder_url(folder)?;
        let request = get("list", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    /// What is in the tree with this id, and in its folders too where it is `deep`.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/trees/get>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn tree(&self, id: &str, deep: bool) -> Result<Call, Error> {
        let url = self.url.to_tree_url(id, deep)?;
        let request = get("tree", url.into(), "application/json");
        Ok(self.call(request, Content::Buffered))
    }

    fn call(&self, request: Request, content: Content) -> Call {
        self.caller.call(request, content)
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemsRequest<'a> {
    item_descriptors: Vec<ItemDescriptor<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ItemDescriptor<'a> {
    path: &'a str,
    version: &'a str,
    version_type: &'a str,
    version_options: &'a str,
    recursion_level: &'a str,
}
