//! What people approve: a transfer of the chain's own coin, with its slot and its bounds.

use super::{Address, FeeOutOfBounds, Fees, UnsignedTransfer, Wei, format_gwei};
use crate::intent::Line;
use crate::{ChainId, Mismatch, Slot};

/// Gas of a native transfer to an account (Yellow Paper, `G_transaction`).
pub const TRANSFER_GAS: u64 = 21_000;

/// What a transfer says. Made into a [`Transfer`] by [`Transfer::new`], which checks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct TransferTerms {
    /// On which chain.
    pub chain: ChainId,
    /// The vault's account.
    pub from: Address,
    /// To whom.
    pub to: Address,
    /// How much.
    pub value: Wei,
    /// The exclusion slot: the account nonce that every attempt uses.
    pub nonce: u64,
    /// Units of gas: [`TRANSFER_GAS`].
    pub gas_limit: u64,
    /// The most that may be filled into the fee fields.
    pub bounds: Fees,
    /// Who approves this also approves that slots of the same account below `nonce` which nobody will use are filled
    /// by zero-value transfers from the account to itself under the same bounds ([`Transfer::fill`]).
    pub fills_dead_slots_below: bool,
}

/// A transfer whose terms hold together. Immutable; read its terms with [`Transfer::terms`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Transfer(TransferTerms);

/// Why terms make no transfer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TransferError {
    /// Chain id 0.
    #[error("chain id 0 is no chain; use the chain's EIP-155 id")]
    NoChain,
    /// The zero address: what is sent there is lost.
    #[error("the recipient is the zero address, where money is lost; check the address")]
    ZeroAddress,
    /// The nonce is 2^64 - 1, which EIP-2681 rules out.
    #[error("nonce {0} is beyond what chains take; use a lower slot")]
    Nonce(u64),
    /// Another gas limit than [`TRANSFER_GAS`].
    #[error("the gas limit is {0}; a native transfer uses {TRANSFER_GAS}")]
    Gas(u64),
    /// The tip's bound is above the total's.
    #[error(transparent)]
    Fees(FeeOutOfBounds),
    /// Value and largest fee exceed 2^256 - 1.
    #[error("the amount with its largest fee is too large; lower one of them")]
    TooLarge,
}

/// Why no fill is derived.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FillRefused {
    /// The transfer does not allow it.
    #[error("this transfer does not allow to fill dead slots; ask for a transfer of its own")]
    NotAllowed,
    /// Only slots below the transfer's own.
    #[error("slot {slot} is not below this transfer's own slot {own}; only lower ones are filled")]
    NotBelow {
        /// Asked for.
        slot: u64,
        /// The transfer's nonce.
        own: u64,
    },
}

impl Transfer {
    /// Checks the terms.
    pub fn new(terms: TransferTerms) -> Result<Self, TransferError> {
        let ChainId::Eip155(chain_id) = terms.chain;
        if chain_id == 0 {
            return Err(TransferError::NoChain);
        }
        if *terms.to.as_bytes() == [0; 20] {
            return Err(TransferError::ZeroAddress);
        }
        if terms.nonce == u64::MAX {
            return Err(TransferError::Nonce(terms.nonce));
        }
        if terms.gas_limit != TRANSFER_GAS {
            return Err(TransferError::Gas(terms.gas_limit));
        }
        terms.bounds.check_order().map_err(TransferError::Fees)?;
        largest_total(&terms).ok_or(TransferError::TooLarge)?;
        Ok(Self(terms))
    }

    /// What it says.
    pub fn terms(&self) -> &TransferTerms {
        &self.0
    }

    /// What every attempt at this transfer competes for.
    pub fn slot(&self) -> Slot {
        Slot::EvmNonce {
            chain: self.0.chain,
            account: self.0.from,
            nonce: self.0.nonce,
        }
    }

    /// The same transfer in another slot.
    pub fn with_slot(&self, nonce: u64) -> Result<Self, TransferError> {
        Self::new(TransferTerms { nonce, ..self.0 })
    }

    /// The harmless transfer that fills a dead slot below this one: from the account to itself, value 0, the same bounds.
    ///
    /// It allows no further fills.
    pub fn fill(&self, slot: u64) -> Result<Self, FillRefused> {
        if !self.0.fills_dead_slots_below {
            return Err(FillRefused::NotAllowed);
        }
        if slot >= self.0.nonce {
            return Err(FillRefused::NotBelow {
                slot,
                own: self.0.nonce,
            });
        }
        Ok(Self(TransferTerms {
            to: self.0.from,
            value: Wei::ZERO,
            nonce: slot,
            fills_dead_slots_below: false,
            ..self.0
        }))
    }

