//! Verifies log bundles without a network.
