//! What is sent while pairing.

use serde::{Deserialize, Serialize};

use super::PairingError;
use crate::codec::{self, DecodeError};
use crate::version::{PROTOCOL_VERSION, Prelude, prelude, read_prelude};

/// Most bytes of details.
pub const MAX_DETAILS_BYTES: usize = 64 << 10;

/// Most bytes of any pairing message: check before allocating.
pub const MAX_PAIRING_BYTES: usize = MAX_DETAILS_BYTES + 512;

const MARK: [u8; 4] = *b"QRTP";
const BODY_VERSION: u8 = 1;
const SOFTWARE: &str = concat!("quorate/", env!("CARGO_PKG_VERSION"));

/// Bytes of a SPAKE2 message: the side and a point.
pub(super) const SPAKE_BYTES: usize = 33;

#[derive(Serialize, Deserialize)]
pub(super) enum Message {
    Start {
        invitation: u32,
        side: u8,
        point: [u8; 32],
    },
    Answer {
        side: u8,
        point: [u8; 32],
    },
    Confirm {
        mac: [u8; 32],
    },
    Confirmed {
        mac: [u8; 32],
        #[serde(with = "serde_bytes")]
        card: Vec<u8>,
    },
    Introduction {
        #[serde(with = "serde_bytes")]
        card: Vec<u8>,
    },
    Welcome {
        #[serde(with = "serde_bytes")]
        details: Vec<u8>,
    },
    Seat {
        #[serde(with = "serde_bytes")]
        details: Vec<u8>,
    },
    Refusal(Refusal),
}

/// What one side tells the other when it ends the pairing. Travels in the clear.
#[derive(Serialize, Deserialize)]
pub(super) enum Refusal {
    UnknownInvitation,
    CodeUsed,
    CodeExpired,
    CodeDead,
    WrongCode { tries_left: u8 },
    OtherVersion,
    Broken,
}

impl Message {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut out = prelude(MARK, SOFTWARE);
        out.extend_from_slice(&codec::encode(BODY_VERSION, self));
        out
    }

    /// Reads a message; a refusal becomes the error that it stands for.
    pub(super) fn decode(bytes: &[u8]) -> Result<Self, PairingError> {
        let malformed = PairingError::Unexpected(DecodeError::Malformed);
        let Prelude {
            version,
            software,
            rest,
        } = read_prelude(MARK, bytes).ok_or(malformed)?;
        if version != PROTOCOL_VERSION {
            return Err(PairingError::OtherVersion {
                theirs: version,
                ours: PROTOCOL_VERSION,
                software,
            });
        }
        match codec::decode(BODY_VERSION, rest, MAX_PAIRING_BYTES)
            .map_err(PairingError::Unexpected)?
        {
            Self::Refusal(refusal) => Err(refusal.into_error()),
            message => Ok(message),
        }
    }
}

impl Refusal {
    fn into_error(self) -> PairingError {
        match self {
            Self::UnknownInvitation => PairingError::UnknownInvitation,
            Self::CodeUsed => PairingError::CodeUsed,
            Self::CodeExpired => PairingError::CodeExpired,
            Self::CodeDead => PairingError::CodeDead,
            Self::WrongCode { tries_left } => PairingError::WrongCode { tries_left },
            // Its own prelude has named its version, unless it is this one.
            Self::OtherVersion | Self::Broken => PairingError::Refused,
        }
    }
}

impl PairingError {
    /// What to send to the other side before closing; `None` if it ended the pairing itself, or
    /// this error never comes from a message.
    pub fn refusal(&self) -> Option<Vec<u8>> {
        let refusal = match self {
            Self::UnknownInvitation => Refusal::UnknownInvitation,
            Self::CodeUsed => Refusal::CodeUsed,
            Self::CodeExpired => Refusal::CodeExpired,
            Self::CodeDead => Refusal::CodeDead,
            Self::WrongCode { tries_left } => Refusal::WrongCode {
                tries_left: *tries_left,
            },
            Self::OtherVersion { .. } => Refusal::OtherVersion,
            Self::Refused => return None,
            _ => Refusal::Broken,
        };
        Some(Message::Refusal(refusal).encode())
    }
}

/// The invitation that a joiner's first message asks for, so that the right [`super::Invitation`] is found.
///
/// # Errors
/// [`PairingError::OtherVersion`], [`PairingError::Unexpected`], [`PairingError::Refused`].
pub fn requested_invitation(start: &[u8]) -> Result<u32, PairingError> {
    match Message::decode(start)? {
        Message::Start { invitation, .. } => Ok(invitation),
        _ => Err(out_of_turn()),
    }
}

/// Checks that details are not too long.
pub(super) fn within_limit(details: &[u8]) -> Result<(), PairingError> {
    let len = details.len();
    if len > MAX_DETAILS_BYTES {
        return Err(PairingError::DetailsTooLarge { len });
    }
    Ok(())
}

/// A message of another kind than the one that was due.
pub(super) fn out_of_turn() -> PairingError {
    PairingError::Unexpected(DecodeError::Malformed)
}

/// Puts a SPAKE2 message together.
pub(super) fn join(side: u8, point: &[u8; 32]) -> [u8; SPAKE_BYTES] {
    let mut out = [side; SPAKE_BYTES];
    if let Some(rest) = out.last_chunk_mut() {
        *rest = *point;
    }
    out
}

/// Takes a SPAKE2 message apart.
pub(super) fn split(message: &[u8]) -> (u8, [u8; 32]) {
    match message.split_first() {
        Some((side, point)) => (
            *side,
            point
                .try_into()
                .expect("invariant: the Ed25519 group's elements are 32 bytes"),
        ),
        None => (0, [0; 32]),
    }
}
