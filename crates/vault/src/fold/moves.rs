//! Who claims which slot, and who moves when two claim one.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::ChainId;

use super::State;
use super::facts::{Asked, RequestFacts, SlotKey};
use super::requests::{Current, claimed_slots};
use super::standing::RequestState;
use crate::ids::{PartyId, RequestId, Time};

/// A live request and its claim.
pub(super) struct Claim {
    pub(super) id: RequestId,
    pub(super) author: PartyId,
    pub(super) slot: u64,
    pub(super) approvals: usize,
    pub(super) approved: bool,
    pub(super) entered: bool,
}

impl State {
    /// The slot that a new request should ask for.
    pub fn next_slot(&self, chain: ChainId, now: Time) -> u64 {
        let claims = self.claims(chain, now);
        let kept: BTreeSet<u64> = claims.iter().map(|claim| claim.slot).collect();
        self.lowest_free(chain, &kept, floor(&claims))
    }

    /// My own requests that lost their slot, and a higher one for each. A request that anybody entered a session for
    /// never moves, and none moves down: what was signed for the higher slot, if anything, would stay good. A gap that
    /// is left is filled for who waits behind it.
    pub fn must_reslot(&self, now: Time) -> Vec<(RequestId, u64)> {
        let asked = self
            .facts
            .requests
            .values()
            .filter_map(|facts| facts.asked.as_ref());
        let chains: BTreeSet<ChainId> = asked.map(|asked| asked.said.what.intent.chain()).collect();
        chains
            .into_iter()
            .flat_map(|chain| self.moves(chain, now))
            .collect()
    }

    /// Every request of a chain that may still be signed, or is and may still be mined.
    pub(super) fn claims(&self, chain: ChainId, now: Time) -> Vec<Claim> {
        let passed = self.passed(chain);
        let all = self.facts.requests.iter();
        let possible = all.filter(|(_, facts)| {
            let asked = facts.asked.as_ref();
            asked.is_some_and(|asked| {
                asked.said.what.intent.chain() == chain && could_claim(facts, asked, passed, now)
            })
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
        self.payment_records(id)
            .any(|(party, recorded)| self.is_believed(party, recorded))
    }

    /// How every member would move the losers, so that all come to the same answer; mine are carried out.
    fn moves(&self, chain: ChainId, now: Time) -> Vec<(RequestId, u64)> {
        let claims = self.claims(chain, now);
        let floor = floor(&claims);
        let (mut kept, losers) = self.keepers(chain, &claims);
        let mut moves: BTreeMap<RequestId, u64> = BTreeMap::new();
        for loser in &losers {
            let slots: BTreeSet<u64> = kept.keys().copied().collect();
            let above = floor.max(loser.slot.saturating_add(1));
            let slot = self.lowest_free(chain, &slots, above);
            kept.insert(slot, loser);
            moves.insert(loser.id, slot);
        }
        let mine = claims.iter().filter(|claim| claim.author == self.me);
        mine.filter_map(|claim| {
            let slot = *moves.get(&claim.id)?;
            (slot != claim.slot).then_some((claim.id, slot))
        })
        .collect()
    }

    /// Who keeps its slot, by slot, and who does not. A request with a session record stays whatever happens.
    fn keepers<'a>(
        &self,
        chain: ChainId,
        claims: &'a [Claim],
    ) -> (BTreeMap<u64, &'a Claim>, Vec<&'a Claim>) {
        let mut ranked: Vec<&Claim> = claims.iter().collect();
        ranked.sort_by_key(|claim| {
            (
                claim.slot,
                !claim.entered,
                std::cmp::Reverse(claim.approvals),
                claim.id,
            )
        });
        let mut kept = BTreeMap::new();
        let mut losers = Vec::new();
        for claim in ranked {
            let key = SlotKey {
                chain,
                slot: claim.slot,
            };
            let free = !self.is_consumed(&key) && !self.is_entered(&key);
            if claim.entered || (free && !kept.contains_key(&claim.slot)) {
                kept.entry(claim.slot).or_insert(claim);
            } else {
                losers.push(claim);
            }
        }
        (kept, losers)
    }

    /// The lowest slot from `floor` on that is not consumed, not entered, and not in `kept`.
    fn lowest_free(&self, chain: ChainId, kept: &BTreeSet<u64>, floor: u64) -> u64 {
        let mut slot = self.passed(chain).max(floor);
        while kept.contains(&slot) || self.is_entered(&SlotKey { chain, slot }) {
            slot += 1;
        }
        slot
    }
}

/// A cheap first look, so that a long history costs little: nobody entered it and its time is over, or somebody did
/// and the chain has passed all its slots.
fn could_claim(facts: &RequestFacts, asked: &Asked, passed: u64, now: Time) -> bool {
    if facts.records_by.is_empty() {
        return now < asked.said.what.expires;
    }
    claimed_slots(facts, asked)
        .iter()
        .any(|slot| *slot >= passed)
        || now < asked.said.what.expires
}

/// Below this, gaps are for fills: a fully approved request waits above them, and nobody new may get in its way.
fn floor(claims: &[Claim]) -> u64 {
    let approved = claims
        .iter()
        .filter(|claim| claim.approved || claim.entered);
    approved
        .map(|claim| claim.slot.saturating_add(1))
        .max()
        .unwrap_or(0)
}
