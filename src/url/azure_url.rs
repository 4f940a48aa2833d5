//! [`AzureUrl`]: a repository, or a path in it, at a version; and the REST URLs that read it.
//!
//! Everything follows the WHATWG URL standard, as JavaScript's `URL` and `URLSearchParams` do, so
//! that a branch URL becomes byte for byte what `@backstage/integration` makes of it since 2.1.3.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use url::{Url, quirks};

use super::{
    host::{AZURE_HOST, is_services_host, is_visual_studio, origin},
    parse::{decode_component, is_object_id, parameter, parse},
};
use crate::error::Error;

/// The collection that every organization of the older hosts has, and that their URLs may leave out.
const OLDER_COLLECTION: &str = "DefaultCollection";

/// The path under which an Azure DevOps Server has its collections, unless it was set up otherwise.
pub(super) const VIRTUAL_DIRECTORY: &str = "tfs";

/// The REST API version of every request; Azure DevOps Server knows it since 2020.
pub(super) const API_VERSION: &str = "6.0";

/// The names under which the REST API takes a version, less what follows the dot; for commits another.
const VERSION: &str = "versionDescriptor";

const VERSION_OF_COMMITS: &str = "searchCriteria.itemVersion";

/// The first version of the REST API whose zips can have the modes of files.
const API_VERSION_WITH_MODES: &str = "7.2-preview.1";

/// The most branches or tags that a list of them has.
const MOST_REFS: &str = "1000";

/// What JavaScript's `encodeURIComponent` escapes.
const COMPONENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');

/// The kind of Git version that a URL's `version` parameter names.
///
/// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get#gitversiontype>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum VersionType {
    /// `GB`: the tip of a branch; what the REST API takes a version for that has no type.
    Branch,
    /// `GT`: what a tag points at.
    Tag,
    /// `GC`: one commit.
    Commit,
}

impl VersionType {
    /// The two letters before the name in a web URL's `version` parameter.
    #[must_use]
    pub const fn prefix(self) -> &'static str {
        match self {
            Self::Branch => "GB",
            Self::Tag => "GT",
            Self::Commit => "GC",
        }
    }

    /// The REST API's word for it.
    #[must_use]
    pub const fn descriptor(self) -> &'static str {
        match self {
            Self::Branch => "branch",
            Self::Tag => "tag",
            Self::Commit => "commit",
        }
    }
}

/// A version as a URL names it: its type and the name of the branch or tag, or the commit's id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// How the name is to be read.
    pub version_type: VersionType,
    /// The name, decoded; empty where the URL has only a prefix.
    pub name: String,
}

impl Version {
    /// The commit whose page a URL names.
    fn commit(id: String) -> Result<Self, Error> {
        if !is_object_id(&id) {
            return Err(Error::other(format!(
                "Azure URL of a commit must have its id in full, 40 or 64 hex digits, but has {id:?}"
            )));
        }
        Ok(Self {
            version_type: VersionType::Commit,
            name: id,
        })
    }

    fn parse(version: &str) -> Result<Self, Error> {
        [VersionType::Branch, VersionType::Tag, VersionType::Commit]
            .into_iter()
            .find_map(|version_type| {
                let name = version.strip_prefix(version_type.prefix())?.to_owned();
                Some(Self { version_type, name })
            })
            // Without its id a commit would be read as the default branch.
            .filter(|own| own.version_type != VersionType::Commit || !own.name.is_empty())
            .ok_or_else(|| Error::other("Azure URL version must point to a git branch or git tag"))
    }
}

/// A repository of Azure DevOps, or a path in it, as its web URL names it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AzureUrl {
    origin: String,
    owner: String,
    project: String,
    repo: String,
    path: Option<String>,
    version: Option<Version>,
}

impl AzureUrl {
    /// Reads a URL as copied from the browser's address bar.
    ///
    /// Takes `{org}/{project}/_git/{repo}`, `{org}/_git/{repo}`, the same under `/tfs/`,
    /// `{org}.visualstudio.com/{project}/_git/{repo}`, and where the project has the repository's
    /// name `{org}.visualstudio.com/_git/{repo}`, with or without `DefaultCollection`; each with
    /// `path` and `version` parameters, or with `/commit/{id}` and a `path`.
    ///
    /// # Errors
    /// The text is no URL, has an escape that does not decode, names no repository, a version that is
    /// neither a branch nor a tag nor a commit's id, or the page of a commit without its id in full.
    pub fn from_repo_url(repo_url: &str) -> Result<Self, Error> {
        Self::of(&parse(repo_url)?)
    }

    /// Reads a URL as [`Self::from_repo_url`] does, where it is parsed already.
    ///
    /// # Errors
    /// Those of [`Self::from_repo_url`], but that the text is no URL.
    pub fn of(url: &Url) -> Result<Self, Error> {
        let Place {
            owner,
            project,
            repo,
            commit,
            ..
        } = Place::of(url)?;
        let path = parameter(url, "path");
        let version = match commit {
            Some(id) => Some(Version::commit(id)?),
            None => parameter(url, "version")
                .filter(|version| !version.is_empty())
                .map(|version| Version::parse(&version))
                .transpose()?,
        };
        Ok(Self {
            origin: origin(url),
            owner,
            project,
            repo,
            path,
            version,
        })
    }

