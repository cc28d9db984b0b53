//! What the chain took: for every slot that a session was recorded for, often until its block is final, and now and then
//! after that.
//!
//! Asking is by slot, not by transaction: a signature that somebody kept to himself shows up here as well.

use std::collections::BTreeMap;

use quorate_chain::evm::{self, Address, Mined};
use quorate_chain::{ChainId, SignedTx};

use super::Vault;
use crate::entry::{Entry, Purpose, Receipt, Seen};
use crate::fold::{SlotKey, WatchedSlot};
use crate::ids::{RequestId, Time};
use crate::io::{ChainFact, Output, Query, SlotStatus};

/// How often a slot is asked about: often while it is young, less so later.
const INTERVALS_MS: [(u64, u64); 3] = [(60_000, 2_000), (600_000, 10_000), (u64::MAX, 60_000)];
/// How often a slot is asked about whose transaction the chain called final: endpoints lie, and chains have failed.
const REVISIT_MS: u64 = 600_000;
/// How often a signed transaction that is not mined is handed to the chain again.
const REBROADCAST_MS: u64 = 15_000;
/// How long others leave the first broadcast to the opener.
const OTHERS_BROADCAST_AFTER_MS: u64 = 5_000;
/// Most refusals of transactions that are remembered for people.
const MAX_REFUSED: usize = 256;
/// Most slots asked about at a time, by [`urgency`].
const MAX_WATCHED: usize = 32;

/// What is being watched.
#[derive(Default)]
pub(super) struct Watch {
    slots: BTreeMap<SlotKey, Watched>,
    /// What the endpoints said last, in words, by chain; not durable.
    pub(super) trouble: BTreeMap<ChainId, String>,
    /// Why an endpoint did not take a transaction, by its hash; not durable.
    pub(super) refused: BTreeMap<[u8; 32], String>,
}

/// What is watched first when there is too much: slots that nothing was seen to consume, lowest first, because the
/// chain takes them in order; then the newest, and last those that are final. A chain that is slow to call blocks final
/// must not hide a payment that waits for its receipt.
fn urgency(slot: &WatchedSlot) -> (u8, u64) {
    let number = slot.key.slot;
    match &slot.seen {
        None => (0, number),
        Some(seen) if !seen.finalised => (1, u64::MAX - number),
        Some(_) => (2, u64::MAX - number),
    }
}

#[derive(Clone, Copy)]
struct Watched {
    /// When it was first watched, or when a session was last added.
    since: Time,
    sessions: usize,
    next_query: Time,
    next_broadcast: Time,
}

impl Vault {
    /// Asks about slots and broadcasts again where it is time.
    pub(super) fn advance_watch(&mut self) {
        let Some(account) = self.state.account() else {
            return;
        };
        let mut watched = self.state.watched_slots();
        watched.sort_by_key(urgency);
        watched.truncate(MAX_WATCHED);
        self.watch
            .slots
            .retain(|key, _| watched.iter().any(|slot| slot.key == *key));
        for slot in watched {
            let now = self.now;
            let mut state = self.watched(&slot);
            let over = slot.seen.as_ref().is_some_and(|seen| seen.finalised);
            let pause = if over {
                REVISIT_MS
            } else {
                interval(now.since_ms(state.since))
            };
            // What was called final, and is not any more, is looked at as often as any other.
            state.next_query = state.next_query.min(now.plus_ms(pause));
            let ask = now >= state.next_query;
            let tell = now >= state.next_broadcast && slot.seen.is_none();
            // Putting signed transactions together costs a public-key recovery each.
            let signed = if ask || tell {
                self.signed_in(&slot)
            } else {
                Vec::new()
            };
            if ask {
                state.next_query = now.plus_ms(pause);
                self.ask_slot(&slot.key, account, &signed);
            }
            if tell {
                state.next_broadcast =
                    now.plus_ms(interval(now.since_ms(state.since)).max(REBROADCAST_MS));
                for transaction in signed {
                    self.broadcast(slot.key.chain, transaction);
                }
            }
            self.wake_by(state.next_query);
            self.watch.slots.insert(slot.key, state);
        }
    }

