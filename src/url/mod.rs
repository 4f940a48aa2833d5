//! Repository URLs of Azure DevOps, and the REST URLs that read them.

mod azure_url;
mod host;
mod organization_url;
mod parse;
mod pattern;
mod resolve;
mod safe;
mod scope;
mod spelling;
#[cfg(test)]
mod tests;

pub use azure_url::{AzureUrl, Version, VersionType};
pub use host::{
    AZURE_HOST, host_of, is_azures_own, is_services_host, is_valid_host, is_visual_studio, origin,
};
pub use organization_url::OrganizationUrl;
pub(crate) use parse::is_object_id;
pub use parse::{decode_component, parameter, parse};
pub use pattern::{FileUrls, Pattern, with_path};
pub use resolve::{Lines, resolve_edit_url, resolve_url};
pub use safe::{SafeUrl, without_secrets};
pub(crate) use scope::organization_in;
pub use scope::{organization_of, scope_of};
pub use spelling::{decoded_once, other_spellings, pattern_spellings};
