//! Words that people compare and type: the English list of BIP-39.

use bip39::Language;
use sha2::{Digest, Sha256};

/// Words in a fingerprint.
pub const FINGERPRINT_WORDS: usize = 6;

/// Times that SHA-256 is applied before words are taken.
const STRETCHES: u32 = 1 << 16;

/// The six words for a hash.
///
/// Six words are 66 bits, so an attacker who can try inputs freely finds a second one with the same
/// words after 2^66 tries, and two of his own choosing after 2^33. Each try is made 2^16 times dearer here
/// (some 10 ms), a whole person's wait being a second. **That does not make 2^33 tries impossible**: what is
/// hashed must contain something random from every member, committed to before any is revealed,
/// so that nobody can try at all.
///
/// Why not Argon2id: the words are shown on every screen again and again, on small machines too, and the
/// commitment is what protects; a memory-hard function would only be a second lock on that door.
pub fn fingerprint_words(hash: &[u8; 32]) -> [&'static str; FINGERPRINT_WORDS] {
    let mut state: [u8; 32] = Sha256::new()
        .chain_update(b"quorate/words/v1")
        .chain_update(hash)
        .finalize()
        .into();
    for _ in 0..STRETCHES {
        state = Sha256::digest(state).into();
    }
    let mut bits = state
        .iter()
        .take(9)
        .fold(0u128, |bits, byte| (bits << 8) | u128::from(*byte))
        >> 6;
    let mut words = [""; FINGERPRINT_WORDS];
    for word in words.iter_mut().rev() {
        *word = word_at(u16::try_from(bits & 0x7ff).expect("invariant: eleven bits"));
        bits >>= 11;
    }
    words
}

/// Whether a person typed these words: case, commas, dashes and spaces do not matter.
pub fn words_match(typed: &str, words: &[&str]) -> bool {
    let typed = typed
        .split(is_separator)
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase);
    typed.eq(words.iter().map(|word| word.to_lowercase()))
}

/// Whether a word is in the list; lower case.
pub fn is_word(word: &str) -> bool {
    index_of(word).is_some()
}

/// The listed word that is most like a mistyped one, if one is at most two letters away. Of several,
/// one with the same first letter: people get that one right.
pub fn nearest_word(typed: &str) -> Option<&'static str> {
    let rank = |word: &'static str| {
        (
            distance(typed, word),
            word.chars().next() != typed.chars().next(),
        )
    };
    let ranked = Language::English
        .word_list()
        .iter()
        .map(|word| (rank(word), *word));
    ranked
        .filter(|((letters, _), _)| *letters <= 2)
        .min_by_key(|(rank, _)| *rank)
        .map(|(_, word)| word)
}

pub(crate) fn is_separator(c: char) -> bool {
    c.is_whitespace() || matches!(c, ',' | ';' | '-' | '.' | '/')
}

pub(crate) fn index_of(word: &str) -> Option<u16> {
    Language::English.find_word(word)
}

/// The word with a number below 2048.
pub(crate) fn word_at(index: u16) -> &'static str {
    Language::English
        .word_list()
        .get(usize::from(index))
        .expect("invariant: eleven bits index 2048 words")
}

/// Levenshtein's distance; typed text is cut, so that a long one costs nothing.
fn distance(typed: &str, word: &str) -> usize {
    let word: Vec<char> = word.chars().collect();
    let mut row: Vec<usize> = (0..=word.len()).collect();
    for (line, c) in typed.chars().take(16).enumerate() {
        let mut diagonal = line;
        let mut left = line + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, other) in row.iter_mut().skip(1).zip(&word) {
            let best = (diagonal + usize::from(c != *other))
                .min(left + 1)
                .min(*cell + 1);
            diagonal = std::mem::replace(cell, best);
            left = best;
        }
    }
    row.last().copied().unwrap_or_default()
}
