//! XChaCha20-Poly1305 with the nonce in front.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use crate::digest::Key;

/// Bytes of an XChaCha20 nonce; 192 random bits never repeat.
pub(crate) const NONCE_BYTES: usize = 24;

/// Bytes that sealing adds: the nonce in front and the tag behind.
pub(crate) const SEAL_BYTES: usize = NONCE_BYTES + 16;

/// Seals `plain` under `key`; `aad` is bound and not stored. Returns nonce, ciphertext and tag.
pub(crate) fn seal(key: &Key, aad: &[u8], plain: &[u8], rng: &mut dyn CryptoRngCore) -> Vec<u8> {
    let mut nonce = [0u8; NONCE_BYTES];
    rng.fill_bytes(&mut nonce);
    let sealed = XChaCha20Poly1305::new(key.expose().into())
        .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad })
        .expect("invariant: plaintexts are far below the cipher's limit");
    [nonce.as_slice(), &sealed].concat()
}

/// Opens what [`seal`] made. `None` if key, `aad` or any byte differs.
pub(crate) fn open(key: &Key, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (nonce, sealed) = sealed.split_at_checked(NONCE_BYTES)?;
    XChaCha20Poly1305::new(key.expose().into())
        .decrypt(XNonce::from_slice(nonce), Payload { msg: sealed, aad })
        .ok()
        .map(Zeroizing::new)
}
