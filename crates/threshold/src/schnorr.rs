//! The signatures of the two Schnorr-like suites, and BIP-341's tweak.

use std::fmt;

use k256::elliptic_curve::PrimeField;
use k256::elliptic_curve::sec1::{FromEncodedPoint, ToEncodedPoint};
use k256::schnorr::signature::hazmat::PrehashVerifier;
use k256::{AffinePoint, EncodedPoint, ProjectivePoint, Scalar};
use serde::{Deserialize, Serialize};
use serde_bytes::ByteArray;
use sha2::{Digest, Sha256};

use crate::error::Error;
use crate::point::Point;
use crate::subject::Subject;
use crate::suite::Suite;

/// A signature of BIP-340 (`x(R) || s`) or RFC 8032 (`R || s`), 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct SchnorrSignature(ByteArray<64>);

impl SchnorrSignature {
    /// A signature from its bytes; nothing is checked before [`SchnorrSignature::verify`].
    #[must_use]
    pub const fn from_bytes(bytes: [u8; 64]) -> Self {
        Self(ByteArray::new(bytes))
    }

    /// The bytes, as the chain takes them.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 64] {
        &self.0
    }

    /// Whether this signs `subject` under `key` (for Taproot: under the output key that `key` is the internal key of).
    /// Other code than the protocol's; an offline checker can call it.
    #[must_use]
    pub fn verify(&self, key: &Point, subject: &Subject) -> bool {
        if key.suite() != subject.suite() {
            return false;
        }
        match subject {
            Subject::Ecdsa(_) => false,
            Subject::Taproot {
                digest,
                merkle_root,
            } => taproot_output_key(key, merkle_root.as_ref())
                .is_ok_and(|output| self.verify_bip340(&output, digest.as_bytes())),
            Subject::Ed25519(message) => self.verify_ed25519(key, message.as_bytes()),
        }
    }

    fn verify_bip340(&self, x_only: &[u8; 32], digest: &[u8; 32]) -> bool {
        let key = k256::schnorr::VerifyingKey::from_bytes(x_only);
        let signature = k256::schnorr::Signature::try_from(self.as_bytes().as_slice());
        match (key, signature) {
            (Ok(key), Ok(signature)) => key.verify_prehash(digest, &signature).is_ok(),
            _ => false,
        }
    }

    fn verify_ed25519(&self, key: &Point, message: &[u8]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(self.as_bytes());
        let bytes: Result<&[u8; 32], _> = key.as_bytes().try_into();
        let key = bytes
            .ok()
            .and_then(|bytes| ed25519_dalek::VerifyingKey::from_bytes(bytes).ok());
        key.is_some_and(|key| key.verify_strict(message, &signature).is_ok())
    }
}

impl fmt::Debug for SchnorrSignature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SchnorrSignature(")?;
        self.as_bytes()
            .iter()
            .take(4)
            .try_for_each(|byte| write!(f, "{byte:02x}"))?;
        f.write_str("..)")
    }
}

/// The x-only output key of BIP-341 for an internal key: `Q = lift_x(P) + H_TapTweak(x(P) || root) G`.
///
/// # Errors
/// [`Error::Point`] for a key of another suite, or with a chance of 2^-127 for any key.
pub fn taproot_output_key(
    internal: &Point,
    merkle_root: Option<&[u8; 32]>,
) -> Result<[u8; 32], Error> {
    output_key(internal, merkle_root).ok_or(Error::Point {
        suite: Suite::SchnorrSecp256k1,
    })
}

fn output_key(internal: &Point, merkle_root: Option<&[u8; 32]>) -> Option<[u8; 32]> {
    if internal.suite() != Suite::SchnorrSecp256k1 {
        return None;
    }
    let x = internal.as_bytes().get(1..)?;
    let even = [&[2u8], x].concat();
    let lifted = EncodedPoint::from_bytes(even).ok()?;
    let lifted = Option::<AffinePoint>::from(AffinePoint::from_encoded_point(&lifted))?;
    let tag = Sha256::digest(b"TapTweak");
    let hash = Sha256::new()
        .chain_update(tag)
        .chain_update(tag)
        .chain_update(x);
    let hash = merkle_root
        .iter()
        .fold(hash, |hash, root| hash.chain_update(root));
    let tweak = Option::<Scalar>::from(Scalar::from_repr(hash.finalize()))?;
    let output = ProjectivePoint::from(lifted) + ProjectivePoint::GENERATOR * tweak;
    let encoded = output.to_affine().to_encoded_point(true);
    encoded.x()?.as_slice().try_into().ok()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::SchnorrSignature;

    /// BIP-340's own vectors, good and bad: keys off the curve, odd `R`, infinity, values beyond field and order.
    #[test]
    fn bip340_vectors() {
        let rows = include_str!("../tests/vectors/bip340.csv").lines();
        let mut seen = 0;
        for row in rows.filter(|row| !row.starts_with('#')) {
            let cells: Vec<&str> = row.split(',').collect();
            let [index, key, message, signature, valid] = cells[..] else {
                panic!("{row}");
            };
            let key: [u8; 32] = hex::decode(key).unwrap().try_into().unwrap();
            let message: [u8; 32] = hex::decode(message).unwrap().try_into().unwrap();
            let signature: [u8; 64] = hex::decode(signature).unwrap().try_into().unwrap();
            let found = SchnorrSignature::from_bytes(signature).verify_bip340(&key, &message);
            assert_eq!(found.to_string(), valid, "vector {index}");
            seen += 1;
        }
        assert_eq!(seen, 15);
    }
}
