//! What peers can send, honest and not.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that fails may panic"
)]

mod card;
mod common;
mod frame;
mod golden;
mod hello;
mod pairing;
mod pairing_attacks;
mod rendezvous;
