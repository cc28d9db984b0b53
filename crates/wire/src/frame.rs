//! What peers say after the greeting, and how it is cut into pieces on a stream.

use serde::{Deserialize, Serialize};

use crate::card::MAX_CARD_BYTES;
use crate::codec::{self, DecodeError};

/// Most bytes in one piece, without its prefix.
pub const MAX_FRAME_BYTES: usize = 1 << 20;

/// Bytes in front of a piece: its length, big-endian.
pub const PREFIX_BYTES: usize = 4;

/// Most bytes of payload in one [`Frame::Vault`] or [`Frame::Making`].
pub const MAX_PAYLOAD_BYTES: usize = MAX_FRAME_BYTES - 64;

const VERSION: u8 = 1;

/// A piece is longer than any may be. Close the connection: what follows cannot be found.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of {len} bytes where at most {MAX_FRAME_BYTES} are allowed; split it")]
pub struct FrameTooLarge {
    /// Its length.
    pub len: u64,
}

/// Puts the length in front.
///
/// # Errors
/// [`FrameTooLarge`].
pub fn framed(body: &[u8]) -> Result<Vec<u8>, FrameTooLarge> {
    let too_large = FrameTooLarge {
        len: body.len() as u64,
    };
    let prefix = u32::try_from(body.len())
        .ok()
        .filter(|_| body.len() <= MAX_FRAME_BYTES)
        .ok_or(too_large)?;
    Ok([prefix.to_be_bytes().as_slice(), body].concat())
}

/// The length that a prefix announces, checked before anything is allocated for it.
///
/// # Errors
/// [`FrameTooLarge`].
pub fn frame_len(prefix: [u8; PREFIX_BYTES]) -> Result<usize, FrameTooLarge> {
    let len = u32::from_be_bytes(prefix);
    usize::try_from(len)
        .ok()
        .filter(|len| *len <= MAX_FRAME_BYTES)
        .ok_or(FrameTooLarge {
            len: u64::from(len),
        })
}

/// One message between peers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Frame {
    /// Something about one vault; what it means is the vault's matter.
    Vault {
        /// Which vault.
        vault: [u8; 32],
        /// At most [`MAX_PAYLOAD_BYTES`].
        #[serde(with = "serde_bytes")]
        payload: Vec<u8>,
    },
    /// Something about a vault that is still being made and has no id yet.
    Making {
        /// At most [`MAX_PAYLOAD_BYTES`].
        #[serde(with = "serde_bytes")]
        payload: Vec<u8>,
    },
    /// A newer card of the sender, encoded.
    Card {
        /// Bytes for [`crate::VerifiedCard::decode`].
        #[serde(with = "serde_bytes")]
        card: Vec<u8>,
    },
    /// Asks for a [`Frame::Pong`] with the same number.
    Ping {
        /// Chosen by the sender.
        nonce: u64,
    },
    /// Answers a [`Frame::Ping`].
    Pong {
        /// Repeated from the question.
        nonce: u64,
    },
}

impl Frame {
    /// The bytes of the message, to be passed through [`framed`].
    ///
    /// # Errors
    /// [`FrameTooLarge`] if the payload is above [`MAX_PAYLOAD_BYTES`] or the card above [`MAX_CARD_BYTES`].
    pub fn encode(&self) -> Result<Vec<u8>, FrameTooLarge> {
        match self.too_large() {
            Some(len) => Err(FrameTooLarge { len: len as u64 }),
            None => Ok(codec::encode(VERSION, self)),
        }
    }

    /// Reads a message.
    ///
    /// # Errors
    /// [`DecodeError`].
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let frame: Self = codec::decode(VERSION, bytes, MAX_FRAME_BYTES)?;
        match frame.too_large() {
            Some(len) => Err(DecodeError::TooLong {
                len,
                max: MAX_PAYLOAD_BYTES,
            }),
            None => Ok(frame),
        }
    }

    fn too_large(&self) -> Option<usize> {
        match self {
            Self::Vault { payload, .. } | Self::Making { payload } => {
                (payload.len() > MAX_PAYLOAD_BYTES).then_some(payload.len())
            }
            Self::Card { card } => (card.len() > MAX_CARD_BYTES).then_some(card.len()),
            Self::Ping { .. } | Self::Pong { .. } => None,
        }
    }
}
