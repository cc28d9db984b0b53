//! Intents: what is asked, approved and checked at every signer.

mod codec;
mod signable;
mod v1;

pub use codec::{IntentDecodeError, MAX_INTENT_BYTES};
pub use signable::{Mismatch, Signable, SignedTx};

use crate::ChainId;
use crate::evm::{self, Address, Fees, TransferError};

/// What is to happen on a chain: immutable, in one encoding, with the slot that excludes a second payment.
///
/// It serialises as its [`Intent::encode`]d bytes (hexadecimal in human-readable formats).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Intent {
    /// A transfer of an EVM chain's own coin.
    EvmTransfer(evm::Transfer),
}

/// What the chain itself lets only one transaction consume.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize,
)]
pub enum Slot {
    /// An account's nonce.
    EvmNonce {
        /// On which chain.
        chain: ChainId,
        /// Whose.
        account: Address,
        /// The nonce.
        nonce: u64,
    },
}

/// One line of what a person sees before approving.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Line {
    /// What the value is.
    pub label: &'static str,
    /// In plain words and exact numbers.
    pub value: String,
}

impl Line {
    pub(crate) fn new(label: &'static str, value: String) -> Self {
        Self { label, value }
    }
}

impl Intent {
    /// What every attempt competes for.
    pub fn slot(&self) -> Slot {
        let Self::EvmTransfer(transfer) = self;
        transfer.slot()
    }

    /// The same intent in another slot (EVM: account nonce). Approvals of the old one do not cover it.
    pub fn with_slot(&self, nonce: u64) -> Result<Self, TransferError> {
        let Self::EvmTransfer(transfer) = self;
        transfer.with_slot(nonce).map(Self::EvmTransfer)
    }

    /// On which chain.
    pub fn chain(&self) -> ChainId {
        let Self::EvmTransfer(transfer) = self;
        transfer.terms().chain
    }

    /// Everything a person must see before approving, most important first, with the largest total cost.
    pub fn display(&self) -> Vec<Line> {
        self.display_with_fills(0)
    }

    /// As [`Intent::display`], where so many lower slots may have to be filled first, each for the largest fee.
    pub fn display_with_fills(&self, fills: u64) -> Vec<Line> {
        let Self::EvmTransfer(transfer) = self;
        transfer.display(fills)
    }

    /// The final unsigned bytes with these fees (EVM: `0x02 || rlp`).
    pub fn build(&self, fees: Fees) -> Result<Vec<u8>, evm::FeeOutOfBounds> {
        let Self::EvmTransfer(transfer) = self;
        Ok(transfer.unsigned(fees)?.encode())
    }
}
