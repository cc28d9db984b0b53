//! Entries about act 0.

use super::{Speaker, signed_by};
use crate::charter::Charter;
use crate::entry::Prepared;
use crate::fold::State;
use crate::fold::act0::MAX_ATTEMPTS;
use crate::fold::facts::{AttemptFacts, Ended};
use crate::ids::{PartyId, RequestId};

impl State {
    pub(super) fn founded(&mut self, speaker: Speaker, charter: &Charter) -> Option<RequestId> {
        let founded = &mut self.facts.founded;
        founded
            .entry(speaker.party)
            .or_insert_with(|| speaker.says(charter.hash()));
        None
    }

    pub(super) fn started(&mut self, speaker: Speaker, attempt: u32) -> Option<RequestId> {
        if let Some(facts) = self.attempt_mut(speaker, attempt) {
            facts.started.get_or_insert_with(|| speaker.says(()));
        }
        None
    }

    pub(super) fn prepared_entry(
        &mut self,
        speaker: Speaker,
        prepared: &Prepared,
    ) -> Option<RequestId> {
        if prepared.act == 0 {
            let holds = self.prepared_holds(&speaker.party, prepared);
            let ended = if holds {
                Ended::Prepared(Box::new(prepared.public.clone()))
            } else {
                Ended::Spoiled
            };
            self.ended(speaker, prepared.attempt, ended);
        }
        None
    }

    pub(super) fn ended(&mut self, speaker: Speaker, attempt: u32, ended: Ended) {
        if let Some(facts) = self.attempt_mut(speaker, attempt) {
            facts.ended.get_or_insert_with(|| speaker.says(ended));
            if self.settle_attempt(attempt) {
                self.resettle_all();
            }
        }
    }

    pub(super) fn acknowledged_entry(
        &mut self,
        speaker: Speaker,
        attempt: u32,
        public: [u8; 32],
    ) -> Option<RequestId> {
        if let Some(facts) = self.attempt_mut(speaker, attempt) {
            facts
                .acknowledged
                .get_or_insert_with(|| speaker.says(public));
        }
        None
    }

    /// Whether a PREPARED is signed by its author's identity and speaks of this vault's committee.
    pub(crate) fn prepared_holds(&self, author: &PartyId, prepared: &Prepared) -> bool {
        let Ok(committee) = self.charter.committee() else {
            return false;
        };
        let of_committee = *prepared.public.committee_hash() == committee.hash()
            && prepared.public.parameters() == committee.parameters();
        let key = self
            .charter
            .member(author)
            .and_then(|member| member.identity_key().ok());
        of_committee
            && key.is_some_and(|key| {
                signed_by(&key, &prepared.hash(&self.vault), &prepared.signature)
            })
    }

    fn attempt_mut(&mut self, speaker: Speaker, attempt: u32) -> Option<&mut AttemptFacts> {
        if attempt == 0 || attempt > MAX_ATTEMPTS {
            return None;
        }
        let members = self.facts.attempts.entry(attempt).or_default();
        Some(members.entry(speaker.party).or_default())
    }
}
