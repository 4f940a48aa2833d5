//! The Git REST API of Azure DevOps: typed calls, what their answers list, and what refusals say.

mod conditions;
mod git_api;
mod items;
mod json;
mod refusal;

pub use conditions::Conditions;
pub use git_api::{Call, GitApi};
pub use items::{
    InvalidAnswer, Item, MOST_FOLDERS, commit_id, commit_id_in, described, item_batches,
    item_batches_in, items, items_in,
};
pub use refusal::{Refusal, message_in, says_no_such_folder};
