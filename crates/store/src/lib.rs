//! Durable journal of opaque records and sealed secrets.
//!
//! A [`Store`] is one directory that one process holds: a SQLite database, a lock and a commit mark.
//! It knows no meaning: log entries, checkpoint notes and settings are bytes to it, and secrets are
//! bytes that it seals. What it promises:
//!
//! - **Durable.** [`Store::commit`] is one transaction. When it returns `Ok`, everything in it is on
//!   disk; when it returns an error, nothing of it is, except after [`Error::Io`] (see there).
//! - **Sealed.** Secrets lie under a key of their vault's epoch, that lies under the store's data key,
//!   and that lies under the passphrase (Argon2id). Destroying the epoch's key
//!   ([`Write::EraseEpoch`]) makes its secrets unreadable wherever copies of them are.
//! - **Whole.** Every row carries a MAC over its table, key and value; a keyed sum over all rows and
//!   a count of commits find rows that went missing. [`Store::open`] checks all of it, so a flipped
//!   bit, a truncated or a foreign file is an error that says so, and nothing is overwritten.
//! - **Private.** The directory is 0700 and its files are 0600; looser ones are refused.
//!
//! What of it may be deleted ([`Write`] has the deletions; by hand it would look damaged, and is meant to):
//!
//! | table | holds | derived |
//! |---|---|---|
//! | `log` | what every member said, as this one has it | no: this is the vault |
//! | `secret`, `epoch` | sealed secrets and the keys over them | no |
//! | `meta`, `head` | what the passphrase opens; what vouches that no row is missing | no |
//! | `setting` | what people chose and pairing settled; bans, evidence, wrong PINs counted | no, but for what is learnt again (cards of peers) |
//! | `checkpoint` | the newest signed head of every log | yes: the own log is signed anew, the others' come from the peers |
//!
//! No table holds folded state: it is folded from the logs at every start.
//!
//! What it does not promise: a whole directory put back from an earlier copy looks intact (peers
//! notice that, from the log), and erasing cannot reach copies that the disk or a backup kept of the
//! database *and* of the epoch's key.
//!
//! Another sealing backend (TPM, HSM, key chain of the system) goes beside the module `phrase`: it has to
//! produce the same 32-byte data key.
//!
//! Randomness is an argument: nothing here draws its own.

#![allow(clippy::disallowed_methods, reason = "this crate carries out I/O")]

mod commit;
mod digest;
mod error;
mod files;
mod phrase;
mod read;
mod rows;
mod schema;
mod sealing;
mod store;
mod write;

#[cfg(test)]
mod damage_tests;

pub use error::Error;
pub use phrase::{open_with_pin, seal_with_pin};
pub use read::{CheckpointRecord, LogRecord, SecretName};
pub use store::Store;
pub use write::{MAX_NAME_BYTES, MAX_RECORD_BYTES, MAX_SECRET_BYTES, MAX_WRITES, Write};
