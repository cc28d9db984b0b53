//! Version 1 of an intent's encoding. Frozen: it imports nothing that can change.

use serde::{Deserialize, Serialize};

#[derive(Serialize, Deserialize)]
pub(super) enum IntentV1 {
    EvmTransfer(EvmTransferV1),
}

#[derive(Serialize, Deserialize)]
pub(super) struct EvmTransferV1 {
    pub(super) chain_id: u64,
    pub(super) from: [u8; 20],
    pub(super) to: [u8; 20],
    /// Wei, big-endian.
    pub(super) value: [u8; 32],
    pub(super) nonce: u64,
    pub(super) gas_limit: u64,
    /// Wei a unit of gas.
    pub(super) max_fee_per_gas_cap: u128,
    /// Wei a unit of gas.
    pub(super) max_priority_fee_per_gas_cap: u128,
    /// Zero-value self-transfers may fill dead slots below `nonce` under the same caps.
    pub(super) fills_dead_slots_below: bool,
}
