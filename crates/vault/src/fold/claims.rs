//! Who claims which slot, who keeps it when two claim one, and what is left to nobody.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::ChainId;

use super::State;
use super::facts::SlotKey;
use super::requests::Current;
use super::standing::RequestState;
use crate::ids::{PartyId, RequestId, Time};

/// Most slots below a request that nobody claims when it is approved or signed. Its approvals cover their fills, and a
/// request far ahead of all others would have the vault pay for one after the other.
pub const MAX_GAPS: u64 = 8;
/// Most open requests of one author. Further ones, by their place in its log, claim nothing and are not approved.
pub const MAX_OPEN_PER_AUTHOR: usize = 256;

/// A request that may still be signed or mined, or that lost its slot and may be asked again; and its claim.
pub(super) struct Claim {
    pub(super) id: RequestId,
    pub(super) author: PartyId,
    pub(super) slot: u64,
    pub(super) approvals: usize,
    pub(super) approved: bool,
    pub(super) entered: bool,
    /// Its author's machine asks again if it does not keep its slot.
    again: bool,
}

impl State {
    /// The slot that a new request should ask for.
    pub fn next_slot(&self, chain: ChainId, now: Time) -> u64 {
        let claims = self.claims(chain, now);
        let held = claims.iter().map(|claim| claim.slot).collect();
        let floor = self.floor(chain, &claims, &held);
        self.lowest_free(chain, &held, floor)
    }

    /// My own requests that lost their slot and are to be asked again, each with the slot for it. Every member computes
    /// all losers' slots, so that they do not meet again; mine are carried out.
    pub fn must_ask_again(&self, now: Time) -> Vec<(RequestId, u64)> {
        let mine = self.facts.asked_by.get(&self.me).into_iter().flatten();
        let intents = mine.filter_map(|(_, id)| Some(self.current(id)?.request().intent));
        let chains: BTreeSet<ChainId> = intents.map(|intent| intent.chain()).collect();
        let new_slots = |chain| self.new_slots(chain, now);
        chains.into_iter().flat_map(new_slots).collect()
    }

    fn new_slots(&self, chain: ChainId, now: Time) -> Vec<(RequestId, u64)> {
        let claims = self.claims(chain, now);
        let mut held: BTreeSet<u64> = claims.iter().map(|claim| claim.slot).collect();
        let floor = self.floor(chain, &claims, &held);
        let (_, losers) = self.keepers(chain, &claims);
        let mut mine = Vec::new();
        for loser in losers.into_iter().filter(|loser| loser.again) {
            let above = floor.max(loser.slot.saturating_add(1));
            let slot = self.lowest_free(chain, &held, above);
            held.insert(slot);
            if loser.author == self.me {
                mine.push((loser.id, slot));
            }
        }
        mine
    }

    /// How many open requests an author has.
    pub fn open_of(&self, author: &PartyId, now: Time) -> usize {
        let all = self.facts.asked_by.get(author).into_iter().flatten();
        let open =
            all.filter(|(_, id)| self.current(id).is_some_and(|one| self.is_open(&one, now)));
        open.count()
    }

    /// Whether this one is beyond [`MAX_OPEN_PER_AUTHOR`].
    pub(super) fn is_excess(&self, current: &Current<'_>, now: Time) -> bool {
        let all = self.facts.asked_by.get(&current.asked.author).into_iter();
        let before = all.flat_map(|all| all.range(..current.asked.said.place));
        let open =
            before.filter(|(_, id)| self.current(id).is_some_and(|one| self.is_open(&one, now)));
        open.take(MAX_OPEN_PER_AUTHOR).count() >= MAX_OPEN_PER_AUTHOR
    }

    /// Whether a request counts against its author's limit: it is not over by time, its author's word or rejections, and
    /// the chain has not passed its slot. Nothing that costs much.
    fn is_open(&self, current: &Current<'_>, now: Time) -> bool {
        now < current.request().expires
            && !current.is_withdrawn()
            && !self.is_consumed(&current.slot())
            && !self.is_rejected(current.facts)
    }

