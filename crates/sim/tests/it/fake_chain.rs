//! A chain that does as it is told.

use std::collections::BTreeMap;

use quorate_chain::evm::{self, Address, Mined};
use quorate_vault::ChainFact;
use quorate_vault::io::{Query, SlotStatus};

use crate::cluster::GWEI;

/// How many blocks later a block is final.
const FINAL_AFTER: u64 = 3;

/// A chain with one interesting account, a block a second, and no opinions.
#[derive(Default)]
pub(crate) struct FakeChain {
    pub(crate) pool: BTreeMap<u64, Vec<Vec<u8>>>,
    pub(crate) mined: Vec<(Vec<u8>, Mined)>,
    pub(crate) height: u64,
    /// Nothing gets into a block.
    pub(crate) halted: bool,
    /// How much dearer than usual a block is, wei a unit of gas; what offers less waits.
    pub(crate) spike: u128,
    /// No endpoint answers.
    pub(crate) down: bool,
    pub(crate) broadcasts: usize,
}

impl FakeChain {
    pub(crate) fn take(&mut self, raw: &[u8]) -> Result<(), String> {
        let signed = evm::decode_signed(raw).map_err(|error| error.to_string())?;
        let nonce = signed.transfer.nonce;
        self.broadcasts += 1;
        if nonce < self.mined.len() as u64 {
            return Err("nonce too low".to_owned());
        }
        let pool = self.pool.entry(nonce).or_default();
        if !pool.iter().any(|known| known == raw) {
            pool.push(raw.to_vec());
        }
        Ok(())
    }

    pub(crate) fn mine(&mut self) {
        self.height += 1;
        let next = self.mined.len() as u64;
        if self.halted {
            return;
        }
        let offer = |raw: &Vec<u8>| {
            let signed = evm::decode_signed(raw).unwrap();
            signed.transfer.fees.max_fee_per_gas
        };
        let pool = self.pool.get(&next).into_iter().flatten();
        let best = pool.max_by_key(|raw| offer(raw)).cloned();
        if let Some(raw) = best.filter(|raw| offer(raw) >= GWEI + self.spike) {
            self.pool.remove(&next);
            let hash = evm::decode_signed(&raw).unwrap().hash;
            let mut block_hash = [7; 32];
            block_hash[..8].copy_from_slice(&self.height.to_be_bytes());
            let mined = Mined {
                hash,
                block_number: self.height,
                block_hash,
                success: true,
                gas_used: 21_000,
                effective_gas_price: 2 * GWEI,
            };
            self.mined.push((raw, mined));
        }
    }

    /// Takes the newest transaction out of its block and back into the pool.
    pub(crate) fn reorganise(&mut self) {
        let (raw, _) = self.mined.pop().unwrap();
        let nonce = evm::decode_signed(&raw).unwrap().transfer.nonce;
        self.pool.entry(nonce).or_default().push(raw);
    }

    pub(crate) fn answer(&self, query: Query) -> ChainFact {
        let chain = match &query {
            Query::Fees { chain } | Query::Slot { chain, .. } => *chain,
        };
        if self.down {
            return ChainFact::Unreachable {
                chain,
                why: "nobody answers".to_owned(),
            };
        }
        match query {
            Query::Fees { chain } => ChainFact::Fees {
                chain,
                base_fee: GWEI + self.spike,
                tip: GWEI,
            },
            Query::Slot {
                chain,
                account,
                nonce,
                ..
            } => {
                let status = match self.mined.get(nonce as usize) {
                    None => SlotStatus::Open,
                    Some((raw, mined)) => SlotStatus::Consumed {
                        raw: raw.clone(),
                        mined: *mined,
                        finalised: self.height >= mined.block_number + FINAL_AFTER,
                    },
                };
                ChainFact::Slot {
                    chain,
                    account,
                    nonce,
                    status,
                }
            }
        }
    }

    /// What arrived where, over all blocks.
    pub(crate) fn received(&self, to: Address) -> u128 {
        let values = self.mined.iter().filter_map(|(raw, _)| {
            let transfer = evm::decode_signed(raw).unwrap().transfer;
            (transfer.to == to).then(|| u128::try_from(transfer.value).unwrap())
        });
        values.sum()
    }
}
