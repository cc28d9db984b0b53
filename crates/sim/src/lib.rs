//! Deterministic cluster with fault injection.
