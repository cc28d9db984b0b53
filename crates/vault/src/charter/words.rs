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
/// What they hold against:
///
/// - *Who makes the vault, or sits between its members while they pair*, and shows two of them two rosters. Every
///   member's [nonce](super::Member::nonce) is in its charter. Each is committed to its own from the pairing on, and
///   reveals it only after it has accepted one draft of the roster, with the commitments of all, for good. So the words
///   on a screen are random to everybody until that screen's roster can change no more: two rosters get the same words
///   with probability 2^-66 a try, and a try costs a person a new code.
/// - *Who writes a whole log of his own* and gives it to a stranger that knows the vault's words. There is nobody to
///   commit to, so he can try rosters at his desk; that is what the stretching is for. Iterating the hash 2^16 times
///   makes hitting given words cost 2^82 SHA-256, for some hundredths of a second at each honest screen.
///
/// Two logs of *one author's own making* under the same words cost him 2^49 SHA-256 (2^33 tries, by the birthday bound):
/// words alone do not tell apart what nobody but he ever held.
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
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

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
        other.members[2].nonce = [9; 32];
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
