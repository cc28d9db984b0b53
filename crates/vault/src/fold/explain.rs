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
    /// Who approved it as it stands.
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
        match state {
            RequestState::WaitingForApprovals => self.waiting_sentence(current),
            RequestState::Ready => self.ready_sentence(current, now),
            RequestState::Signing => "a signing session is under way".to_owned(),
            RequestState::Signed => "it is signed; the chain has not mined it yet".to_owned(),
            RequestState::Mined {
                success: true,
                finalised: true,
            } => "it is mined and final".to_owned(),
            RequestState::Mined {
                success: true,
                finalised: false,
            } => "it is mined, but not final yet".to_owned(),
            RequestState::Mined { success: false, .. } => {
                "it is mined, but the chain reverted it: the fee is gone, the amount is not"
                    .to_owned()
            }
            RequestState::Rejected => self.rejected_sentence(current),
            RequestState::Cancelled => format!(
                "{} withdrew it",
                self.charter.name_of(&current.asked.author)
            ),
            RequestState::Expired => "its time was over before it was signed; ask again".to_owned(),
            RequestState::Lost => {
                format!(
                    "another transaction took its slot {}; ask again",
                    current.slot().slot
                )
            }
            RequestState::Invalid(invalid) => format!("it is invalid: {invalid}"),
        }
    }

    fn waiting_sentence(&self, current: &Current<'_>) -> String {
        if self.is_consumed(&current.slot()) {
            let author = self.charter.name_of(&current.asked.author);
            return format!(
                "its slot {} is taken; {author} must come online and move it",
                current.slot().slot
            );
        }
        let have = self.approvals_of(current).len();
        let needed = usize::from(self.charter.needed());
        let undecided = self.names(&self.undecided(&current.id), "or");
        format!("{have} of {needed} approvals; {undecided} can approve")
    }

    fn ready_sentence(&self, current: &Current<'_>, now: Time) -> String {
        let key = current.slot();
        let open = self.first_open(key.chain);
        if open >= key.slot {
            return "approved; a session opens when enough of the approvers are online".to_owned();
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
