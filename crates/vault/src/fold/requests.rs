//! Where a request stands.

use quorate_chain::Intent;

use super::State;
use super::facts::{Asked, Bound, RequestFacts, SlotKey};
use super::hashes::intent_digest;
use super::standing::{
    Decision, Invalid, MAX_IDEMPOTENCY_KEY_BYTES, MAX_LIFETIME_MS, NoteView, RequestState, Standing,
};
use crate::entry::{MAX_NOTE_BYTES, Purpose, Request};
use crate::ids::{PartyId, RequestId, Time};

/// A request that has arrived, at its present slot.
pub(super) struct Current<'a> {
    pub(super) id: RequestId,
    pub(super) facts: &'a RequestFacts,
    pub(super) asked: &'a Asked,
    pub(super) intent: Intent,
    pub(super) digest: [u8; 32],
}

impl Current<'_> {
    pub(super) fn request(&self) -> &Request {
        &self.asked.said.what
    }

    pub(super) fn slot(&self) -> SlotKey {
        slot_of(&self.intent)
    }
}

/// The slot that an intent names.
pub(super) fn slot_of(intent: &Intent) -> SlotKey {
    let quorate_chain::Slot::EvmNonce { chain, nonce, .. } = intent.slot();
    SlotKey { chain, slot: nonce }
}

