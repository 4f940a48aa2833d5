//! URLs and paths resolved as seen from a file, and the page on which a file is edited.

use url::Url;

use super::{
    azure_url::{AzureUrl, Place},
    parse::{parameter, parse},
};
use crate::error::Error;

/// The lines to which a resolved URL points: the first and the one after the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lines {
    /// The `line` parameter.
    pub start: String,
    /// The `lineEnd` parameter.
    pub end: String,
}

/// Resolves `url` as seen from the file at `base`; `None` where it is a URL already.
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

/// The URL under which a browser edits the file that `url` names; `None` where it names none, or not
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
    // The URL standard removes these everywhere.
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
    // The page of a commit belongs to its repository, whatever version the URL names.
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
pub(super) fn set_parameters(url: &mut Url, parameters: &[(&str, &str)]) {
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
