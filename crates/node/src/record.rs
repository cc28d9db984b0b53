//! Values that the daemon keeps for itself: a version byte and postcard, read back only if every byte fits.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The version byte before every value.
const VERSION: u8 = 1;
/// Longest value, bytes.
pub(crate) const MAX_RECORD_BYTES: usize = 256 * 1024;

/// The one encoding of `value`.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![VERSION])
        .expect("invariant: a Vec grows and these types have no unsized maps")
}

/// The value whose one encoding `bytes` is; none if they are anything else.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(bytes: &[u8]) -> Option<T> {
    let (&version, body) = bytes.split_first()?;
    if version != VERSION || bytes.len() > MAX_RECORD_BYTES {
        return None;
    }
    let value: T = postcard::from_bytes(body).ok()?;
    (encode(&value) == bytes).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::{decode, encode};

    #[test]
    fn a_record_is_read_back_whole_or_not_at_all() {
        let bytes = encode(&("family".to_owned(), 3u8));
        assert_eq!(
            decode::<(String, u8)>(&bytes),
            Some(("family".to_owned(), 3))
        );
        let mut longer = bytes.clone();
        longer.push(0);
        assert_eq!(decode::<(String, u8)>(&longer), None);
        let mut newer = bytes.clone();
        newer[0] = 2;
        assert_eq!(decode::<(String, u8)>(&newer), None);
        assert_eq!(decode::<(String, u8)>(&[]), None);
    }
}
