//! Ed25519 signatures with domain separation.

use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

/// The two halves of an Ed25519 signature (RFC 8032), as they travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SignatureBytes {
    r: [u8; 32],
    s: [u8; 32],
}

/// A public key that can be verified with: a canonical point that is not of small order.
pub(crate) fn public_key(bytes: &[u8; 32]) -> Option<VerifyingKey> {
    let canonical = |key: &VerifyingKey| key.to_edwards().compress().as_bytes() == bytes;
    VerifyingKey::from_bytes(bytes)
        .ok()
        .filter(|key| !key.is_weak() && canonical(key))
}

/// Signs domain and parts, each preceded by its length.
pub(crate) fn sign(key: &SigningKey, domain: &str, parts: &[&[u8]]) -> SignatureBytes {
    let signature = key.sign(&message(domain, parts));
    SignatureBytes {
        r: *signature.r_bytes(),
        s: *signature.s_bytes(),
    }
}

/// Verifies what [`sign`] made, strictly (no malleable or small-order signatures).
pub(crate) fn verify(
    key: &[u8; 32],
    domain: &str,
    parts: &[&[u8]],
    signature: &SignatureBytes,
) -> bool {
    let signature = Signature::from_components(signature.r, signature.s);
    public_key(key).is_some_and(|key| {
        key.verify_strict(&message(domain, parts), &signature)
            .is_ok()
    })
}

/// Length-prefixed, so that no two lists of parts give one message.
pub(crate) fn message(domain: &str, parts: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in [domain.as_bytes()].iter().chain(parts) {
        out.extend_from_slice(&(part.len() as u64).to_be_bytes());
        out.extend_from_slice(part);
    }
    out
}
