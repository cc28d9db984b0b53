//! The one way bytes are read: a size limit, a version byte, no trailing bytes, one encoding a value.

use serde::{Serialize, de::DeserializeOwned};
use zeroize::Zeroizing;

use crate::error::Error;

/// Name, version and size limit of an encoding.
pub(crate) struct Format {
    pub(crate) what: &'static str,
    pub(crate) version: u8,
    pub(crate) limit: usize,
}

impl Format {
    /// One version byte, then postcard.
    pub(crate) fn encode<T: Serialize>(&self, value: &T) -> Zeroizing<Vec<u8>> {
        // A first pass for the size, so that secrets are not left behind in outgrown buffers.
        let flavor = postcard::ser_flavors::Size::default();
        let size = postcard::serialize_with_flavor(value, flavor)
            .expect("invariant: sizing a plain struct cannot fail");
        let mut out = Vec::with_capacity(size + 1);
        out.push(self.version);
        Zeroizing::new(
            postcard::to_extend(value, out).expect("invariant: a plain struct encodes into memory"),
        )
    }

    /// Reads a value, refusing any encoding but the one [`Format::encode`] gives.
    pub(crate) fn decode<T: Serialize + DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, Error> {
        let what = self.what;
        if bytes.len() > self.limit {
            return Err(Error::TooLarge {
                what,
                bytes: bytes.len(),
                limit: self.limit,
            });
        }
        let (&version, body) = bytes.split_first().ok_or(Error::Decode { what })?;
        if version != self.version {
            return Err(Error::Version {
                what,
                version,
                known: self.version,
            });
        }
        let (value, rest) =
            postcard::take_from_bytes::<T>(body).map_err(|_| Error::Decode { what })?;
        let again = self.encode(&value);
        if !rest.is_empty() || again.as_slice() != bytes {
            return Err(Error::Decode { what });
        }
        Ok(value)
    }
}
