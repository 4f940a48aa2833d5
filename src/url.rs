//! Repository URLs of Azure DevOps and the REST URLs that read them.
//!
//! Everything follows the WHATWG URL standard, as JavaScript's `URL` and `URLSearchParams` do, so
//! that a branch URL becomes byte for byte what `@backstage/integration` makes of it.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Url, quirks};

use crate::{
    error::{Error, ErrorKind},
    pattern::literal_folder,
};

/// The host of Azure DevOps Services.
pub const AZURE_HOST: &str = "dev.azure.com";

/// The REST API version of every request; Azure DevOps Server knows it since 2020.
const API_VERSION: &str = "6.0";

/// The first version of the REST API whose zips can have the modes of files.
const API_VERSION_WITH_MODES: &str = "7.2-preview.1";

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

    /// The REST API's word, where a version without one would be read as something else.
    const fn descriptor(self) -> Option<&'static str> {
        match self {
            Self::Branch => None,
            Self::Tag => Some("tag"),
            Self::Commit => Some("commit"),
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
    fn parse(version: &str) -> Result<Self, Error> {
        [VersionType::Branch, VersionType::Tag, VersionType::Commit]
            .into_iter()
            .find_map(|version_type| {
                let name = version.strip_prefix(version_type.prefix())?.to_owned();
                Some(Self { version_type, name })
            })
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
    /// Takes `{org}/{project}/_git/{repo}`, `{org}/_git/{repo}`, the same under `/tfs/`, and
    /// `{org}.visualstudio.com/{project}/_git/{repo}`, with `path` and `version` parameters.
    ///
    /// # Errors
    /// The text is no URL, has an escape that does not decode, names no repository, or a version
    /// that is neither a branch nor a tag nor a commit.
    pub fn from_repo_url(repo_url: &str) -> Result<Self, Error> {
        let url = parse(repo_url)?;
        let (owner, project, repo) = repository(&url)?;
        let path = parameter(&url, "path");
        let version = parameter(&url, "version")
            .filter(|version| !version.is_empty())
            .map(|version| Version::parse(&version))
            .transpose()?;
        Ok(Self {
            origin: origin(&url),
            owner,
            project,
            repo,
            path,
            version,
        })
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
    pub fn to_repo_url(&self) -> Result<String, Error> {
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
        Ok(url.into())
    }

    /// The REST URL of the file's content.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get>
    ///
    /// # Errors
    /// The URL names no path, or its origin is not one of the web's.
    pub fn to_file_url(&self) -> Result<String, Error> {
        let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) else {
            return Err(Error::other(
                "Azure URL must point to a specific path to be able to download a file",
            ));
        };
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION)
            .append_pair("path", path);
        self.append_version(&mut url, "version", "versionDescriptor.versionType");
        Ok(url.into())
    }

    /// The REST URL of a zip of the repository, or of the folder that the path names.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_archive_url(&self) -> Result<String, Error> {
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("recursionLevel", "full")
            .append_pair("download", "true")
            .append_pair("api-version", API_VERSION);
        if let Some(path) = self.path.as_deref().filter(|path| !path.is_empty()) {
            url.query_pairs_mut().append_pair("scopePath", path);
        }
        self.append_version(&mut url, "version", "versionDescriptor.versionType");
        Ok(url.into())
    }

    /// The REST URL of a zip with the files' modes, which only Azure's own hosts know; nothing of
    /// others.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_archive_url_with_modes(&self) -> Result<Option<String>, Error> {
        let plain = self.to_archive_url()?;
        let origin = parse(&self.origin)?;
        let is_azures = quirks::host(&origin) == AZURE_HOST || is_visual_studio(&self.origin);
        Ok(is_azures.then(|| {
            let newer = format!("api-version={API_VERSION_WITH_MODES}&zipForUnix=true");
            plain.replace(&format!("api-version={API_VERSION}"), &newer)
        }))
    }

    /// The REST URL of a list of everything below a folder.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_list_url(&self, folder: &str) -> Result<String, Error> {
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("recursionLevel", "full")
            .append_pair("api-version", API_VERSION)
            .append_pair("scopePath", folder);
        self.append_version(&mut url, "version", "versionDescriptor.versionType");
        Ok(url.into())
    }

    /// The REST URL of lists of what is directly in each of many folders.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/get-items-batch>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_folders_url(&self) -> Result<String, Error> {
        let mut url = self.resource("itemsbatch")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        Ok(url.into())
    }

    /// The REST URL of one blob, or of many in a zip.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/blobs>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_blobs_url(&self, id: Option<&str>) -> Result<String, Error> {
        let mut url = self.resource("blobs")?;
        if let (Some(id), Ok(mut path)) = (id, url.path_segments_mut()) {
            path.push(id);
        }
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        Ok(url.into())
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
    pub fn to_commits_url(&self) -> Result<String, Error> {
        let mut url = self.resource("commits")?;
        url.query_pairs_mut()
            .append_pair("api-version", API_VERSION);
        self.append_version(
            &mut url,
            "searchCriteria.itemVersion.version",
            "searchCriteria.itemVersion.versionType",
        );
        Ok(url.into())
    }

    fn named_version(&self) -> Option<&Version> {
        self.version
            .as_ref()
            .filter(|version| !version.name.is_empty())
    }

    /// Names the version; its type only where it is needed, so that branch URLs stay as they are.
    fn append_version(&self, url: &mut Url, name_key: &str, type_key: &str) {
        let Some(version) = self.named_version() else {
            return;
        };
        let mut query = url.query_pairs_mut();
        query.append_pair(name_key, &version.name);
        if let Some(descriptor) = version.version_type.descriptor() {
            query.append_pair(type_key, descriptor);
        }
    }

    fn resource(&self, name: &str) -> Result<Url, Error> {
        let repository = [&self.project, "_apis", "git", "repositories", &self.repo];
        let mut parts = repository.to_vec();
        if !is_visual_studio(&self.origin) {
            parts.insert(0, &self.owner);
        }
        parts.push(name);
        self.base(&parts)
    }

    fn base(&self, parts: &[&str]) -> Result<Url, Error> {
        let mut url = parse(&self.origin)?;
        let path: Vec<String> = parts
            .iter()
            .map(|part| utf8_percent_encode(part, COMPONENT).to_string())
            .collect();
        quirks::set_pathname(&mut url, &path.join("/"));
        Ok(url)
    }
}

