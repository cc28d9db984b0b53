//! Where a request stands, in one sentence for people.

use super::State;
use super::requests::Current;
use super::standing::RequestState;
use crate::ids::{PartyId, RequestId, Time};

/// A request's standing, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explain {
    /// Where it stands.
    pub state: RequestState,
    /// How many approvals it needs.
    pub needed: u8,
    /// Who approved it.
    pub approvals: Vec<PartyId>,
    /// Who decided neither way.
    pub missing: Vec<PartyId>,
    /// What is so, and what would move it on.
    pub sentence: String,
}

impl State {
    /// Where a request stands and what it waits for; `None` if it has not arrived.
    pub fn explain(&self, id: &RequestId, now: Time) -> Option<Explain> {
        let current = self.current(id)?;
        let state = self.state_of(&current, now);
        Some(Explain {
            needed: self.charter.needed(),
            approvals: self.approvers(id),
            missing: self.undecided(id),
            sentence: self.sentence(&current, &state, now),
            state,
        })
    }

    fn sentence(&self, current: &Current<'_>, state: &RequestState, now: Time) -> String {
        let sentence = self.state_sentence(current, state, now);
        if self.is_contradicted(&current.slot()) {
            return format!(
                "{sentence}; an endpoint of this member called a transaction in its slot final and said otherwise later: \
                 look at the chain yourself and change the endpoint"
            );
        }
        sentence
    }

    fn state_sentence(&self, current: &Current<'_>, state: &RequestState, now: Time) -> String {
        match state {
            RequestState::WaitingForApprovals => self.waiting_sentence(current, now),
            RequestState::Ready => self.ready_sentence(current, now),
            RequestState::Signing => "a signing session is under way".to_owned(),
            RequestState::Signed => "it is signed; the chain has not mined it yet".to_owned(),
            RequestState::Mined { success, finalised } => {
                mined_sentence(*success, *finalised).to_owned()
            }
            RequestState::Rejected => self.rejected_sentence(current),
            RequestState::Cancelled => self.cancelled_sentence(current),
            RequestState::Expired => "its time was over before it was signed; ask again".to_owned(),
            RequestState::Lost => self.lost_sentence(current),
            RequestState::PaidBefore { earlier } => format!(
                "request {}, in whose place it was asked, was paid after all; nothing more is paid",
                earlier.short()
            ),
            RequestState::Invalid(invalid) => format!("it is invalid: {invalid}"),
        }
    }

    fn waiting_sentence(&self, current: &Current<'_>, now: Time) -> String {
        if let Err(denied) = self.is_approvable(current, now) {
            return denied.to_string();
        }
        let have = self.approvals_of(current).len();
        let needed = usize::from(self.charter.needed());
        let undecided = self.names(&self.undecided(&current.id), "or");
        format!("{have} of {needed} approvals; {undecided} can approve")
    }

    fn ready_sentence(&self, current: &Current<'_>, now: Time) -> String {
        if let Err(denied) = self.may_go_on(current, now) {
            return format!("approved, but {denied}");
        }
        let key = current.slot();
        let open = self.first_open(key.chain);
        if open >= key.slot {
            return match self.is_first(current, now) {
                Err(denied) => format!("approved, but {denied}"),
                Ok(()) => {
                    "approved; a session opens when enough of the approvers are online".to_owned()
                }
            };
        }
        match self.fill_needed(&current.id, now) {
            Some(slot) => format!(
                "approved; slot {slot} comes first, nobody needs it, and it is filled first"
            ),
            None => format!(
                "approved; the request in slot {open} comes first and waits for approvals or signers"
            ),
        }
    }

    fn lost_sentence(&self, current: &Current<'_>) -> String {
        let slot = current.slot();
        let finalised = self.consumed(&slot).is_some_and(|seen| seen.finalised);
        let then = if finalised {
            "ask again"
        } else {
            "ask again once that is final"
        };
        format!("another transaction took its slot {}; {then}", slot.slot)
    }

    fn cancelled_sentence(&self, current: &Current<'_>) -> String {
        let author = self.charter.name_of(&current.asked.author);
        match self.successor(&current.id) {
            Some(later) => format!(
                "another request has its slot {}; {author} asked again as {}",
                current.slot().slot,
                later.short()
            ),
            None => format!("{author} withdrew it"),
        }
    }

    fn rejected_sentence(&self, current: &Current<'_>) -> String {
        let parties: Vec<PartyId> = current.facts.rejections.keys().copied().collect();
        format!("{} rejected it", self.names(&parties, "and"))
    }

    /// `alice, bob or carol`.
    fn names(&self, parties: &[PartyId], last: &str) -> String {
        let names: Vec<String> = parties
            .iter()
            .map(|party| self.charter.name_of(party))
            .collect();
        match names.as_slice() {
            [] => "nobody".to_owned(),
            [one] => one.clone(),
            [first @ .., end] => format!("{} {last} {end}", first.join(", ")),
        }
    }
}

fn mined_sentence(success: bool, finalised: bool) -> &'static str {
    match (success, finalised) {
        (true, true) => "it is mined and final",
        (true, false) => "it is mined, but not final yet",
        (false, _) => "it is mined, but the chain reverted it: the fee is gone, the amount is not",
    }
}
