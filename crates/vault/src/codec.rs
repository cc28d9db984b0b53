//! One value, one encoding: a version byte and postcard, bounded, re-encoded and compared on the way in.

use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// The version byte that stands before every encoded value of this crate.
pub(crate) const VERSION: u8 = 1;

/// Why bytes are not a value.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum CodecError {
    #[error("{found} bytes are more than the {limit} allowed here")]
    TooLong { found: usize, limit: usize },
    #[error("format version {found} is not {VERSION}; update Quorate on the older side")]
    Version { found: u8 },
    #[error("the bytes are empty")]
    Empty,
    #[error("the bytes are malformed")]
    Malformed,
    #[error("the bytes are not the one encoding of their value")]
    NotCanonical,
}

/// The one encoding of `value`.
pub(crate) fn encode<T: Serialize>(value: &T) -> Vec<u8> {
    let out = vec![VERSION];
    postcard::to_extend(value, out)
        .expect("invariant: a Vec grows and our types have no unsized maps")
}

/// The value whose one encoding `bytes` is, if no longer than `limit`.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(
    bytes: &[u8],
    limit: usize,
) -> Result<T, CodecError> {
    if bytes.len() > limit {
        return Err(CodecError::TooLong {
            found: bytes.len(),
            limit,
        });
    }
    let (&version, body) = bytes.split_first().ok_or(CodecError::Empty)?;
    if version != VERSION {
        return Err(CodecError::Version { found: version });
    }
    let value: T = postcard::from_bytes(body).map_err(|_| CodecError::Malformed)?;
    if encode(&value) == bytes {
        Ok(value)
    } else {
        Err(CodecError::NotCanonical)
    }
}
