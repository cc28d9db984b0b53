//! Slots: what the chain lets only one transaction consume, handed out without gaps and without clashes.
//!
//! On EVM a slot is an account nonce. The vault's key is new, so counting starts at 0 on every chain. A slot is
//! *consumed* when my own receipts show a transaction in it or in a higher one; *signed* when a verified signature
//! for it exists; *entered* when anybody has a session record for it. Only the chain ever releases an entered slot.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::ChainId;

use super::State;
use super::facts::{Asked, Consumed, Recorded, RequestFacts, SlotKey};
use super::requests::{Current, RequestState, claimed_slots};
use crate::entry::Purpose;
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// How long a fully approved request waits for a lower slot whose request lacks approvals, before it may fill that
/// slot: ten minutes, in milliseconds. The other request moves to a later slot then.
pub const GIVE_WAY_MS: u64 = 10 * 60 * 1000;

/// A slot to ask the chain about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedSlot {
    /// Which.
    pub key: SlotKey,
    /// Sessions that have a record for it, oldest attempt first.
    pub sessions: Vec<SessionId>,
    /// What I saw there, if anything; not final yet.
    pub seen: Option<Consumed>,
}

/// A live request and its claim.
struct Claim {
    id: RequestId,
    author: PartyId,
    slot: u64,
    approvals: usize,
    approved: bool,
    entered: bool,
}

impl State {
    /// The slot that a new request should ask for.
    pub fn next_slot(&self, chain: ChainId, now: Time) -> u64 {
        let claims = self.claims(chain, now);
        let kept: BTreeSet<u64> = claims.iter().map(|claim| claim.slot).collect();
        self.lowest_free(chain, &kept, floor(&claims))
    }

    /// My own requests that should move, each to a slot of its own: those that lost theirs, and those that leave a
    /// gap below them. A request that anybody entered a session for never moves.
    pub fn must_reslot(&self, now: Time) -> Vec<(RequestId, u64)> {
        let asked = self.facts.requests.values().filter_map(|facts| facts.asked.as_ref());
        let chains: BTreeSet<ChainId> = asked.map(|asked| asked.said.what.intent.chain()).collect();
        chains.into_iter().flat_map(|chain| self.moves(chain, now)).collect()
    }

    /// The slot that must be filled by a self-transfer before this request can be signed: the lowest that is neither
    /// signed nor consumed, if it is below the request's and nobody stands in it; or one that is filled, but too
    /// cheaply, and a replacement is asked for.
    ///
    /// The request must be fully approved: its approvals cover the fill.
    pub fn fill_needed(&self, id: &RequestId, now: Time) -> Option<u64> {
        let waiting = self.current(id)?;
        let state = self.state_of(&waiting, now);
        if matches!(state, RequestState::Ready | RequestState::Signing | RequestState::Signed)
            && let Some(slot) = self.fill_to_replace(&waiting)
        {
            return Some(slot);
        }
        if !matches!(state, RequestState::Ready | RequestState::Signing) {
            return None;
        }
        let SlotKey { chain, slot: own } = waiting.slot();
        let open = self.first_open(chain);
        if open >= own {
            return None;
        }
        let patience_over = self.ready_for_ms(&waiting, now) >= GIVE_WAY_MS;
        let stands = |claim: &Claim| claim.slot == open && (claim.approved || claim.entered || !patience_over);
        (!self.claims(chain, now).iter().any(stands)).then_some(open)
    }

    /// Slots that somebody entered and for which the chain has not said its last word, lowest first.
    pub fn watched_slots(&self) -> Vec<WatchedSlot> {
        let open = self.facts.recorded.iter().filter_map(|(key, sessions)| {
            let seen = self.facts.consumed.get(key);
            let over = seen.is_some_and(|seen| seen.finalised);
            (!over && self.is_entered(key)).then(|| WatchedSlot {
                key: *key,
                sessions: self.by_attempt(sessions),
                seen: seen.cloned(),
            })
        });
        open.collect()
    }

    /// Whether anybody may have signed for this slot: I have a record for it, or another member has one that enough
    /// approvals cover. A record without them is a liar's, or its approvals are still under way.
    pub fn is_entered(&self, key: &SlotKey) -> bool {
        let sessions = self.facts.recorded.get(key).into_iter().flatten();
        let records = sessions.filter_map(|id| self.facts.sessions.get(id)).flat_map(|facts| &facts.records);
        let mut at_slot = records.filter(|(_, recorded)| recorded.slot() == *key);
        at_slot.any(|(party, recorded)| self.is_believed(party, recorded))
    }

