//! May I sign? The judgement of one node alone, and of nobody else's word for it.

use thiserror::Error;

use super::State;
use super::claims::{MAX_GAPS, MAX_OPEN_PER_AUTHOR};
use super::facts::SlotKey;
use super::requests::Current;
use super::standing::{Invalid, MAX_LIFETIME_MS, RequestState};
use crate::entry::{Approval, Purpose};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// Why this member does not do what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[allow(missing_docs)]
pub enum Denied {
    #[error(
        "the vault has no keys yet; every member must confirm its words and store its shares first"
    )]
    NotActive,
    #[error("I am no signer of this vault")]
    NotASigner,
    #[error("the request has not arrived here; wait for its author's log")]
    UnknownRequest,
    #[error("the request is invalid: {0}")]
    Invalid(#[from] Invalid),
    #[error("its author withdrew the request; ask again")]
    Cancelled,
    #[error("too many members rejected the request; ask again")]
    Rejected,
    #[error("the request has expired; ask again with a later expiry")]
    Expired,
    #[error("another transaction consumed the slot of the request; ask again")]
    Lost,
    #[error("the request is already signed; a replacement must be asked for")]
    AlreadySigned,
    #[error("the request is already mined")]
    AlreadyMined,
    #[error("{have} of {needed} approvals; more members must approve")]
    Approvals { have: usize, needed: usize },
    #[error("my own person has not approved the request; approve it here")]
    NotApprovedHere,
    #[error("my own person rejected the request")]
    RejectedHere,
    #[error("my own person approved the request already")]
    AlreadyApproved,
    #[error(
        "the approval is of an intent or expiry that the request does not have; look at it again"
    )]
    OtherIntent,
    #[error("the approval is not signed by my own credential for this vault and charter")]
    BadApproval,
    #[error(
        "the chain has passed slot {slot}; wait until it is seen what took it before you ask again"
    )]
    SlotConsumed { slot: u64 },
    #[error("request {other} has slot {slot}, too, and comes first; ask again once that one is paid", other = other.short())]
    SlotClaimed { slot: u64, other: RequestId },
    #[error(
        "request {earlier}, in whose place this one is asked, may have been signed; \
         wait until the chain has given its slot {slot} to something else, for good",
        earlier = earlier.short()
    )]
    MayBePaid { earlier: RequestId, slot: u64 },
    #[error("request {earlier}, in whose place this one was asked, is paid; withdraw this one", earlier = earlier.short())]
    PaidBefore { earlier: RequestId },
    #[error(
        "its slot {slot} has {gaps} slots below it that nobody claims, and {MAX_GAPS} are the most that are filled \
         for one request; withdraw it and ask again"
    )]
    SlotTooFar { slot: u64, gaps: u64 },
    #[error(
        "its author has {MAX_OPEN_PER_AUTHOR} older requests open, which is the limit; let some finish first"
    )]
    TooManyOpen,
    #[error(
        "it expires more than 30 days from now by this member's clock; ask again with an earlier expiry, or set the clock"
    )]
    ExpiresTooLate,
    #[error("slot {slot} comes first and is not signed yet")]
    LowerSlotOpen { slot: u64 },
    #[error("slot {slot} is not to be filled")]
    NoFill { slot: u64 },
    #[error("only the request's author can do that")]
    NotTheAuthor,
    #[error("only the request's author and its approvers can ask for that")]
    NotInvolved,
    #[error("nothing is signed yet that could be replaced")]
    NothingToReplace,
    #[error("a replacement of the newest transaction is asked for already")]
    AlreadyReplaced,
}

impl State {
    /// Whether I may take part in signing this request's payment, or the fill of a lower slot on its behalf.
    ///
    /// What the final bytes say is judged apart, against [`State::intent_for`].
    ///
    /// # Errors
    /// The first reason against it.
    pub fn may_sign(&self, id: &RequestId, purpose: Purpose, now: Time) -> Result<(), Denied> {
        if !self.charter.is_signer(&self.me) {
            return Err(Denied::NotASigner);
        }
        let current = self.current(id).ok_or(Denied::UnknownRequest)?;
        self.is_alive(&current, now)?;
        self.is_consented(&current)?;
        self.is_near(&current, now)?;
        match purpose {
            Purpose::Payment => self.payment_allowed(&current, now),
            Purpose::Fill { slot } => self.fill_allowed(&current, slot, now),
        }
    }

