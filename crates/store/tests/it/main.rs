//! The store as its callers see it.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test that fails may panic"
)]

mod common;
mod crash;
mod directory;
mod golden;
mod records;
mod secrets;
