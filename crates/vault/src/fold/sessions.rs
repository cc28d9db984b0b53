//! Sessions of a request, from the records and outcomes of those who took part.

use quorate_chain::{Intent, SignedTx};
use quorate_threshold::EcdsaSignature;

use super::State;
use super::facts::{Recorded, SessionFacts, SlotKey};
use super::requests::Current;
use crate::entry::{Purpose, SessionRecord};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionEnd {
    /// Nobody has said yet, or not everybody who entered it and no one gave it up.
    Running,
    /// With a signature that verifies.
    Signed,
    /// Without one, as far as is known: who says so, and why.
    Failed(Vec<(PartyId, String)>),
}

/// One protocol run for a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionView {
    /// Its name.
    pub session: SessionId,
    /// What the first of its quorum to have a record wrote down.
    pub record: SessionRecord,
    /// The slot that its final bytes consume.
    pub slot: SlotKey,
    /// When that record was written, by its author's clock.
    pub at: Time,
    /// Who has a record of it, in committee order.
    pub recorded: Vec<PartyId>,
    /// How it ended.
    pub end: SessionEnd,
}

impl State {
    /// What was said about a session.
    pub fn session(&self, id: &SessionId) -> Option<&SessionFacts> {
        self.facts.sessions.get(id)
    }

    /// The request that a session serves.
    pub fn request_of_session(&self, id: &SessionId) -> Option<RequestId> {
        let (_, recorded) = self.facts.sessions.get(id)?.records.iter().next()?;
        Some(recorded.said.what.request)
    }

    /// Every session of a request, by purpose and attempt.
    pub fn sessions(&self, request: &RequestId) -> Vec<SessionView> {
        let Some(facts) = self.facts.requests.get(request) else {
            return Vec::new();
        };
        let mut views: Vec<SessionView> = facts
            .sessions
            .iter()
            .filter_map(|id| self.session_view(id, request))
            .collect();
        views.sort_by_key(|view| (view.slot, view.record.attempt, view.at, view.session));
        views
    }

    /// The highest attempt at a request's purpose that any record names; 0 if there is none.
    pub fn attempts(&self, request: &RequestId, purpose: Purpose) -> u32 {
        let records = self
            .records(request)
            .map(|(_, recorded)| &recorded.said.what);
        records
            .filter(|record| record.purpose == purpose)
            .map(|record| record.attempt)
            .max()
            .unwrap_or(0)
    }

    /// The newest session of this purpose that has a verified signature.
    pub fn newest_signed(&self, request: &RequestId, purpose: Purpose) -> Option<SessionId> {
        let records = self
            .records(request)
            .map(|(_, recorded)| &recorded.said.what);
        let signed = records.filter(|record| {
            let facts = self.facts.sessions.get(&record.session);
            record.purpose == purpose && facts.is_some_and(|facts| !facts.verified.is_empty())
        });
        signed
            .map(|record| (record.attempt, record.session))
            .max()
            .map(|(_, session)| session)
    }

    /// The verified signature of a session, with the record that it belongs to.
    pub fn signature(&self, id: &SessionId) -> Option<(&SessionRecord, EcdsaSignature)> {
        let facts = self.facts.sessions.get(id)?;
        let party = facts.verified.iter().next()?;
        let signature = facts.signed.get(party)?.what;
        Some((&facts.records.get(party)?.said.what, signature))
    }

    /// The signed transaction of a session, if there is a verified signature.
    pub fn signed_tx(&self, id: &SessionId) -> Option<SignedTx> {
        let facts = self.facts.sessions.get(id)?;
        let party = facts.verified.iter().next()?;
        let (record, signature) = self.signature(id)?;
        let signable = self
            .intended(facts.records.get(party)?)?
            .check(&record.unsigned)
            .ok()?;
        signable
            .assemble(signature.r, signature.s, signature.recovery_id)
            .ok()
    }

    /// What a session for this request and purpose may sign: the request's intent, or the fill of a slot below it.
    pub fn intent_for(&self, request: &RequestId, purpose: Purpose) -> Option<Intent> {
        let intent = self.current(request)?.request().intent;
        match purpose {
            Purpose::Payment => Some(intent),
            Purpose::Fill { slot } => fill(&intent, slot),
        }
    }

