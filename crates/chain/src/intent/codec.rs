//! The one encoding of an intent: a version byte and postcard.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::Intent;
use super::v1::{EvmTransferV1, IntentV1};
use crate::ChainId;
use crate::evm::{Address, Fees, Transfer, TransferError, TransferTerms, Wei};

/// Longest encoded intent, in bytes.
pub const MAX_INTENT_BYTES: usize = 1024;

const VERSION: u8 = 1;

/// Why bytes are no intent.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntentDecodeError {
    /// No bytes, or more than [`MAX_INTENT_BYTES`].
    #[error("an intent has between 1 and {MAX_INTENT_BYTES} bytes, these are {0}")]
    Size(usize),
    /// Made by another version.
    #[error("intent of version {0}, this program knows version {VERSION}; update it")]
    Version(u8),
    /// Unreadable.
    #[error("malformed intent; refuse it")]
    Malformed,
    /// Readable, but not the one encoding, or followed by more bytes.
    #[error("the intent is not in its one encoding; refuse it")]
    NotCanonical,
    /// The terms do not hold together.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl Intent {
    /// The one encoding, for hashing, logs and the wire.
    pub fn encode(&self) -> Vec<u8> {
        let Self::EvmTransfer(transfer) = self;
        let intent = IntentV1::EvmTransfer(transfer.terms().into());
        postcard::to_extend(&intent, vec![VERSION]).expect("invariant: plain values always encode")
    }

    /// The intent that these bytes encode.
    pub fn decode(bytes: &[u8]) -> Result<Self, IntentDecodeError> {
        if bytes.len() > MAX_INTENT_BYTES {
            return Err(IntentDecodeError::Size(bytes.len()));
        }
        let (version, body) = bytes.split_first().ok_or(IntentDecodeError::Size(0))?;
        if *version != VERSION {
            return Err(IntentDecodeError::Version(*version));
        }
        let IntentV1::EvmTransfer(transfer) =
            postcard::from_bytes(body).map_err(|_| IntentDecodeError::Malformed)?;
        let intent = Self::EvmTransfer(Transfer::new(transfer.into())?);
        if intent.encode() != bytes {
            return Err(IntentDecodeError::NotCanonical);
        }
        Ok(intent)
    }
}

impl From<&TransferTerms> for EvmTransferV1 {
    fn from(terms: &TransferTerms) -> Self {
        let ChainId::Eip155(chain_id) = terms.chain;
        Self {
            chain_id,
            from: *terms.from.as_bytes(),
            to: *terms.to.as_bytes(),
            value: terms.value.to_be_bytes(),
            nonce: terms.nonce,
            gas_limit: terms.gas_limit,
            max_fee_per_gas_cap: terms.bounds.max_fee_per_gas,
            max_priority_fee_per_gas_cap: terms.bounds.max_priority_fee_per_gas,
            fills_dead_slots_below: terms.fills_dead_slots_below,
        }
    }
}

impl From<EvmTransferV1> for TransferTerms {
    fn from(transfer: EvmTransferV1) -> Self {
        Self {
            chain: ChainId::Eip155(transfer.chain_id),
            from: Address::new(transfer.from),
            to: Address::new(transfer.to),
            value: Wei::from_be_bytes(transfer.value),
            nonce: transfer.nonce,
            gas_limit: transfer.gas_limit,
            bounds: Fees {
                max_fee_per_gas: transfer.max_fee_per_gas_cap,
                max_priority_fee_per_gas: transfer.max_priority_fee_per_gas_cap,
            },
            fills_dead_slots_below: transfer.fills_dead_slots_below,
        }
    }
}

impl Serialize for Intent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.serialize_str(&hex::encode(self.encode()))
        } else {
            serializer.serialize_bytes(&self.encode())
        }
    }
}

impl<'de> Deserialize<'de> for Intent {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = if deserializer.is_human_readable() {
            hex::decode(String::deserialize(deserializer)?).map_err(de::Error::custom)?
        } else {
            Vec::deserialize(deserializer)?
        };
        Self::decode(&bytes).map_err(de::Error::custom)
    }
}
