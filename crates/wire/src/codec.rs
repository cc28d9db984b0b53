//! One value, one encoding: a version byte, then postcard.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// Why bytes are not a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than any such value has.
    #[error(
        "{len} bytes where at most {max} are allowed; the peer sends something else or is faulty"
    )]
    TooLong {
        /// Bytes that came.
        len: usize,
        /// Most that any value takes.
        max: usize,
    },
    /// A format version that this program does not read.
    #[error(
        "format version {theirs} where this program reads {ours}; use the same version of Quorate"
    )]
    OtherVersion {
        /// Version in the bytes.
        theirs: u8,
        /// Version that is read.
        ours: u8,
    },
    /// Cut short, trailing bytes, or not the one encoding that the value has.
    #[error("malformed; it was damaged on the way or made by something else")]
    Malformed,
}

/// Encodes a value behind its version byte.
pub(crate) fn encode<T: Serialize>(version: u8, value: &T) -> Vec<u8> {
    postcard::to_extend(value, vec![version])
        .expect("invariant: plain values in memory always encode")
}

/// Decodes what [`encode`] made, and only that: the value is encoded again and compared.
pub(crate) fn decode<T: Serialize + DeserializeOwned>(
    version: u8,
    bytes: &[u8],
    max: usize,
) -> Result<T, DecodeError> {
    if bytes.len() > max {
        return Err(DecodeError::TooLong {
            len: bytes.len(),
            max,
        });
    }
    let (theirs, body) = bytes.split_first().ok_or(DecodeError::Malformed)?;
    if *theirs != version {
        return Err(DecodeError::OtherVersion {
            theirs: *theirs,
            ours: version,
        });
    }
    let value: T = postcard::from_bytes(body).map_err(|_| DecodeError::Malformed)?;
    if encode(version, &value) != bytes {
        return Err(DecodeError::Malformed);
    }
    Ok(value)
}
