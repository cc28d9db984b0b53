//! The three suites a vault has a root key for.

use serde::{Deserialize, Serialize};

/// A signature scheme on a curve; each has a root key of its own, and one key never serves two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Suite {
    /// ECDSA over secp256k1: EVM, Bitcoin P2WPKH, Tron, Cosmos.
    EcdsaSecp256k1,
    /// BIP-340 Schnorr over secp256k1: Bitcoin Taproot.
    SchnorrSecp256k1,
    /// `EdDSA` over Ed25519: Solana and its like.
    EddsaEd25519,
}

impl Suite {
    /// All suites, in the order in which every encoding lists them.
    pub const ALL: [Self; 3] = [
        Self::EcdsaSecp256k1,
        Self::SchnorrSecp256k1,
        Self::EddsaEd25519,
    ];

    /// The name used in documents and exports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::EcdsaSecp256k1 => "ecdsa-secp256k1",
            Self::SchnorrSecp256k1 => "schnorr-secp256k1",
            Self::EddsaEd25519 => "eddsa-ed25519",
        }
    }

    /// Length in bytes of an encoded point: 33 (SEC1 compressed) or 32 (RFC 8032).
    #[must_use]
    pub const fn point_len(self) -> usize {
        match self {
            Self::EcdsaSecp256k1 | Self::SchnorrSecp256k1 => 33,
            Self::EddsaEd25519 => 32,
        }
    }

    /// Position in [`Suite::ALL`].
    #[must_use]
    pub const fn position(self) -> usize {
        match self {
            Self::EcdsaSecp256k1 => 0,
            Self::SchnorrSecp256k1 => 1,
            Self::EddsaEd25519 => 2,
        }
    }
}

impl std::fmt::Display for Suite {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
