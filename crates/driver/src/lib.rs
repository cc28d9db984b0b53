//! The loop that carries out every output of a vault.