    /// Whether it moves nothing: from the account to itself, value 0.
    pub fn is_fill(&self) -> bool {
        self.0.from == self.0.to && self.0.value.is_zero()
    }

    /// The most that the fee can cost.
    pub fn largest_fee(&self) -> Wei {
        self.0
            .bounds
            .largest_cost()
            .expect("invariant: checked when the transfer was made")
    }

    /// The most that leaves the account: value and largest fee.
    pub fn largest_total(&self) -> Wei {
        largest_total(&self.0).expect("invariant: checked when the transfer was made")
    }

    /// The final transfer with these fees.
    pub(crate) fn unsigned(&self, fees: Fees) -> Result<UnsignedTransfer, FeeOutOfBounds> {
        fees.check(self.0.bounds)?;
        Ok(UnsignedTransfer {
            chain: self.0.chain,
            nonce: self.0.nonce,
            to: self.0.to,
            value: self.0.value,
            gas_limit: self.0.gas_limit,
            fees,
        })
    }

    /// Compares every field of decoded bytes with this transfer.
    pub(crate) fn compare(&self, found: &UnsignedTransfer) -> Result<(), Mismatch> {
        let terms = &self.0;
        same("chain", &terms.chain, &found.chain)?;
        same("nonce", &terms.nonce, &found.nonce)?;
        same("recipient", &terms.to, &found.to)?;
        same("amount in wei", &terms.value, &found.value)?;
        same("gas limit", &terms.gas_limit, &found.gas_limit)?;
        found.fees.check(terms.bounds)?;
        Ok(())
    }

    /// Amount and largest fee, with the largest fee of so many fills of lower slots.
    fn total_with_fills(&self, fills: u64) -> Option<Wei> {
        let fees = self.largest_fee().checked_mul(fills)?;
        self.largest_total().checked_add(fees)
    }

    /// Lines for a person's eyes, most important first.
    pub(crate) fn display(&self, fills: u64) -> Vec<Line> {
        let terms = &self.0;
        let coin = terms.chain.coin();
        let eth = |amount: Wei| format!("{} {coin}", amount.format_eth());
        let chain = match terms.chain.name() {
            Some(name) => format!("{name} ({})", terms.chain),
            None => terms.chain.to_string(),
        };
        let action = match (self.is_fill(), terms.from == terms.to) {
            (true, _) => format!("Fill slot {} (moves no money, pays a fee)", terms.nonce),
            (false, true) => format!("Send {coin} to the vault itself"),
            (false, false) => format!("Send {coin}"),
        };
        let mut lines = vec![
            Line::new("Action", action),
            Line::new("Amount", eth(terms.value)),
            Line::new("To", terms.to.to_string()),
            Line::new("From", terms.from.to_string()),
            Line::new("Chain", chain),
            Line::new("Slot (nonce)", terms.nonce.to_string()),
            Line::new(
                "Fee at most",
                format!(
                    "{} ({} gas at {} gwei, of it {} gwei tip)",
                    eth(self.largest_fee()),
                    terms.gas_limit,
                    format_gwei(terms.bounds.max_fee_per_gas),
                    format_gwei(terms.bounds.max_priority_fee_per_gas),
                ),
            ),
            Line::new(
                "Total at most",
                match (fills, self.total_with_fills(fills)) {
                    (0, _) => eth(self.largest_total()),
                    (1, Some(total)) => format!(
                        "{}, should slot {} have to be filled",
                        eth(total),
                        terms.nonce.saturating_sub(1)
                    ),
                    (_, Some(total)) => format!(
                        "{}, should the {fills} slots below have to be filled",
                        eth(total)
                    ),
                    (_, None) => {
                        format!("more than there is: {fills} slots below may have to be filled")
                    }
                },
            ),
        ];
        if terms.fills_dead_slots_below {
            lines.push(Line::new(
                "Also allows",
                format!(
                    "filling unused slots below {} by zero-value transfers to itself, each for the same fee at most",
                    terms.nonce
                ),
            ));
        }
        lines
    }
}

fn largest_total(terms: &TransferTerms) -> Option<Wei> {
    terms.value.checked_add(terms.bounds.largest_cost()?)
}

fn same<T: PartialEq + ToString>(
    field: &'static str,
    intended: &T,
    found: &T,
) -> Result<(), Mismatch> {
    if intended == found {
        return Ok(());
    }
    Err(Mismatch::Field {
        field,
        intended: intended.to_string(),
        found: found.to_string(),
    })
}