    /// The scheme and the host.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The organization, or the collection (`tfs/{collection}` below `/tfs/`).
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }

    /// The project's name, decoded.
    #[must_use]
    pub fn project(&self) -> &str {
        &self.project
    }

    /// The repository's name, decoded.
    #[must_use]
    pub fn repo(&self) -> &str {
        &self.repo
    }

    /// The `path` parameter, decoded.
    #[must_use]
    pub fn path(&self) -> Option<&str> {
        self.path.as_deref()
    }

    /// The `version` parameter.
    #[must_use]
    pub const fn version(&self) -> Option<&Version> {
        self.version.as_ref()
    }

    /// The URL under which a browser shows this.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_repo_url(&self) -> Result<Url, Error> {
        let mut url = if is_visual_studio(&self.origin) {
            self.base(&[&self.project, "_git", &self.repo])?
        } else if self.project == self.repo {
            self.base(&[&self.owner, "_git", &self.repo])?
        } else {
            self.base(&[&self.owner, &self.project, "_git", &self.repo])?
        };
        if let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) {
            url.query_pairs_mut().append_pair("path", path);
        }
        if let Some(version) = self.named_version() {
            let value = format!("{}{}", version.version_type.prefix(), version.name);
            url.query_pairs_mut().append_pair("version", &value);
        }
        Ok(url)
    }

    /// The REST URL of the file's content.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get>
    ///
    /// # Errors
    /// The URL names no path, or its origin is not one of the web's.
    pub fn to_file_url(&self) -> Result<Url, Error> {
        let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) else {
            return Err(Error::other(
                "Azure URL must point to a specific path to be able to download a file",
            ));
        };
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION)
            .append_pair("path", path);
        self.append_version(&mut url, VERSION);
        Ok(url)
    }

    /// The REST URL of a zip of the repository, or of the folder that the path names.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_archive_url(&self) -> Result<Url, Error> {
        self.to_zip_url(&[("api-version", API_VERSION)])
    }

    /// The REST URL of a zip with the files' modes; `None` on an Azure DevOps Server, which does not
    /// know how to make one.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_archive_url_with_modes(&self) -> Result<Option<Url>, Error> {
        let origin = parse(&self.origin)?;
        if !is_services_host(quirks::host(&origin)) {
            return Ok(None);
        }
        let version = ("api-version", API_VERSION_WITH_MODES);
        self.to_zip_url(&[version, ("zipForUnix", "true")])
            .map(Some)
    }

    fn to_zip_url(&self, version: &[(&str, &str)]) -> Result<Url, Error> {
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("recursionLevel", "full")
            .append_pair("download", "true")
            .extend_pairs(version);
        if let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) {
            url.query_pairs_mut().append_pair("scopePath", path);
        }
        self.append_version(&mut url, VERSION);
        Ok(url)
    }

    /// The REST URL of a list of everything below a folder.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_list_url(&self, folder: &str) -> Result<Url, Error> {
        self.to_items_url("full", folder)
    }

    /// The REST URL of what describes an item, as a list of one.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_item_url(&self, path: &str) -> Result<Url, Error> {
        self.to_items_url("none", path)
    }

    fn to_items_url(&self, recursion: &str, path: &str) -> Result<Url, Error> {
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("recursionLevel", recursion)
            .append_pair("api-version", API_VERSION)
            .append_pair("scopePath", path);
        self.append_version(&mut url, VERSION);
        Ok(url)
    }

    /// The REST URL of lists of what is directly in each of many folders.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get-items-batch>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_folders_url(&self) -> Result<Url, Error> {
        let mut url = self.resource("itemsbatch")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        Ok(url)
    }

    /// The REST URL of one blob, or of many in a zip.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/blobs>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_blobs_url(&self, id: Option<&str>) -> Result<Url, Error> {
        let mut url = self.resource("blobs")?;
        if let (Some(id), Ok(mut path)) = (id, url.path_segments_mut()) {
            path.push(id);
        }
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        Ok(url)
    }

    /// The REST URL of the repository itself.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/repositories/get-repository>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_repository_url(&self) -> Result<Url, Error> {
        let mut url = self.repository(&[])?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        Ok(url)
    }

    /// The REST URL of the branches and tags whose names begin so, as `heads/` or `tags/v1`.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/refs/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_refs_url(&self, filter: &str) -> Result<Url, Error> {
        let mut url = self.resource("refs")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION)
            .append_pair("filter", filter)
            .append_pair("$top", MOST_REFS);
        Ok(url)
    }

    /// The REST URL of what is in a tree, by its id; with what is in its folders too where it is `deep`.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/trees/get>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_tree_url(&self, id: &str, deep: bool) -> Result<Url, Error> {
        let mut url = self.repository(&["trees", id])?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        if deep {
            url.query_pairs_mut().append_pair("recursive", "true");
        }
        Ok(url)
    }

    /// The REST URL of a list of what is directly in a folder.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_folder_url(&self, folder: &str) -> Result<Url, Error> {
        self.to_items_url("oneLevel", folder)
    }

    /// The same repository and path at a commit.
    #[must_use]
    pub fn at_commit(&self, id: &str) -> Self {
        Self {
            version: Some(Version {
                version_type: VersionType::Commit,
                name: id.to_owned(),
            }),
            ..self.clone()
        }
    }

    /// The same repository and version at another path.
    #[must_use]
    pub fn at_path(&self, path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self.clone()
        }
    }

    /// The REST URL of the version's commits, newest first.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/commits/get-commits>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_commits_url(&self) -> Result<Url, Error> {
        let mut url = self.resource("commits")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        self.append_version(&mut url, VERSION_OF_COMMITS);
        Ok(url)
    }

    /// The REST URL of the version's newest commit, as a list of one.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_newest_commit_url(&self) -> Result<Url, Error> {
        let mut url = self.to_commits_url()?;
        url.query_pairs_mut()
            .append_pair("searchCriteria.$top", "1");
        Ok(url)
    }

    /// The `version` parameter, where it names one and is not a prefix alone: then the default branch is read.
    #[must_use]
    pub fn named_version(&self) -> Option<&Version> {
        self.version
            .as_ref()
            .filter(|version| !version.name.is_empty())
    }

    /// Names the version and its type.
    fn append_version(&self, url: &mut Url, descriptor: &str) {
        let Some(version) = self.named_version() else {
            return;
        };
        url.query_pairs_mut()
            .append_pair(&format!("{descriptor}.version"), &version.name)
            .append_pair(
                &format!("{descriptor}.versionType"),
                version.version_type.descriptor(),
            );
    }

    fn resource(&self, name: &str) -> Result<Url, Error> {
        self.repository(&[name])
    }

    fn repository(&self, parts: &[&str]) -> Result<Url, Error> {
        let repository = [&self.project, "_apis", "git", "repositories", &self.repo];
        let owner = (!is_visual_studio(&self.origin)).then_some(self.owner.as_str());
        let all: Vec<&str> = owner
            .into_iter()
            .chain(repository)
            .chain(parts.iter().copied())
            .collect();
        self.base(&all)
    }

    fn base(&self, parts: &[&str]) -> Result<Url, Error> {
        rest_url(&self.origin, parts)
    }
}

