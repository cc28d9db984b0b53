//! Keyed hashes over unambiguous encodings, and the sum over all rows.

use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// A 32-byte key of one purpose; wiped when dropped.
#[derive(Zeroize, ZeroizeOnDrop)]
pub(crate) struct Key([u8; 32]);

impl Key {
    pub(crate) fn new(bytes: Zeroizing<[u8; 32]>) -> Self {
        Self(*bytes)
    }

    pub(crate) fn expose(&self) -> &[u8; 32] {
        &self.0
    }

    /// HMAC-SHA256 over the parts, each preceded by its length (8 bytes, big-endian), so that no two
    /// different lists of parts give the same input.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0)
            .expect("invariant: HMAC takes keys of any length");
        for part in parts {
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }

    /// A key for one purpose, derived from this one (HMAC as in HKDF's expand with one block).
    pub(crate) fn derive(&self, purpose: &str) -> Self {
        Self(self.mac(&[b"quorate/store/key/v1", purpose.as_bytes()]))
    }
}

/// A sum modulo 2^256 of one secret 256-bit number a row. Adding and removing rows needs no other
/// row, and without the key no set of rows with the same sum can be found (Bellare and Micciancio
/// 1997; the numbers are never stored).
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct RowSum([u64; 4]);

impl RowSum {
    pub(crate) const EMPTY: Self = Self([0; 4]);

    pub(crate) fn from_bytes(bytes: &[u8; 32]) -> Self {
        let mut limbs = [0; 4];
        for (limb, chunk) in limbs.iter_mut().zip(bytes.chunks_exact(8)) {
            *limb = u64::from_le_bytes(chunk.try_into().expect("invariant: chunks of eight"));
        }
        Self(limbs)
    }

    pub(crate) fn to_bytes(self) -> [u8; 32] {
        let mut bytes = [0; 32];
        for (chunk, limb) in bytes.chunks_exact_mut(8).zip(self.0) {
            chunk.copy_from_slice(&limb.to_le_bytes());
        }
        bytes
    }

    pub(crate) fn add(&mut self, number: &[u8; 32]) {
        let mut carry = false;
        for (limb, other) in self.0.iter_mut().zip(Self::from_bytes(number).0) {
            let (sum, first) = limb.overflowing_add(other);
            let (sum, second) = sum.overflowing_add(u64::from(carry));
            *limb = sum;
            carry = first || second;
        }
    }

    pub(crate) fn remove(&mut self, number: &[u8; 32]) {
        let mut borrow = false;
        for (limb, other) in self.0.iter_mut().zip(Self::from_bytes(number).0) {
            let (rest, first) = limb.overflowing_sub(other);
            let (rest, second) = rest.overflowing_sub(u64::from(borrow));
            *limb = rest;
            borrow = first || second;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]
    use proptest::prelude::{any, prop_assert, proptest};

    use super::{Key, RowSum};

    proptest! {
        #[test]
        fn a_sum_does_not_depend_on_order_and_forgets_what_is_removed(
            rows in proptest::collection::vec(any::<[u8; 32]>(), 0..8), extra in any::<[u8; 32]>(),
        ) {
            let mut forward = RowSum::EMPTY;
            rows.iter().for_each(|row| forward.add(row));
            let mut backward = RowSum::EMPTY;
            backward.add(&extra);
            rows.iter().rev().for_each(|row| backward.add(row));
            backward.remove(&extra);
            prop_assert!(forward == backward);
            prop_assert!(RowSum::from_bytes(&forward.to_bytes()) == forward);
        }
    }

    /// Threat: an ambiguous hash encoding (`("a","$b")` = `("a$","b")`).
    #[test]
    fn moving_a_byte_between_parts_changes_the_mac() {
        let key = Key([7; 32]);
        assert_ne!(key.mac(&[b"a", b"$b"]), key.mac(&[b"a$", b"b"]));
        assert_ne!(key.mac(&[b"ab"]), key.mac(&[b"ab", b""]));
    }
}
