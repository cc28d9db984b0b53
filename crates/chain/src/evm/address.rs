//! Account addresses with the checksum of EIP-55.

use std::fmt;
use std::str::FromStr;

use alloy_primitives::keccak256;
use k256::PublicKey;
use k256::elliptic_curve::sec1::ToEncodedPoint as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

const HEX_DIGITS: usize = 40;

/// An account's address: the last 20 bytes of the Keccak-256 of its public key.
///
/// Shown with the EIP-55 checksum. Serialises as that text in human-readable formats, as 20 bytes in binary ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address([u8; 20]);

/// What the letters of a typed address say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checksum {
    /// Mixed case that satisfies EIP-55 (or no letters at all).
    Verified,
    /// All letters small or all capital: a typing mistake cannot be seen.
    Absent,
}

/// Why a text or key gives no address. Positions count characters of the whole text from 1.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// It does not begin with `0x`.
    #[error("an address begins with 0x; copy it again, whole")]
    Prefix,
    /// Not 40 digits.
    #[error(
        "an address has 40 hexadecimal digits after 0x, this has {found}; copy it again, whole"
    )]
    Length {
        /// Characters after `0x`.
        found: usize,
    },
    /// Something that is no hexadecimal digit.
    #[error(
        "character {position} of the address is {found:?}, no hexadecimal digit; copy it again"
    )]
    Digit {
        /// Where.
        position: usize,
        /// What is there.
        found: char,
    },
    /// Mixed case that contradicts EIP-55: at least one character was mistyped.
    #[error(
        "the address fails its checksum: character {position} is {found:?} where {expected:?} fits; some character is wrong, copy it again"
    )]
    Checksum {
        /// The first letter whose case is wrong. The wrong character may be another one.
        position: usize,
        /// As typed.
        found: char,
        /// As EIP-55 would write this digit.
        expected: char,
    },
    /// Not a point of secp256k1 in compressed SEC1 form.
    #[error(
        "these 33 bytes are no secp256k1 public key; use the vault's group key in compressed form"
    )]
    PublicKey,
}

impl Address {
    /// An address from its bytes.
    pub const fn new(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// The address of a secp256k1 key in compressed SEC1 form.
    pub fn from_public_key(sec1: &[u8; 33]) -> Result<Self, AddressError> {
        let key = PublicKey::from_sec1_bytes(sec1).map_err(|_| AddressError::PublicKey)?;
        Ok(Self::of_key(&key))
    }

    pub(crate) fn of_key(key: &PublicKey) -> Self {
        let point = key.to_encoded_point(false);
        // The uncompressed form is 0x04 || x || y; the tag is not hashed.
        let coordinates = point.as_bytes().get(1..).unwrap_or_default();
        let [_, _, _, _, _, _, _, _, _, _, _, _, tail @ ..] = keccak256(coordinates).0;
        Self(tail)
    }

    /// Parses `0x` and 40 digits and tells what is known of the checksum.
    pub fn parse(text: &str) -> Result<(Self, Checksum), AddressError> {
        let digits = text.strip_prefix("0x").ok_or(AddressError::Prefix)?;
        if let Some((at, found)) = digits
            .chars()
            .enumerate()
            .find(|(_, c)| !c.is_ascii_hexdigit())
        {
            return Err(AddressError::Digit {
                position: at + 3,
                found,
            });
        }
        let mut bytes = [0; 20];
        hex::decode_to_slice(digits, &mut bytes).map_err(|_| AddressError::Length {
            found: digits.len(),
        })?;
        let address = Self(bytes);
        let checksum = address.check_case(digits)?;
        Ok((address, checksum))
    }

    fn check_case(&self, digits: &str) -> Result<Checksum, AddressError> {
        let right = self.eip55_digits();
        let wrong = digits
            .chars()
            .zip(right)
            .enumerate()
            .find(|(_, (found, fits))| found != fits);
        let Some((at, (found, expected))) = wrong else {
            return Ok(Checksum::Verified);
        };
        let small = digits.chars().any(|c| c.is_ascii_lowercase());
        let capital = digits.chars().any(|c| c.is_ascii_uppercase());
        if small && capital {
            return Err(AddressError::Checksum {
                position: at + 3,
                found,
                expected,
            });
        }
        Ok(Checksum::Absent)
    }

    /// The 40 digits in the case of EIP-55: capital where the hash of the small digits has a nibble of 8 or more.
    fn eip55_digits(&self) -> [char; HEX_DIGITS] {
        let mut small = [0; HEX_DIGITS];
        hex::encode_to_slice(self.0, &mut small).expect("invariant: 20 bytes are 40 digits");
        let hash = keccak256(small).0;
        let mut nibbles = hash.iter().flat_map(|byte| [byte >> 4, byte & 0x0f]);
        small.map(|digit| {
            let raised = nibbles.next().is_some_and(|nibble| nibble >= 8);
            let digit = char::from(digit);
            if raised {
                digit.to_ascii_uppercase()
            } else {
                digit
            }
        })
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits: String = self.eip55_digits().iter().collect();
        write!(f, "0x{digits}")
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        Self::parse(text).map(|(address, _)| address)
    }
}

impl From<[u8; 20]> for Address {
    fn from(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }
}

impl Serialize for Address {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.0.serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Address {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            String::deserialize(deserializer)?
                .parse()
                .map_err(de::Error::custom)
        } else {
            <[u8; 20]>::deserialize(deserializer).map(Self)
        }
    }
}
