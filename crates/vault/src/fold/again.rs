//! A request that lost its slot is withdrawn, and asked again by a new request in a higher one.
//!
//! **Invariant:** a request's intent, and its slot with it, is for ever what it was asked with (adr/0007). So the chain
//! excludes a second payment of one request. Two requests are two payments: nobody signs the later one before it saw the
//! chain give the earlier one's slot away, and whoever holds evidence that the earlier one may have been signed has
//! nothing to do with the later one until that is final.

use super::State;
use super::facts::Consumed;
use super::requests::Current;
use super::standing::Invalid;
use crate::entry::Purpose;
use crate::ids::RequestId;

/// How often one payment is asked again without its author's person asking.
pub const MAX_ASKED_AGAIN: usize = 16;

impl State {
    /// The request that its author asked in place of this one: the first in its log that says the same.
    pub fn successor(&self, id: &RequestId) -> Option<RequestId> {
        let earlier = self.current(id)?;
        let author = earlier.asked.author;
        let withdrawn = earlier.facts.cancellations.get(&author)?.place;
        let mut later = earlier.facts.successors.get(&author)?.range(withdrawn..);
        later
            .find_map(|(_, id)| {
                self.current(id)
                    .filter(|later| says_the_same(&earlier, later))
            })
            .map(|later| later.id)
    }

    /// The request that stands for this one now: the newest that was asked in its place, unless one before that was
    /// signed or paid after all.
    pub fn latest(&self, id: &RequestId) -> RequestId {
        let goes_on = |id: &RequestId| {
            let earlier = self.current(id)?;
            let over = self.is_signed(&earlier) || self.payment_seen(&earlier).is_some();
            if over { None } else { self.successor(id) }
        };
        let all = std::iter::successors(Some(*id), goes_on);
        all.take(MAX_ASKED_AGAIN + 1).last().unwrap_or(*id)
    }

    /// The requests in whose place this one is asked, the newest first; one more than allowed if they are too many.
    fn earlier<'a>(&'a self, current: &Current<'_>) -> impl Iterator<Item = Current<'a>> + use<'a> {
        let before = |current: &Current<'a>| self.current(&current.request().instead_of?);
        let first = current.request().instead_of;
        let first = first.and_then(|id| self.current(&id));
        std::iter::successors(first, before).take(MAX_ASKED_AGAIN + 1)
    }

    /// The requests in whose place this one is asked, the newest first.
    pub(crate) fn stands_for(&self, id: &RequestId) -> Vec<RequestId> {
        let current = self.current(id);
        let earlier = current.iter().flat_map(|current| self.earlier(current));
        earlier.map(|earlier| earlier.id).collect()
    }

    /// How often the same was asked before this.
    pub(super) fn times_asked(&self, current: &Current<'_>) -> usize {
        self.earlier(current).count()
    }

    /// Whether a request that is asked in place of another may be, and that one in place of its own predecessor: all of it
    /// stands in its author's own log, in order.
    pub(super) fn judge_succession(&self, current: &Current<'_>) -> Result<(), Invalid> {
        let mut later = *current;
        for _ in 0..=MAX_ASKED_AGAIN {
            let Some(id) = later.request().instead_of else {
                return Ok(());
            };
            let earlier = self.current(&id);
            let earlier = earlier.filter(|earlier| says_the_same(earlier, &later));
            let earlier = earlier.ok_or(Invalid::OtherContent)?;
            let withdrawn = earlier.facts.cancellations.get(&earlier.asked.author);
            if withdrawn.is_none_or(|said| said.place > later.asked.said.place) {
                return Err(Invalid::NotWithdrawn);
            }
            if self.successor(&id) != Some(later.id) {
                return Err(Invalid::AskedTwice);
            }
            later = earlier;
        }
        Err(Invalid::AskedTooOften)
    }

    /// The earlier request that was paid, if one was.
    pub(super) fn paid_before(&self, current: &Current<'_>) -> Option<RequestId> {
        let mut earlier = self.earlier(current);
        earlier
            .find(|earlier| self.payment_seen(earlier).is_some())
            .map(|earlier| earlier.id)
    }

    /// An earlier request that may have been signed, for all that I know, and whose slot the chain has not finally
    /// given to something else.
    pub(super) fn may_be_paid_before(&self, current: &Current<'_>) -> Option<Current<'_>> {
        let mut earlier = self.earlier(current);
        earlier.find(|earlier| {
            let spent = self.spent_elsewhere(earlier);
            self.may_be_signed(earlier) && !spent.is_some_and(|seen| seen.finalised)
        })
    }

    /// An earlier request whose slot the chain has not given to something else. A session of it can be hidden from me,
    /// so nobody signs the later one before that, whatever else is signed in that slot.
    pub(super) fn may_be_paid_unheard(&self, current: &Current<'_>) -> Option<Current<'_>> {
        let mut earlier = self.earlier(current);
        earlier.find(|earlier| self.spent_elsewhere(earlier).is_none())
    }

    /// Whether I hold evidence that a withdrawn request may have been signed: a session that approvals cover, a
    /// signature, or my own person's approval, which others may have used. That of its author says nothing: who withdrew
    /// it signs it no more.
    fn may_be_signed(&self, current: &Current<'_>) -> bool {
        let approved_here = || {
            let given = current.facts.approvals.get(&self.me);
            current.asked.author != self.me
                && given.is_some_and(|given| given.contains_key(&self.bound(current.asked)))
        };
        self.is_request_entered(&current.id) || self.is_signed(current) || approved_here()
    }

    /// What I saw the chain give a request's slot to, if it is not the request's payment. Another request can say the
    /// same to the byte; then it is that one's payment if approvals cover its record.
    fn spent_elsewhere(&self, current: &Current<'_>) -> Option<&Consumed> {
        let key = current.slot();
        let seen = self.consumed(&key)?;
        if current
            .request()
            .intent
            .check(&seen.transfer.encode())
            .is_err()
        {
            return Some(seen);
        }
        let sessions = self.facts.recorded.get(&key).into_iter().flatten();
        let mut records = sessions
            .filter_map(|id| self.facts.sessions.get(id))
            .flat_map(|facts| &facts.records);
        records
            .any(|(party, recorded)| {
                let record = &recorded.said.what;
                (record.request, record.purpose) != (current.id, Purpose::Payment)
                    && recorded.transfer == seen.transfer
                    && self.is_believed(party, recorded)
            })
            .then_some(seen)
    }

    /// Whether its author's machine asks for the same again without being asked: nobody else approved it, and nobody
    /// may have signed it.
    pub(super) fn may_ask_again(&self, current: &Current<'_>) -> bool {
        let author = current.asked.author;
        let alone = self
            .approvals_of(current)
            .iter()
            .all(|decision| decision.party == author);
        alone
            && !self.is_request_entered(&current.id)
            && !self.is_signed(current)
            && self.times_asked(current) < MAX_ASKED_AGAIN
    }
}

/// Whether the later request says what the earlier one does, in a higher slot.
fn says_the_same(earlier: &Current<'_>, later: &Current<'_>) -> bool {
    let (before, after) = (earlier.request(), later.request());
    let moved = before.intent.with_slot(later.slot().slot);
    earlier.asked.author == later.asked.author
        && earlier.slot() < later.slot()
        && moved.is_ok_and(|intent| intent == after.intent)
        && before.expires == after.expires
        && before.note == after.note
        && before.idempotency_key == after.idempotency_key
}
