//! Small clusters without faults of their own: what three members do, and what they refuse.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs,
    reason = "tests"
)]

mod cluster;
mod conduct;
mod disk;
mod fake_chain;
mod faults;
mod forgetting;
mod loops;
mod ot_checks;
mod payment;
mod refusals;
mod restarts;
mod saboteurs;
mod seams;
mod seeds;
mod slots;