/// The lines to which a resolved URL points: the first and the one after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The `line` parameter.
    pub start: String,
    /// The `lineEnd` parameter.
    pub end: String,
}

/// Resolves `url` as seen from the file at `base`; nothing where it is a URL already.
///
/// A path is resolved inside the repository, in the `path` parameter; `lines` are added as the web
/// page of Azure DevOps takes them. Where `base` is no repository URL, `url` is resolved as from
/// any other.
///
/// # Errors
/// Neither way gives a URL.
pub fn resolve_url(url: &str, base: &str, lines: Option<&Lines>) -> Result<Option<String>, Error> {
    if Url::parse(url).is_ok() {
        return Ok(None);
    }
    resolve_in_repository(url, base, lines)
        .or_else(|_| join(&parse(base)?, url).map(Into::into))
        .map(Some)
}

/// Resolves a reference as JavaScript's `URL` does.
///
/// That takes any number of slashes for the two before a host; the parser here takes only two.
fn join(base: &Url, reference: &str) -> Result<Url, Error> {
    let is_slash = |c| matches!(c, '/' | '\\');
    // The standard takes these out wherever they stand.
    let reference = reference.replace(['\t', '\n', '\r'], "");
    let trimmed = reference.trim_start_matches(|c| c <= ' ');
    let rest = trimmed.trim_start_matches(is_slash);
    let joined = if trimmed.len() - rest.len() > 2 && has_host(base) {
        base.join(&format!("//{rest}"))
    } else {
        base.join(&reference)
    };
    joined.map_err(|_| Error::invalid_url())
}

/// Whether the scheme is one whose URLs always have a host.
fn has_host(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https" | "ws" | "wss" | "ftp")
}

fn resolve_in_repository(url: &str, base: &str, lines: Option<&Lines>) -> Result<String, Error> {
    let azure_url = AzureUrl::from_repo_url(base)?;
    let mut resolved = parse(base)?;
    // Any host does: only the path that comes out of it is used.
    let tree = parse(&format!("https://a.com{}", azure_url.path().unwrap_or("")))?;
    let path = join(&tree, url)?;
    let mut parameters = vec![("path", path.path())];
    if let Some(lines) = lines {
        parameters.extend([
            ("line", lines.start.as_str()),
            ("lineEnd", lines.end.as_str()),
            ("lineStartColumn", "1"),
            ("lineEndColumn", "1"),
        ]);
    }
    set_parameters(&mut resolved, &parameters);
    Ok(resolved.into())
}

/// Sets query parameters as `URLSearchParams.set` does: the first of a name takes the value, the
/// others go, and a new name comes last.
fn set_parameters(url: &mut Url, parameters: &[(&str, &str)]) {
    let mut pairs: Vec<(String, String)> = url.query_pairs().into_owned().collect();
    for (name, value) in parameters {
        let mut first = true;
        pairs.retain_mut(|(key, current)| {
            if key != name {
                return true;
            }
            (*value).clone_into(current);
            std::mem::take(&mut first)
        });
        if first {
            pairs.push(((*name).to_owned(), (*value).to_owned()));
        }
    }
    url.query_pairs_mut().clear().extend_pairs(pairs);
}

