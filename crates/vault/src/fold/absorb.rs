//! One entry into the facts.

use ed25519_dalek::{Signature, VerifyingKey};
use quorate_chain::evm;

use super::State;
use super::act0::MAX_ATTEMPTS;
use super::facts::{
    Asked, AttemptFacts, Bound, Consumed, Ended, MAX_NOTES, MAX_RECORDS, MAX_REQUESTS_PER_AUTHOR, MAX_STATEMENTS,
    MAX_UNSIGNED_BYTES, Place, Recorded, RequestFacts, Said, SlotKey,
};
use super::hashes::request_id;
use crate::charter::Charter;
use crate::entry::{
    Approval, Entry, Logged, MAX_NOTE_BYTES, Prepared, Receipt, Request, Seen, SessionRecord, SessionResult,
};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// Who speaks, where in its log, and when by its clock.
#[derive(Clone, Copy)]
struct Speaker {
    party: PartyId,
    place: Place,
    at: Time,
}

impl Speaker {
    fn says<T>(self, what: T) -> Said<T> {
        Said { place: self.place, at: self.at, what }
    }
}

impl State {
    /// Takes one entry of one author's log; each exactly once, in the order of that log.
    ///
    /// Answers which request it is about, if any. Entries that break a rule change nothing: they stay in the log, and
    /// the audit names them.
    pub fn absorb(
        &mut self,
        author: PartyId,
        incarnation: u32,
        position: u64,
        logged: &Logged,
    ) -> Option<RequestId> {
        if !self.charter.is_signer(&author) {
            return None;
        }
        let place = Place { incarnation, position };
        let speaker = Speaker { party: author, place, at: logged.at };
        match &logged.entry {
            Entry::Founded(charter) => self.founded(speaker, charter),
            Entry::CeremonyStarted { act: 0, attempt } => self.started(speaker, *attempt),
            Entry::Prepared(prepared) => self.prepared_entry(speaker, prepared),
            Entry::Aborted { act: 0, attempt, reason } => {
                self.ended(speaker, *attempt, Ended::Aborted(short(reason)));
                None
            }
            Entry::Acknowledged { act: 0, attempt, public } => self.acknowledged_entry(speaker, *attempt, *public),
            // Acts after act 0 get their arms here.
            Entry::CeremonyStarted { .. } | Entry::Aborted { .. } | Entry::Acknowledged { .. } => None,
            Entry::Request(request) => self.request_entry(speaker, request),
            Entry::Reslot { request, slot } => self.reslot(speaker, *request, *slot),
            Entry::Approval(approval) => self.approval(speaker, approval),
            Entry::Rejection { request, reason } => self.rejection(speaker, *request, reason),
            Entry::Cancellation { request } => self.cancellation(speaker, *request),
            Entry::Replacement { request, supersedes } => self.replacement(speaker, *request, *supersedes),
            Entry::SessionRecord(record) => self.record(speaker, record),
            Entry::SessionOutcome { session, result } => self.outcome(speaker, *session, result),
            Entry::Receipt(receipt) => self.receipt(speaker, receipt),
            Entry::Note { request, text } => self.note(speaker, *request, text),
        }
    }

    fn founded(&mut self, speaker: Speaker, charter: &Charter) -> Option<RequestId> {
        let founded = &mut self.facts.founded;
        founded.entry(speaker.party).or_insert_with(|| speaker.says(charter.hash()));
        None
    }

    fn started(&mut self, speaker: Speaker, attempt: u32) -> Option<RequestId> {
        if let Some(facts) = self.attempt_mut(speaker, attempt) {
            facts.started.get_or_insert_with(|| speaker.says(()));
        }
        None
    }

    fn prepared_entry(&mut self, speaker: Speaker, prepared: &Prepared) -> Option<RequestId> {
        if prepared.act == 0 {
            let holds = self.prepared_holds(&speaker.party, prepared);
            let ended = if holds { Ended::Prepared(Box::new(prepared.public.clone())) } else { Ended::Spoiled };
            self.ended(speaker, prepared.attempt, ended);
        }
        None
    }

