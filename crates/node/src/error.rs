//! Why the daemon does not start or a command on a stopped one fails: an exit code and what to do next.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use quorate_api::{ErrorCode, MAX_NAME_CHARS, MIN_PASSPHRASE_CHARS, MIN_PIN_CHARS};
use quorate_vault::machine;
use thiserror::Error;

/// Why a daemon was not made, not started or ended badly.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum NodeError {
    /// The store refused or failed.
    #[error(transparent)]
    Store(#[from] quorate_store::Error),
    /// The member's name is not plain enough.
    #[error("{0:?} cannot be a member's name")]
    Name(String),
    /// The passphrase is too short.
    #[error("the passphrase has fewer than {MIN_PASSPHRASE_CHARS} characters")]
    ShortPassphrase,
    /// The PIN is too short.
    #[error("the PIN has fewer than {MIN_PIN_CHARS} characters")]
    ShortPin,
    /// `init` was killed between making the store and making the keys.
    #[error("{} was not initialised to the end: it holds no keys", dir.display())]
    Unfinished {
        /// The folder.
        dir: PathBuf,
    },
    /// The local API would listen where others reach it.
    #[error("{0} can be reached from other machines, and the local API is for this one only")]
    NotLoopback(SocketAddr),
    /// An address cannot be listened on.
    #[error("cannot listen on {address}: {why}")]
    Listen {
        /// Which.
        address: SocketAddr,
        /// The system's words.
        why: String,
    },
    /// A vault's logs or records are not what this member wrote.
    #[error("vault {name}: {source}")]
    Vault {
        /// Local name.
        name: String,
        /// What is wrong.
        source: Box<machine::Error>,
    },
    /// The system refused something.
    #[error("{action} failed: {source}")]
    Io {
        /// What was being done.
        action: &'static str,
        /// The system's error.
        source: io::Error,
    },
}

impl NodeError {
    /// What the system refused; a full disk is named as that, wherever it shows first.
    pub(crate) fn io(action: &'static str, source: io::Error) -> Self {
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Store(quorate_store::Error::DiskFull)
            }
            _ => Self::Io { action, source },
        }
    }

    /// The exit code of a command that ends with this.
    pub fn exit_code(&self) -> u8 {
        self.code().exit_code()
    }

    /// The class of the error.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::Store(error) => store_code(error),
            Self::Name(_) | Self::ShortPassphrase | Self::ShortPin | Self::NotLoopback(_) => {
                ErrorCode::Usage
            }
            Self::Unfinished { .. } | Self::Vault { .. } => ErrorCode::Integrity,
            Self::Listen { .. } | Self::Io { .. } => ErrorCode::Internal,
        }
    }

    /// What went wrong, one sentence without a full stop.
    pub fn sentence(&self) -> String {
        match self {
            Self::Store(error) => split_remedy(&error.to_string()).0,
            Self::Vault { name, source } => {
                format!("vault {name}: {}", split_remedy(&source.to_string()).0)
            }
            other => other.to_string(),
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::Store(error) => split_remedy(&error.to_string()).1,
            Self::Name(_) => {
                format!(
                    "choose 1 to {MAX_NAME_CHARS} of a-z, 0-9, - and _, beginning with a letter or digit"
                )
            }
            Self::ShortPassphrase => {
                "choose a longer one, for example four or five words".to_owned()
            }
            Self::ShortPin => "choose a longer one".to_owned(),
            Self::Unfinished { dir } => {
                format!(
                    "remove {} and run `quorate node init` again; nothing was made yet",
                    dir.display()
                )
            }
            Self::NotLoopback(_) => "give an address that begins with 127.0.0.1".to_owned(),
            Self::Listen { .. } => {
                "end the program that uses this address, or choose another one".to_owned()
            }
            Self::Vault { source, .. } => split_remedy(&source.to_string()).1,
            Self::Io { .. } => "look at the system's words, then start again".to_owned(),
        }
    }
}

/// The class of a store's error.
pub(crate) fn store_code(error: &quorate_store::Error) -> ErrorCode {
    use quorate_store::Error;
    match error {
        Error::NotInitialised { .. } => ErrorCode::NotFound,
        Error::AlreadyInitialised { .. } => ErrorCode::Duplicate,
        Error::WrongPassphrase | Error::WrongPin => ErrorCode::Locked,
        Error::EmptyPassphrase | Error::TooLarge { .. } => ErrorCode::Usage,
        Error::ForeignDatabase { .. }
        | Error::NewerVersion { .. }
        | Error::Corrupt { .. }
        | Error::LoosePermissions { .. }
        | Error::LogConflict { .. }
        | Error::Sealing { .. } => ErrorCode::Integrity,
        _ => ErrorCode::Internal,
    }
}

/// What went wrong and what to do, from words that say both: the first sentence or clause, and the rest.
pub(crate) fn split_remedy(text: &str) -> (String, String) {
    let cut = [". ", "; "]
        .iter()
        .filter_map(|mark| text.find(mark).map(|at| (at, mark.len())))
        .min();
    let Some((at, length)) = cut else {
        return (text.to_owned(), "see `quorate doctor`".to_owned());
    };
    let (what, rest) = text.split_at(at);
    (
        what.to_owned(),
        rest.get(length..)
            .unwrap_or_default()
            .trim_end_matches('.')
            .to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::{NodeError, split_remedy};

    #[test]
    fn words_are_split_into_what_is_wrong_and_what_to_do() {
        let (what, hint) = split_remedy("wrong passphrase. Try again; it cannot be reset");
        assert_eq!(
            (what.as_str(), hint.as_str()),
            ("wrong passphrase", "Try again; it cannot be reset")
        );
        let (what, hint) = split_remedy("the words differ; pair again");
        assert_eq!(
            (what.as_str(), hint.as_str()),
            ("the words differ", "pair again")
        );
        assert_eq!(split_remedy("only this").0, "only this");
    }

    #[test]
    fn codes_are_those_of_the_command_line() {
        assert_eq!(
            NodeError::from(quorate_store::Error::WrongPassphrase).exit_code(),
            3
        );
        assert_eq!(
            NodeError::from(quorate_store::Error::DiskFull).exit_code(),
            1
        );
        let damaged = quorate_store::Error::Corrupt {
            table: "log",
            key: "1".into(),
        };
        assert_eq!(NodeError::from(damaged).exit_code(), 11);
        assert_eq!(NodeError::Name("X".into()).exit_code(), 2);
    }
}
