//! Behaviour of the log through its public API.
