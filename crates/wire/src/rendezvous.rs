//! Where one who joins has to go. Public: without the code it is good for nothing.

use std::fmt;
use std::net::SocketAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::card::MAX_ADDRESSES;
use crate::{base32, codec};

const VERSION: u8 = 1;
const PREFIX: &str = "qr1";
const MAX_BYTES: usize = 320;
const CHECKSUM_BYTES: usize = 4;

/// The inviter's transport key and addresses, and which of its open invitations is meant. Written as
/// one word, `qr1...`, that can be copied; the spoken code goes another way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendezvous {
    /// The inviter's transport key.
    pub endpoint: [u8; 32],
    /// [`crate::pairing::Invitation::id`].
    pub invitation: u32,
    /// Where the inviter can be reached, at most [`MAX_ADDRESSES`].
    pub addresses: Vec<SocketAddr>,
}

/// Why a text is no rendezvous.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RendezvousError {
    /// It does not begin as one.
    #[error(
        "this is not an invitation: one begins with `{PREFIX}`. Copy the whole word that the inviter's node printed"
    )]
    NotOne,
    /// A letter is missing or wrong.
    #[error(
        "the invitation is incomplete or mistyped. Copy the whole word that the inviter's node printed"
    )]
    Damaged,
    /// It is of another version.
    #[error(
        "the invitation was made by another version of Quorate ({theirs}, this is {VERSION}). Use the same version on both"
    )]
    OtherVersion {
        /// Its version.
        theirs: u8,
    },
}

impl fmt::Display for Rendezvous {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = codec::encode(VERSION, self);
        bytes.extend_from_slice(&checksum(&bytes));
        write!(f, "{PREFIX}{}", base32::encode(&bytes))
    }
}

impl FromStr for Rendezvous {
    type Err = RendezvousError;

    fn from_str(text: &str) -> Result<Self, RendezvousError> {
        let text = text.trim().to_ascii_lowercase();
        let body = text.strip_prefix(PREFIX).ok_or(RendezvousError::NotOne)?;
        if body.len() > MAX_BYTES * 2 {
            return Err(RendezvousError::Damaged);
        }
        let bytes = base32::decode(body).ok_or(RendezvousError::Damaged)?;
        let (content, check) = bytes
            .split_last_chunk::<CHECKSUM_BYTES>()
            .ok_or(RendezvousError::Damaged)?;
        if checksum(content) != *check {
            return Err(RendezvousError::Damaged);
        }
        let found: Self =
            codec::decode(VERSION, content, MAX_BYTES).map_err(|error| match error {
                codec::DecodeError::OtherVersion { theirs, .. } => {
                    RendezvousError::OtherVersion { theirs }
                }
                _ => RendezvousError::Damaged,
            })?;
        if found.addresses.len() > MAX_ADDRESSES {
            Err(RendezvousError::Damaged)
        } else {
            Ok(found)
        }
    }
}

fn checksum(bytes: &[u8]) -> [u8; CHECKSUM_BYTES] {
    let hash: [u8; 32] = Sha256::new()
        .chain_update(b"quorate/rendezvous/v1")
        .chain_update(bytes)
        .finalize()
        .into();
    let [a, b, c, d, ..] = hash;
    [a, b, c, d]
}
