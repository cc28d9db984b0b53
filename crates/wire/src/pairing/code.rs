//! The spoken code.

use std::fmt;
use std::str::FromStr;

use rand_core::CryptoRngCore;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::words::{index_of, is_separator, nearest_word, word_at};

/// Numbers below this, so four digits.
const NUMBERS: u16 = 10_000;

/// Words of the list that a code draws from.
const WORDS: u16 = 2048;

/// Four digits and two words of the BIP-39 English list: `4821-ocean-piano`, 35 bits.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PairingCode {
    number: u16,
    words: [u16; 2],
}

/// Why a text is no code.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CodeError {
    /// It has not the shape of one.
    #[error("a code is four digits and two words, as in 4821-ocean-piano")]
    Shape,
    /// A word that no code has.
    #[error("`{word}` is in no code{}. Read it again", nearest.map(|near| format!("; perhaps `{near}`")).unwrap_or_default())]
    NotInList {
        /// The word as typed.
        word: String,
        /// A listed word like it.
        nearest: Option<&'static str>,
    },
}

impl PairingCode {
    /// Draws a code; every one is equally likely.
    pub fn generate(rng: &mut dyn CryptoRngCore) -> Self {
        Self {
            number: below(NUMBERS, rng),
            words: [below(WORDS, rng), below(WORDS, rng)],
        }
    }

    /// The code as it is shown and spoken.
    pub fn reveal(&self) -> Zeroizing<String> {
        let [first, second] = self.words.map(word_at);
        Zeroizing::new(format!("{:04}-{first}-{second}", self.number))
    }
}

/// A uniform number, by rejection.
fn below(bound: u16, rng: &mut dyn CryptoRngCore) -> u16 {
    let bound = u32::from(bound);
    let limit = u32::MAX - u32::MAX % bound;
    loop {
        let drawn = rng.next_u32();
        if drawn < limit {
            return u16::try_from(drawn % bound).expect("invariant: below a 16-bit bound");
        }
    }
}

impl FromStr for PairingCode {
    type Err = CodeError;

    /// Forgives case, spaces and commas; digits may be apart. `4821 Ocean, piano` is fine.
    fn from_str(text: &str) -> Result<Self, CodeError> {
        let mut digits = Zeroizing::new(String::new());
        let mut words = Vec::new();
        for part in text.split(is_separator).filter(|part| !part.is_empty()) {
            if part.bytes().all(|byte| byte.is_ascii_digit()) && words.is_empty() {
                digits.push_str(part);
            } else {
                words.push(word(part)?);
            }
        }
        let number = digits
            .parse()
            .ok()
            .filter(|_| digits.len() == 4)
            .ok_or(CodeError::Shape)?;
        let words = words.try_into().map_err(|_| CodeError::Shape)?;
        Ok(Self { number, words })
    }
}

fn word(typed: &str) -> Result<u16, CodeError> {
    let lower = typed.to_lowercase();
    index_of(&lower).ok_or_else(|| CodeError::NotInList {
        word: typed.chars().filter(|c| !c.is_control()).take(32).collect(),
        nearest: nearest_word(&lower),
    })
}

impl fmt::Debug for PairingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PairingCode(redacted)")
    }
}
