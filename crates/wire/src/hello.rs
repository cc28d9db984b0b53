//! The first message on every connection between peers.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use crate::codec::{self, DecodeError};
use crate::signature::{SignatureBytes, sign, verify};
use crate::version::{MAX_SOFTWARE_CHARS, PROTOCOL_VERSION, Prelude, prelude, read_prelude, tidy};

/// Label for the exporter value of the transport (TLS 1.3, RFC 8446 section 7.5; empty context, 32 bytes).
pub const EXPORTER_LABEL: &[u8] = b"EXPORTER-quorate";

const MARK: [u8; 4] = *b"QRTH";
const BODY_VERSION: u8 = 1;
const MAX_BODY_BYTES: usize = 128;
const DOMAIN: &str = "quorate/wire/hello/v1";

/// One connection, as its transport authenticated it, seen from one end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel {
    /// This end's transport key.
    pub ours: [u8; 32],
    /// The other end's transport key.
    pub theirs: [u8; 32],
    /// Exporter value of this connection for [`EXPORTER_LABEL`]: the same at both ends and on no other
    /// connection, so that nothing said here can be repeated elsewhere.
    pub exporter: [u8; 32],
}

/// Says which protocol a peer speaks and proves its identity key on this connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hello {
    software: String,
    body: Body,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Body {
    identity: [u8; 32],
    signature: SignatureBytes,
}

/// Why a peer's greeting is refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HelloError {
    /// The peer speaks another protocol version.
    #[error(
        "the peer speaks protocol version {theirs} ({software}), this program speaks {ours}; use the same version of Quorate on both"
    )]
    OtherVersion {
        /// The peer's protocol version.
        theirs: u16,
        /// This program's.
        ours: u16,
        /// What the peer calls its software; unproven.
        software: String,
    },
    /// The peer is not the party that was expected at this address.
    #[error("another party answers at this address; ask the member for a new card")]
    WrongIdentity {
        /// Identity that was expected.
        expected: [u8; 32],
        /// Identity that answered, with proof.
        theirs: [u8; 32],
    },
    /// The proof of the identity key does not hold on this connection.
    #[error(
        "the peer does not have the identity key that it claims; something relays or forges its greeting"
    )]
    BadProof,
    /// The first message is no greeting.
    #[error("the peer is not a Quorate node: {0}")]
    NotQuorate(DecodeError),
}

impl Hello {
    /// Signs a greeting for one connection. `software` is what to call this program, for people on
    /// the other side; at most [`MAX_SOFTWARE_CHARS`] printable ASCII characters of it are used.
    pub fn sign(identity: &SigningKey, channel: &Channel, software: &str) -> Self {
        let key = identity.verifying_key().to_bytes();
        let software = tidy(software);
        let signature = sign(
            identity,
            DOMAIN,
            &signed(
                &key,
                &software,
                &channel.ours,
                &channel.theirs,
                &channel.exporter,
            ),
        );
        Self {
            software,
            body: Body {
                identity: key,
                signature,
            },
        }
    }

    /// The bytes of the greeting.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = prelude(MARK, &self.software);
        out.extend_from_slice(&codec::encode(BODY_VERSION, &self.body));
        out
    }

    /// Reads a peer's greeting.
    ///
    /// # Errors
    /// [`HelloError::OtherVersion`], [`HelloError::NotQuorate`].
    pub fn decode(bytes: &[u8]) -> Result<Self, HelloError> {
        let max = 4 + 2 + 1 + MAX_SOFTWARE_CHARS + MAX_BODY_BYTES;
        let Prelude {
            version,
            software,
            rest,
        } = read_prelude(MARK, bytes).ok_or(HelloError::NotQuorate(DecodeError::Malformed))?;
        if version != PROTOCOL_VERSION {
            return Err(HelloError::OtherVersion {
                theirs: version,
                ours: PROTOCOL_VERSION,
                software,
            });
        }
        if bytes.len() > max {
            return Err(HelloError::NotQuorate(DecodeError::TooLong {
                len: bytes.len(),
                max,
            }));
        }
        let body =
            codec::decode(BODY_VERSION, rest, MAX_BODY_BYTES).map_err(HelloError::NotQuorate)?;
        Ok(Self { software, body })
    }

    /// Checks the proof on this connection and returns the peer's identity key. With `expected`, it
    /// has to be that one.
    ///
    /// # Errors
    /// [`HelloError::BadProof`], [`HelloError::WrongIdentity`].
    pub fn verify(
        &self,
        channel: &Channel,
        expected: Option<&[u8; 32]>,
    ) -> Result<[u8; 32], HelloError> {
        let Body {
            identity,
            signature,
        } = &self.body;
        let signed = signed(
            identity,
            &self.software,
            &channel.theirs,
            &channel.ours,
            &channel.exporter,
        );
        if !verify(identity, DOMAIN, &signed, signature) {
            return Err(HelloError::BadProof);
        }
        match expected {
            Some(expected) if expected != identity => Err(HelloError::WrongIdentity {
                expected: *expected,
                theirs: *identity,
            }),
            _ => Ok(*identity),
        }
    }

    /// What the peer calls its software.
    pub fn software(&self) -> &str {
        &self.software
    }
}

/// What a greeting signs: version, identity, software, then the signer's own end and the other one.
fn signed<'a>(
    identity: &'a [u8; 32],
    software: &'a str,
    own: &'a [u8; 32],
    other: &'a [u8; 32],
    exporter: &'a [u8; 32],
) -> [&'a [u8]; 6] {
    const VERSION: [u8; 2] = PROTOCOL_VERSION.to_be_bytes();
    [
        &VERSION,
        identity,
        software.as_bytes(),
        own,
        other,
        exporter,
    ]
}
