//! What the REST API says of identities, projects, repositories, refs and trees, as far as it is used.

use serde::{Deserialize, de::DeserializeOwned};

use super::{
    items::{InvalidAnswer, content},
    json::{Values, json},
};
use crate::http::Answer;

/// Who is signed in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConnectionData {
    /// The name that is displayed.
    pub name: Option<String>,
    /// The account, such as a mail address.
    pub account: Option<String>,
    /// The id of the identity.
    pub id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedConnectionData {
    authenticated_user: ListedIdentity,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedIdentity {
    id: Option<String>,
    provider_display_name: Option<String>,
    custom_display_name: Option<String>,
    #[serde(default)]
    properties: Properties,
}

#[derive(Default, Deserialize)]
struct Properties {
    #[serde(rename = "Account")]
    account: Option<Property>,
}

#[derive(Deserialize)]
struct Property {
    #[serde(rename = "$value")]
    value: Option<String>,
}

/// A project.
#[derive(Clone, Debug, Deserialize)]
pub struct Project {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
}

/// A repository.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/repositories/list#gitrepository>
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Repository {
    /// Its name.
    pub name: String,
    /// As `refs/heads/main`; `None` where the repository is empty.
    pub default_branch: Option<String>,
    /// Whether it is switched off: then nothing in it can be read.
    #[serde(default)]
    pub is_disabled: bool,
}

/// A branch or tag.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Ref {
    /// As `refs/heads/main`.
    pub name: String,
}

/// What is in a tree.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/trees/get#gittreeentryref>
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TreeEntry {
    /// The id of the blob, tree or commit.
    pub object_id: String,
    /// Its path from the tree.
    pub relative_path: String,
    /// As git has it: `100644`.
    #[serde(default)]
    pub mode: String,
    /// `blob`, `tree`, or `commit` for a submodule.
    pub git_object_type: String,
    /// Of a blob, in bytes.
    #[serde(default)]
    pub size: u64,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListedTree {
    tree_entries: Vec<TreeEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ResourceLocation {
    #[serde(default)]
    resource_name: String,
    #[serde(default)]
    released_version: String,
}

/// Reads who is signed in.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn connection_data(answer: Answer) -> Result<ConnectionData, InvalidAnswer> {
    let data: ListedConnectionData = read(answer, "who is signed in").await?;
    let user = data.authenticated_user;
    let account = user.properties.account.and_then(|account| account.value);
    Ok(ConnectionData {
        name: user.custom_display_name.or(user.provider_display_name),
        account,
        id: user.id,
    })
}

/// Reads projects.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn projects(answer: Answer) -> Result<Vec<Project>, InvalidAnswer> {
    values(answer, "projects").await
}

/// Reads repositories.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn repositories(answer: Answer) -> Result<Vec<Repository>, InvalidAnswer> {
    values(answer, "repositories").await
}

/// Reads one repository.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn repository(answer: Answer) -> Result<Repository, InvalidAnswer> {
    read(answer, "a repository").await
}

/// Reads branches or tags.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn refs(answer: Answer) -> Result<Vec<Ref>, InvalidAnswer> {
    values(answer, "refs").await
}

/// Reads what is in a tree.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn tree_entries(answer: Answer) -> Result<Vec<TreeEntry>, InvalidAnswer> {
    let tree: ListedTree = read(answer, "a tree").await?;
    Ok(tree.tree_entries)
}

/// Reads the newest released version of the Git API; `None` where it is not told.
///
/// # Errors
/// The answer is truncated, or not one of the REST API.
pub async fn git_version(answer: Answer) -> Result<Option<String>, InvalidAnswer> {
    let resources: Vec<ResourceLocation> = values(answer, "resources").await?;
    let items = resources
        .into_iter()
        .find(|resource| resource.resource_name.eq_ignore_ascii_case("items"));
    let version = items.map(|items| items.released_version);
    Ok(version.filter(|version| !version.is_empty()))
}

async fn values<T: DeserializeOwned>(
    answer: Answer,
    what: &'static str,
) -> Result<Vec<T>, InvalidAnswer> {
    let values: Values<Vec<T>> = read(answer, what).await?;
    Ok(values.value)
}

async fn read<T: DeserializeOwned>(answer: Answer, what: &'static str) -> Result<T, InvalidAnswer> {
    let content = content(answer, what).await?;
    json(&content).map_err(|_| InvalidAnswer(format!("the response does not say {what}")))
}