    /// See [`State::is_entered`].
    pub(super) fn is_believed(&self, party: &PartyId, recorded: &Recorded) -> bool {
        let needed = usize::from(self.charter.needed());
        *party == self.me || (self.consents(recorded).len() >= needed && self.record_holds(recorded))
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
        self.recorded_consumer(key, seen).or_else(|| self.intended_consumer(key, seen))
    }

    /// The lowest slot that is neither consumed nor signed: the only one that may be signed next.
    pub fn first_open(&self, chain: ChainId) -> u64 {
        let mut slot = self.passed(chain);
        while self.is_slot_signed(&SlotKey { chain, slot }) {
            slot += 1;
        }
        slot
    }

    /// One past the highest slot with a transaction that I saw.
    fn passed(&self, chain: ChainId) -> u64 {
        let all = SlotKey { chain, slot: 0 }..=SlotKey { chain, slot: u64::MAX };
        let highest = self.facts.consumed.range(all).next_back();
        highest.map_or(0, |(key, _)| key.slot.saturating_add(1))
    }

    fn recorded_consumer(&self, key: &SlotKey, seen: &Consumed) -> Option<(RequestId, Purpose)> {
        let sessions = self.facts.recorded.get(key)?;
        let records = sessions.iter().filter_map(|id| self.facts.sessions.get(id)).flat_map(|s| s.records.values());
        let same_bytes = records.filter(|recorded| recorded.transfer == seen.transfer);
        let within_intent = same_bytes.filter(|recorded| {
            let bytes = &recorded.said.what.unsigned;
            self.intended(recorded).is_some_and(|intent| intent.check(bytes).is_ok())
        });
        within_intent.map(|r| (r.said.what.request, r.said.what.purpose)).min_by_key(|(id, _)| *id)
    }

    fn intended_consumer(&self, key: &SlotKey, seen: &Consumed) -> Option<(RequestId, Purpose)> {
        let bytes = seen.transfer.encode();
        let fits = |id: &RequestId| {
            let current = self.current(id);
            current.is_some_and(|c| c.slot() == *key && c.intent.check(&bytes).is_ok())
        };
        self.requests().find(fits).map(|id| (id, Purpose::Payment))
    }

    /// Every request of a chain that may still be signed, or is and may still be mined.
    fn claims(&self, chain: ChainId, now: Time) -> Vec<Claim> {
        let passed = self.passed(chain);
        let all = self.facts.requests.iter();
        let possible = all.filter(|(_, facts)| {
            let asked = facts.asked.as_ref();
            asked.is_some_and(|asked| asked.said.what.intent.chain() == chain && could_claim(facts, asked, passed, now))
        });
        let currents = possible.filter_map(|(id, _)| self.current(id));
        currents
            .filter_map(|current| {
                let state = self.state_of(&current, now);
                let over = state.is_dead() || matches!(state, RequestState::Mined { .. });
                (!over).then(|| self.claim(&current))
            })
            .collect()
    }

    fn claim(&self, current: &Current<'_>) -> Claim {
        Claim {
            id: current.id,
            author: current.asked.author,
            slot: current.slot().slot,
            approvals: self.approvals_of(current).len(),
            approved: self.is_approved(current),
            entered: self.is_request_entered(&current.id),
        }
    }

    /// Whether anybody may have signed this request's own payment.
    pub(super) fn is_request_entered(&self, id: &RequestId) -> bool {
        self.payment_records(id).any(|(party, recorded)| self.is_believed(party, recorded))
    }

    /// How every member would move the losers, so that all come to the same answer; mine are carried out.
    fn moves(&self, chain: ChainId, now: Time) -> Vec<(RequestId, u64)> {
        let claims = self.claims(chain, now);
        let floor = floor(&claims);
        let (mut kept, losers) = self.keepers(chain, &claims);
        let mut moves: BTreeMap<RequestId, u64> = BTreeMap::new();
        for loser in &losers {
            let slots: BTreeSet<u64> = kept.keys().copied().collect();
            let slot = self.lowest_free(chain, &slots, floor);
            kept.insert(slot, loser);
            moves.insert(loser.id, slot);
        }
        self.close_gaps(chain, floor, &mut kept, &mut moves);
        let mine = claims.iter().filter(|claim| claim.author == self.me);
        mine.filter_map(|claim| {
            let slot = *moves.get(&claim.id)?;
            (slot != claim.slot).then_some((claim.id, slot))
        })
        .collect()
    }

