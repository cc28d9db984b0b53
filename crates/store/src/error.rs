//! What can go wrong with a store, and what to do about it.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::ErrorCode;

/// Why the store refused or failed. Every message says what to do next.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is no store in the directory.
    #[error(
        "{path} holds no store. Create one with `quorate node init`, or name another with --dir"
    )]
    NotInitialised {
        /// The directory that was looked at.
        path: PathBuf,
    },
    /// There already is a store in the directory; it was left as it is.
    #[error("{path} already holds a store. Use it, or name another directory with --dir")]
    AlreadyInitialised {
        /// The directory that was looked at.
        path: PathBuf,
    },
    /// The passphrase does not open this store.
    #[error("wrong passphrase. Try again; it cannot be reset")]
    WrongPassphrase,
    /// The PIN does not open this secret, or it is not the secret that it is said to be.
    #[error("wrong PIN. Try again; it cannot be reset")]
    WrongPin,
    /// The passphrase or PIN is empty.
    #[error("an empty passphrase or PIN protects nothing. Choose one")]
    EmptyPassphrase,
    /// The database file belongs to something else; it was not written to.
    #[error(
        "{path} is not a Quorate store: {why}. Nothing was changed. Move it away or name another directory with --dir"
    )]
    ForeignDatabase {
        /// The file in question.
        path: PathBuf,
        /// What gives it away.
        why: String,
    },
    /// The store was written by a newer Quorate.
    #[error(
        "the store has format {found}, this program knows up to {known}. Use the newer program"
    )]
    NewerVersion {
        /// Format of the store.
        found: u32,
        /// Newest format this program reads.
        known: u32,
    },
    /// A stored value is not what was written. Nothing was changed.
    #[error(
        "the store is damaged at {table} {key}. Nothing was changed. Copy the directory as it is, check the disk, and do not sign with this member until it is restored"
    )]
    Corrupt {
        /// Table, or the file when the damage is below tables.
        table: &'static str,
        /// Key of the row in hexadecimal or text, or what was found.
        key: String,
    },
    /// A file or directory can be read or written by others.
    #[error("{} has mode {mode:04o}, others could read it. Run `chmod {want:o} {}`", path.display(), path.display())]
    LoosePermissions {
        /// The file or directory.
        path: PathBuf,
        /// Its permission bits.
        mode: u32,
        /// What they must be.
        want: u32,
    },
    /// Another process has the store open.
    #[error("{path} is in use by another process. Stop that daemon first, or talk to it")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// The disk is full; nothing of this commit was written and earlier data is intact.
    #[error("the disk is full. Nothing was lost; free some space and try again")]
    DiskFull,
    /// A log position already holds another entry. Logs only grow.
    #[error(
        "position {position} of a log already holds another entry: logs are never rewritten. This member may have been restored from an old copy"
    )]
    LogConflict {
        /// Vault of the log.
        vault: [u8; 32],
        /// Author of the log.
        author: [u8; 32],
        /// Incarnation of the log.
        incarnation: u64,
        /// Position in it.
        position: u64,
    },
    /// A value, name or number is beyond what the store takes.
    #[error("{what} is {size}, the store takes at most {max}")]
    TooLarge {
        /// What was too large.
        what: &'static str,
        /// Its size in bytes, or the number itself.
        size: u64,
        /// The limit.
        max: u64,
    },
    /// A sealed value claims Argon2 parameters outside what this program accepts.
    #[error(
        "a sealed value asks for {memory_kib} KiB, {passes} passes, {lanes} lanes of Argon2id, outside the accepted range. It was not made by this program; restore it from a good copy"
    )]
    Sealing {
        /// Claimed memory in KiB.
        memory_kib: u32,
        /// Claimed passes.
        passes: u32,
        /// Claimed lanes.
        lanes: u32,
    },
    /// A file system or device error. After one in `commit` it is not known whether the commit is
    /// on disk: the store refuses further commits, and opening it again tells.
    #[error("{action} failed: {source}. Check the disk, then start again")]
    Io {
        /// What was being done.
        action: String,
        /// The system's error.
        source: io::Error,
    },
    /// An earlier commit ended in [`Error::Io`], or its outcome is unknown.
    #[error(
        "an earlier write failed and its outcome is unknown. Stop and start again, so that the store is read afresh"
    )]
    Broken,
}

impl Error {
    /// Wraps an I/O error with what was being done to which path.
    pub(crate) fn io(action: &str, path: &Path, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io {
                action: format!("{action} {}", path.display()),
                source,
            },
        }
    }

    /// A damaged row, file or structure.
    pub(crate) fn corrupt(table: &'static str, key: impl Into<String>) -> Self {
        Self::Corrupt {
            table,
            key: key.into(),
        }
    }

    /// Whether the outcome of the transaction that ended in this error is unknown.
    pub(crate) fn leaves_doubt(&self) -> bool {
        matches!(self, Self::Io { .. } | Self::Corrupt { .. } | Self::Broken)
    }
}

impl From<rusqlite::Error> for Error {
    /// Sorts SQLite's errors. What is neither space, lock nor device means that the file is not what
    /// this program wrote (a missing column, a value of another type), because its own SQL is fixed.
    fn from(error: rusqlite::Error) -> Self {
        let described = error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull) => Self::DiskFull,
            Some(
                ErrorCode::SystemIoFailure
                | ErrorCode::CannotOpen
                | ErrorCode::ReadOnly
                | ErrorCode::PermissionDenied
                | ErrorCode::DatabaseBusy
                | ErrorCode::DatabaseLocked
                | ErrorCode::FileLockingProtocolFailed
                | ErrorCode::OutOfMemory,
            ) => Self::Io {
                action: "using the database".into(),
                source: io::Error::other(described),
            },
            _ => Self::corrupt("database", described),
        }
    }
}
