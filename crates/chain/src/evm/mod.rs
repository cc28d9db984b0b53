//! EVM chains: native transfers in EIP-1559 transactions.
//!
//! Sources: EIP-55 (addresses), EIP-155 (chain ids), EIP-2718 (typed transactions), EIP-1559 (type 2, fees),
//! EIP-2681 (nonces), EIP-2 (low s).

mod address;
mod amount;
pub(crate) mod decode;
mod fees;
mod mined;
mod transfer;

pub use address::{Address, AddressError, Checksum};
pub use amount::{AmountError, ETH_DECIMALS, GWEI_DECIMALS, Wei, format_gwei, parse_gwei};
pub use decode::{
    DecodeError, MAX_TX_BYTES, SignedTransfer, UnsignedTransfer, decode_signed, decode_unsigned,
};
pub use fees::{FeeOutOfBounds, FeeQuote, Fees, max_sendable};
pub use mined::Mined;
pub use transfer::{FillRefused, TRANSFER_GAS, Transfer, TransferError, TransferTerms};
