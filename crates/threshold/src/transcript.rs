//! A hash of typed items that has one reading only.
//!
//! Each item is a type byte, its length as eight little-endian bytes, and its bytes; the domain comes
//! first. So no two different sequences of items hash the same input, which is what TSSHOCK's
//! alpha-shuffle (CVE-2022-47931) needed: `("a", "$b")` and `("a$", "b")` differ here.

use sha2::{Digest, Sha256};

const DOMAIN: u8 = 0;
const BYTES: u8 = 1;
const NUMBER: u8 = 2;

/// A domain-separated, length-prefixed SHA-256 over a sequence of items.
#[derive(Clone)]
pub struct Transcript(Sha256);

impl Transcript {
    /// Starts a transcript under `domain`, for example `"quorate/threshold/committee/v1"`.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut transcript = Self(Sha256::new());
        transcript.item(DOMAIN, domain.as_bytes());
        transcript
    }

    /// Appends a byte string.
    pub fn append(&mut self, bytes: &[u8]) -> &mut Self {
        self.item(BYTES, bytes)
    }

    /// Appends a number; never the same as appending its eight bytes.
    pub fn append_u64(&mut self, number: u64) -> &mut Self {
        self.item(NUMBER, &number.to_le_bytes())
    }

    /// The hash of everything appended.
    #[must_use]
    pub fn finish(self) -> [u8; 32] {
        self.0.finalize().into()
    }

    fn item(&mut self, kind: u8, bytes: &[u8]) -> &mut Self {
        self.0.update([kind]);
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
        self
    }
}

impl std::fmt::Debug for Transcript {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Transcript").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use proptest::prelude::{Strategy, any, prop_assert_eq, prop_oneof, proptest};

    use super::Transcript;

    #[derive(Clone, Debug, PartialEq)]
    enum Item {
        Bytes(Vec<u8>),
        Number(u64),
    }

    fn item() -> impl Strategy<Value = Item> {
        prop_oneof![
            proptest::collection::vec(0u8..3, 0..10).prop_map(Item::Bytes),
            (0u64..4).prop_map(Item::Number),
            any::<u64>().prop_map(|n| Item::Bytes(n.to_le_bytes().to_vec())),
        ]
    }

    fn hash(domain: &str, items: &[Item]) -> [u8; 32] {
        let mut transcript = Transcript::new(domain);
        for item in items {
            match item {
                Item::Bytes(bytes) => transcript.append(bytes),
                Item::Number(number) => transcript.append_u64(*number),
            };
        }
        transcript.finish()
    }

    proptest! {
        /// CVE-2022-47931: two readings of one hash input let a prover answer for another statement.
        #[test]
        fn only_equal_sequences_hash_equal(
            a in proptest::collection::vec(item(), 0..5),
            b in proptest::collection::vec(item(), 0..5),
        ) {
            prop_assert_eq!(hash("d", &a) == hash("d", &b), a == b);
        }

        /// Moving a byte over the border of two items changes the hash.
        #[test]
        fn borders_count(all in proptest::collection::vec(any::<u8>(), 1..20), cut in 0usize..20, other in 0usize..20) {
            let (cut, other) = (cut % all.len(), other % all.len());
            let split = |at: usize| vec![Item::Bytes(all[..at].to_vec()), Item::Bytes(all[at..].to_vec())];
            prop_assert_eq!(hash("d", &split(cut)) == hash("d", &split(other)), cut == other);
        }
    }

    #[test]
    fn domain_is_not_an_item() {
        assert_ne!(hash("ab", &[]), hash("a", &[Item::Bytes(b"b".to_vec())]));
        assert_ne!(hash("a", &[]), hash("b", &[]));
    }

    /// The encoding is part of every signature and id: it must not drift.
    #[test]
    fn golden() {
        let items = [Item::Bytes(b"abc".to_vec()), Item::Number(7)];
        assert_eq!(
            hex::encode(hash("quorate/golden", &items)),
            "ccf37dde3956831d44b2bf2af080adfd954f09f8148801975ed62cc1c276cd2c"
        );
    }
}
