//! Amounts: exact, checked, in wei; read and written in ether and gwei.

use std::fmt;

use alloy_primitives::U256;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Decimals of ether: 1 ETH is 10^18 wei.
pub const ETH_DECIMALS: usize = 18;

/// Decimals of gwei: 1 gwei is 10^9 wei.
pub const GWEI_DECIMALS: usize = 9;

/// An amount of a chain's own coin in wei, at most 2^256 - 1.
///
/// Serialises as a decimal number of wei in a text in human-readable formats, as 32 big-endian bytes in binary ones.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Wei(U256);

/// Why a text is no amount.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AmountError {
    /// Nothing there.
    #[error("the amount is missing; write a number such as 0.5")]
    Empty,
    /// Below zero.
    #[error("an amount cannot be negative; leave out the minus sign")]
    Negative,
    /// Not digits with at most one point between them.
    #[error(
        "{found:?} does not belong in an amount; write digits and at most one point, such as 0.5"
    )]
    Garbage {
        /// The first character that does not fit.
        found: char,
    },
    /// A point without digits on both sides.
    #[error("a point needs digits on both sides, as in 0.5")]
    Point,
    /// More precise than the unit divides.
    #[error("{found} decimals are more than the {limit} this unit has; shorten the amount")]
    TooPrecise {
        /// Digits after the point.
        found: usize,
        /// Digits that the unit has.
        limit: usize,
    },
    /// More than 2^128 - 1 wei.
    #[error("the amount is larger than any chain holds; check the unit")]
    TooLarge,
}

impl Wei {
    /// Nothing.
    pub const ZERO: Self = Self(U256::ZERO);

    /// An amount from 32 big-endian bytes.
    pub const fn from_be_bytes(bytes: [u8; 32]) -> Self {
        Self(U256::from_be_bytes(bytes))
    }

    /// 32 big-endian bytes.
    pub const fn to_be_bytes(self) -> [u8; 32] {
        self.0.to_be_bytes()
    }

    /// Reads an amount of ether: digits, and a point with up to 18 more.
    pub fn parse_eth(text: &str) -> Result<Self, AmountError> {
        parse_units(text, ETH_DECIMALS).map(Self::from)
    }

    /// Writes it in ether, exactly and without trailing zeros: `0.5`.
    pub fn format_eth(self) -> String {
        format_units(&self.0.to_string(), ETH_DECIMALS)
    }

    /// Reads a whole number of wei in decimal digits.
    pub fn parse_wei(text: &str) -> Result<Self, AmountError> {
        parse_units(text, 0).map(Self::from)
    }

    /// The sum, unless it exceeds 2^256 - 1.
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// The difference, unless it is negative.
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }

    /// The product, unless it exceeds 2^256 - 1.
    pub fn checked_mul(self, factor: u64) -> Option<Self> {
        self.0.checked_mul(U256::from(factor)).map(Self)
    }

    /// Whether it is nothing.
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    pub(crate) const fn from_u256(value: U256) -> Self {
        Self(value)
    }

    pub(crate) const fn as_u256(self) -> U256 {
        self.0
    }
}

impl From<u128> for Wei {
    fn from(wei: u128) -> Self {
        Self(U256::from(wei))
    }
}

impl TryFrom<Wei> for u128 {
    type Error = AmountError;

    fn try_from(wei: Wei) -> Result<Self, AmountError> {
        wei.0.try_into().map_err(|_| AmountError::TooLarge)
    }
}

/// The number of wei.
impl fmt::Display for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Wei {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} wei", self.0)
    }
}

impl Serialize for Wei {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(self)
        } else {
            self.to_be_bytes().serialize(serializer)
        }
    }
}

impl<'de> Deserialize<'de> for Wei {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if !deserializer.is_human_readable() {
            return <[u8; 32]>::deserialize(deserializer).map(Self::from_be_bytes);
        }
        let text = String::deserialize(deserializer)?;
        let value = U256::from_str_radix(&text, 10).map_err(de::Error::custom)?;
        // One amount, one text: no signs, separators or leading zeros.
        if value.to_string() == text {
            Ok(Self(value))
        } else {
            Err(de::Error::custom("not a plain decimal number of wei"))
        }
    }
}

/// Reads gwei, up to 9 decimals, as wei (fees a unit of gas).
pub fn parse_gwei(text: &str) -> Result<u128, AmountError> {
    parse_units(text, GWEI_DECIMALS)
}

/// Writes wei in gwei, exactly and without trailing zeros.
pub fn format_gwei(wei: u128) -> String {
    format_units(&wei.to_string(), GWEI_DECIMALS)
}

/// Reads `whole[.fraction]` scaled by `10^decimals`.
fn parse_units(text: &str, decimals: usize) -> Result<u128, AmountError> {
    if text.is_empty() {
        return Err(AmountError::Empty);
    }
    if text.starts_with(['-', '\u{2212}']) {
        return Err(AmountError::Negative);
    }
    if let Some(found) = text.chars().find(|c| !c.is_ascii_digit() && *c != '.') {
        return Err(AmountError::Garbage { found });
    }
    let (whole, fraction) = match text.split_once('.') {
        None => (text, ""),
        Some((whole, fraction)) if whole.is_empty() || fraction.is_empty() => {
            return Err(AmountError::Point);
        }
        Some((_, fraction)) if fraction.contains('.') => {
            return Err(AmountError::Garbage { found: '.' });
        }
        Some(parts) => parts,
    };
    if fraction.len() > decimals {
        return Err(AmountError::TooPrecise {
            found: fraction.len(),
            limit: decimals,
        });
    }
    let digits = whole
        .bytes()
        .chain(fraction.bytes())
        .map(|digit| u128::from(digit - b'0'));
    let padding = std::iter::repeat_n(0, decimals - fraction.len());
    digits
        .chain(padding)
        .try_fold(0_u128, |sum, digit| sum.checked_mul(10)?.checked_add(digit))
        .ok_or(AmountError::TooLarge)
}

/// Writes a whole number of the smallest unit with its point moved left by `decimals`.
fn format_units(digits: &str, decimals: usize) -> String {
    let padded = format!("{digits:0>width$}", width = decimals + 1);
    let (whole, fraction) = padded.split_at(padded.len() - decimals);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        whole.to_owned()
    } else {
        format!("{whole}.{fraction}")
    }
}