    /// Whether my person's approval of this request would count now.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn may_approve(&self, approval: &Approval, now: Time) -> Result<(), Denied> {
        let current = self
            .current(&approval.request)
            .ok_or(Denied::UnknownRequest)?;
        self.is_alive(&current, now)?;
        if current.facts.rejections.contains_key(&self.me) {
            return Err(Denied::RejectedHere);
        }
        let bound = self.bound(current.asked);
        let same = approval.intent_digest == bound.intent_digest
            && approval.expires == bound.expires
            && approval.nonce == bound.nonce;
        if !same {
            return Err(Denied::OtherIntent);
        }
        if approval.charter_version != self.charter.version
            || !self.approval_holds(&self.me, approval)
        {
            return Err(Denied::BadApproval);
        }
        if self
            .approvals_of(&current)
            .iter()
            .any(|decision| decision.party == self.me)
        {
            return Err(Denied::AlreadyApproved);
        }
        self.is_approvable(&current, now)
    }

    /// Why my person cannot approve a request at present, whatever it decided before; none if it can.
    pub fn not_approvable(&self, id: &RequestId, now: Time) -> Option<Denied> {
        let current = self.current(id)?;
        let alive = self.is_alive(&current, now);
        alive.and_then(|()| self.is_approvable(&current, now)).err()
    }

    /// A live request that an approval of mine can help on. What its author says of time and number is judged here by my
    /// own clock and count. Whether an earlier one may be paid is no question yet: signing waits for that, and the fill
    /// that settles it may need this very approval.
    pub(super) fn is_approvable(&self, current: &Current<'_>, now: Time) -> Result<(), Denied> {
        if current.request().expires.since_ms(now) > MAX_LIFETIME_MS {
            return Err(Denied::ExpiresTooLate);
        }
        if self.is_excess(current, now) {
            return Err(Denied::TooManyOpen);
        }
        let key = current.slot();
        if self.is_consumed(&key) {
            return Err(Denied::SlotConsumed { slot: key.slot });
        }
        self.is_near(current, now)
    }

    /// Nothing about its slot, the slots below, or what was asked before it is in the way of an approved request.
    pub(super) fn may_go_on(&self, current: &Current<'_>, now: Time) -> Result<(), Denied> {
        self.is_approvable(current, now)?;
        may_be_paid(self.may_be_paid_before(current))
    }

    /// So close behind the slots that others use that few fills are needed.
    fn is_near(&self, current: &Current<'_>, now: Time) -> Result<(), Denied> {
        let key = current.slot();
        match self.gaps_below(&key, now) {
            gaps if gaps > MAX_GAPS => Err(Denied::SlotTooFar {
                slot: key.slot,
                gaps,
            }),
            _ => Ok(()),
        }
    }

    /// Whether my person's rejection would still say something: the request lives and is not signed.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn may_reject(&self, id: &RequestId, now: Time) -> Result<(), Denied> {
        let current = self.current(id).ok_or(Denied::UnknownRequest)?;
        self.is_alive(&current, now)?;
        if current.facts.rejections.contains_key(&self.me) {
            return Err(Denied::RejectedHere);
        }
        match self.state_of(&current, now) {
            RequestState::Signed => Err(Denied::AlreadySigned),
            _ => Ok(()),
        }
    }

    /// Whether I may withdraw this request: it is mine and not signed.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn may_cancel(&self, id: &RequestId, now: Time) -> Result<(), Denied> {
        let current = self.current(id).ok_or(Denied::UnknownRequest)?;
        if current.asked.author != self.me {
            return Err(Denied::NotTheAuthor);
        }
        self.is_alive(&current, now)?;
        match self.state_of(&current, now) {
            RequestState::Signed => Err(Denied::AlreadySigned),
            _ => Ok(()),
        }
    }

    /// Whether I may ask for a new signature at a higher fee; answers which session it supersedes: the request's own,
    /// or that of a fill which the chain must take first.
    ///
    /// # Errors
    /// The first reason against it.
    pub fn may_replace(&self, id: &RequestId, now: Time) -> Result<SessionId, Denied> {
        let current = self.current(id).ok_or(Denied::UnknownRequest)?;
        self.is_alive(&current, now)?;
        if !self.is_involved(&current, &self.me) {
            return Err(Denied::NotInvolved);
        }
        let fill = self.unmined_fill(&current).map(|(_, session)| session);
        let newest = fill
            .or_else(|| self.newest_signed(id, Purpose::Payment))
            .ok_or(Denied::NothingToReplace)?;
        if self.replacement_asked(&current, &newest) {
            return Err(Denied::AlreadyReplaced);
        }
        Ok(newest)
    }

    /// Whether the author or an approver asked for a replacement of the newest signed transaction.
    pub fn replacement_wanted(&self, id: &RequestId) -> bool {
        let Some(current) = self.current(id) else {
            return false;
        };
        let newest = self.newest_signed(id, Purpose::Payment);
        newest.is_some_and(|newest| self.replacement_asked(&current, &newest))
    }

    /// The slot of a fill for this request that is signed, but not mined, and is to be signed again at a higher fee.
    pub(super) fn fill_to_replace(&self, current: &Current<'_>) -> Option<u64> {
        let (slot, newest) = self.unmined_fill(current)?;
        self.replacement_asked(current, &newest).then_some(slot)
    }

    /// The newest signed fill for this request in the lowest slot that the chain has not passed.
    fn unmined_fill(&self, current: &Current<'_>) -> Option<(u64, SessionId)> {
        let chain = current.slot().chain;
        let fills = self.records(&current.id).filter_map(|(_, recorded)| {
            match recorded.said.what.purpose {
                Purpose::Fill { slot } => Some(slot),
                Purpose::Payment => None,
            }
        });
        let mut unmined: Vec<u64> = fills
            .filter(|slot| !self.is_consumed(&SlotKey { chain, slot: *slot }))
            .collect();
        unmined.sort_unstable();
        let newest = |slot: u64| {
            Some((
                slot,
                self.newest_signed(&current.id, Purpose::Fill { slot })?,
            ))
        };
        unmined.into_iter().find_map(newest)
    }

    /// Neither over nor expired, and there are keys. A signature does not stop the clock: a replacement needs a live
    /// request too.
    fn is_alive(&self, current: &Current<'_>, now: Time) -> Result<(), Denied> {
        if !self.has_keys() {
            return Err(Denied::NotActive);
        }
        match self.state_of(current, now) {
            RequestState::Invalid(invalid) => Err(invalid.into()),
            RequestState::Cancelled => Err(Denied::Cancelled),
            RequestState::Rejected => Err(Denied::Rejected),
            RequestState::Expired => Err(Denied::Expired),
            RequestState::Lost => Err(Denied::Lost),
            RequestState::PaidBefore { earlier } => Err(Denied::PaidBefore { earlier }),
            RequestState::Mined { .. } => Err(Denied::AlreadyMined),
            _ if now >= current.request().expires => Err(Denied::Expired),
            _ => Ok(()),
        }
    }

    /// Enough approvals count, my own person's among them.
    fn is_consented(&self, current: &Current<'_>) -> Result<(), Denied> {
        if current.facts.rejections.contains_key(&self.me) {
            return Err(Denied::RejectedHere);
        }
        // Withdrawn or rejected after it was signed: what is signed is signed, but nothing is added to it.
        if current.is_withdrawn() {
            return Err(Denied::Cancelled);
        }
        let approvals = self.approvals_of(current);
        let (have, needed) = (approvals.len(), usize::from(self.charter.needed()));
        if have < needed {
            return Err(Denied::Approvals { have, needed });
        }
        if !approvals.iter().any(|decision| decision.party == self.me) {
            return Err(Denied::NotApprovedHere);
        }
        Ok(())
    }

    fn payment_allowed(&self, current: &Current<'_>, now: Time) -> Result<(), Denied> {
        let key = current.slot();
        if self.is_consumed(&key) {
            return Err(Denied::SlotConsumed { slot: key.slot });
        }
        if self.state_of(current, now) == RequestState::Signed {
            if !self.replacement_wanted(&current.id) {
                return Err(Denied::AlreadySigned);
            }
        } else {
            self.lower_slots_are_gone(&key)?;
        }
        may_be_paid(self.may_be_paid_before(current))?;
        self.is_first(current, now)
    }

    /// Its slot is its own, and that of what was asked before it is another's, as I saw.
    ///
    /// What I entered for this slot besides is no hindrance: the slot excludes a second payment, and a rule against it
    /// would hold honest members off each other for ever, each with a record of another request.
    pub(super) fn is_first(&self, current: &Current<'_>, now: Time) -> Result<(), Denied> {
        may_be_paid(self.may_be_paid_unheard(current))?;
        match self.outranked_by(current, now) {
            Some(other) => Err(Denied::SlotClaimed {
                slot: current.slot().slot,
                other,
            }),
            None => Ok(()),
        }
    }

    /// A fill may compete with what dead requests left in its slot, and with other fills; that is what it is for.
    fn fill_allowed(&self, current: &Current<'_>, slot: u64, now: Time) -> Result<(), Denied> {
        let key = SlotKey {
            slot,
            ..current.slot()
        };
        if self.is_consumed(&key) {
            return Err(Denied::SlotConsumed { slot });
        }
        self.lower_slots_are_gone(&key)?;
        if self.fill_needed(&current.id, now) != Some(slot) {
            return Err(Denied::NoFill { slot });
        }
        Ok(())
    }

    /// Every slot below is signed or consumed: whatever I sign can be mined at once.
    fn lower_slots_are_gone(&self, key: &SlotKey) -> Result<(), Denied> {
        let open = self.first_open(key.chain);
        if open < key.slot {
            return Err(Denied::LowerSlotOpen { slot: open });
        }
        Ok(())
    }

    fn is_involved(&self, current: &Current<'_>, party: &PartyId) -> bool {
        current.asked.author == *party
            || self.approvals_of(current).iter().any(|d| d.party == *party)
    }

    fn replacement_asked(&self, current: &Current<'_>, newest: &SessionId) -> bool {
        let asked = current.facts.replacements.iter();
        asked
            .filter(|(_, sessions)| sessions.contains_key(newest))
            .any(|(party, _)| self.is_involved(current, party))
    }
}

fn may_be_paid(earlier: Option<Current<'_>>) -> Result<(), Denied> {
    match earlier {
        Some(earlier) => Err(Denied::MayBePaid {
            earlier: earlier.id,
            slot: earlier.slot().slot,
        }),
        None => Ok(()),
    }
}
