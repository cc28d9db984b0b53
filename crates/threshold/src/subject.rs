//! What is signed, suite by suite.

use std::fmt;

use crate::error::Error;
use crate::signature::MessageDigest;
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Longest message that Ed25519 signs here, bytes. A Solana transaction has at most 1,232.
pub const MAX_MESSAGE_BYTES: usize = 16 * 1024;

/// What a signature is over. It is fixed, with path and signers, before any nonce exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// ECDSA over a 32-byte digest.
    Ecdsa(MessageDigest),
    /// BIP-340 under the output key of BIP-341: the signing key is the internal key, and the tweak is applied inside
    /// signing, by every signer for itself.
    Taproot {
        /// The signature hash.
        digest: MessageDigest,
        /// Root of the script tree; none commits to an output without one, as BIP-86 does.
        merkle_root: Option<[u8; 32]>,
    },
    /// RFC 8032 over a whole message.
    Ed25519(Message),
}

/// A message that this signer derived itself from what it decoded.
///
/// There is no conversion from plain bytes: the only constructor says what its caller vouches for.
#[derive(Clone, PartialEq, Eq)]
pub struct Message(Vec<u8>);

impl Message {
    /// Wraps the bytes of a message that the caller has decoded and judged (no blind signing).
    ///
    /// # Errors
    /// [`Error::MessageTooLong`] beyond [`MAX_MESSAGE_BYTES`].
    pub fn derived_from_what_this_signer_decoded(bytes: Vec<u8>) -> Result<Self, Error> {
        if bytes.len() > MAX_MESSAGE_BYTES {
            return Err(Error::MessageTooLong { bytes: bytes.len() });
        }
        Ok(Self(bytes))
    }

    /// The message's bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Message({} bytes)", self.0.len())
    }
}

impl Subject {
    /// The suite that signs it.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        match self {
            Self::Ecdsa(_) => Suite::EcdsaSecp256k1,
            Self::Taproot { .. } => Suite::SchnorrSecp256k1,
            Self::Ed25519(_) => Suite::EddsaEd25519,
        }
    }

    /// The bytes that go into the signature's own hash.
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Ecdsa(digest) | Self::Taproot { digest, .. } => digest.as_bytes(),
            Self::Ed25519(message) => message.as_bytes(),
        }
    }

    pub(crate) fn append_to(&self, transcript: &mut Transcript) {
        transcript.append(self.suite().name().as_bytes());
        transcript.append(self.bytes());
        let Self::Taproot { merkle_root, .. } = self else {
            return;
        };
        match merkle_root {
            None => transcript.append_u64(0),
            Some(root) => transcript.append_u64(1).append(root),
        };
    }
}
