//! Every entry by itself: does what it states hold?

use quorate_chain::evm::decode_signed;

use super::logs::Sound;
use super::report::Finding;
use crate::charter::Charter;
use crate::entry::{Approval, Entry, Prepared, Receipt, Seen, SessionResult};
use crate::fold::{Invalid, RequestState, State, request_id};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// Names every entry that does not hold.
pub(super) fn examine(logs: &[Sound], state: &State, findings: &mut Vec<Finding>) {
    for log in logs {
        for (position, logged) in &log.entries {
            let problem = Examiner {
                author: log.author,
                state,
                at: logged.at,
            }
            .problem(&logged.entry);
            match problem {
                Some(Problem::Wrong(what)) => {
                    findings.push(Finding::wrong(log.place(*position), what))
                }
                Some(Problem::Missing(what)) => {
                    findings.push(Finding::missing(log.place(*position), what))
                }
                None => {}
            }
        }
    }
}

enum Problem {
    Wrong(String),
    Missing(String),
}

fn wrong(what: impl Into<String>) -> Option<Problem> {
    Some(Problem::Wrong(what.into()))
}

struct Examiner<'a> {
    author: PartyId,
    state: &'a State,
    at: Time,
}

impl Examiner<'_> {
    fn problem(&self, entry: &Entry) -> Option<Problem> {
        match entry {
            Entry::Founded(charter) => self.founded(charter),
            Entry::Prepared(prepared) => self.prepared(prepared),
            Entry::Acknowledged { public, .. } => self.acknowledged(public),
            Entry::Request(request) => {
                self.request(&request_id(self.state.vault(), &self.author, request))
            }
            Entry::Approval(approval) => self.approval(approval),
            Entry::Cancellation { request } => self.authors_own(request),
            Entry::Rejection { request, .. }
            | Entry::Replacement { request, .. }
            | Entry::Note { request, .. } => self.known(request),
            Entry::SessionRecord(record) => self
                .known(&record.request)
                .or_else(|| self.record(&record.session)),
            Entry::SessionOutcome { session, result } => self.outcome(session, result),
            Entry::Receipt(receipt) => self
                .known(&receipt.request)
                .or_else(|| self.receipt(receipt)),
            Entry::CeremonyStarted { .. } | Entry::Aborted { .. } => None,
        }
    }

    fn founded(&self, charter: &Charter) -> Option<Problem> {
        let other = charter.vault_id() != *self.state.vault();
        if other {
            wrong("it confirms another charter than this vault's")
        } else {
            None
        }
    }

    fn prepared(&self, prepared: &Prepared) -> Option<Problem> {
        if !self.state.prepared_holds(&self.author, prepared) {
            return wrong("its signature or committee is not right for this PREPARED");
        }
        None
    }

    fn acknowledged(&self, public: &[u8; 32]) -> Option<Problem> {
        let decided = self.state.public()?;
        if decided.hash() != *public {
            wrong("it acknowledges other keys than the vault's")
        } else {
            None
        }
    }

    fn request(&self, id: &RequestId) -> Option<Problem> {
        match self.state.request_state(id, self.at)? {
            // Act 0 is a finding of its own.
            RequestState::Invalid(Invalid::NoKeys) => None,
            RequestState::Invalid(invalid) => {
                wrong(format!("the request breaks a rule: {invalid}"))
            }
            _ => None,
        }
    }

    fn approval(&self, approval: &Approval) -> Option<Problem> {
        if !self.state.approval_holds(&self.author, approval) {
            return wrong("the approval is not signed by this member's credential");
        }
        let Some(standing) = self.state.standing(&approval.request, self.at) else {
            return self.known(&approval.request);
        };
        let fits = approval.charter_version == self.state.charter().version
            && approval.expires == standing.request.expires
            && approval.nonce == standing.request.nonce;
        if fits {
            None
        } else {
            wrong("the approval binds another expiry, nonce or charter than the request's")
        }
    }

    /// Only the request's author can say this.
    fn authors_own(&self, id: &RequestId) -> Option<Problem> {
        let Some(standing) = self.state.standing(id, self.at) else {
            return self.known(id);
        };
        if standing.author == self.author {
            None
        } else {
            wrong("only the request's author can withdraw it")
        }
    }

    fn known(&self, id: &RequestId) -> Option<Problem> {
        if self.state.knows(id) {
            return None;
        }
        Some(Problem::Missing(format!(
            "it speaks of request {}, which is not in the bundle",
            id.short()
        )))
    }

    fn record(&self, session: &SessionId) -> Option<Problem> {
        let recorded = self
            .state
            .session(session)
            .and_then(|facts| facts.records.get(&self.author));
        let Some(recorded) = recorded else {
            return wrong("the final bytes are no transaction that is understood");
        };
        if !self.state.record_holds(recorded) {
            return wrong(
                "the final bytes are not what the request's intent says, or the digest is not theirs",
            );
        }
        let record = &recorded.said.what;
        let charter = self.state.charter();
        let in_order: Vec<PartyId> = charter
            .parties()
            .filter(|party| record.quorum.contains(party))
            .collect();
        let right_size = record.quorum.len() == usize::from(charter.threshold);
        let takes_part = [self.author, record.opener]
            .iter()
            .all(|party| record.quorum.contains(party));
        if in_order == record.quorum && right_size && takes_part {
            return None;
        }
        wrong(
            "the quorum is not exactly the threshold's number of members in order, author and opener among them",
        )
    }

    fn outcome(&self, session: &SessionId, result: &SessionResult) -> Option<Problem> {
        let SessionResult::Signed(_) = result else {
            return None;
        };
        let facts = self.state.session(session);
        if facts.is_none_or(|facts| !facts.records.contains_key(&self.author)) {
            return wrong(
                "it states a signature of a session that this member's log has no record of",
            );
        }
        if facts.is_some_and(|facts| facts.verified.contains(&self.author)) {
            return None;
        }
        if self.state.public().is_none() {
            return Some(Problem::Missing(
                "the vault's key is not in the bundle, so the signature is not checked".into(),
            ));
        }
        wrong("the signature does not verify under the vault's key over what was approved")
    }

    fn receipt(&self, receipt: &Receipt) -> Option<Problem> {
        let Seen::Mined { hash, raw, .. } = &receipt.seen else {
            return None;
        };
        let Ok(signed) = decode_signed(raw) else {
            return wrong("the transaction in the receipt is not understood");
        };
        if signed.hash != *hash || signed.transfer.nonce != receipt.slot {
            return wrong("the transaction in the receipt has another hash or slot than it says");
        }
        let vaults = self.state.public().and_then(crate::fold::evm_address);
        if vaults.is_some_and(|address| address != signed.signer) {
            return wrong("the transaction in the receipt is not signed by the vault's key");
        }
        None
    }
}
