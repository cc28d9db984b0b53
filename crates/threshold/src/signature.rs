//! The digest that is signed and the signature that comes out.

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use k256::ecdsa::{RecoveryId, Signature, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::point::Point;
use crate::suite::Suite;

/// A 32-byte digest that this signer derived itself from bytes it decoded.
///
/// There is no conversion from a plain array: the only constructor says what its caller vouches for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct MessageDigest([u8; 32]);

impl MessageDigest {
    /// Wraps the digest of a message that the caller has decoded and judged (no blind signing).
    #[must_use]
    pub const fn derived_from_what_this_signer_decoded(digest: [u8; 32]) -> Self {
        Self(digest)
    }

    /// The digest's bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// An ECDSA signature over secp256k1 with low `s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct EcdsaSignature {
    /// Big-endian `r`.
    pub r: [u8; 32],
    /// Big-endian `s`, at most half the group order.
    pub s: [u8; 32],
    /// Bit 0: `R.y` is odd; bit 1: `R.x` was at least the group order.
    pub recovery_id: u8,
}

impl EcdsaSignature {
    /// Whether this is a low-`s` signature of `digest` under `group_key`, and its recovery id leads back
    /// to that key. Needs nothing else, so an offline checker can call it.
    #[must_use]
    pub fn verify(&self, group_key: &Point, digest: &MessageDigest) -> bool {
        self.verify_inner(group_key, digest).unwrap_or(false)
    }

    fn verify_inner(&self, group_key: &Point, digest: &MessageDigest) -> Option<bool> {
        if group_key.suite() != Suite::EcdsaSecp256k1 {
            return None;
        }
        let key = VerifyingKey::from_sec1_bytes(group_key.as_bytes()).ok()?;
        let signature = Signature::from_scalars(self.r, self.s).ok()?;
        if signature.normalize_s().is_some() {
            return Some(false);
        }
        key.verify_prehash(digest.as_bytes(), &signature).ok()?;
        let id = RecoveryId::from_byte(self.recovery_id)?;
        let recovered =
            VerifyingKey::recover_from_prehash(digest.as_bytes(), &signature, id).ok()?;
        Some(recovered == key)
    }
}
