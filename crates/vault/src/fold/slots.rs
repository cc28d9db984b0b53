//! Slots: what the chain lets only one transaction consume, handed out without gaps and without clashes.
//!
//! On EVM a slot is an account nonce. The vault's key is new, so counting starts at 0 on every chain. A slot is
//! *consumed* when my own receipts show a transaction in it or in a higher one; *signed* when a verified signature
//! for it exists; *entered* when anybody has a session record for it. Only the chain ever releases an entered slot.

use std::collections::BTreeSet;

use quorate_chain::{ChainId, Intent};

use super::State;
use super::claims::Claim;
use super::facts::{Consumed, Recorded, SlotKey};
use super::requests::{Current, slot_of};
use super::standing::RequestState;
use crate::entry::Purpose;
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// How long a fully approved request waits for a lower slot whose request lacks approvals, before it may fill that
/// slot: ten minutes, in milliseconds. The other request is asked again then, in a later slot.
pub const GIVE_WAY_MS: u64 = 10 * 60 * 1000;
/// How many slots are watched on after their last word.
const REVISITED: usize = 8;

/// A slot to ask the chain about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedSlot {
    /// Which.
    pub key: SlotKey,
    /// Sessions that have a record for it, oldest attempt first.
    pub sessions: Vec<SessionId>,
    /// What I saw there, if anything.
    pub seen: Option<Consumed>,
}

impl State {
    /// The slot that must be filled by a self-transfer before this request can be signed: the lowest that is neither
    /// signed nor consumed, if it is below the request's and nobody stands in it; or one that is filled, but too
    /// cheaply, and a replacement is asked for; or one that is signed too cheaply by nobody who could raise it.
    ///
    /// The request must be fully approved: its approvals cover the fill.
    pub fn fill_needed(&self, id: &RequestId, now: Time) -> Option<u64> {
        let waiting = self.current(id)?;
        let state = self.state_of(&waiting, now);
        let unsigned = matches!(state, RequestState::Ready | RequestState::Signing);
        if !unsigned && state != RequestState::Signed {
            return None;
        }
        let patience_over = self.ready_for_ms(&waiting, now) >= GIVE_WAY_MS;
        let stranded = || self.stranded_below(&waiting, now).filter(|_| patience_over);
        if let Some(slot) = self.fill_to_replace(&waiting).or_else(stranded) {
            return Some(slot);
        }
        let SlotKey { chain, slot: own } = waiting.slot();
        let open = self.first_open(chain);
        if !unsigned || open >= own {
            return None;
        }
        let stands = |claim: &Claim| claim.approved || claim.entered || !patience_over;
        let claims = self.claims_on(&SlotKey { chain, slot: open }, now);
        (!claims.iter().any(stands)).then_some(open)
    }

    /// The next slot of the chain, if it is below this request and signed, but by nobody who could still raise its fee:
    /// signed too cheaply it would hold up everything behind it for ever. A fill there competes with it; the slot lets
    /// one of them through.
    fn stranded_below(&self, waiting: &Current<'_>, now: Time) -> Option<u64> {
        let SlotKey { chain, slot: own } = waiting.slot();
        let slot = self.passed(chain);
        let key = SlotKey { chain, slot };
        if slot >= own || !self.is_slot_signed(&key) {
            return None;
        }
        let filled = self.newest_signed(&waiting.id, Purpose::Fill { slot });
        let sessions = self.facts.recorded.get(&key).into_iter().flatten();
        let requests = sessions
            .filter_map(|id| self.facts.sessions.get(id))
            .filter(|facts| !facts.verified.is_empty())
            .flat_map(|facts| facts.records.values())
            .map(|recorded| recorded.said.what.request);
        let mut raisable = requests.filter(|id| self.may_be_raised(id, now));
        (filled.is_none() && raisable.next().is_none()).then_some(slot)
    }

    /// Whether a request that is signed may be signed once more at a higher fee, if somebody asks for that.
    fn may_be_raised(&self, id: &RequestId, now: Time) -> bool {
        self.current(id).is_some_and(|current| {
            let withdrawn = current
                .facts
                .cancellations
                .contains_key(&current.asked.author);
            !withdrawn && now < current.request().expires
        })
    }

    /// Slots that somebody entered and for which the chain has not said its last word, lowest first; and the highest
    /// eight others, because an endpoint that called a block final can have been wrong.
    pub fn watched_slots(&self) -> Vec<WatchedSlot> {
        let mut revisited = 0;
        let newest_first = self.facts.recorded.iter().rev();
        let mut watched: Vec<WatchedSlot> = newest_first
            .filter_map(|(key, sessions)| {
                let seen = self.facts.consumed.get(key);
                let over = seen.is_some_and(|seen| seen.finalised);
                revisited += usize::from(over);
                let of_interest = if over {
                    revisited <= REVISITED
                } else {
                    self.is_entered(key)
                };
                of_interest.then(|| WatchedSlot {
                    key: *key,
                    sessions: self.by_attempt(sessions),
                    seen: seen.cloned(),
                })
            })
            .collect();
        watched.reverse();
        watched
    }

    /// Whether my endpoint called a transaction in this slot final and said otherwise later.
    pub fn is_contradicted(&self, key: &SlotKey) -> bool {
        self.facts.contradicted.contains(key)
    }

