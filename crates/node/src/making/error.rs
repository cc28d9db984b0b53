//! Why a vault is not begun, joined or founded.

use std::io;

use quorate_api::ErrorCode;
use quorate_wire::pairing::{CodeError, PairingError};
use thiserror::Error;

/// A refusal; the words say what to do after `; ` or a full stop.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub(crate) enum MakingError {
    #[error(
        "{0:?} is no name for a vault; choose 1 to 32 of a-z, 0-9, - and _, beginning with a letter or digit"
    )]
    Name(String),
    #[error(
        "{threshold} of {members} is not possible; choose 2 to 16 members and a threshold of at least 2 and more than half of them"
    )]
    Parameters { threshold: u8, members: u8 },
    #[error(
        "a label is empty, too long or has characters that cannot be seen; choose 1 to 64 printable characters"
    )]
    Labels,
    #[error("a vault named {0} is here already; choose another name")]
    NameTaken(String),
    #[error("no vault is named {0}; see `quorate vault list`")]
    Unknown(String),
    #[error("{0} does not invite anybody any more; everybody has joined, see `quorate vault show`")]
    NotInviting(String),
    #[error("{0} was joined here, not begun; ask the member that began it for a code")]
    NotCreator(String),
    #[error("{0} has keys being made or made; it cannot be given up any more")]
    TooLate(String),
    #[error("the code cannot be read: {0}")]
    Code(#[from] CodeError),
    #[error(transparent)]
    Pairing(#[from] PairingError),
    #[error(
        "{address} cannot be reached: {why}; check the address and that the inviter's daemon runs"
    )]
    Unreachable { address: String, why: String },
    #[error("the connection to the inviter broke: {0}; ask it for a new code and try again")]
    Broken(#[from] io::Error),
    #[error("the inviter's answer makes no sense; use the same version of Quorate on both")]
    Malformed,
    #[error("the inviter refused: {0}")]
    Refused(String),
    #[error(
        "no address can be listened on for pairing: {0}; choose another by `quorate node run --pairing`"
    )]
    Listen(io::Error),
    #[error(transparent)]
    Store(#[from] quorate_store::Error),
    #[error(transparent)]
    Start(#[from] crate::vaults::StartError),
}

impl MakingError {
    /// The class of the error.
    pub(crate) fn code(&self) -> ErrorCode {
        match self {
            Self::Name(_) | Self::Parameters { .. } | Self::Labels | Self::Code(_) => {
                ErrorCode::Usage
            }
            Self::NameTaken(_) => ErrorCode::Duplicate,
            Self::Unknown(_) => ErrorCode::NotFound,
            Self::NotInviting(_) | Self::NotCreator(_) | Self::TooLate(_) | Self::Refused(_) => {
                ErrorCode::Denied
            }
            Self::Pairing(error) => pairing_code(error),
            Self::Unreachable { .. } | Self::Broken(_) | Self::Malformed => ErrorCode::Network,
            Self::Listen(_) | Self::Start(_) => ErrorCode::Internal,
            Self::Store(error) => crate::error::store_code(error),
        }
    }
}

fn pairing_code(error: &PairingError) -> ErrorCode {
    match error {
        PairingError::UnknownInvitation
        | PairingError::CodeUsed
        | PairingError::CodeExpired
        | PairingError::CodeDead
        | PairingError::WrongCode { .. } => ErrorCode::Locked,
        PairingError::NotTheInviter
        | PairingError::Altered
        | PairingError::Card(_)
        | PairingError::EndpointDiffers => ErrorCode::Integrity,
        PairingError::Yourself | PairingError::DetailsTooLarge { .. } => ErrorCode::Usage,
        _ => ErrorCode::Network,
    }
}
