//! Errors, in the classes that the exit codes tell apart.

use std::io;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Class of an error. Each is one exit code of the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ErrorCode {
    /// 1: internal, or the machine (disk full).
    Internal,
    /// 2: usage: malformed, negative, out of range.
    Usage,
    /// 3: locked or not authorised: passphrase, PIN, join code.
    Locked,
    /// 4: network; trying again can help.
    Network,
    /// 5: not found.
    NotFound,
    /// 6: denied: policy, expired, wrong chain.
    Denied,
    /// 7: pending approval.
    Pending,
    /// 8: broadcast done, reporting failed; do not retry.
    BroadcastUnreported,
    /// 9: duplicate refused.
    Duplicate,
    /// 10: too few members online.
    TooFewOnline,
    /// 11: integrity: store, backup, log, evidence, words that differ.
    Integrity,
    /// 12: needs a terminal.
    NeedsTerminal,
}

impl ErrorCode {
    /// Every code, in the order of the exit codes 1 to 12.
    pub const ALL: [Self; 12] = [
        Self::Internal,
        Self::Usage,
        Self::Locked,
        Self::Network,
        Self::NotFound,
        Self::Denied,
        Self::Pending,
        Self::BroadcastUnreported,
        Self::Duplicate,
        Self::TooFewOnline,
        Self::Integrity,
        Self::NeedsTerminal,
    ];

    /// The exit code of a command that ends with this error.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Locked => 3,
            Self::Network => 4,
            Self::NotFound => 5,
            Self::Denied => 6,
            Self::Pending => 7,
            Self::BroadcastUnreported => 8,
            Self::Duplicate => 9,
            Self::TooFewOnline => 10,
            Self::Integrity => 11,
            Self::NeedsTerminal => 12,
        }
    }

    /// The HTTP status of an answer with this error.
    pub fn http_status(self) -> u16 {
        match self {
            Self::Internal | Self::Integrity | Self::NeedsTerminal => 500,
            Self::Usage => 400,
            Self::Locked => 401,
            Self::Denied => 403,
            Self::NotFound => 404,
            Self::Pending | Self::Duplicate => 409,
            Self::Network | Self::BroadcastUnreported => 502,
            Self::TooFewOnline => 503,
        }
    }
}

/// What the daemon answers when it does not do as asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, Error)]
#[error("{message}")]
pub struct ApiError {
    /// Class of the error.
    pub code: ErrorCode,
    /// What went wrong, one sentence without a full stop.
    pub message: String,
    /// What to do next, one sentence.
    pub hint: String,
}

impl ApiError {
    /// An error with what to do next.
    pub fn new(code: ErrorCode, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
        }
    }
}

/// Why a call to the daemon brought no answer.
#[derive(Debug, Error)]
pub enum ClientError {
    /// The folder has no member data.
    #[error("{} is not initialised", dir.display())]
    NotInitialised {
        /// The folder.
        dir: PathBuf,
    },
    /// The folder is there, nobody serves it.
    #[error("the daemon of {} is not running", dir.display())]
    DaemonNotRunning {
        /// The folder.
        dir: PathBuf,
    },
    /// A file of the endpoint cannot be read or is not as it must be.
    #[error("{}: {problem}", path.display())]
    EndpointFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        problem: String,
    },
    /// Whoever listens does not know the folder's token; nothing was told to it.
    #[error("another program answers on {address}; it does not know this folder's token")]
    Impostor {
        /// Where it listens.
        address: String,
    },
    /// The daemon speaks another version of this API.
    #[error("the daemon speaks local API version {theirs}, this program version {ours}")]
    Version {
        /// This program's version.
        ours: u32,
        /// The daemon's version.
        theirs: u32,
    },
    /// The daemon answered with an error.
    #[error(transparent)]
    Api(#[from] ApiError),
    /// The connection broke or timed out.
    #[error("no answer from the daemon: {0}")]
    Transport(String),
    /// The answer is not what the API promises.
    #[error("the daemon's answer makes no sense: {0}")]
    Malformed(String),
}

impl ClientError {
    /// Class of the error.
    pub fn code(&self) -> ErrorCode {
        match self {
            Self::NotInitialised { .. } => ErrorCode::NotFound,
            Self::DaemonNotRunning { .. } | Self::Transport(_) => ErrorCode::Network,
            Self::Impostor { .. } => ErrorCode::Integrity,
            Self::EndpointFile { .. } | Self::Version { .. } | Self::Malformed(_) => {
                ErrorCode::Internal
            }
            Self::Api(error) => error.code,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::NotInitialised { .. } => {
                "make this folder a member's with `quorate node init`, or name another by --dir"
                    .to_owned()
            }
            Self::DaemonNotRunning { .. } => {
                "start it in another terminal with `quorate node run`, or name another folder by --dir".to_owned()
            }
            Self::EndpointFile { .. } => {
                "stop and start the daemon; it writes this file anew".to_owned()
            }
            Self::Impostor { .. } => {
                "start the daemon with `quorate node run`; if it runs, find out what else listens on that port"
                    .to_owned()
            }
            Self::Version { .. } => {
                "stop the daemon and start it again with the same program version".to_owned()
            }
            Self::Api(error) => error.hint.clone(),
            Self::Transport(_) => {
                "see `quorate node status`; if you were sending a payment, look at `quorate requests` before you try again".to_owned()
            }
            Self::Malformed(_) => {
                "run daemon and command from the same release; if they are, please report this"
                    .to_owned()
            }
        }
    }

    /// The same error in the shape the daemon uses, for `--json`.
    pub fn to_api(&self) -> ApiError {
        ApiError::new(self.code(), self.to_string(), self.hint())
    }

    pub(crate) fn endpoint_file(path: PathBuf, error: &io::Error) -> Self {
        Self::EndpointFile {
            path,
            problem: error.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::ErrorCode;

    #[test]
    fn codes_are_the_exit_codes_one_to_twelve() {
        let codes: Vec<u8> = ErrorCode::ALL.iter().map(|code| code.exit_code()).collect();
        assert_eq!(codes, (1..=12).collect::<Vec<u8>>());
    }

    #[test]
    fn no_error_looks_like_success() {
        assert!(ErrorCode::ALL.iter().all(|code| code.http_status() >= 400));
    }
}
