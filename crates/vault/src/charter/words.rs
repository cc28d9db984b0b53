//! Six words that stand for a charter, for people to compare aloud.

use std::fmt;

use bip39::Language;
use sha2::{Digest, Sha256};

/// How many words.
const COUNT: usize = 6;
/// Bits that one word of the list of 2,048 carries.
const BITS: usize = 11;
/// How often the hash is iterated.
const ROUNDS: u32 = 1 << 16;
/// 32 bytes, like every hash that can stand in its place.
const DOMAIN: &[u8; 32] = b"quorate/roster-words/v1.........";

/// Six words of BIP-39's English list: 66 bits of a stretched hash of the charter.
///
/// The list is borrowed because its words are told apart by their first four letters; this is no BIP-39 mnemonic
/// and holds no secret.
///
/// Why stretched: who sits between members while they pair, or wrote the draft, can try other rosters until one
/// shows the same six words. Iterating the hash 2^16 times makes each try cost 2^16 hashes: to hit words that are
/// fixed already takes 2^82 SHA-256, out of reach, for some hundredths of a second at each honest screen. Two
/// rosters of *the draft's author's own making* meet by the birthday bound after 2^33 tries (2^49 SHA-256): words
/// alone do not hold against an author who shows different rosters to different people at that price. That is why
/// every member's first log entry repeats the whole charter, and no keygen starts before all have the same hash.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Words([&'static str; COUNT]);

impl Words {
    /// The words of a charter's hash.
    pub(super) fn of_hash(hash: &[u8; 32]) -> Self {
        let mut bits = stretch(hash);
        let list = Language::English.word_list();
        Self([(); COUNT].map(|()| {
            let index = take_bits(&mut bits);
            list.get(index)
                .copied()
                .expect("invariant: eleven bits are below 2,048")
        }))
    }

    /// The six words, in order, lower case.
    pub fn as_array(&self) -> &[&'static str; COUNT] {
        &self.0
    }

    /// Whether a person typed these words: in order; case, spaces, line breaks, commas and hyphens do not matter.
    pub fn matches(&self, typed: &str) -> bool {
        let separator = |c: char| {
            c.is_whitespace() || matches!(c, ',' | ';' | '.' | '-' | '\u{2010}'..='\u{2015}')
        };
        let words = typed.split(separator).filter(|word| !word.is_empty());
        words
            .map(str::to_lowercase)
            .eq(self.0.iter().map(|word| (*word).to_owned()))
    }
}

impl fmt::Display for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl fmt::Debug for Words {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Words({self})")
    }
}

/// `h_0 = H(domain, hash)`, `h_i = H(h_{i-1}, hash)`; the first 128 bits of the last.
///
/// Domain and inputs are 32 bytes each, so every concatenation has one reading; the hash is mixed into every round, so
/// that two rosters whose states meet once part again.
fn stretch(hash: &[u8; 32]) -> u128 {
    let mut block = [0; 64];
    let (state, roster) = block.split_at_mut(32);
    state.copy_from_slice(DOMAIN);
    roster.copy_from_slice(hash);
    for _ in 0..=ROUNDS {
        let next = Sha256::digest(block);
        for (to, from) in block.iter_mut().zip(&next) {
            *to = *from;
        }
    }
    block
        .iter()
        .take(16)
        .fold(0, |bits, byte| (bits << 8) | u128::from(*byte))
}

/// Takes eleven bits off the top.
fn take_bits(bits: &mut u128) -> usize {
    let top = *bits >> (128 - BITS);
    *bits <<= BITS;
    usize::try_from(top).expect("invariant: eleven bits fit")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::Words;
    use crate::testing::charter;

    /// The words stand on paper and are compared between versions: they must not drift.
    #[test]
    fn golden() {
        assert_eq!(
            Words::of_hash(&[0; 32]).to_string(),
            "transfer sing hood pelican bundle tuition"
        );
        assert_eq!(
            Words::of_hash(&[7; 32]).to_string(),
            "dutch total nose swift swamp bright"
        );
    }

    #[test]
    fn every_part_of_the_charter_changes_the_words() {
        let original = charter(2, 3);
        let words = original.fingerprint();
        let mut other = original.clone();
        other.nonce = [9; 32];
        assert_ne!(other.fingerprint(), words);
        let mut other = original.clone();
        other.members.swap(0, 1);
        assert_ne!(other.fingerprint(), words);
        let mut other = original;
        other.threshold = 3;
        assert_ne!(other.fingerprint(), words);
    }

    #[test]
    fn typing_is_forgiven_and_differing_is_not() {
        let words = Words::of_hash(&[7; 32]);
        let all = words.as_array();
        for typed in [
            words.to_string(),
            words.to_string().to_uppercase(),
            format!("  {}\n", all.join(",\t ")),
            all.join("-"),
        ] {
            assert!(words.matches(&typed), "{typed:?}");
        }
        let [a, b, c, d, e, f] = *all;
        for typed in [
            [b, a, c, d, e, f].join(" "),
            [a, b, c, d, e].join(" "),
            [a, b, c, d, e, f, f].join(" "),
            all.concat(),
            String::new(),
        ] {
            assert!(!words.matches(&typed), "{typed:?}");
        }
    }
}
