//! Words that people speak and type: the English list of BIP-39.

use bip39::Language;

/// The listed word that is most like a mistyped one, if one is at most two letters away. Of several,
/// one with the same first letter: people get that one right.
pub(crate) fn nearest_word(typed: &str) -> Option<&'static str> {
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

#[cfg(test)]
mod tests {
    use super::nearest_word;

    #[test]
    fn a_mistyped_word_finds_its_neighbour() {
        assert_eq!(nearest_word("ocaen"), Some("ocean"));
        assert_eq!(nearest_word("pianoo"), Some("piano"));
        assert_eq!(nearest_word("qqqqqqqq"), None);
        assert_eq!(nearest_word(&"a".repeat(1_000_000)), None);
    }
}