    /// Who keeps its slot, by slot, and who does not. A request with a session record stays whatever happens.
    fn keepers<'a>(&self, chain: ChainId, claims: &'a [Claim]) -> (BTreeMap<u64, &'a Claim>, Vec<&'a Claim>) {
        let mut ranked: Vec<&Claim> = claims.iter().collect();
        ranked.sort_by_key(|claim| (claim.slot, !claim.entered, std::cmp::Reverse(claim.approvals), claim.id));
        let mut kept = BTreeMap::new();
        let mut losers = Vec::new();
        for claim in ranked {
            let key = SlotKey { chain, slot: claim.slot };
            let free = !self.is_consumed(&key) && !self.is_entered(&key);
            if claim.entered || (free && !kept.contains_key(&claim.slot)) {
                kept.entry(claim.slot).or_insert(claim);
            } else {
                losers.push(claim);
            }
        }
        (kept, losers)
    }

    /// Moves requests that nobody has approved from the end into free slots, until there is no gap.
    fn close_gaps(
        &self,
        chain: ChainId,
        floor: u64,
        kept: &mut BTreeMap<u64, &Claim>,
        moves: &mut BTreeMap<RequestId, u64>,
    ) {
        loop {
            let slots: BTreeSet<u64> = kept.keys().copied().collect();
            let gap = self.lowest_free(chain, &slots, floor);
            let movable = |claim: &&Claim| claim.approvals == 0 && !claim.entered;
            let last = kept.range(gap..).rev().find(|(_, claim)| movable(claim));
            let Some((slot, claim)) = last.map(|(slot, claim)| (*slot, *claim)) else { return };
            kept.remove(&slot);
            kept.insert(gap, claim);
            moves.insert(claim.id, gap);
        }
    }

    /// The lowest slot from `floor` on that is not consumed, not entered, and not in `kept`.
    fn lowest_free(&self, chain: ChainId, kept: &BTreeSet<u64>, floor: u64) -> u64 {
        let mut slot = self.passed(chain).max(floor);
        while kept.contains(&slot) || self.is_entered(&SlotKey { chain, slot }) {
            slot += 1;
        }
        slot
    }

    /// How long enough approvals have been there, by the clocks of those who gave them.
    fn ready_for_ms(&self, current: &Current<'_>, now: Time) -> u64 {
        let mut times: Vec<Time> = self.approvals_of(current).into_iter().map(|decision| decision.at).collect();
        times.sort_unstable();
        let last_needed = usize::from(self.charter.needed()).checked_sub(1).and_then(|at| times.get(at));
        last_needed.map_or(0, |at| now.since_ms(*at))
    }

    fn by_attempt(&self, sessions: &BTreeSet<SessionId>) -> Vec<SessionId> {
        let attempt = |id: &SessionId| {
            let records = self.facts.sessions.get(id).map(|facts| facts.records.values());
            records.into_iter().flatten().map(|r| r.said.what.attempt).max()
        };
        let mut ordered: Vec<SessionId> = sessions.iter().copied().collect();
        ordered.sort_by_key(|id| (attempt(id), *id));
        ordered
    }
}

/// A cheap first look, so that a long history costs little: nobody entered it and its time is over, or somebody did
/// and the chain has passed all its slots.
fn could_claim(facts: &RequestFacts, asked: &Asked, passed: u64, now: Time) -> bool {
    if facts.records_by.is_empty() {
        return now < asked.said.what.expires;
    }
    claimed_slots(facts, asked).iter().any(|slot| *slot >= passed) || now < asked.said.what.expires
}

/// Below this, gaps are for fills: a fully approved request waits above them, and nobody new may get in its way.
fn floor(claims: &[Claim]) -> u64 {
    let approved = claims.iter().filter(|claim| claim.approved || claim.entered);
    approved.map(|claim| claim.slot.saturating_add(1)).max().unwrap_or(0)
}
