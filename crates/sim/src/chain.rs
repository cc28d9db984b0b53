//! A chain that mines, forgets and lies, but never takes two transactions in one slot.

use std::collections::BTreeMap;

use quorate_chain::{ChainId, evm};
use quorate_vault::io::{ChainFact, Query, SlotStatus};
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

/// Blocks after which the chain calls one final.
const FINALITY: u64 = 3;

/// How the chain treats those who ask.
#[derive(Clone, Copy, Debug, Default)]
pub struct ChainFaults {
    /// Of 1,000 answers, how many are lies: consumed slots said to be open, endpoints said to be down.
    pub lies_per_mille: u32,
    /// Of 1,000 blocks, how many undo the one before.
    pub reorgs_per_mille: u32,
    /// Of 1,000 broadcasts, how many are accepted in word only.
    pub lost_per_mille: u32,
}

/// One canonical block.
struct Block {
    /// Distinguishes blocks of equal height.
    id: u64,
    transactions: Vec<[u8; 32]>,
}

/// The chain that all members of one world share; each asks it through its own lying endpoint.
pub struct SimChain {
    chain: ChainId,
    faults: ChainFaults,
    mempool: BTreeMap<(evm::Address, u64), Vec<[u8; 32]>>,
    known: BTreeMap<[u8; 32], (evm::SignedTransfer, Vec<u8>)>,
    blocks: Vec<Block>,
    nonces: BTreeMap<evm::Address, u64>,
    next_block: u64,
}

impl SimChain {
    /// An empty chain.
    pub fn new(chain: ChainId, faults: ChainFaults) -> Self {
        Self {
            chain,
            faults,
            mempool: BTreeMap::new(),
            known: BTreeMap::new(),
            blocks: Vec::new(),
            nonces: BTreeMap::new(),
            next_block: 0,
        }
    }

    /// No lies, losses and reorganisations from here on.
    pub fn heal(&mut self) {
        self.faults = ChainFaults::default();
    }

    /// Takes a raw transaction into the pool, or only says so.
    pub fn broadcast(&mut self, raw: &[u8], hash: [u8; 32], rng: &mut ChaCha8Rng) -> ChainFact {
        let chain = self.chain;
        let answer = |result| ChainFact::Broadcast {
            chain,
            hash,
            result,
        };
        let Ok(transfer) = evm::decode_signed(raw) else {
            return answer(Err("malformed transaction".into()));
        };
        if chance(rng, self.faults.lost_per_mille) {
            return answer(Ok(()));
        }
        if self.nonces.get(&transfer.signer).copied().unwrap_or(0) > transfer.transfer.nonce {
            return answer(Err("nonce too low".into()));
        }
        let pool = self
            .mempool
            .entry((transfer.signer, transfer.transfer.nonce))
            .or_default();
        if !pool.contains(&hash) {
            pool.push(hash);
        }
        self.known.insert(hash, (transfer, raw.to_vec()));
        answer(Ok(()))
    }

    /// Mines the next block; which of several attempts in one slot wins is a coin toss, as on a real chain.
    pub fn mine(&mut self, rng: &mut ChaCha8Rng) {
        if chance(rng, self.faults.reorgs_per_mille) {
            self.undo_newest();
        }
        let mut transactions = Vec::new();
        let slots: Vec<(evm::Address, u64)> = self.mempool.keys().copied().collect();
        for slot in slots {
            if self.nonces.get(&slot.0).copied().unwrap_or(0) != slot.1 {
                continue;
            }
            let Some(attempts) = self.mempool.remove(&slot) else {
                continue;
            };
            let pick = usize::try_from(rng.next_u32()).unwrap_or(0) % attempts.len().max(1);
            if let Some(winner) = attempts.get(pick) {
                transactions.push(*winner);
                self.nonces.insert(slot.0, slot.1 + 1);
            }
        }
        self.next_block += 1;
        self.blocks.push(Block {
            id: self.next_block,
            transactions,
        });
    }

    /// Takes back the newest block if it is not final; its transactions are pooled again.
    fn undo_newest(&mut self) {
        if self.blocks.len() < 2 {
            return;
        }
        let Some(block) = self.blocks.pop() else {
            return;
        };
        for hash in block.transactions.iter().rev() {
            let Some((transfer, _)) = self.known.get(hash) else {
                continue;
            };
            let slot = (transfer.signer, transfer.transfer.nonce);
            self.nonces.insert(slot.0, slot.1);
            self.mempool.entry(slot).or_default().push(*hash);
        }
    }

    /// One endpoint's answer, which may be a lie.
    pub fn answer(&self, query: &Query, rng: &mut ChaCha8Rng) -> ChainFact {
        let lies = chance(rng, self.faults.lies_per_mille);
        let chain = self.chain;
        match query {
            _ if lies && rng.next_u32().is_multiple_of(2) => ChainFact::Unreachable {
                chain,
                why: "timed out".into(),
            },
            Query::Fees { .. } => {
                let wild = if lies { u128::from(rng.next_u64()) } else { 0 };
                ChainFact::Fees {
                    chain,
                    base_fee: 1_000_000_000 + wild,
                    tip: 1_000_000_000,
                }
            }
            Query::Slot { account, nonce, .. } => {
                let found = if lies {
                    None
                } else {
                    self.consumer(*account, *nonce)
                };
                let status = found.unwrap_or(SlotStatus::Open);
                ChainFact::Slot {
                    chain,
                    account: *account,
                    nonce: *nonce,
                    status,
                }
            }
        }
    }

    fn consumer(&self, account: evm::Address, nonce: u64) -> Option<SlotStatus> {
        for (height, block) in self.blocks.iter().enumerate() {
            for hash in &block.transactions {
                let (transfer, raw) = self.known.get(hash)?;
                if transfer.signer == account && transfer.transfer.nonce == nonce {
                    return Some(self.consumed(height as u64, block, *hash, transfer, raw));
                }
            }
        }
        None
    }

    fn consumed(
        &self,
        height: u64,
        block: &Block,
        hash: [u8; 32],
        transfer: &evm::SignedTransfer,
        raw: &[u8],
    ) -> SlotStatus {
        let mut block_hash = [0; 32];
        block_hash[..8].copy_from_slice(&block.id.to_be_bytes());
        SlotStatus::Consumed {
            raw: raw.to_vec(),
            mined: evm::Mined {
                hash,
                block_number: height,
                block_hash,
                success: true,
                gas_used: evm::TRANSFER_GAS,
                effective_gas_price: transfer.transfer.fees.max_fee_per_gas,
            },
            finalised: height + FINALITY < self.blocks.len() as u64,
        }
    }

    /// Every transaction on the canonical chain, oldest first.
    pub fn mined(&self) -> Vec<&evm::SignedTransfer> {
        let hashes = self.blocks.iter().flat_map(|block| &block.transactions);
        hashes
            .filter_map(|hash| self.known.get(hash).map(|(transfer, _)| transfer))
            .collect()
    }
}

/// True `per_mille` times out of 1,000.
pub(crate) fn chance(rng: &mut ChaCha8Rng, per_mille: u32) -> bool {
    rng.next_u32() % 1000 < per_mille
}
