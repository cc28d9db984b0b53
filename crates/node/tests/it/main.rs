//! The daemon against hostile and broken neighbours: peers, endpoints of chains, local programs.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "a test may panic and touch the machine"
)]

mod api;
mod endpoint;
mod making;
mod member;
mod peers;
mod people;
mod process;
mod rebuild;
mod rpc;
