//! The client against a server that answers what a test tells it to.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub,
    reason = "tests"
)]

mod client;
mod encodings;
mod fake;
