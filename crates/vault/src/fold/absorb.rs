//! One entry into the facts.

mod ceremony;
mod signing;

use ed25519_dalek::{Signature, VerifyingKey};

use super::State;
use super::facts::{
    Asked, Bound, Ended, MAX_NOTES, MAX_REQUESTS_PER_AUTHOR, MAX_STATEMENTS, Place, RequestFacts,
    Said,
};
use super::hashes::request_id;
use crate::entry::{Approval, Entry, Logged, MAX_NOTE_BYTES, Request};
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
        Said {
            place: self.place,
            at: self.at,
            what,
        }
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
        let place = Place {
            incarnation,
            position,
        };
        let speaker = Speaker {
            party: author,
            place,
            at: logged.at,
        };
        match &logged.entry {
            Entry::Founded(charter) => self.founded(speaker, charter),
            Entry::CeremonyStarted { act: 0, attempt } => self.started(speaker, *attempt),
            Entry::Prepared(prepared) => self.prepared_entry(speaker, prepared),
            Entry::Aborted {
                act: 0,
                attempt,
                reason,
            } => {
                self.ended(speaker, *attempt, Ended::Aborted(short(reason)));
                None
            }
            Entry::Acknowledged {
                act: 0,
                attempt,
                public,
            } => self.acknowledged_entry(speaker, *attempt, *public),
            // Acts after act 0 get their arms here.
            Entry::CeremonyStarted { .. } | Entry::Aborted { .. } | Entry::Acknowledged { .. } => {
                None
            }
            Entry::Request(request) => self.request_entry(speaker, request),
            Entry::Approval(approval) => self.approval(speaker, approval),
            Entry::Rejection { request, reason } => self.rejection(speaker, *request, reason),
            Entry::Cancellation { request } => self.cancellation(speaker, *request),
            Entry::Replacement {
                request,
                supersedes,
            } => self.replacement(speaker, *request, *supersedes),
            Entry::SessionRecord(record) => self.record(speaker, record),
            Entry::SessionOutcome { session, result } => self.outcome(speaker, *session, result),
            Entry::Receipt(receipt) => self.receipt(speaker, receipt),
            Entry::Note { request, text } => self.note(speaker, *request, text),
        }
    }

    fn request_entry(&mut self, speaker: Speaker, request: &Request) -> Option<RequestId> {
        let id = request_id(&self.vault, &speaker.party, request);
        let facts = self.request_mut(speaker, id)?;
        if facts.asked.is_some() {
            return Some(id);
        }
        facts.asked = Some(Asked {
            author: speaker.party,
            said: speaker.says(request.clone()),
        });
        let sessions = facts.sessions.iter().copied().collect();
        let mine = self.facts.asked_by.entry(speaker.party).or_default();
        mine.insert(speaker.place, id);
        if let Some(earlier) = request.instead_of {
            self.asked_instead(speaker, earlier, id);
        }
        self.settle_sessions(sessions);
        Some(id)
    }

    fn asked_instead(&mut self, speaker: Speaker, earlier: RequestId, id: RequestId) {
        let Some(facts) = self.request_mut(speaker, earlier) else {
            return;
        };
        let mine = facts.successors.entry(speaker.party).or_default();
        if mine.len() < MAX_STATEMENTS {
            mine.insert(speaker.place, id);
        }
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
        let key = self
            .charter
            .member(author)
            .and_then(|member| member.credential_key().ok());
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
        facts
            .cancellations
            .entry(speaker.party)
            .or_insert_with(|| speaker.says(()));
        Some(id)
    }

    fn replacement(
        &mut self,
        speaker: Speaker,
        id: RequestId,
        supersedes: SessionId,
    ) -> Option<RequestId> {
        let facts = self.request_mut(speaker, id)?;
        let mine = facts.replacements.entry(speaker.party).or_default();
        if mine.len() < MAX_STATEMENTS {
            mine.entry(supersedes).or_insert_with(|| speaker.says(()));
        }
        Some(id)
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
}

/// Whether this is `key`'s strict Ed25519 signature over a hash.
fn signed_by(key: &VerifyingKey, hash: &[u8; 32], signature: &[u8]) -> bool {
    Signature::from_slice(signature)
        .is_ok_and(|signature| key.verify_strict(hash, &signature).is_ok())
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
