//! Entries about sessions and what the chain took.

use quorate_chain::evm;

use super::{Speaker, short};
use crate::entry::{Receipt, Seen, SessionRecord, SessionResult};
use crate::fold::State;
use crate::fold::facts::{Consumed, MAX_RECORDS, MAX_UNSIGNED_BYTES, Recorded, SlotKey};
use crate::ids::{RequestId, SessionId};

impl State {
    pub(super) fn record(&mut self, speaker: Speaker, record: &SessionRecord) -> Option<RequestId> {
        if record.unsigned.len() > MAX_UNSIGNED_BYTES {
            return None;
        }
        let transfer = evm::decode_unsigned(&record.unsigned).ok()?;
        let facts = self.request_mut(speaker, record.request)?;
        let count = facts.records_by.entry(speaker.party).or_default();
        if *count >= MAX_RECORDS {
            return None;
        }
        *count += 1;
        facts.sessions.insert(record.session);
        let recorded = Recorded {
            said: speaker.says(record.clone()),
            transfer,
        };
        let session = self.facts.sessions.entry(record.session).or_default();
        let held = session.records.entry(speaker.party).or_insert(recorded);
        let slot = held.slot();
        self.facts
            .recorded
            .entry(slot)
            .or_default()
            .insert(record.session);
        self.settle_sessions(vec![record.session]);
        Some(record.request)
    }

    /// Counts only after the author's own record, which its own log has first.
    pub(super) fn outcome(
        &mut self,
        speaker: Speaker,
        id: SessionId,
        result: &SessionResult,
    ) -> Option<RequestId> {
        let known = self.facts.sessions.get_mut(&id);
        let session = known.filter(|session| session.records.contains_key(&speaker.party))?;
        match result {
            SessionResult::Signed(signature) => {
                session
                    .signed
                    .entry(speaker.party)
                    .or_insert_with(|| speaker.says(*signature));
            }
            SessionResult::Failed { reason } => {
                session
                    .failed
                    .entry(speaker.party)
                    .or_insert_with(|| speaker.says(short(reason)));
            }
        }
        self.settle_sessions(vec![id]);
        self.request_of_session(&id)
    }

    pub(super) fn receipt(&mut self, speaker: Speaker, receipt: &Receipt) -> Option<RequestId> {
        let facts = self.request_mut(speaker, receipt.request)?;
        let mine = facts.receipts.entry(speaker.party).or_default();
        if mine.len() < MAX_RECORDS || mine.contains_key(&receipt.slot) {
            mine.insert(receipt.slot, speaker.says(receipt.clone()));
        }
        if speaker.party == self.me {
            self.own_receipt(speaker, receipt);
        }
        Some(receipt.request)
    }

    /// My own receipts alone consume slots. My log comes in order, so the newest simply replaces.
    fn own_receipt(&mut self, speaker: Speaker, receipt: &Receipt) {
        let consumed = &mut self.facts.consumed;
        match &receipt.seen {
            Seen::Unmined => {
                let gone = consumed.extract_if(.., |key, held| {
                    key.slot == receipt.slot && held.request == receipt.request
                });
                let final_ones = gone.filter(|(_, held)| held.finalised);
                self.facts
                    .contradicted
                    .extend(final_ones.map(|(key, _)| key));
            }
            Seen::Mined {
                hash,
                raw,
                block_number,
                block_hash,
                success,
                gas_used,
                effective_gas_price,
                finalised,
            } => {
                let Ok(signed) = evm::decode_signed(raw) else {
                    return;
                };
                let key = SlotKey {
                    chain: signed.transfer.chain,
                    slot: signed.transfer.nonce,
                };
                if key.slot != receipt.slot || signed.hash != *hash {
                    return;
                }
                let what = Consumed {
                    request: receipt.request,
                    at: speaker.at,
                    transfer: signed.transfer,
                    signer: signed.signer,
                    mined: evm::Mined {
                        hash: *hash,
                        block_number: *block_number,
                        block_hash: *block_hash,
                        success: *success,
                        gas_used: *gas_used,
                        effective_gas_price: *effective_gas_price,
                    },
                    finalised: *finalised,
                };
                let block = what.mined.block_hash;
                let before = consumed.insert(key, what);
                if before.is_some_and(|held| {
                    held.finalised && (held.mined.hash != *hash || held.mined.block_hash != block)
                }) {
                    self.facts.contradicted.insert(key);
                }
            }
        }
    }
}