    fn ended(&mut self, speaker: Speaker, attempt: u32, ended: Ended) {
        if let Some(facts) = self.attempt_mut(speaker, attempt) {
            facts.ended.get_or_insert_with(|| speaker.says(ended));
            if self.settle_attempt(attempt) {
                self.resettle_all();
            }
        }
    }

    fn acknowledged_entry(&mut self, speaker: Speaker, attempt: u32, public: [u8; 32]) -> Option<RequestId> {
        if let Some(facts) = self.attempt_mut(speaker, attempt) {
            facts.acknowledged.get_or_insert_with(|| speaker.says(public));
        }
        None
    }

    /// Whether a PREPARED is signed by its author's identity and speaks of this vault's committee.
    pub(crate) fn prepared_holds(&self, author: &PartyId, prepared: &Prepared) -> bool {
        let Ok(committee) = self.charter.committee() else { return false };
        let of_committee = *prepared.public.committee_hash() == committee.hash()
            && prepared.public.parameters() == committee.parameters();
        let key = self.charter.member(author).and_then(|member| member.identity_key().ok());
        of_committee && key.is_some_and(|key| signed_by(&key, &prepared.hash(&self.vault), &prepared.signature))
    }

    fn request_entry(&mut self, speaker: Speaker, request: &Request) -> Option<RequestId> {
        let id = request_id(&self.vault, &speaker.party, request);
        let facts = self.request_mut(speaker, id)?;
        facts.asked.get_or_insert_with(|| Asked {
            author: speaker.party,
            said: speaker.says(request.clone()),
        });
        let sessions = facts.sessions.iter().copied().collect();
        self.settle_sessions(sessions);
        Some(id)
    }

    fn reslot(&mut self, speaker: Speaker, id: RequestId, slot: u64) -> Option<RequestId> {
        let facts = self.request_mut(speaker, id)?;
        let mine = facts.reslots.entry(speaker.party).or_default();
        if mine.len() < MAX_STATEMENTS {
            mine.insert(speaker.place, slot);
        }
        let sessions = facts.sessions.iter().copied().collect();
        self.settle_sessions(sessions);
        Some(id)
    }

    fn approval(&mut self, speaker: Speaker, approval: &Approval) -> Option<RequestId> {
        if !self.approval_holds(&speaker.party, approval) {
            return None;
        }
        let bound = Bound {
            charter_version: approval.charter_version,
            intent_digest: approval.intent_digest,
            expires: approval.expires,
            nonce: approval.nonce,
        };
        let facts = self.request_mut(speaker, approval.request)?;
        let mine = facts.approvals.entry(speaker.party).or_default();
        if mine.len() < MAX_STATEMENTS {
            mine.entry(bound).or_insert((speaker.place, speaker.at));
        }
        Some(approval.request)
    }

    /// Whether an approval is signed by its author's credential.
    pub(crate) fn approval_holds(&self, author: &PartyId, approval: &Approval) -> bool {
        let key = self.charter.member(author).and_then(|member| member.credential_key().ok());
        key.is_some_and(|key| signed_by(&key, &approval.hash(&self.vault), &approval.signature))
    }

    fn rejection(&mut self, speaker: Speaker, id: RequestId, reason: &str) -> Option<RequestId> {
        let facts = self.request_mut(speaker, id)?;
        let said = speaker.says(short(reason));
        facts.rejections.entry(speaker.party).or_insert(said);
        Some(id)
    }

    fn cancellation(&mut self, speaker: Speaker, id: RequestId) -> Option<RequestId> {
        let facts = self.request_mut(speaker, id)?;
        facts.cancellations.entry(speaker.party).or_insert_with(|| speaker.says(()));
        Some(id)
    }