    /// Requests of a chain within their authors' limits that may claim a slot, by a cheap first look.
    fn claimants(&self, chain: ChainId, now: Time) -> impl Iterator<Item = Current<'_>> {
        let passed = self.passed(chain);
        self.facts.asked_by.values().flat_map(move |all| {
            let mut open = 0;
            let all = all.values().filter_map(|id| self.current(id));
            let within = all.filter(move |current| {
                let counts = self.is_open(current, now);
                open += usize::from(counts);
                !counts || open <= MAX_OPEN_PER_AUTHOR
            });
            within.filter(move |current| {
                current.slot().chain == chain && could_claim(current, passed, now)
            })
        })
    }

    /// Every claim on a chain's slots.
    pub(super) fn claims(&self, chain: ChainId, now: Time) -> Vec<Claim> {
        let all = self.claimants(chain, now);
        all.filter_map(|current| self.claim(&current, now))
            .collect()
    }

    /// The claims on one slot.
    pub(super) fn claims_on(&self, key: &SlotKey, now: Time) -> Vec<Claim> {
        let all = self.claimants(key.chain, now);
        let there = all.filter(|current| current.slot() == *key);
        there
            .filter_map(|current| self.claim(&current, now))
            .collect()
    }

    fn claim(&self, current: &Current<'_>, now: Time) -> Option<Claim> {
        let state = self.state_of(current, now);
        let again = self.may_ask_again(current);
        let over = match state {
            RequestState::Lost => !again,
            RequestState::Mined { .. } => true,
            state => state.is_dead(),
        };
        (!over).then(|| Claim {
            id: current.id,
            author: current.asked.author,
            slot: current.slot().slot,
            approvals: self.approvals_of(current).len(),
            approved: self.is_approved(current),
            entered: self.is_request_entered(&current.id),
            again,
        })
    }

    /// Whether anybody may have signed this request's own payment.
    pub(super) fn is_request_entered(&self, id: &RequestId) -> bool {
        self.payment_records(id)
            .any(|(party, recorded)| self.is_believed(party, recorded))
    }

    /// The request that keeps this one's slot, if it is another.
    pub(super) fn outranked_by(&self, current: &Current<'_>, now: Time) -> Option<RequestId> {
        let key = current.slot();
        let claims = self.claims_on(&key, now);
        let (kept, _) = self.keepers(key.chain, &claims);
        let keeper = kept.get(&key.slot)?.id;
        (keeper != current.id).then_some(keeper)
    }

    /// Who keeps its slot, by slot, and who does not: one that was entered, else the one with more approvals, else the
    /// lower id.
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

    /// How many slots below this one nobody claims, signed or entered: each would have to be filled first.
    pub(super) fn gaps_below(&self, key: &SlotKey, now: Time) -> u64 {
        let open = self.first_open(key.chain);
        if key.slot.saturating_sub(open) <= MAX_GAPS {
            // Not one too many, whoever claims them.
            return 0;
        }
        let live = self.claimants(key.chain, now);
        let live = live.filter(|current| !current.is_withdrawn() && self.judge(current).is_ok());
        let held = live.map(|current| current.slot().slot).collect();
        self.gaps_between(open, key, &held)
    }

    fn gaps_between(&self, open: u64, key: &SlotKey, held: &BTreeSet<u64>) -> u64 {
        let first = SlotKey { slot: open, ..*key };
        if first >= *key {
            return 0;
        }
        let entered = self.facts.recorded.range(first..*key);
        let entered =
            entered.filter(|(slot, _)| !held.contains(&slot.slot) && self.is_entered(slot));
        let taken = held.range(open..key.slot).count() + entered.count();
        (key.slot - open).saturating_sub(taken as u64)
    }

    /// Below this, gaps are for fills: a fully approved request waits above them, and nobody new may get in its way. One
    /// with too many gaps below it waits for new ones to come.
    fn floor(&self, chain: ChainId, claims: &[Claim], held: &BTreeSet<u64>) -> u64 {
        let open = self.first_open(chain);
        let waits = |claim: &&Claim| {
            let key = SlotKey {
                chain,
                slot: claim.slot,
            };
            claim.entered || (claim.approved && self.gaps_between(open, &key, held) <= MAX_GAPS)
        };
        let above = claims
            .iter()
            .filter(waits)
            .map(|claim| claim.slot.saturating_add(1));
        above.max().unwrap_or(0)
    }

    /// The lowest slot from `floor` on that is not consumed, not entered, and not held.
    fn lowest_free(&self, chain: ChainId, held: &BTreeSet<u64>, floor: u64) -> u64 {
        let mut slot = self.passed(chain).max(floor);
        while held.contains(&slot) || self.is_entered(&SlotKey { chain, slot }) {
            slot += 1;
        }
        slot
    }
}

/// Its time is not over, or somebody entered it and the chain has not passed its slot.
fn could_claim(current: &Current<'_>, passed: u64, now: Time) -> bool {
    let at_stake = !current.facts.records_by.is_empty() && current.slot().slot >= passed;
    now < current.request().expires || at_stake
}