    /// How the slot is watched; a new session makes it young again.
    fn watched(&self, slot: &WatchedSlot) -> Watched {
        let (now, sessions) = (self.now, slot.sessions.len());
        let next_broadcast = now.plus_ms(OTHERS_BROADCAST_AFTER_MS);
        match self.watch.slots.get(&slot.key) {
            Some(held) if held.sessions == sessions => *held,
            _ => Watched {
                since: now,
                sessions,
                next_query: now,
                next_broadcast,
            },
        }
    }

    fn ask_slot(&mut self, key: &SlotKey, account: Address, signed: &[SignedTx]) {
        let candidates = signed.iter().map(|transaction| transaction.hash).collect();
        self.out.push(Output::Query(Query::Slot {
            chain: key.chain,
            account,
            nonce: key.slot,
            candidates,
        }));
    }

    /// Every transaction for this slot that this vault has signed, as far as the logs say.
    fn signed_in(&self, slot: &WatchedSlot) -> Vec<SignedTx> {
        slot.sessions
            .iter()
            .filter_map(|session| self.state.signed_tx(session))
            .collect()
    }

    /// Hands a signed transaction to the chain, now.
    pub(super) fn broadcast(&mut self, chain: ChainId, signed: SignedTx) {
        self.out.push(Output::Broadcast {
            chain,
            raw: signed.raw,
            hash: signed.hash,
        });
    }

    /// The chain said something.
    pub(super) fn on_chain(&mut self, fact: ChainFact) {
        match fact {
            ChainFact::Fees { chain, .. } => {
                self.watch.trouble.remove(&chain);
                self.on_fees(&fact);
            }
            ChainFact::Slot {
                chain,
                account,
                nonce,
                status,
            } => {
                self.watch.trouble.remove(&chain);
                let key = SlotKey { chain, slot: nonce };
                if self.state.account() == Some(account) && self.watch.slots.contains_key(&key) {
                    self.on_slot(&key, account, status);
                }
            }
            // What an endpoint says about a broadcast decides nothing: the slot is asked about all the same.
            ChainFact::Broadcast {
                hash,
                result: Err(words),
                ..
            } => {
                if self.watch.refused.len() < MAX_REFUSED {
                    self.watch.refused.insert(hash, words);
                }
            }
            ChainFact::Broadcast {
                hash,
                result: Ok(()),
                ..
            } => {
                self.watch.refused.remove(&hash);
            }
            ChainFact::Unreachable { chain, why } => {
                self.watch.trouble.insert(chain, why);
            }
        }
    }

    fn on_slot(&mut self, key: &SlotKey, account: Address, status: SlotStatus) {
        if !self.may_append_unasked() {
            return;
        }
        match status {
            SlotStatus::Open => self.on_unmined(key),
            SlotStatus::Consumed {
                raw,
                mined,
                finalised,
            } => self.on_mined(key, account, raw, mined, finalised),
        }
    }

    /// The slot is open: if it was consumed before, the chain was reorganised, or its endpoint lies or lied.
    fn on_unmined(&mut self, key: &SlotKey) {
        let Some(consumed) = self.state.consumed(key) else {
            return;
        };
        let receipt = Receipt {
            request: consumed.request,
            slot: key.slot,
            seen: Seen::Unmined,
        };
        self.append_unasked(Entry::Receipt(Box::new(receipt)));
    }