    fn replacement(&mut self, speaker: Speaker, id: RequestId, supersedes: SessionId) -> Option<RequestId> {
        let facts = self.request_mut(speaker, id)?;
        let mine = facts.replacements.entry(speaker.party).or_default();
        if mine.len() < MAX_STATEMENTS {
            mine.entry(supersedes).or_insert_with(|| speaker.says(()));
        }
        Some(id)
    }

    fn record(&mut self, speaker: Speaker, record: &SessionRecord) -> Option<RequestId> {
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
        let recorded = Recorded { said: speaker.says(record.clone()), transfer };
        let session = self.facts.sessions.entry(record.session).or_default();
        let held = session.records.entry(speaker.party).or_insert(recorded);
        let slot = held.slot();
        self.facts.recorded.entry(slot).or_default().insert(record.session);
        self.settle_sessions(vec![record.session]);
        Some(record.request)
    }

    /// Counts only after the author's own record, which its own log has first.
    fn outcome(&mut self, speaker: Speaker, id: SessionId, result: &SessionResult) -> Option<RequestId> {
        let known = self.facts.sessions.get_mut(&id);
        let session = known.filter(|session| session.records.contains_key(&speaker.party))?;
        match result {
            SessionResult::Signed(signature) => {
                session.signed.entry(speaker.party).or_insert_with(|| speaker.says(*signature));
            }
            SessionResult::Failed { reason } => {
                session.failed.entry(speaker.party).or_insert_with(|| speaker.says(short(reason)));
            }
        }
        self.settle_sessions(vec![id]);
        self.request_of_session(&id)
    }

    fn receipt(&mut self, speaker: Speaker, receipt: &Receipt) -> Option<RequestId> {
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
                consumed.retain(|key, held| key.slot != receipt.slot || held.request != receipt.request);
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
                let Ok(signed) = evm::decode_signed(raw) else { return };
                let key = SlotKey { chain: signed.transfer.chain, slot: signed.transfer.nonce };
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
                consumed.insert(key, what);
            }
        }
    }

    fn note(&mut self, speaker: Speaker, id: RequestId, text: &str) -> Option<RequestId> {
        let facts = self.request_mut(speaker, id)?;
        let mine = facts.notes.entry(speaker.party).or_default();
        if mine.len() < MAX_NOTES {
            mine.insert(speaker.place, (speaker.at, short(text)));
        }
        Some(id)
    }

    /// The facts of a request for an author within its limit.
    fn request_mut(&mut self, speaker: Speaker, id: RequestId) -> Option<&mut RequestFacts> {
        let known = self.facts.requests.get(&id);
        if known.is_none_or(|facts| !facts.mentioned_by.contains(&speaker.party)) {
            let count = self.facts.mentions.entry(speaker.party).or_default();
            if *count >= MAX_REQUESTS_PER_AUTHOR {
                return None;
            }
            *count += 1;
        }
        let facts = self.facts.requests.entry(id).or_default();
        facts.mentioned_by.insert(speaker.party);
        Some(facts)
    }

    fn attempt_mut(&mut self, speaker: Speaker, attempt: u32) -> Option<&mut AttemptFacts> {
        if attempt == 0 || attempt > MAX_ATTEMPTS {
            return None;
        }
        let members = self.facts.attempts.entry(attempt).or_default();
        Some(members.entry(speaker.party).or_default())
    }
}

/// Whether this is `key`'s strict Ed25519 signature over a hash.
fn signed_by(key: &VerifyingKey, hash: &[u8; 32], signature: &[u8]) -> bool {
    Signature::from_slice(signature).is_ok_and(|signature| key.verify_strict(hash, &signature).is_ok())
}

/// Words of people, cut at [`MAX_NOTE_BYTES`].
fn short(text: &str) -> String {
    text.chars()
        .scan(0, |bytes, c| {
            *bytes += c.len_utf8();
            (*bytes <= MAX_NOTE_BYTES).then_some(c)
        })
        .collect()
}
