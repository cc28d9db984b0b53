//! The protocols run between whole members: honest ones, and members whose messages are changed and signed
//! again with their own keys.
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod cluster;
mod honest;
