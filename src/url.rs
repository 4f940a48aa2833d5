//! Repository URLs of Azure DevOps and the REST URLs that read them.
//!
//! Everything follows the WHATWG URL standard, as JavaScript's `URL` and `URLSearchParams` do, so
//! that a branch URL becomes byte for byte what `@backstage/integration` makes of it since 2.1.3.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::{Url, quirks};

use crate::{
    error::{Error, ErrorKind},
    pattern::literal_folder,
};

/// The host of Azure DevOps Services.
pub const AZURE_HOST: &str = "dev.azure.com";

/// The collection that every organization of the older hosts has, and that their URLs may leave out.
const OLDER_COLLECTION: &str = "DefaultCollection";

/// The path under which an Azure DevOps Server has its collections, unless it was set up otherwise.
const VIRTUAL_DIRECTORY: &str = "tfs";

/// The REST API version of every request; Azure DevOps Server knows it since 2020.
const API_VERSION: &str = "6.0";

/// The names under which the REST API takes a version, less what follows the dot; for commits another.
const VERSION: &str = "versionDescriptor";
const VERSION_OF_COMMITS: &str = "searchCriteria.itemVersion";

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

    /// The REST API's word for it.
    const fn descriptor(self) -> &'static str {
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
        let url = parse(repo_url)?;
        let Place {
            owner,
            project,
            repo,
            commit,
            ..
        } = Place::of(&url)?;
        let path = parameter(&url, "path");
        let version = match commit {
            Some(id) => Some(Version::commit(id)?),
            None => parameter(&url, "version")
                .filter(|version| !version.is_empty())
                .map(|version| Version::parse(&version))
                .transpose()?,
        };
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
        self.append_version(&mut url, VERSION);
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
        self.append_version(&mut url, VERSION);
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
        Ok(is_services_host(quirks::host(&origin)).then(|| {
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
        self.to_items_url("full", folder)
    }

    /// The REST URL of what describes an item, as a list of one.
    ///
    /// <https://learn.microsoft.com/rest/api/azure/devops/git/items/list>
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_item_url(&self, path: &str) -> Result<String, Error> {
        self.to_items_url("none", path)
    }

    fn to_items_url(&self, recursion: &str, path: &str) -> Result<String, Error> {
        let mut url = self.resource("items")?;
        url.query_pairs_mut()
            .append_pair("recursionLevel", recursion)
            .append_pair("api-version", API_VERSION)
            .append_pair("scopePath", path);
        self.append_version(&mut url, VERSION);
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
        self.append_version(&mut url, VERSION_OF_COMMITS);
        Ok(url.into())
    }

    /// The REST URL of the version's newest commit, as a list of one.
    ///
    /// # Errors
    /// The origin is not one of the web's.
    pub fn to_newest_commit_url(&self) -> Result<Url, Error> {
        let mut url = parse(&self.to_commits_url()?)?;
        url.query_pairs_mut()
            .append_pair("searchCriteria.$top", "1");
        Ok(url)
    }

    fn named_version(&self) -> Option<&Version> {
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

/// The URL under which a browser edits the file that `url` names; nothing where it names none, or not
/// as Backstage's own integration reads it.
#[must_use]
pub fn resolve_edit_url(url: &str) -> Option<String> {
    let mut url = Url::parse(url).ok()?;
    let path = parameter(&url, "path").filter(|path| !path.is_empty() && path != "/");
    let version = parameter(&url, "version").unwrap_or_default();
    let is_editable = version.is_empty() || version.starts_with("GB") || version.starts_with("GT");
    if path.is_none() || !is_editable || !Place::of(&url).is_ok_and(|place| place.is_backstages) {
        return None;
    }
    set_parameters(&mut url, &[("_a", "edit")]);
    Some(url.into())
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
    let mut resolved = parse(base)?;
    let place = Place::of(&resolved)?;
    // The page of a commit is one of its repository, whatever version stands beside it.
    if place.commit.is_none() {
        AzureUrl::from_repo_url(base)?;
    }
    let own = parameter(&resolved, "path").unwrap_or_default();
    // Any host does: only the path that comes out of it is used.
    let tree = parse(&format!("https://a.com{own}"))?;
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

/// The URLs of files of the repository that a web URL names, in its version: the path of each stands in
/// the `path` parameter, encoded once.
///
/// # Errors
/// The text is no URL.
pub fn file_urls(url: &str, paths: &[String]) -> Result<Vec<String>, Error> {
    let base = parse(url)?;
    let urls = paths.iter().map(|path| {
        let mut url = base.clone();
        set_parameters(&mut url, &[("path", &format!("/{path}"))]);
        url.into()
    });
    Ok(urls.collect())
}

/// The web URL with another path in its place.
///
/// # Errors
/// The text is no URL.
pub fn with_path(url: &str, path: &str) -> Result<String, Error> {
    let mut url = parse(url)?;
    set_parameters(&mut url, &[("path", path)]);
    Ok(url.into())
}

/// The other ways to write a pattern with percent escapes: with the folder in front of it decoded once,
/// then all of it.
#[must_use]
pub fn pattern_spellings(path: &str) -> Vec<String> {
    let folder = literal_folder(path.trim_start_matches('/'));
    match path.strip_prefix(&folder) {
        Some(rest) if folder != "/" => other_spellings(&folder, rest),
        _ => other_spellings("", path),
    }
}

/// The other ways to write a path with percent escapes, of which these are a folder and what is in it: with
/// the folder decoded once, then all of it.
#[must_use]
pub fn other_spellings(folder: &str, rest: &str) -> Vec<String> {
    let named = decoded_once(folder).map(|folder| format!("{folder}{rest}"));
    let whole = decoded_once(&[folder, rest].concat());
    let mut paths: Vec<String> = named.into_iter().chain(whole).collect();
    paths.dedup();
    paths
}

/// A path with its percent escapes decoded, those that stand for UTF-8; nothing where it has none.
#[must_use]
pub fn decoded_once(path: &str) -> Option<String> {
    // Nearly every path is such a one.
    if !path.contains('%') {
        return None;
    }
    let mut decoded = String::with_capacity(path.len());
    let mut rest = path;
    while let Some(start) = rest.find('%') {
        let (before, escapes) = rest.split_at(start);
        decoded.push_str(before);
        // Bytes that belong together may be some escapes in a row.
        let length = 3 * escapes
            .as_bytes()
            .chunks(3)
            .take_while(|it| is_escape(it))
            .count();
        let (run, after) = escapes.split_at(length.max(1));
        let bytes: Vec<u8> = percent_decode_str(run).collect();
        let mut written = run;
        for chunk in bytes.utf8_chunks() {
            decoded.push_str(chunk.valid());
            // What is no UTF-8 stays as it is written.
            written = written.get(3 * chunk.valid().len()..).unwrap_or_default();
            let (kept, next) = written.split_at((3 * chunk.invalid().len()).min(written.len()));
            decoded.push_str(kept);
            written = next;
        }
        rest = after;
    }
    decoded.push_str(rest);
    (decoded != path).then_some(decoded)
}

fn is_escape(bytes: &[u8]) -> bool {
    matches!(bytes, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
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
    /// The pattern of a repository URL by each way to write it, as it is written first.
    #[must_use]
    pub fn spellings(url: &str) -> Vec<Self> {
        let path = Url::parse(url).ok().and_then(|url| parameter(&url, "path"));
        let others = pattern_spellings(path.as_deref().unwrap_or_default());
        let others = others.iter().filter_map(|path| with_path(url, path).ok());
        std::iter::once(url.to_owned())
            .chain(others)
            .filter_map(|url| Self::of(&url))
            .collect()
    }

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

/// The URL as a message may show it: what could let its bearer in is left out.
///
/// That is user information, unless it is the organization's name, as in the clone URLs that Azure DevOps
/// shows; the values of query parameters that are called as secrets are; and the fragment, in which sign-in
/// pages hand over tokens. Where there is none of these, it is the text as it was given.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let Ok(mut url) = Url::parse(text) else {
        return "what is no URL".to_owned();
    };
    if url.cannot_be_a_base() {
        return without_secrets_of_any_kind(&url, text);
    }
    let is_user_secret = hides_user(&url);
    if is_user_secret {
        // Both fail only for URLs that can have no user information.
        let _ = url.set_password(None);
        let _ = url.set_username(HIDDEN);
    }
    let query = url.query().and_then(without_secret_parameters);
    if !is_user_secret && query.is_none() {
        let end = text.find('#').unwrap_or(text.len());
        return text.get(..end).unwrap_or_default().to_owned();
    }
    url.set_fragment(None);
    if let Some(query) = query {
        url.set_query(Some(&query));
    }
    url.into()
}

/// What stands in a secret's place.
const HIDDEN: &str = "***";

/// A URL without a host may be anything, also another URL.
fn without_secrets_of_any_kind(url: &Url, text: &str) -> String {
    let is_open = url.fragment().is_none() && url.query().is_none() && !url.path().contains('@');
    if is_open {
        return text.to_owned();
    }
    format!("{}:{HIDDEN}", url.scheme())
}

/// Whether a URL's user information could be a token.
fn hides_user(url: &Url) -> bool {
    let user = url.username();
    let is_clone_url = url.path().split('/').nth(1) == Some(user);
    url.password().is_some() || (!user.is_empty() && !is_clone_url)
}

/// The query with the values of secret parameters hidden; nothing where it has none.
fn without_secret_parameters(query: &str) -> Option<String> {
    let mut is_any = false;
    let parameters = query.split('&').map(|parameter| {
        let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        let decoded = |text: &str| {
            let text = text.replace('+', " ");
            percent_decode_str(&text).decode_utf8_lossy().into_owned()
        };
        let is_secret = !value.is_empty() && is_called_secret(&decoded(name));
        if is_secret || holds_user(&decoded(value)) {
            is_any = true;
            return format!("{name}={HIDDEN}");
        }
        parameter.to_owned()
    });
    let parameters: Vec<String> = parameters.collect();
    is_any.then(|| parameters.join("&"))
}

/// Names of parameters that let their bearer in, without case and marks; and the ends of such names.
const SECRET_NAMES: [&str; 13] = [
    "auth", "bearer", "code", "jwt", "key", "pass", "pat", "pwd", "sas", "session", "sid", "sig",
    "ticket",
];
const SECRET_ENDS: [&str; 16] = [
    "accesskey",
    "apikey",
    "assertion",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "passphrase",
    "passwd",
    "password",
    "privatekey",
    "secret",
    "sessionid",
    "signature",
    "subscriptionkey",
    "token",
];

fn is_called_secret(name: &str) -> bool {
    let name: String = name.chars().filter(|it| it.is_alphanumeric()).collect();
    let name = name.to_lowercase();
    SECRET_NAMES.contains(&name.as_str()) || SECRET_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether a value is a URL with user information.
fn holds_user(value: &str) -> bool {
    Url::parse(value).is_ok_and(|url| hides_user(&url))
}

/// Whether the origin is one of the hosts that Azure DevOps had before `dev.azure.com`.
#[must_use]
pub fn is_visual_studio(origin: &str) -> bool {
    origin.ends_with(".visualstudio.com")
}

/// Whether a host is Microsoft's, by whatever name: with a dot at its end, or one that no repository's URL
/// has.
#[must_use]
pub fn is_azures_own(host: &str) -> bool {
    let host = host.trim_end_matches('.');
    is_services_host(host) || host.ends_with(".dev.azure.com") || host == "visualstudio.com"
}

/// Whether a host is one of Azure DevOps Services, and no server.
#[must_use]
pub fn is_services_host(host: &str) -> bool {
    host == AZURE_HOST || is_visual_studio(host)
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

/// The first query parameter of a name, decoded.
#[must_use]
pub fn parameter(url: &Url, name: &str) -> Option<String> {
    url.query_pairs()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.into_owned())
}

/// Where a web URL says that a repository is.
struct Place {
    owner: String,
    project: String,
    repo: String,
    /// The commit whose page it is.
    commit: Option<String>,
    /// Whether Backstage's own integration reads the URL as one of a repository.
    is_backstages: bool,
}

impl Place {
    /// Reads owner, project and repository from where `_git` stands in the path.
    fn of(url: &Url) -> Result<Self, Error> {
        let parts: Vec<String> = url
            .path()
            .split('/')
            .map(decode_component)
            .collect::<Result<_, _>>()?;
        let part = |index: usize| parts.get(index).cloned().unwrap_or_default();
        let is_git = |index: usize| parts.get(index).is_some_and(|part| part == "_git");
        let is = |index: usize, name: &str| part(index).eq_ignore_ascii_case(name);
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

/// Whether an id is one that git gives: of SHA-1 or SHA-256, in full.
pub(crate) fn is_object_id(id: &str) -> bool {
    matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit())
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
    fn a_branch_is_sent_as_a_branch() {
        assert_eq!(
            file_url("https://dev.azure.com/org/project/_git/repo?path=%2Fa.yaml&version=GBmain"),
            "https://dev.azure.com/org/project/_apis/git/repositories/repo/items?api-version=6.0&path=%2Fa.yaml&versionDescriptor.version=main&versionDescriptor.versionType=branch"
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
            (
                "GTv1.0",
                "&versionDescriptor.version=v1.0&versionDescriptor.versionType=tag",
            ),
            (
                "GC0a1b",
                "&versionDescriptor.version=0a1b&versionDescriptor.versionType=commit",
            ),
        ] {
            let url = format!("https://dev.azure.com/org/_git/repo?path=/a&version={version}");
            assert!(file_url(&url).ends_with(sent), "{version}");
        }
    }

    #[test]
    fn a_commit_without_its_id_is_not_the_default_branch() {
        let refused = file_url("https://dev.azure.com/o/_git/r?path=/a&version=GC");
        assert_eq!(
            refused,
            "Azure URL version must point to a git branch or git tag"
        );
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
    fn a_project_of_the_repositorys_name_may_be_left_out() {
        let items = "_apis/git/repositories/R/items?api-version=6.0&path=a";
        for (pasted, base) in [
            (
                "https://o.visualstudio.com/_git/R",
                "https://o.visualstudio.com/R",
            ),
            (
                "https://o.visualstudio.com/DefaultCollection/_git/R",
                "https://o.visualstudio.com/R",
            ),
            ("https://server/tfs/C/_git/R", "https://server/tfs%2FC/R"),
            ("https://server/tfs/_git/R", "https://server/tfs/R"),
            (
                "https://server:81/TFS/C/_git/R",
                "https://server:81/TFS%2FC/R",
            ),
            (
                "https://dev.azure.com/tfs/C/_git/R",
                "https://dev.azure.com/tfs/C",
            ),
        ] {
            assert_eq!(
                file_url(&format!("{pasted}?path=a")),
                format!("{base}/{items}")
            );
        }
    }

    #[test]
    fn what_names_no_collection_names_no_repository() {
        let refused = file_url("https://server/tfs//_git/R?path=a");
        assert_eq!(refused, "Azure URL must point to a git repository");
    }

    #[test]
    fn the_page_of_a_commit_is_that_commit() {
        let id = "0a".repeat(20);
        let url = format!("https://dev.azure.com/o/_git/r/commit/{id}?path=/a&version=GBmain");
        let expected =
            format!("&versionDescriptor.version={id}&versionDescriptor.versionType=commit");
        assert!(file_url(&url).ends_with(&expected));
        for page in ["commit", "commit/", "commit/0a0a", "commit/main"] {
            let url = format!("https://dev.azure.com/o/_git/r/{page}?path=/a");
            assert!(file_url(&url).contains("40 or 64 hex digits"), "{page}");
        }
        assert!(file_url("https://dev.azure.com/o/_git/r/commits?path=/a").starts_with("https:"));
    }

    #[test]
    fn a_path_is_decoded_once_as_far_as_it_can_be() {
        for (path, decoded) in [
            ("/a b/c", None),
            ("/100%/x", None),
            ("/a%zz%2", None),
            ("/%ff", None),
            ("/a%20b", Some("/a b")),
            ("/a%2520b", Some("/a%20b")),
            ("%2Fa%2Fb", Some("/a/b")),
            ("/%C3%A4%ff%20%", Some("/\u{e4}%ff %")),
            ("/%E2%82%20x", Some("/%E2%82 x")),
            ("/\u{e4}%F0%9F%9A%80", Some("/\u{e4}\u{1f680}")),
        ] {
            assert_eq!(decoded_once(path).as_deref(), decoded, "{path}");
        }
    }

    #[test]
    fn a_found_file_stands_encoded_once_in_its_url() {
        let url = "https://dev.azure.com/o/_git/r?version=GBmain&path=/*.md";
        let paths = ["a b%20#?&+\"{}".to_owned()];
        assert_eq!(
            file_urls(url, &paths).unwrap_or_default(),
            ["https://dev.azure.com/o/_git/r?version=GBmain&path=%2Fa+b%2520%23%3F%26%2B%22%7B%7D"]
        );
    }

    #[test]
    fn what_backstage_does_not_read_is_not_edited() {
        let base = "https://o.visualstudio.com/p/_git/r?path=/a";
        assert_eq!(
            resolve_edit_url(base).as_deref(),
            Some("https://o.visualstudio.com/p/_git/r?path=%2Fa&_a=edit")
        );
        for url in [
            "https://o.visualstudio.com/_git/r?path=/a".to_owned(),
            format!("{base}&version=GC0a"),
            base.replace("=/a", "=/"),
        ] {
            assert_eq!(resolve_edit_url(&url), None, "{url}");
        }
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

    #[test]
    fn a_url_is_shown_without_what_lets_its_bearer_in() {
        for secret in [
            "https://user:s3cret@dev.azure.com/org",
            "https://user:%733cret@dev.azure.com/org#x",
            "http:user:s3cret@host/org",
            "https:/\\user:s3cret@host/org",
            "https://host/org?access_token=s3cret",
            "https://host/org?path=/a&Access%5fToken=s3cret&version=GBmain",
            "https://host/org?sig=s3cret",
            "https://host/org?code=s3cret",
            "https://host/org?client_secret=s3cret",
            "https://host/org?X-Amz-Signature=s3cret",
            "https://host/org?pat=s3cret&path=/a",
            "https://host/org?personalAccessToken=s3cret",
            "https://host/org?PASSWORD=s3cret",
            "https://host/org?next=https%3A%2F%2Fu%3As3cret%40h%2F",
            "https://host/org#access_token=s3cret",
            "https://host/org?path=/a#s3cret",
            "mailto:user:s3cret@host",
            "blob:https://user:s3cret@host/x",
            "javascript:x?s3cret",
            "no URL with s3cret",
        ] {
            let shown = without_secrets(secret);
            assert!(!shown.contains("s3cret"), "{secret} is shown as {shown}");
            assert!(!shown.contains("%733cret"), "{secret} is shown as {shown}");
        }
        let url = "https://host/o/p/_git/r?path=/a&access_token=x&version=GBmain";
        let shown = "https://host/o/p/_git/r?path=/a&access_token=***&version=GBmain";
        assert_eq!(without_secrets(url), shown);
    }

    #[test]
    fn a_url_without_secrets_is_shown_as_it_was_given() {
        for url in [
            "HTTPS://Dev.Azure.com/o/p/_git/r?path=/a b&version=GBmain&_a=contents&lineStyle=plain",
            "https://host/o?path=/token/password.md&api-version=6.0&monkey=1&keyboard",
            "https://host/o?versionDescriptor.version=token&zipForUnix=true&searchCriteria.$top=1",
            "https://host/o?token&code=",
            "ftp://host/x",
            "data:text/plain,x",
        ] {
            assert_eq!(without_secrets(url), url);
        }
    }
}
