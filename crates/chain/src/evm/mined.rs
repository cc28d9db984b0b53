//! What a chain says about a transaction.

use serde::{Deserialize, Serialize};

use super::Wei;

/// A transaction is in a block, as one node's receipt says. Observed, not proven.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mined {
    /// The transaction's hash.
    pub hash: [u8; 32],
    /// The block's height.
    pub block_number: u64,
    /// The block's hash; it changes in a reorganisation.
    pub block_hash: [u8; 32],
    /// Whether it succeeded. A failed one consumed its slot and fee all the same.
    pub success: bool,
    /// Units of gas used.
    pub gas_used: u64,
    /// Wei a unit of gas, as paid.
    pub effective_gas_price: u128,
}

impl Mined {
    /// What the transaction cost beside its value; `None` above 2^256 - 1.
    pub fn fee(&self) -> Option<Wei> {
        Wei::from(self.effective_gas_price).checked_mul(self.gas_used)
    }
}
