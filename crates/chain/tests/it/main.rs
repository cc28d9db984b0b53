//! Behaviour of the chain crate through its public API.
