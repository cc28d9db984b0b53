//! Which protocol is spoken, at a place that no version moves.
//!
//! Everything that opens a conversation begins with the same prelude: four bytes of mark, the protocol
//! version (2 bytes, big-endian), and the name of the software (1 byte of length, then printable ASCII).
//! Whatever follows may change; the prelude may not, so that a peer of any other version can be named.

/// Version of everything that peers say to each other.
pub const PROTOCOL_VERSION: u16 = 1;

/// Protocol name in the transport's negotiation (RFC 7301). Without a version, so that peers of different
/// versions connect and can tell each other.
pub const ALPN: &[u8] = b"quorate/peer";

/// The same for pairing.
pub const PAIRING_ALPN: &[u8] = b"quorate/pair";

/// Longest name of a software, in characters.
pub const MAX_SOFTWARE_CHARS: usize = 32;

/// Who opened the conversation, and what came behind the prelude.
pub(crate) struct Prelude<'a> {
    pub(crate) version: u16,
    pub(crate) software: String,
    pub(crate) rest: &'a [u8],
}

/// Writes a prelude. Characters of `software` that do not belong are replaced.
pub(crate) fn prelude(mark: [u8; 4], software: &str) -> Vec<u8> {
    let software = tidy(software);
    let length = u8::try_from(software.len()).expect("invariant: at most 32 ASCII characters");
    let mut out = mark.to_vec();
    out.extend_from_slice(&PROTOCOL_VERSION.to_be_bytes());
    out.push(length);
    out.extend_from_slice(software.as_bytes());
    out
}

/// Reads a prelude of any version; `None` if it is none.
pub(crate) fn read_prelude(mark: [u8; 4], bytes: &[u8]) -> Option<Prelude<'_>> {
    let rest = bytes.strip_prefix(&mark)?;
    let (version, rest) = rest.split_first_chunk()?;
    let (length, rest) = rest.split_first()?;
    let (software, rest) = rest.split_at_checked(usize::from(*length))?;
    let software = std::str::from_utf8(software).ok()?;
    (tidy(software) == software).then(|| Prelude {
        version: u16::from_be_bytes(*version),
        software: software.to_owned(),
        rest,
    })
}

/// At most [`MAX_SOFTWARE_CHARS`] printable ASCII characters.
pub(crate) fn tidy(software: &str) -> String {
    let visible = |c: char| {
        if c.is_ascii_graphic() || c == ' ' {
            c
        } else {
            '?'
        }
    };
    software
        .chars()
        .take(MAX_SOFTWARE_CHARS)
        .map(visible)
        .collect()
}
