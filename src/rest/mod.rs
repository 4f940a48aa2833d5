//! The Git REST API of Azure DevOps: typed calls, what their answers list, and what refusals say.

mod call;
mod conditions;
mod git_api;
mod item_list;
mod items;
mod json;
mod organization_api;
mod refusal;
mod resources;

pub use call::Call;
pub use conditions::Conditions;
pub use git_api::GitApi;
pub use item_list::{ItemList, ItemListBuilder, Listed, item_batches_in, item_list_in};
pub use items::{
    InvalidAnswer, Item, MOST_FOLDERS, commit_id, commit_id_in, content, described, items, items_in,
};
pub use organization_api::OrganizationApi;
pub use refusal::{Refusal, message_in, says_no_such_folder};
pub use resources::{
    ConnectionData, Project, Ref, Repository, TreeEntry, connection_data, git_version, projects,
    refs, repositories, repository, tree_entries,
};
