//! Judges a bundle of logs as an outsider.