    fn on_mined(
        &mut self,
        key: &SlotKey,
        account: Address,
        raw: Vec<u8>,
        mined: Mined,
        finalised: bool,
    ) {
        let Ok(signed) = evm::decode_signed(&raw) else {
            return;
        };
        let fits = signed.signer == account
            && signed.hash == mined.hash
            && signed.transfer.chain == key.chain
            && signed.transfer.nonce == key.slot;
        // An endpoint that shows a transaction of somebody else, or of another slot, has said nothing.
        if !fits || self.is_known(key, &mined, finalised) {
            return;
        }
        let Some(request) = self.request_behind(key, &signed.transfer, &raw) else {
            return;
        };
        let seen = Seen::Mined {
            hash: mined.hash,
            raw,
            block_number: mined.block_number,
            block_hash: mined.block_hash,
            success: mined.success,
            gas_used: mined.gas_used,
            effective_gas_price: mined.effective_gas_price,
            finalised,
        };
        self.append_unasked(Entry::Receipt(Box::new(Receipt {
            request,
            slot: key.slot,
            seen,
        })));
    }

    fn is_known(&self, key: &SlotKey, mined: &Mined, finalised: bool) -> bool {
        self.state
            .consumed(key)
            .is_some_and(|held| held.mined == *mined && (held.finalised || !finalised))
    }

    /// Which request the transaction carries out: that of the session that signed these bytes, else one whose intent
    /// it fits, else any that has a session for this slot.
    fn request_behind(
        &self,
        key: &SlotKey,
        transfer: &evm::UnsignedTransfer,
        raw: &[u8],
    ) -> Option<RequestId> {
        let watched = self
            .state
            .watched_slots()
            .into_iter()
            .find(|slot| slot.key == *key)?;
        let facts = watched
            .sessions
            .iter()
            .filter_map(|id| self.state.session(id));
        let records: Vec<_> = facts.flat_map(|facts| facts.records.values()).collect();
        let exact = records
            .iter()
            .find(|recorded| recorded.transfer == *transfer);
        let fits = |request: &RequestId| {
            let intent = self.state.intent_for(request, Purpose::Payment);
            intent.is_some_and(|intent| intent.check_signed(raw).is_ok())
        };
        exact
            .map(|recorded| recorded.said.what.request)
            .or_else(|| self.state.requests().find(fits))
            .or_else(|| records.first().map(|recorded| recorded.said.what.request))
    }
}

fn interval(age_ms: u64) -> u64 {
    INTERVALS_MS
        .iter()
        .find(|(until, _)| age_ms < *until)
        .map_or(60_000, |(_, every)| *every)
}

#[cfg(test)]
mod tests {
    use quorate_chain::ChainId;
    use quorate_chain::evm::{Address, Fees, Mined, TRANSFER_GAS, UnsignedTransfer, Wei};

    use super::{WatchedSlot, urgency};
    use crate::fold::{Consumed, SlotKey};
    use crate::ids::{RequestId, Time};

    const CHAIN: ChainId = ChainId::Eip155(1);

    fn slot(slot: u64, seen: bool) -> WatchedSlot {
        let fees = Fees {
            max_fee_per_gas: 1,
            max_priority_fee_per_gas: 1,
        };
        let consumed = Consumed {
            request: RequestId([0; 32]),
            at: Time(0),
            transfer: UnsignedTransfer {
                chain: CHAIN,
                nonce: slot,
                to: Address::new([1; 20]),
                value: Wei::ZERO,
                gas_limit: TRANSFER_GAS,
                fees,
            },
            signer: Address::new([2; 20]),
            mined: Mined {
                hash: [0; 32],
                block_number: slot,
                block_hash: [0; 32],
                success: true,
                gas_used: TRANSFER_GAS,
                effective_gas_price: 1,
            },
            finalised: false,
        };
        WatchedSlot {
            key: SlotKey { chain: CHAIN, slot },
            sessions: Vec::new(),
            seen: seen.then_some(consumed),
        }
    }

    /// Forty mined payments of which the chain has called none final once hid the forty-first's receipt for ever.
    #[test]
    fn what_waits_for_a_receipt_is_watched_before_what_waits_for_finality() {
        let mut all: Vec<WatchedSlot> = (0..40).map(|number| slot(number, true)).collect();
        all.extend([slot(41, false), slot(40, false)]);
        all.sort_by_key(urgency);
        let order: Vec<u64> = all.iter().map(|slot| slot.key.slot).collect();
        assert_eq!(order[..4], [40, 41, 39, 38]);
    }
}
