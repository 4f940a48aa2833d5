//! Where access tokens come from: what is configured, and the default chain.

pub(super) mod app;
mod certificate;
pub(super) mod configured;
pub(super) mod default_chain;
mod developer_tools;
mod diagnosis;
pub(super) mod entra;
mod environment;
mod managed_identity;
mod workload_identity;

pub use entra::Entra;
