//! Results as people read them.

mod chain;
mod fields;
mod log;
mod report;
mod request;
mod status;
mod table;
mod vault;

pub(crate) use chain::{addresses, balances, chain, chains};
pub(crate) use fields::{Fields, short_id, words_list};
pub(crate) use log::log_page;
pub(crate) use report::report;
pub(crate) use request::{history, preview, request, requests, state_line};
pub(crate) use status::{checks, node_status};
pub(crate) use vault::{invitations, vault, vaults, waiting_line};