    /// Whether anybody may have signed for this slot: I have a record for it, or another member has one that enough
    /// approvals cover. A record without them is a liar's, or its approvals are still under way.
    pub fn is_entered(&self, key: &SlotKey) -> bool {
        let sessions = self.facts.recorded.get(key).into_iter().flatten();
        let records = sessions
            .filter_map(|id| self.facts.sessions.get(id))
            .flat_map(|facts| &facts.records);
        let mut at_slot = records.filter(|(_, recorded)| recorded.slot() == *key);
        at_slot.any(|(party, recorded)| self.is_believed(party, recorded))
    }

    /// See [`State::is_entered`].
    pub(super) fn is_believed(&self, party: &PartyId, recorded: &Recorded) -> bool {
        let needed = usize::from(self.charter.needed());
        *party == self.me
            || (self.consents(recorded).len() >= needed && self.record_holds(recorded))
    }

    /// What I saw consume a slot.
    pub fn consumed(&self, key: &SlotKey) -> Option<&Consumed> {
        self.facts.consumed.get(key)
    }

    /// Whether the chain has passed this slot, as my own receipts show.
    pub fn is_consumed(&self, key: &SlotKey) -> bool {
        key.slot < self.passed(key.chain)
    }

    /// Whether a verified signature for this slot exists.
    pub fn is_slot_signed(&self, key: &SlotKey) -> bool {
        self.facts.signed.contains_key(key)
    }

    /// Whose transaction consumed a slot: the request and purpose whose record says the same bytes, or a request
    /// whose intent they carry out although nobody here has a record; `None` for a stranger's.
    pub fn consumer(&self, key: &SlotKey) -> Option<(RequestId, Purpose)> {
        let seen = self.facts.consumed.get(key)?;
        self.recorded_consumer(key, seen)
            .or_else(|| self.intended_consumer(key, seen))
    }

    /// The lowest slot that is neither consumed nor signed: the only one that may be signed next.
    pub fn first_open(&self, chain: ChainId) -> u64 {
        let mut slot = self.passed(chain);
        while self.is_slot_signed(&SlotKey { chain, slot }) {
            slot += 1;
        }
        slot
    }

    /// How many slots below an intent's own are neither consumed nor signed: each may have to be filled before it.
    pub fn fills_before(&self, intent: &Intent) -> u64 {
        let key = slot_of(intent);
        key.slot.saturating_sub(self.first_open(key.chain))
    }

    /// One past the highest slot with a transaction that I saw.
    pub(super) fn passed(&self, chain: ChainId) -> u64 {
        let all = SlotKey { chain, slot: 0 }..=SlotKey {
            chain,
            slot: u64::MAX,
        };
        let highest = self.facts.consumed.range(all).next_back();
        highest.map_or(0, |(key, _)| key.slot.saturating_add(1))
    }

    fn recorded_consumer(&self, key: &SlotKey, seen: &Consumed) -> Option<(RequestId, Purpose)> {
        let sessions = self.facts.recorded.get(key)?;
        // A liar's record of the same bytes, for a twin of the request, takes no payment from it.
        let records = sessions
            .iter()
            .filter_map(|id| self.facts.sessions.get(id))
            .flat_map(|facts| &facts.records)
            .filter(|(party, recorded)| self.is_believed(party, recorded))
            .map(|(_, recorded)| recorded);
        let same_bytes = records.filter(|recorded| recorded.transfer == seen.transfer);
        let within_intent = same_bytes.filter(|recorded| {
            let bytes = &recorded.said.what.unsigned;
            self.intended(recorded)
                .is_some_and(|intent| intent.check(bytes).is_ok())
        });
        within_intent
            .map(|r| (r.said.what.request, r.said.what.purpose))
            .min_by_key(|(id, _)| *id)
    }

    fn intended_consumer(&self, key: &SlotKey, seen: &Consumed) -> Option<(RequestId, Purpose)> {
        let bytes = seen.transfer.encode();
        let currents = self.requests().filter_map(|id| self.current(&id));
        let fits = |c: &Current<'_>| c.slot() == *key && c.request().intent.check(&bytes).is_ok();
        // Of twins, one that was approved.
        currents
            .filter(fits)
            .min_by_key(|current| (!self.is_approved(current), current.id))
            .map(|current| (current.id, Purpose::Payment))
    }

    /// How long enough approvals have been there, by the clocks of those who gave them.
    fn ready_for_ms(&self, current: &Current<'_>, now: Time) -> u64 {
        let mut times: Vec<Time> = self
            .approvals_of(current)
            .into_iter()
            .map(|decision| decision.at)
            .collect();
        times.sort_unstable();
        let last_needed = usize::from(self.charter.needed())
            .checked_sub(1)
            .and_then(|at| times.get(at));
        last_needed.map_or(0, |at| now.since_ms(*at))
    }

    fn by_attempt(&self, sessions: &BTreeSet<SessionId>) -> Vec<SessionId> {
        let attempt = |id: &SessionId| {
            let records = self
                .facts
                .sessions
                .get(id)
                .map(|facts| facts.records.values());
            records
                .into_iter()
                .flatten()
                .map(|r| r.said.what.attempt)
                .max()
        };
        let mut ordered: Vec<SessionId> = sessions.iter().copied().collect();
        ordered.sort_by_key(|id| (attempt(id), *id));
        ordered
    }
}
