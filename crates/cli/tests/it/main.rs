//! Commands against a daemon that a test plays.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    dead_code,
    reason = "tests"
)]

#[path = "../../../api/tests/it/fake.rs"]
mod fake;

mod errors;
mod making;
mod requests;
mod samples;
mod typed;
mod watching;
