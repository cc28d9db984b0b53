//! What stands behind a signature that was made: for those who look back at it.

use super::State;
use super::facts::{Bound, Place, Recorded};
use super::hashes::intent_digest;
use super::requests::claimed_slots;
use crate::entry::Purpose;
use crate::ids::{PartyId, RequestId, Time};

/// A member's approval that covers a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// Who.
    pub party: PartyId,
    /// Where in its log.
    pub place: Place,
    /// When, by its clock.
    pub at: Time,
}

impl State {
    /// The approvals that cover what a record signs, in committee order, whatever their givers said later.
    ///
    /// A payment is covered by approvals at its own slot, a fill by approvals of its request at any slot above.
    pub fn consents(&self, recorded: &Recorded) -> Vec<Consent> {
        let record = &recorded.said.what;
        let Some(facts) = self.facts.requests.get(&record.request) else {
            return Vec::new();
        };
        let Some(asked) = &facts.asked else {
            return Vec::new();
        };
        let slot = recorded.transfer.nonce;
        let covering =
            claimed_slots(facts, asked)
                .into_iter()
                .filter(|claimed| match record.purpose {
                    Purpose::Payment => *claimed == slot,
                    Purpose::Fill { .. } => *claimed > slot,
                });
        let request = &asked.said.what;
        let bounds: Vec<Bound> = covering
            .filter_map(|slot| request.intent.with_slot(slot).ok())
            .map(|intent| self.bound(asked, &intent_digest(&intent)))
            .collect();
        let consent = |party: PartyId| {
            let given = facts.approvals.get(&party)?;
            let first = bounds.iter().filter_map(|bound| given.get(bound)).min()?;
            Some(Consent {
                party,
                place: first.0,
                at: first.1,
            })
        };
        self.charter.parties().filter_map(consent).collect()
    }

    /// Whether a record's final bytes are within the request's intent, or the fill that it allows, and its digest is
    /// theirs.
    pub fn record_holds(&self, recorded: &Recorded) -> bool {
        let record = &recorded.said.what;
        let signable = self
            .intended(recorded)
            .and_then(|intent| intent.check(&record.unsigned).ok());
        signable.is_some_and(|signable| signable.digest() == record.digest)
    }

    /// Whether the request has arrived.
    pub fn knows(&self, id: &RequestId) -> bool {
        self.facts
            .requests
            .get(id)
            .is_some_and(|facts| facts.asked.is_some())
    }
}
