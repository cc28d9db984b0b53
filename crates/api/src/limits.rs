//! Limits that both ends hold.

/// Longest body a client may send, in bytes.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Longest JSON answer a client reads, in bytes.
pub const MAX_ANSWER_BYTES: usize = 16 * 1024 * 1024;

/// Longest log bundle a client reads, in bytes.
pub const MAX_BUNDLE_BYTES: usize = 256 * 1024 * 1024;

/// Longest a long poll is held open, in milliseconds; the daemon lowers a longer wish to this.
pub const MAX_WAIT_MS: u64 = 25_000;

/// Longest name of a vault, chain or member, in characters.
pub const MAX_NAME_CHARS: usize = 32;

/// Longest note or reason, in characters.
pub const MAX_NOTE_CHARS: usize = 280;

/// Fewest characters of a passphrase.
pub const MIN_PASSPHRASE_CHARS: usize = 8;

/// Fewest characters of a PIN.
pub const MIN_PIN_CHARS: usize = 4;

/// Whether `name` may name a vault, a chain or a member: 1 to [`MAX_NAME_CHARS`] of
/// `a-z 0-9 - _`, and it begins with a letter or a digit.
///
/// Names stay this plain because they stand in paths, file names and on other people's screens.
pub fn is_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= MAX_NAME_CHARS
        && name.chars().next().is_some_and(plain)
        && name.chars().all(|c| plain(c) || c == '-' || c == '_')
}

#[cfg(test)]
mod tests {
    use super::is_name;

    #[test]
    fn names_are_plain() {
        for good in ["family", "a", "7", "cold-store_2"] {
            assert!(is_name(good), "{good}");
        }
        for bad in [
            "", "-a", "_a", "Family", "a b", "a/b", "a.b", "ä", "a\n", "..",
        ] {
            assert!(!is_name(bad), "{bad:?}");
        }
        assert!(is_name(&"a".repeat(32)) && !is_name(&"a".repeat(33)));
    }
}
