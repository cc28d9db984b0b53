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
        encode_after(&[self.version], value)
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

/// Postcard without a version, for what is never read by another release.
pub(crate) fn encode_secret<T: Serialize>(value: &T) -> Zeroizing<Vec<u8>> {
    encode_after(&[], value)
}

fn encode_after<T: Serialize>(prefix: &[u8], value: &T) -> Zeroizing<Vec<u8>> {
    // A first pass for the size, so that secrets are not left behind in outgrown buffers.
    let flavor = postcard::ser_flavors::Size::default();
    let size = postcard::serialize_with_flavor(value, flavor)
        .expect("invariant: sizing a plain struct cannot fail");
    let mut out = Vec::with_capacity(prefix.len() + size);
    out.extend_from_slice(prefix);
    Zeroizing::new(
        postcard::to_extend(value, out).expect("invariant: a plain struct encodes into memory"),
    )
}

/// Serde for byte strings that are wiped when dropped.
pub(crate) mod secret_bytes {
    use serde::{Deserializer, Serializer};
    use zeroize::Zeroizing;

    pub(crate) fn serialize<S: Serializer>(
        bytes: &Zeroizing<Vec<u8>>,
        s: S,
    ) -> Result<S::Ok, S::Error> {
        serde_bytes::serialize(bytes.as_slice(), s)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        d: D,
    ) -> Result<Zeroizing<Vec<u8>>, D::Error> {
        serde_bytes::deserialize(d).map(Zeroizing::new)
    }
}