/// Whether `host` is a host as a URL writes it: lower case, with a port at most.
#[must_use]
pub fn is_valid_host(host: &str) -> bool {
    let Ok(mut url) = Url::parse("http://example.com") else {
        return false;
    };
    quirks::set_host(&mut url, host).is_ok() && quirks::host(&url) == host
}

/// The host of a URL with its port, as `URL.host` gives it; nothing for what is no URL.
#[must_use]
pub fn host_of(url: &str) -> Option<String> {
    Url::parse(url)
        .ok()
        .map(|url| quirks::host(&url).to_owned())
}

/// A pattern for files, and where it is to be looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What to match paths with; no slash is before it.
    pub glob: String,
    /// The URL of the repository as a whole.
    pub whole: String,
    /// The folder in which alone there can be matches, with a slash after it; nothing for the whole
    /// repository.
    pub folder: String,
    /// The URL of that folder.
    pub within: String,
}

impl Pattern {
    /// Reads the path of a repository URL, if it is a pattern (`*` or `?`) and not the name of a
    /// file.
    #[must_use]
    pub fn of(url: &str) -> Option<Self> {
        let mut whole = Url::parse(url).ok()?;
        let mut query = whole.query_pairs();
        let (_, path) = query.find(|(key, _)| key == "path")?;
        if !path.contains(['*', '?']) {
            return None;
        }
        let glob = path.trim_start_matches('/').to_owned();
        let others: Vec<(String, String)> = whole
            .query_pairs()
            .filter(|(key, _)| key != "path")
            .map(|(key, value)| (key.into_owned(), value.into_owned()))
            .collect();
        whole.set_query(None);
        if !others.is_empty() {
            whole.query_pairs_mut().extend_pairs(others);
        }
        let folder = literal_folder(&glob);
        let mut within = whole.clone();
        if folder != "/" {
            within.query_pairs_mut().append_pair("path", &folder);
        }
        Some(Self {
            glob,
            folder: folder
                .strip_prefix('/')
                .filter(|folder| !folder.is_empty())
                .map(|folder| format!("{folder}/"))
                .unwrap_or_default(),
            whole: whole.into(),
            within: within.into(),
        })
    }
}

/// The URL as a message may show it: user information stays only where it is the organization's
/// name, as in the clone URLs that Azure DevOps shows; anything else there could be a token.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return "what is no URL".to_owned();
    };
    let user = url.username();
    let is_clone_url = url.path().split('/').nth(1) == Some(user);
    if url.password().is_none() && (user.is_empty() || is_clone_url) {
        return text.to_owned();
    }
    // Both fail only for URLs that can have no user information.
    let _ = url.set_password(None);
    let _ = url.set_username("***");
    url.into()
}

/// Whether the origin is one of the hosts that Azure DevOps had before `dev.azure.com`.
#[must_use]
pub fn is_visual_studio(origin: &str) -> bool {
    origin.ends_with(".visualstudio.com")
}

/// Decodes as JavaScript's `decodeURIComponent` does.
///
/// # Errors
/// A `%` without two hex digits after it, or bytes that are no UTF-8.
pub fn decode_component(component: &str) -> Result<String, Error> {
    let malformed = || Error::new(ErrorKind::MalformedEscape, "URI malformed");
    let complete = component
        .split('%')
        .skip(1)
        .all(|rest| rest.len() >= 2 && rest.bytes().take(2).all(|b| b.is_ascii_hexdigit()));
    if !complete {
        return Err(malformed());
    }
    percent_decode_str(component)
        .decode_utf8()
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| malformed())
}

/// The origin as `URL.origin` gives it: `null` where the scheme has none.
#[must_use]
pub fn origin(url: &Url) -> String {
    let is_web = |url: &Url| matches!(url.scheme(), "http" | "https");
    if url.scheme() == "blob" && !Url::parse(url.path()).is_ok_and(|inner| is_web(&inner)) {
        return "null".to_owned();
    }
    url.origin().ascii_serialization()
}

/// Parses a URL as JavaScript's `URL` does.
///
/// # Errors
/// The text is no URL.
pub fn parse(text: &str) -> Result<Url, Error> {
    Url::parse(text).map_err(|_| Error::invalid_url())
}

fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Owner, project and repository from where `_git` stands in the path.
fn repository(url: &Url) -> Result<(String, String, String), Error> {
    let parts: Vec<String> = url
        .path()
        .split('/')
        .map(decode_component)
        .collect::<Result<_, _>>()?;
    let part = |index: usize| parts.get(index).cloned().unwrap_or_default();
    let is_git = |index: usize| parts.get(index).is_some_and(|part| part == "_git");
    let (owner, project, repo) = if is_visual_studio(&origin(url)) && is_git(2) {
        let host = quirks::host(url);
        let organization = host.split('.').next().unwrap_or_default();
        (organization.to_owned(), part(1), part(3))
    } else if is_git(2) {
        (part(1), part(3), part(3))
    } else if is_git(3) {
        (part(1), part(2), part(4))
    } else if is_git(4) {
        (format!("{}/{}", part(1), part(2)), part(3), part(5))
    } else {
        Default::default()
    };
    if owner.is_empty() || project.is_empty() || repo.is_empty() {
        return Err(Error::other("Azure URL must point to a git repository"));
    }
    Ok((owner, project, repo))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file_url(url: &str) -> String {
        AzureUrl::from_repo_url(url)
            .and_then(|url| url.to_file_url())
            .unwrap_or_else(|error| error.to_string())
    }

    #[test]
    fn a_branch_needs_no_version_type() {
        assert_eq!(
            file_url("https://dev.azure.com/org/project/_git/repo?path=%2Fa.yaml&version=GBmain"),
            "https://dev.azure.com/org/project/_apis/git/repositories/repo/items?api-version=6.0&path=%2Fa.yaml&version=main"
        );
    }

    #[test]
    fn a_pattern_is_told_from_where_it_is_looked_for() {
        let url = "https://dev.azure.com/o/_git/r?version=GBmain&path=%2F%2Fa%2F*.yaml";
        let pattern = Pattern::of(url);
        let expected = Pattern {
            glob: "a/*.yaml".to_owned(),
            whole: "https://dev.azure.com/o/_git/r?version=GBmain".to_owned(),
            folder: "a/".to_owned(),
            within: "https://dev.azure.com/o/_git/r?version=GBmain&path=%2Fa".to_owned(),
        };
        assert_eq!(pattern, Some(expected));
        assert_eq!(
            Pattern::of("https://dev.azure.com/o/_git/r?path=/a&path=*"),
            None
        );
    }

    #[test]
    fn tags_and_commits_are_sent_with_their_type() {
        for (version, sent) in [
            ("GTv1.0", "version=v1.0&versionDescriptor.versionType=tag"),
            (
                "GC0a1b",
                "version=0a1b&versionDescriptor.versionType=commit",
            ),
        ] {
            let url = format!("https://dev.azure.com/org/_git/repo?path=/a&version={version}");
            assert!(file_url(&url).ends_with(sent), "{version}");
        }
    }

    #[test]
    fn commits_of_a_tag_are_asked_by_tag() {
        let url = AzureUrl::from_repo_url("https://dev.azure.com/o/_git/r?version=GTv1");
        assert_eq!(
            url.and_then(|url| url.to_commits_url()).unwrap_or_default(),
            "https://dev.azure.com/o/r/_apis/git/repositories/r/commits?api-version=6.0&searchCriteria.itemVersion.version=v1&searchCriteria.itemVersion.versionType=tag"
        );
    }

    #[test]
    fn a_collection_below_tfs_stays_one_segment() {
        assert_eq!(
            file_url("http://server:8080/tfs/Coll/Proj/_git/Repo?path=/a%20b"),
            "http://server:8080/tfs%2FColl/Proj/_apis/git/repositories/Repo/items?api-version=6.0&path=%2Fa+b"
        );
    }

    #[test]
    fn escapes_are_decoded_as_javascript_does() {
        assert_eq!(
            decode_component("a%20%E2%82%AC").ok().as_deref(),
            Some("a €")
        );
        for malformed in ["%", "%2", "%zz", "%ff", "%C3a", "%€"] {
            assert!(decode_component(malformed).is_err(), "{malformed}");
        }
    }

    #[test]
    fn setting_a_parameter_keeps_its_place_and_drops_its_doubles() {
        assert_eq!(
            resolve_url(
                "./b.yaml",
                "https://dev.azure.com/o/_git/r?path=/x/a.yaml&version=GBmain&path=/y",
                None
            )
            .unwrap_or_default()
            .unwrap_or_default(),
            "https://dev.azure.com/o/_git/r?path=%2Fx%2Fb.yaml&version=GBmain"
        );
    }

    #[test]
    fn only_the_organization_may_stand_before_the_host() {
        let shown = |url: &str| without_secrets(url);
        let clone_url = "https://org@dev.azure.com/org/p/_git/r";
        assert_eq!(shown(clone_url), clone_url);
        for secret in [
            "https://org:s3cret@dev.azure.com/org",
            "https://s3cret@dev.azure.com/org",
        ] {
            assert!(!shown(secret).contains("s3cret"), "{secret}");
        }
    }
}
