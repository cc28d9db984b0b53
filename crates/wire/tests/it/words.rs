//! Words that people compare.

use quorate_wire::{fingerprint_words, is_word, nearest_word, words_match};

#[test]
fn a_fingerprint_is_six_listed_words_and_changes_with_every_bit() {
    let words = fingerprint_words(&[1; 32]);
    assert!(words.iter().all(|word| is_word(word)));
    let mut flipped = [1; 32];
    flipped[31] ^= 1;
    let other = fingerprint_words(&flipped);
    assert!(words.iter().zip(&other).filter(|(a, b)| a == b).count() <= 1);
}

#[test]
fn typing_is_forgiven_but_words_are_not() {
    let words = ["ocean", "piano", "abandon", "zoo", "art", "cat"];
    for typed in [
        "ocean piano abandon zoo art cat",
        "  Ocean, PIANO,abandon\tzoo\nart   cat. ",
        "ocean-piano-abandon-zoo-art-cat",
    ] {
        assert!(words_match(typed, &words), "{typed:?}");
    }
    for typed in [
        "",
        "ocean piano abandon zoo art",
        "ocean piano abandon zoo art cat cat",
        "piano ocean abandon zoo art cat",
        "ocean piano abandon zoo art car",
        "oceanpiano abandon zoo art cat",
    ] {
        assert!(!words_match(typed, &words), "{typed:?}");
    }
}

#[test]
fn a_mistyped_word_finds_its_neighbour() {
    assert_eq!(nearest_word("ocaen"), Some("ocean"));
    assert_eq!(nearest_word("pianoo"), Some("piano"));
    assert_eq!(nearest_word("qqqqqqqq"), None);
    assert_eq!(nearest_word(&"a".repeat(1_000_000)), None);
}
