//! What can be committed.

use std::fmt;

use zeroize::Zeroizing;

use crate::Error;

/// Largest log entry, checkpoint note or setting, in bytes.
pub const MAX_RECORD_BYTES: usize = 4 << 20;

/// Largest secret, in bytes. The OT state of a committee of sixteen is well below it.
pub const MAX_SECRET_BYTES: usize = 16 << 20;

/// Longest name of a setting or secret, in bytes of UTF-8.
pub const MAX_NAME_BYTES: usize = 256;

/// Most writes in one commit.
pub const MAX_WRITES: usize = 4096;

/// One change of the store. A commit carries out a list of them, all or none, in order.
pub enum Write {
    /// Appends an entry. Writing the same entry to the same position again changes nothing; another
    /// entry there is [`Error::LogConflict`].
    Log {
        /// Vault the log belongs to.
        vault: [u8; 32],
        /// Party whose log it is.
        author: [u8; 32],
        /// Incarnation of that party's log.
        incarnation: u64,
        /// Position, from 0.
        position: u64,
        /// The entry's bytes, at most [`MAX_RECORD_BYTES`].
        entry: Vec<u8>,
    },
    /// Sets the newest checkpoint note held for a log.
    Checkpoint {
        /// Vault the log belongs to.
        vault: [u8; 32],
        /// Party whose log it is.
        author: [u8; 32],
        /// Incarnation of that party's log.
        incarnation: u64,
        /// The note's bytes, at most [`MAX_RECORD_BYTES`].
        note: Vec<u8>,
    },
    /// Removes a checkpoint note, if there is one.
    DeleteCheckpoint {
        /// Vault the log belongs to.
        vault: [u8; 32],
        /// Party whose log it is.
        author: [u8; 32],
        /// Incarnation of that party's log.
        incarnation: u64,
    },
    /// Sets a setting: peers, chains, names of vaults. Not for secrets.
    Setting {
        /// Name, at most [`MAX_NAME_BYTES`]; `/` separates families for [`crate::Store::settings`].
        key: String,
        /// The value's bytes, at most [`MAX_RECORD_BYTES`].
        value: Vec<u8>,
    },
    /// Removes a setting, if there is one.
    DeleteSetting {
        /// Name of the setting.
        key: String,
    },
    /// Seals and sets a secret under the wrapping key of its vault's epoch, which is made if it is
    /// not there yet.
    Secret {
        /// Vault the secret belongs to; zeros for the member's own.
        vault: [u8; 32],
        /// Name, at most [`MAX_NAME_BYTES`].
        name: String,
        /// Epoch whose wrapping key seals it.
        epoch: u64,
        /// The secret's bytes, at most [`MAX_SECRET_BYTES`].
        plain: Zeroizing<Vec<u8>>,
    },
    /// Removes one secret, if there is one.
    DeleteSecret {
        /// Vault the secret belongs to.
        vault: [u8; 32],
        /// Name of the secret.
        name: String,
        /// Epoch it was stored under.
        epoch: u64,
    },
    /// Destroys an epoch's wrapping key and removes its secrets, if there are any.
    EraseEpoch {
        /// Vault.
        vault: [u8; 32],
        /// Epoch to erase.
        epoch: u64,
    },
}

impl Write {
    /// Checks every size and number against the store's limits.
    pub(crate) fn check(&self) -> Result<(), Error> {
        match self {
            Self::Log {
                incarnation,
                position,
                entry,
                ..
            } => {
                number("an incarnation", *incarnation)?;
                number("a position", *position)?;
                size("a log entry", entry.len(), MAX_RECORD_BYTES)
            }
            Self::Checkpoint {
                incarnation, note, ..
            } => {
                number("an incarnation", *incarnation)?;
                size("a checkpoint", note.len(), MAX_RECORD_BYTES)
            }
            Self::DeleteCheckpoint { incarnation, .. } => {
                number("an incarnation", *incarnation).map(drop)
            }
            Self::Setting { key, value } => {
                size("the name of a setting", key.len(), MAX_NAME_BYTES)?;
                size("a setting", value.len(), MAX_RECORD_BYTES)
            }
            Self::DeleteSetting { key } => size("the name of a setting", key.len(), MAX_NAME_BYTES),
            Self::Secret {
                name, epoch, plain, ..
            } => {
                number("an epoch", *epoch)?;
                size("the name of a secret", name.len(), MAX_NAME_BYTES)?;
                size("a secret", plain.len(), MAX_SECRET_BYTES)
            }
            Self::DeleteSecret { name, epoch, .. } => {
                number("an epoch", *epoch)?;
                size("the name of a secret", name.len(), MAX_NAME_BYTES)
            }
            Self::EraseEpoch { epoch, .. } => number("an epoch", *epoch).map(drop),
        }
    }
}

/// SQLite's integers are signed; a number above `i64::MAX` is refused.
pub(crate) fn number(what: &'static str, value: u64) -> Result<i64, Error> {
    i64::try_from(value).map_err(|_| Error::TooLarge {
        what,
        size: value,
        max: i64::MAX as u64,
    })
}

pub(crate) fn size(what: &'static str, size: usize, max: usize) -> Result<(), Error> {
    if size > max {
        return Err(Error::TooLarge {
            what,
            size: size as u64,
            max: max as u64,
        });
    }
    Ok(())
}

impl fmt::Debug for Write {
    /// Names and sizes only: values may be private and secrets always are.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log {
                incarnation,
                position,
                entry,
                ..
            } => {
                write!(
                    f,
                    "Log {{ {incarnation}/{position}, {} bytes }}",
                    entry.len()
                )
            }
            Self::Checkpoint {
                incarnation, note, ..
            } => {
                write!(f, "Checkpoint {{ {incarnation}, {} bytes }}", note.len())
            }
            Self::DeleteCheckpoint { incarnation, .. } => {
                write!(f, "DeleteCheckpoint {{ {incarnation} }}")
            }
            Self::Setting { key, value } => {
                write!(f, "Setting {{ {key:?}, {} bytes }}", value.len())
            }
            Self::DeleteSetting { key } => write!(f, "DeleteSetting {{ {key:?} }}"),
            Self::Secret { name, epoch, .. } => {
                write!(f, "Secret {{ {name:?}, epoch {epoch}, redacted }}")
            }
            Self::DeleteSecret { name, epoch, .. } => {
                write!(f, "DeleteSecret {{ {name:?}, epoch {epoch} }}")
            }
            Self::EraseEpoch { epoch, .. } => write!(f, "EraseEpoch {{ {epoch} }}"),
        }
    }
}
