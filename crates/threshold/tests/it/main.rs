//! The protocols run between whole members: honest ones, and members whose messages are changed and signed
//! again with their own keys (a Byzantine member is production code with a hand on its wire).
//!
//! Each malicious test states its threat. Verdicts: REJ (ignored, state unchanged), NAME (evidence that a third
//! party checks), BAN (local), ABORT (nobody proven at fault).
#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::expect_used)]

mod children;
mod cluster;
mod encodings;
mod envelopes;
mod frost;
mod honest;
mod keygen_faults;
mod keygen_packages;
mod ot_bans;
mod ot_setup_faults;
mod rushing;
mod sign_faults;
mod vectors;
mod versions;
