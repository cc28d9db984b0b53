//! What can be wrong, and what to do about it.

use crate::ForkEvidence;

/// Why a log refused something. The log is unchanged.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry is larger than [`crate::MAX_ENTRY_BYTES`].
    #[error("entry of {bytes} bytes exceeds the limit of {limit}; split it or refer to it by hash")]
    EntryTooLarge {
        /// The entry's size in bytes.
        bytes: usize,
        /// [`crate::MAX_ENTRY_BYTES`].
        limit: usize,
    },
    /// A batch has more than [`crate::MAX_BATCH_ENTRIES`] entries or [`crate::MAX_BATCH_BYTES`] bytes.
    #[error("batch of {entries} entries and {bytes} bytes exceeds the limits; send it in parts")]
    BatchTooLarge {
        /// Number of entries.
        entries: usize,
        /// Sum of their sizes in bytes.
        bytes: usize,
    },
    /// Entries start after the end of the replica.
    #[error("entries start at {from}, but only {size} are held; ask for them from {size} on")]
    Gap {
        /// Index of the first entry offered.
        from: u64,
        /// Entries held.
        size: u64,
    },
    /// The checkpoint is of another log.
    #[error("checkpoint is of log {found}, not of {expected}; route it to that log")]
    WrongLog {
        /// This log's origin.
        expected: String,
        /// The checkpoint's origin.
        found: String,
    },
    /// The text names no log.
    #[error("{0:?} is no log origin; expected quorate/<vault>/<author>/<incarnation>")]
    Origin(String),
    /// A checkpoint must end where the entries sent with it end.
    #[error(
        "checkpoint covers {covered} entries, those offered end at {offered}; send both to the same end"
    )]
    CheckpointSize {
        /// The checkpoint's size.
        covered: u64,
        /// Where the offered entries end.
        offered: u64,
    },
    /// The entries do not hash to what the checkpoint signs. The sender altered or reordered them, or they continue
    /// another branch than the one held.
    #[error(
        "entries do not match the signed checkpoint; ask another member, or for the log from its start"
    )]
    Mismatch,
    /// One's own key signed something else than the unsigned entries held: this log was restored from an older copy.
    #[error(
        "entry {index} contradicts what this log's own key signed before; stop appending and recover the log from the peers"
    )]
    Contradiction {
        /// The first entry known to differ, or the last one the checkpoint covers.
        index: u64,
    },
    /// The author signed two histories. Keep the evidence; nothing the author grants after the fork counts.
    #[error("the author signed two histories that part before entry {}; keep the evidence", .0.size)]
    Fork(Box<ForkEvidence>),
    /// The evidence shows no fork.
    #[error("this is no evidence of a fork: {0}")]
    NoFork(&'static str),
    /// A log can be signed only by its author's key.
    #[error("the signing key is not this log's; use the author's own")]
    WrongKey,
    /// The note or its signature is wrong.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// A proof is wrong.
    #[error(transparent)]
    Proof(#[from] ProofError),
}

/// Why a signed note or checkpoint was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// Larger than [`crate::MAX_NOTE_BYTES`] or with more than [`crate::MAX_NOTE_SIGNATURES`] signatures.
    #[error("note is too large; refuse it")]
    TooLarge,
    /// The note's form is wrong.
    #[error("malformed note: {0}; refuse it")]
    Malformed(&'static str),
    /// The note's text is no checkpoint.
    #[error("malformed checkpoint: {0}; refuse it")]
    Checkpoint(&'static str),
    /// A key name is empty or has spaces, plus or control characters.
    #[error("bad key name; it may hold no space, plus or control character")]
    KeyName,
    /// There is no signature by the asked key.
    #[error("no signature by the expected key; ask the author for a signed checkpoint")]
    Unsigned,
    /// The signature by the asked key does not verify.
    #[error("signature by the expected key is wrong; refuse the note")]
    BadSignature,
}

/// Why a proof was not given or not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// No such leaf.
    #[error("no leaf {index} in a tree of {size}")]
    Index {
        /// Leaf asked for.
        index: u64,
        /// Size of the tree.
        size: u64,
    },
    /// The older tree is larger.
    #[error("tree of {old} cannot be older than one of {new}")]
    Order {
        /// Size called old.
        old: u64,
        /// Size called new.
        new: u64,
    },
    /// The tree is not that large.
    #[error("asked about {asked} leaves, only {held} are held; fetch the rest first")]
    Size {
        /// Size asked for.
        asked: u64,
        /// Size held.
        held: u64,
    },
    /// The proof is too short or too long for these sizes.
    #[error("proof has the wrong length for these sizes; refuse it")]
    Length,
    /// The proof leads to another root.
    #[error("proof leads to another root; refuse it")]
    Root,
}