    /// Sessions that this member entered and has said no end of; after a restart it must give them up.
    pub fn unfinished_sessions(&self, member: &PartyId) -> Vec<SessionId> {
        let open = |facts: &SessionFacts| {
            facts.records.contains_key(member)
                && !facts.signed.contains_key(member)
                && !facts.failed.contains_key(member)
        };
        let all = self.facts.sessions.iter();
        all.filter(|(_, facts)| open(facts))
            .map(|(id, _)| *id)
            .collect()
    }

    /// The intent that a record's final bytes must be within.
    pub(crate) fn intended(&self, recorded: &Recorded) -> Option<Intent> {
        let record = &recorded.said.what;
        self.intent_for(&record.request, record.purpose)
    }

    /// Every record of a request, of whatever purpose.
    pub(super) fn records(
        &self,
        request: &RequestId,
    ) -> impl Iterator<Item = (&PartyId, &Recorded)> {
        let sessions = self
            .facts
            .requests
            .get(request)
            .into_iter()
            .flat_map(|facts| &facts.sessions);
        let request = *request;
        sessions
            .filter_map(|id| self.facts.sessions.get(id))
            .flat_map(|facts| &facts.records)
            .filter(move |(_, recorded)| recorded.said.what.request == request)
    }

    /// Records of sessions for the request's own payment, with their authors.
    pub(super) fn payment_records(
        &self,
        request: &RequestId,
    ) -> impl Iterator<Item = (&PartyId, &Recorded)> {
        self.records(request)
            .filter(|(_, recorded)| recorded.said.what.purpose == Purpose::Payment)
    }

    /// Whether the request's own payment has a verified signature.
    pub(super) fn is_signed(&self, current: &Current<'_>) -> bool {
        let Some(sessions) = self.facts.signed.get(&current.slot()) else {
            return false;
        };
        sessions.iter().any(|id| {
            self.signature(id).is_some_and(|(record, _)| {
                record.request == current.id && record.purpose == Purpose::Payment
            })
        })
    }

    /// Whether a session for the request is under way.
    pub(super) fn is_running(&self, request: &RequestId) -> bool {
        let sessions = self
            .facts
            .requests
            .get(request)
            .into_iter()
            .flat_map(|facts| &facts.sessions);
        sessions
            .filter_map(|id| self.facts.sessions.get(id))
            .any(|facts| end_of(facts) == SessionEnd::Running)
    }

    fn session_view(&self, id: &SessionId, request: &RequestId) -> Option<SessionView> {
        let facts = self.facts.sessions.get(id)?;
        let of_request = |party: &PartyId| {
            let recorded = facts.records.get(party)?;
            (recorded.said.what.request == *request).then_some((*party, recorded))
        };
        let records: Vec<(PartyId, &Recorded)> = self
            .charter
            .parties()
            .filter_map(|party| of_request(&party))
            .collect();
        // What was signed is what a verified signature signs, whatever others say of it.
        let signed = records
            .iter()
            .find(|(party, _)| facts.verified.contains(party));
        let (_, first) = signed.or_else(|| records.first())?;
        Some(SessionView {
            session: *id,
            record: first.said.what.clone(),
            slot: first.slot(),
            at: first.said.at,
            recorded: records.iter().map(|(party, _)| *party).collect(),
            end: end_of(facts),
        })
    }
}

fn fill(intent: &Intent, slot: u64) -> Option<Intent> {
    let Intent::EvmTransfer(transfer) = intent;
    transfer.fill(slot).map(Intent::EvmTransfer).ok()
}

/// A session is over when it has a signature, when somebody gave it up, or when everybody said its end.
fn end_of(facts: &SessionFacts) -> SessionEnd {
    if !facts.verified.is_empty() {
        return SessionEnd::Signed;
    }
    if facts.failed.is_empty() {
        return SessionEnd::Running;
    }
    let reasons = facts
        .failed
        .iter()
        .map(|(party, said)| (*party, said.what.clone()));
    SessionEnd::Failed(reasons.collect())
}
