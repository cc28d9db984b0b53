//! Which chain, as CAIP-2.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A chain, written as CAIP-2: `eip155:1` is Ethereum.
///
/// Serialises as that text in human-readable formats and as a tagged number in binary ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChainId {
    /// An EVM chain by its EIP-155 id, never 0.
    Eip155(u64),
}

/// Why a text is no chain that this program knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChainIdError {
    /// Not of the form `namespace:reference`.
    #[error("{0:?} is no chain; write it as CAIP-2, for example eip155:1")]
    Form(String),
    /// A namespace that is not supported.
    #[error("chains of namespace {0:?} are not supported; only eip155 (EVM) is")]
    Namespace(String),
    /// The EIP-155 id is not a positive 64-bit number without leading zeros.
    #[error("{0:?} is no EIP-155 chain id; it is a positive number, for example eip155:1")]
    Eip155(String),
}

impl ChainId {
    /// The chain's name, where it is one of the well-known ones.
    pub fn name(self) -> Option<&'static str> {
        let Self::Eip155(id) = self;
        match id {
            1 => Some("Ethereum"),
            10 => Some("OP Mainnet"),
            8453 => Some("Base"),
            42161 => Some("Arbitrum One"),
            11_155_111 => Some("Sepolia (test network)"),
            560_048 => Some("Hoodi (test network)"),
            1337 | 31337 => Some("local development network"),
            _ => None,
        }
    }

    /// The symbol of the chain's own coin; `"native coin"` where it is not known to be ether.
    pub fn coin(self) -> &'static str {
        if self.name().is_some() {
            "ETH"
        } else {
            "native coin"
        }
    }
}

impl fmt::Display for ChainId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self::Eip155(id) = self;
        write!(f, "eip155:{id}")
    }
}

impl FromStr for ChainId {
    type Err = ChainIdError;

    fn from_str(text: &str) -> Result<Self, ChainIdError> {
        let shown = |part: &str| part.chars().take(64).collect::<String>();
        let (namespace, reference) = text
            .split_once(':')
            .ok_or_else(|| ChainIdError::Form(shown(text)))?;
        if namespace != "eip155" {
            return Err(ChainIdError::Namespace(shown(namespace)));
        }
        let id = reference
            .parse()
            .ok()
            .filter(|id: &u64| *id != 0 && id.to_string() == reference);
        id.map(Self::Eip155)
            .ok_or_else(|| ChainIdError::Eip155(shown(reference)))
    }
}

#[derive(Serialize, Deserialize)]
enum Binary {
    Eip155(u64),
}

impl Serialize for ChainId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return serializer.collect_str(self);
        }
        let Self::Eip155(id) = *self;
        Binary::Eip155(id).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ChainId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        if deserializer.is_human_readable() {
            return String::deserialize(deserializer)?
                .parse()
                .map_err(de::Error::custom);
        }
        match Binary::deserialize(deserializer)? {
            Binary::Eip155(0) => Err(de::Error::custom("chain id 0")),
            Binary::Eip155(id) => Ok(Self::Eip155(id)),
        }
    }
}
