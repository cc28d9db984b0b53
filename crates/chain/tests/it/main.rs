//! Behaviour of the chain crate through its public API.
#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod address;
mod amount;
mod decode;
mod fees;
mod intent;
mod properties;
mod signing;
mod vectors;

use quorate_chain::ChainId;
use quorate_chain::evm::{Address, Fees, TRANSFER_GAS, Transfer, TransferTerms, Wei};

const GWEI: u128 = 1_000_000_000;

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

/// 1 ETH on Ethereum from the vectors' key to the vectors' recipient, slot 9, at most 30 gwei.
fn terms() -> TransferTerms {
    TransferTerms {
        chain: ChainId::Eip155(1),
        from: address(vectors::FROM),
        to: address(vectors::TO),
        value: Wei::parse_eth("1").unwrap(),
        nonce: 9,
        gas_limit: TRANSFER_GAS,
        bounds: Fees {
            max_fee_per_gas: 30 * GWEI,
            max_priority_fee_per_gas: 2 * GWEI,
        },
        fills_dead_slots_below: true,
    }
}

fn transfer() -> Transfer {
    Transfer::new(terms()).unwrap()
}
