//! Append-only log: entries, Merkle tree, checkpoints, proofs. It knows no meaning.
//!
//! - [`Tree`], [`verify_inclusion`], [`verify_consistency`]: RFC 6962 hashing and proofs over SHA-256.
//! - [`Checkpoint`], [`SignedCheckpoint`]: signed log heads, as C2SP `tlog-checkpoint` in a C2SP `signed-note`.
//! - [`Log`]: one author's entries under one [`Origin`]; the author appends, everybody else extends a replica.
//! - [`ForkEvidence`]: two signed heads of one log that cannot both be true, checkable by anybody.
//!
//! No I/O, no clock, no randomness. An [`Error`] leaves the log as it was.

mod checkpoint;
mod error;
mod fork;
mod frontier;
mod log;
mod note;
mod origin;
mod proof;
mod tree;

pub use checkpoint::{Checkpoint, SignedCheckpoint};
pub use error::{Error, NoteError, ProofError};
pub use fork::{ForkEvidence, Prefix};
pub use frontier::Frontier;
pub use log::{
    Batch, Extended, Log, MAX_BATCH_BYTES, MAX_BATCH_ENTRIES, MAX_ENTRY_BYTES, Standing,
};
pub use note::{MAX_NOTE_BYTES, MAX_NOTE_SIGNATURES, SignedNote, ed25519_key_id};
pub use origin::Origin;
pub use proof::{MAX_PROOF_HASHES, verify_consistency, verify_inclusion};
pub use tree::{EMPTY_ROOT, Hash, Tree, leaf_hash, node_hash};
