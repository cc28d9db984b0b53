//! Where a request stands.

use quorate_chain::Intent;

use super::State;
use super::facts::{Asked, Bound, Consumed, RequestFacts, SlotKey};
use super::hashes::intent_digest;
use super::standing::{
    Decision, Invalid, MAX_IDEMPOTENCY_KEY_BYTES, MAX_LIFETIME_MS, NoteView, RequestState, Standing,
};
use crate::entry::{MAX_NOTE_BYTES, Purpose, Request};
use crate::ids::{PartyId, RequestId, Time};

/// A request that has arrived.
#[derive(Clone, Copy)]
pub(super) struct Current<'a> {
    pub(super) id: RequestId,
    pub(super) facts: &'a RequestFacts,
    pub(super) asked: &'a Asked,
}

impl Current<'_> {
    pub(super) fn request(&self) -> &Request {
        &self.asked.said.what
    }

    /// Whether its author withdrew it.
    pub(super) fn is_withdrawn(&self) -> bool {
        self.facts.cancellations.contains_key(&self.asked.author)
    }

    pub(super) fn slot(&self) -> SlotKey {
        slot_of(&self.request().intent)
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
            slot: current.slot(),
            digest: intent_digest(&current.request().intent),
            state: self.state_of(&current, now),
            needed: self.charter.needed(),
            approvals: self.approvals_of(&current),
            rejections: self.rejections_of(current.facts),
            cancelled: current.facts.cancellations.get(&author).map(|said| said.at),
            notes: notes_of(current.facts),
        })
    }

    /// Who approved the request, in committee order.
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
        Some(Current {
            id: *id,
            facts,
            asked,
        })
    }

    /// What an approval of this request must bind to count.
    pub(super) fn bound(&self, asked: &Asked) -> Bound {
        let request = &asked.said.what;
        Bound {
            charter_version: self.charter.version,
            intent_digest: intent_digest(&request.intent),
            expires: request.expires,
            nonce: request.nonce,
        }
    }

    pub(super) fn state_of(&self, current: &Current<'_>, now: Time) -> RequestState {
        if let Err(invalid) = self.judge(current) {
            return RequestState::Invalid(invalid);
        }
        if let Some(seen) = self.payment_seen(current) {
            return RequestState::Mined {
                success: seen.mined.success,
                finalised: seen.finalised,
            };
        }
        // Where only a higher slot was seen to be consumed, this very request may have consumed its own.
        let lost = self.facts.consumed.contains_key(&current.slot());
        if self.is_signed(current) {
            return if lost {
                RequestState::Lost
            } else {
                RequestState::Signed
            };
        }
        if let Some(dead) = self.death_of(current, now) {
            return dead;
        }
        if lost {
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

    /// The transaction that I saw carry out this request's own payment.
    pub(super) fn payment_seen(&self, current: &Current<'_>) -> Option<&Consumed> {
        let key = current.slot();
        let seen = self.facts.consumed.get(&key)?;
        (self.consumer(&key) == Some((current.id, Purpose::Payment))).then_some(seen)
    }

    /// What ended a request that has no signature.
    fn death_of(&self, current: &Current<'_>, now: Time) -> Option<RequestState> {
        if current.is_withdrawn() {
            return Some(RequestState::Cancelled);
        }
        if let Some(earlier) = self.paid_before(current) {
            return Some(RequestState::PaidBefore { earlier });
        }
        if self.is_rejected(current.facts) {
            return Some(RequestState::Rejected);
        }
        (now >= current.request().expires).then_some(RequestState::Expired)
    }

    /// Whether so many rejected that it cannot be approved any more.
    pub(super) fn is_rejected(&self, facts: &RequestFacts) -> bool {
        let could_approve = self.charter.parties();
        let could_approve = could_approve.filter(|party| !facts.rejections.contains_key(party));
        could_approve.count() < usize::from(self.charter.needed())
    }

    /// Whether enough approvals count.
    pub(super) fn is_approved(&self, current: &Current<'_>) -> bool {
        self.approvals_of(current).len() >= usize::from(self.charter.needed())
    }

    /// One a member, none of who rejected.
    pub(super) fn approvals_of(&self, current: &Current<'_>) -> Vec<Decision> {
        let facts = current.facts;
        if facts.approvals.is_empty() {
            return Vec::new();
        }
        let bound = self.bound(current.asked);
        let given = |party: PartyId| {
            let (_, at) = facts.approvals.get(&party)?.get(&bound)?;
            Some(Decision {
                party,
                at: *at,
                reason: None,
            })
        };
        let parties = self.charter.parties();
        let consenting = parties.filter(|party| !facts.rejections.contains_key(party));
        consenting.filter_map(given).collect()
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

    /// Whether a request keeps the rules that need no time.
    pub(super) fn judge(&self, current: &Current<'_>) -> Result<(), Invalid> {
        self.judge_request(current.request(), current.asked.said.at)?;
        self.judge_succession(current)
    }

    /// Whether it keeps those that need no other request either.
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
