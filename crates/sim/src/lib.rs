//! Deterministic cluster with fault injection.

pub mod stub;
