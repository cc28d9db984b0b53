//! What holds for the whole repository: its directions, licences, tiers and habits.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may panic, and these read the repository from disk"
)]

mod architecture;
mod cli_snapshots;
mod documents;
mod habits;
mod licences;
mod repository;
mod tiers;