/// A URL at an origin, each part of its path encoded as one segment.
pub(super) fn rest_url(origin: &str, parts: &[&str]) -> Result<Url, Error> {
    // Room for what the caller appends, too.
    let mut url = String::with_capacity(256);
    url.push_str(origin);
    for part in parts {
        url.push('/');
        url.extend(utf8_percent_encode(part, COMPONENT));
    }
    parse(&url)
}

/// Where a web URL says that a repository is.
pub(super) struct Place {
    owner: String,
    project: String,
    repo: String,
    /// The commit whose page it is.
    pub(super) commit: Option<String>,
    /// Whether Backstage's own integration reads the URL as one of a repository.
    pub(super) is_backstages: bool,
}

impl Place {
    /// Reads owner, project and repository from where `_git` stands in the path.
    pub(super) fn of(url: &Url) -> Result<Self, Error> {
        let parts: Vec<Cow<'_, str>> = url
            .path()
            .split('/')
            .map(decode_component)
            .collect::<Result<_, _>>()?;
        let named = |index: usize| parts.get(index).map_or("", Cow::as_ref);
        let part = |index: usize| named(index).to_owned();
        let is_git = |index: usize| named(index) == "_git";
        let is = |index: usize, name: &str| named(index).eq_ignore_ascii_case(name);
        let is_older = is_visual_studio(&origin(url));
        let is_servers = !is_older && url.host_str() != Some(AZURE_HOST);
        let organization = || {
            let host = quirks::host(url).split('.').next();
            host.unwrap_or_default().to_owned()
        };
        // `git` is where `_git` stands; what is before it names the project, unless it is left out
        // because the repository has its name.
        let (git, owner, project) = if is_older && is_git(2) {
            let is_collection = is(1, OLDER_COLLECTION);
            (2, organization(), part(if is_collection { 3 } else { 1 }))
        } else if is_git(2) {
            (2, part(1), part(3))
        } else if is_servers && is_git(3) && is(1, VIRTUAL_DIRECTORY) && !is(2, "") {
            (3, format!("{}/{}", part(1), part(2)), part(4))
        } else if is_git(3) {
            (3, part(1), part(2))
        } else if is_git(4) {
            (4, format!("{}/{}", part(1), part(2)), part(3))
        } else if is_older && is_git(1) {
            (1, organization(), part(2))
        } else {
            Default::default()
        };
        let repo = part(git + 1);
        if owner.is_empty() || project.is_empty() || repo.is_empty() {
            return Err(Error::other("Azure URL must point to a git repository"));
        }
        let is_commits = parts
            .get(git + 2)
            .is_some_and(|page| page.eq_ignore_ascii_case("commit"));
        Ok(Self {
            owner,
            project,
            repo,
            commit: is_commits.then(|| part(git + 3)),
            is_backstages: git > 1,
        })
    }
}
