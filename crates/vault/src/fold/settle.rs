//! Which stated signatures verify: looked at once, when all that it takes has arrived.
//!
//! A signature takes its author's record, the request, and the vault's keys. Each can come
//! last, so each arrival looks again; what verified stays verified.

use quorate_threshold::{MessageDigest, Suite};

use super::State;
use super::facts::SlotKey;
use crate::ids::{PartyId, SessionId};

impl State {
    /// The vault has come by its keys: looks at every stated signature again.
    pub(super) fn resettle_all(&mut self) {
        self.facts.signed.clear();
        for session in self.facts.sessions.values_mut() {
            session.verified.clear();
        }
        self.settle_sessions(self.facts.sessions.keys().copied().collect());
    }

    /// Looks which stated signatures verify now. What verified once does so for ever.
    pub(super) fn settle_sessions(&mut self, ids: Vec<SessionId>) {
        for id in ids {
            let Some(session) = self.facts.sessions.get(&id) else {
                continue;
            };
            let open = session
                .signed
                .keys()
                .filter(|party| !session.verified.contains(*party));
            let proven: Vec<(PartyId, SlotKey)> = open
                .filter_map(|party| Some((*party, self.proven_signature(&id, party)?)))
                .collect();
            for (party, slot) in proven {
                if let Some(session) = self.facts.sessions.get_mut(&id) {
                    session.verified.insert(party);
                }
                self.facts.signed.entry(slot).or_default().insert(id);
            }
        }
    }

    /// The slot that a stated signature signs, if it verifies and the bytes are within the request's intent.
    fn proven_signature(&self, id: &SessionId, party: &PartyId) -> Option<SlotKey> {
        let session = self.facts.sessions.get(id)?;
        let recorded = session.records.get(party)?;
        let signature = session.signed.get(party)?.what;
        let record = &recorded.said.what;
        let signable = self.intended(recorded)?.check(&record.unsigned).ok()?;
        let key = self
            .decided
            .as_ref()?
            .public
            .group_key(Suite::EcdsaSecp256k1);
        let digest = MessageDigest::derived_from_what_this_signer_decoded(signable.digest());
        let holds = signable.digest() == record.digest && signature.verify(key, &digest);
        holds.then(|| recorded.slot())
    }
}
