//! What stands behind a signature that was made: for those who look back at it.

use super::State;
use super::facts::{Place, Recorded};
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
    /// The approvals that cover what a record signs, a payment or the fill of a slot below it, in committee order,
    /// whatever their givers said later.
    pub fn consents(&self, recorded: &Recorded) -> Vec<Consent> {
        let record = &recorded.said.what;
        let Some(facts) = self.facts.requests.get(&record.request) else {
            return Vec::new();
        };
        let Some(asked) = &facts.asked else {
            return Vec::new();
        };
        let bound = self.bound(asked);
        let consent = |party: PartyId| {
            let given = facts.approvals.get(&party)?;
            let first = given.get(&bound)?;
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
