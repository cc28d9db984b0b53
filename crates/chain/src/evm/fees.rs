//! EIP-1559 fees: what an intent allows, what a session fills in, how a replacement outbids.

use serde::{Deserialize, Serialize};

use super::{TRANSFER_GAS, Wei, format_gwei};

const GWEI: u128 = 1_000_000_000;

/// Bounds are never made from a lower base fee: it can rise a lot before everybody has approved.
const MIN_BASE_FEE: u128 = GWEI;

/// Bounds are never made from a lower tip.
const MIN_TIP: u128 = GWEI;

/// How many raises of 12.5% the default bounds leave room for: a factor of 2.57.
const RAISES_IN_BOUNDS: u32 = 8;

/// The two fee fields of EIP-1559, in wei a unit of gas: as filled into a transaction, or as the bounds that an intent sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Fees {
    /// The most that is paid in all.
    pub max_fee_per_gas: u128,
    /// The most that goes to the block's proposer (the tip).
    pub max_priority_fee_per_gas: u128,
}

/// What a node says fees are now, in wei a unit of gas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FeeQuote {
    /// Base fee of the next block.
    pub base_fee_per_gas: u128,
    /// A tip that gets in soon.
    pub tip: u128,
}

/// Why fees cannot be used with an intent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeeOutOfBounds {
    /// The total is above what was approved.
    #[error(
        "max fee {} gwei is above the approved {} gwei; wait for lower fees or ask for a new approval",
        format_gwei(*.asked), format_gwei(*.bound)
    )]
    MaxFee {
        /// Wei a unit of gas.
        asked: u128,
        /// Wei a unit of gas.
        bound: u128,
    },
    /// The tip is above what was approved.
    #[error(
        "priority fee {} gwei is above the approved {} gwei; lower it or ask for a new approval",
        format_gwei(*.asked), format_gwei(*.bound)
    )]
    PriorityFee {
        /// Wei a unit of gas.
        asked: u128,
        /// Wei a unit of gas.
        bound: u128,
    },
    /// No chain takes a tip above the total.
    #[error("priority fee {} gwei is above the max fee {} gwei; lower it", format_gwei(*.tip), format_gwei(*.max_fee))]
    TipAboveFee {
        /// Wei a unit of gas.
        tip: u128,
        /// Wei a unit of gas.
        max_fee: u128,
    },
    /// Nodes want at least a tenth more on both fields for a replacement, and the bounds leave no room.
    #[error(
        "the approved fees leave no room to outbid the earlier transaction; ask for a new approval with higher fees"
    )]
    NoRoom,
}

impl Fees {
    /// Bounds for a new intent: twice the base fee and the tip, both raised by 12.5% eight times.
    pub fn default_bounds(quote: FeeQuote) -> Self {
        let tip = quote.tip.max(MIN_TIP);
        let base = quote.base_fee_per_gas.max(MIN_BASE_FEE);
        Self::starting(base, tip).raised(RAISES_IN_BOUNDS)
    }

    /// Fees for a first transaction: room for the base fee to double; cut to the bounds.
    ///
    /// Below the current base fee the transaction waits, it does not fail.
    pub fn for_quote(quote: FeeQuote, bounds: Self) -> Self {
        Self::starting(quote.base_fee_per_gas, quote.tip).cut(bounds)
    }

    /// Fees that outbid `self`: both fields at least 12.5% higher and no lower than the quote asks; at the edge of the
    /// bounds as little as 10% higher, which is what nodes demand.
    ///
    /// # Errors
    /// [`FeeOutOfBounds::NoRoom`] when the bounds leave less.
    pub fn replacement(self, quote: FeeQuote, bounds: Self) -> Result<Self, FeeOutOfBounds> {
        let fresh = Self::starting(quote.base_fee_per_gas, quote.tip);
        let raised = self.raised(1);
        let wanted = Self {
            max_fee_per_gas: raised.max_fee_per_gas.max(fresh.max_fee_per_gas),
            max_priority_fee_per_gas: raised
                .max_priority_fee_per_gas
                .max(fresh.max_priority_fee_per_gas),
        };
        let next = wanted.cut(bounds);
        if next.outbids(self) {
            Ok(next)
        } else {
            Err(FeeOutOfBounds::NoRoom)
        }
    }

    /// Whether nodes take a transaction with these fees in place of one with `old`: both at least a tenth higher.
    pub fn outbids(self, old: Self) -> bool {
        let tenth_more = |new: u128, old: u128| {
            let least = old
                .saturating_add(old.div_ceil(10))
                .max(old.saturating_add(1));
            new >= least
        };
        tenth_more(self.max_fee_per_gas, old.max_fee_per_gas)
            && tenth_more(self.max_priority_fee_per_gas, old.max_priority_fee_per_gas)
    }

    /// Both fields raised `times` by 12.5%, rounded up, and by at least one wei.
    pub fn raised(self, times: u32) -> Self {
        let raise =
            |fee: u128| (0..times).fold(fee, |fee, _| fee.saturating_add(fee.div_ceil(8).max(1)));
        Self {
            max_fee_per_gas: raise(self.max_fee_per_gas),
            max_priority_fee_per_gas: raise(self.max_priority_fee_per_gas),
        }
    }

    /// Whether these fees may be signed under `bounds`.
    pub fn check(self, bounds: Self) -> Result<(), FeeOutOfBounds> {
        let Self {
            max_fee_per_gas,
            max_priority_fee_per_gas,
        } = self;
        if max_fee_per_gas > bounds.max_fee_per_gas {
            return Err(FeeOutOfBounds::MaxFee {
                asked: max_fee_per_gas,
                bound: bounds.max_fee_per_gas,
            });
        }
        if max_priority_fee_per_gas > bounds.max_priority_fee_per_gas {
            return Err(FeeOutOfBounds::PriorityFee {
                asked: max_priority_fee_per_gas,
                bound: bounds.max_priority_fee_per_gas,
            });
        }
        self.check_order()
    }

    pub(crate) fn check_order(self) -> Result<(), FeeOutOfBounds> {
        if self.max_priority_fee_per_gas > self.max_fee_per_gas {
            return Err(FeeOutOfBounds::TipAboveFee {
                tip: self.max_priority_fee_per_gas,
                max_fee: self.max_fee_per_gas,
            });
        }
        Ok(())
    }

    /// The most that a native transfer at these fees costs beside its value; `None` above 2^256 - 1.
    pub fn largest_cost(self) -> Option<Wei> {
        Wei::from(self.max_fee_per_gas).checked_mul(TRANSFER_GAS)
    }

    fn starting(base: u128, tip: u128) -> Self {
        Self {
            max_fee_per_gas: base.saturating_mul(2).saturating_add(tip),
            max_priority_fee_per_gas: tip,
        }
    }

    fn cut(self, bounds: Self) -> Self {
        let max_fee_per_gas = self.max_fee_per_gas.min(bounds.max_fee_per_gas);
        let tip = self
            .max_priority_fee_per_gas
            .min(bounds.max_priority_fee_per_gas);
        Self {
            max_fee_per_gas,
            max_priority_fee_per_gas: tip.min(max_fee_per_gas),
        }
    }
}

/// The most that can be sent from `balance` when the fee reaches its bound; `None` when nothing is left.
pub fn max_sendable(balance: Wei, bounds: Fees) -> Option<Wei> {
    balance
        .checked_sub(bounds.largest_cost()?)
        .filter(|rest| !rest.is_zero())
}
