//! Damage of every kind, and a full disk. These open stores by their data key, because Argon2id would
//! make a thousand openings take minutes.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::let_underscore_must_use,
    reason = "a test that fails may panic"
)]

mod bits;
mod circumstances;
mod sample;
