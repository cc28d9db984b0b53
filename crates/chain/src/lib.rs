//! Bytes to intents, digests and signed bytes, a module per chain.
//!
//! The way of a payment: [`Intent`] (what people approve) -> [`Intent::build`] (final bytes, fees filled in) ->
//! [`Intent::check`] (every signer, alone: decode the final bytes, compare each field) -> [`Signable`] (the digest) ->
//! [`Signable::assemble`] (the signed bytes, the signer recovered from them).
//!
//! **Invariant:** a [`Signable`] comes only from [`Intent::check`], and its digest only from the bytes that were decoded.
//!
//! No network, no clock, no randomness. Chains to come get a module beside [`evm`] and a variant in [`ChainId`],
//! [`Intent`] and [`Slot`]: `bitcoin` (slot: an anchor input), `solana` (slot: a nonce account's value).

mod chain_id;
pub mod evm;
mod intent;

pub use chain_id::{ChainId, ChainIdError};
pub use intent::{
    Intent, IntentDecodeError, Line, MAX_INTENT_BYTES, Mismatch, Signable, SignedTx, Slot,
};