impl State {
    /// Every request that has arrived, in order of its name.
    pub fn requests(&self) -> impl Iterator<Item = RequestId> + '_ {
        let all = self.facts.requests.iter();
        all.filter(|(_, facts)| facts.asked.is_some())
            .map(|(id, _)| *id)
    }

    /// Where a request stands at `now`; `None` if it has not arrived.
    pub fn request_state(&self, id: &RequestId, now: Time) -> Option<RequestState> {
        Some(self.state_of(&self.current(id)?, now))
    }

    /// Everything about a request at `now`; `None` if it has not arrived.
    pub fn standing(&self, id: &RequestId, now: Time) -> Option<Standing> {
        let current = self.current(id)?;
        let author = current.asked.author;
        Some(Standing {
            id: *id,
            author,
            asked: current.asked.said.at,
            request: current.request().clone(),
            intent: current.intent,
            slot: current.slot(),
            digest: current.digest,
            state: self.state_of(&current, now),
            needed: self.charter.needed(),
            approvals: self.approvals_of(&current),
            rejections: self.rejections_of(current.facts),
            cancelled: current.facts.cancellations.get(&author).map(|said| said.at),
            notes: notes_of(current.facts),
        })
    }

    /// Who approved the request as it stands, in committee order.
    pub fn approvers(&self, id: &RequestId) -> Vec<PartyId> {
        let current = self.current(id);
        let approvals = current
            .map(|current| self.approvals_of(&current))
            .unwrap_or_default();
        approvals
            .into_iter()
            .map(|decision| decision.party)
            .collect()
    }

    /// Who approved or rejected neither, in committee order.
    pub fn undecided(&self, id: &RequestId) -> Vec<PartyId> {
        let Some(current) = self.current(id) else {
            return Vec::new();
        };
        let approvals = self.approvals_of(&current);
        let decided = |party: &PartyId| {
            current.facts.rejections.contains_key(party)
                || approvals.iter().any(|a| a.party == *party)
        };
        self.charter
            .parties()
            .filter(|party| !decided(party))
            .collect()
    }

    pub(super) fn current(&self, id: &RequestId) -> Option<Current<'_>> {
        let facts = self.facts.requests.get(id)?;
        let asked = facts.asked.as_ref()?;
        let original = asked.said.what.intent;
        let slot = self.current_slot(id, facts, asked);
        // Claimed slots are ones that the chain can take.
        let intent = original.with_slot(slot).unwrap_or(original);
        let digest = intent_digest(&intent);
        Some(Current {
            id: *id,
            facts,
            asked,
            intent,
            digest,
        })
    }

    /// The slot a request has now: the author's last word, except that a slot which was entered with enough
    /// approvals holds it for ever. Else an author who had not heard of the session yet could move the request away
    /// from a payment that may be under way.
    fn current_slot(&self, id: &RequestId, facts: &RequestFacts, asked: &Asked) -> u64 {
        let claimed = claimed_slots(facts, asked);
        let last = claimed.last().copied().unwrap_or_default();
        if claimed.len() == 1 {
            return last;
        }
        let entered = |slot: &u64| {
            let mut at_slot = self
                .payment_records(id)
                .filter(|(_, recorded)| recorded.transfer.nonce == *slot);
            at_slot.any(|(party, recorded)| self.is_believed(party, recorded))
        };
        claimed
            .iter()
            .filter(|slot| entered(slot))
            .min()
            .copied()
            .unwrap_or(last)
    }

    /// What an approval of this request must bind to count, at the slot whose intent has this digest.
    pub(super) fn bound(&self, asked: &Asked, digest: &[u8; 32]) -> Bound {
        Bound {
            charter_version: self.charter.version,
            intent_digest: *digest,
            expires: asked.said.what.expires,
            nonce: asked.said.what.nonce,
        }
    }

    pub(super) fn state_of(&self, current: &Current<'_>, now: Time) -> RequestState {
        if let Err(invalid) = self.judge_request(current.request(), current.asked.said.at) {
            return RequestState::Invalid(invalid);
        }
        let slot = current.slot();
        let consumed = self.facts.consumed.get(&slot);
        if let Some(seen) =
            consumed.filter(|_| self.consumer(&slot) == Some((current.id, Purpose::Payment)))
        {
            return RequestState::Mined {
                success: seen.mined.success,
                finalised: seen.finalised,
            };
        }
        let taken = self.is_consumed(&slot);
        if self.is_signed(current) {
            return if taken {
                RequestState::Lost
            } else {
                RequestState::Signed
            };
        }
        if let Some(dead) = self.death_of(current, now) {
            return dead;
        }
        if taken && self.is_request_entered(&current.id) {
            return RequestState::Lost;
        }
        if !self.is_approved(current) {
            return RequestState::WaitingForApprovals;
        }
        if self.is_running(&current.id) {
            RequestState::Signing
        } else {
            RequestState::Ready
        }
    }

    /// What ended a request that has no signature.
    fn death_of(&self, current: &Current<'_>, now: Time) -> Option<RequestState> {
        if current
            .facts
            .cancellations
            .contains_key(&current.asked.author)
        {
            return Some(RequestState::Cancelled);
        }
        let could_approve = self
            .charter
            .members
            .len()
            .saturating_sub(self.rejections_of(current.facts).len());
        if could_approve < usize::from(self.charter.needed()) {
            return Some(RequestState::Rejected);
        }
        (now >= current.request().expires).then_some(RequestState::Expired)
    }

    /// Whether enough approvals count.
    pub(super) fn is_approved(&self, current: &Current<'_>) -> bool {
        let count = self
            .approvals_at(current.facts, current.asked, &current.digest)
            .count();
        count >= usize::from(self.charter.needed())
    }

    pub(super) fn approvals_of(&self, current: &Current<'_>) -> Vec<Decision> {
        self.approvals_at(current.facts, current.asked, &current.digest)
            .map(|(party, at)| Decision {
                party,
                at,
                reason: None,
            })
            .collect()
    }

    /// Approvals of this request at the slot whose intent has this digest: one a member, none of who rejected.
    fn approvals_at<'a>(
        &'a self,
        facts: &'a RequestFacts,
        asked: &Asked,
        digest: &[u8; 32],
    ) -> impl Iterator<Item = (PartyId, Time)> + 'a {
        let bound = self.bound(asked, digest);
        let consenting = self
            .charter
            .parties()
            .filter(|party| !facts.rejections.contains_key(party));
        consenting.filter_map(move |party| {
            let (_, at) = facts.approvals.get(&party)?.get(&bound)?;
            Some((party, *at))
        })
    }

    fn rejections_of(&self, facts: &RequestFacts) -> Vec<Decision> {
        let said = |party| {
            let said = facts.rejections.get(&party)?;
            Some(Decision {
                party,
                at: said.at,
                reason: Some(said.what.clone()),
            })
        };
        self.charter.parties().filter_map(said).collect()
    }

    /// Whether a request keeps the rules that need no time and no other request.
    pub(super) fn judge_request(&self, request: &Request, asked: Time) -> Result<(), Invalid> {
        let decided = self.decided.as_ref().ok_or(Invalid::NoKeys)?;
        let Intent::EvmTransfer(transfer) = &request.intent;
        if transfer.terms().from != decided.address {
            return Err(Invalid::WrongAccount);
        }
        if request.expires <= asked {
            return Err(Invalid::ExpiresTooEarly);
        }
        if request.expires.since_ms(asked) > MAX_LIFETIME_MS {
            return Err(Invalid::ExpiresTooLate);
        }
        if request.note.len() > MAX_NOTE_BYTES {
            return Err(Invalid::NoteTooLong);
        }
        if request.idempotency_key.len() > MAX_IDEMPOTENCY_KEY_BYTES {
            return Err(Invalid::KeyTooLong);
        }
        Ok(())
    }
}

/// Every slot that the author ever asked for this request, the present wish last.
pub(super) fn claimed_slots(facts: &RequestFacts, asked: &Asked) -> Vec<u64> {
    let first = slot_of(&asked.said.what.intent).slot;
    let moves = facts.reslots.get(&asked.author).into_iter().flatten();
    let possible = |slot: &u64| asked.said.what.intent.with_slot(*slot).is_ok();
    let moved = moves.map(|(_, slot)| *slot).filter(possible);
    std::iter::once(first).chain(moved).collect()
}

fn notes_of(facts: &RequestFacts) -> Vec<NoteView> {
    let mut notes: Vec<NoteView> = facts
        .notes
        .iter()
        .flat_map(|(party, notes)| {
            notes.values().map(|(at, text)| NoteView {
                party: *party,
                at: *at,
                text: text.clone(),
            })
        })
        .collect();
    notes.sort_by_key(|note| note.at);
    notes
}
