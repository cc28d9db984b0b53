//! Who opens a session, when, and with whom.
//!
//! A request that this member's own fold allows is a *candidate*. Its signers who can be reached now stand in committee
//! order, rotated by the attempt; the first opens at once, each further one some seconds later, so that a dead opener
//! holds nobody up and two openers seldom meet. Fees are asked for right before, and filled in within the bounds that
//! people approved.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::evm::{FeeQuote, Fees};
use quorate_chain::{ChainId, Intent};
use rand_core::CryptoRngCore;

use super::Vault;
use super::join::session_id;
use crate::entry::{Purpose, SessionRecord};
use crate::fold::{RequestState, SessionEnd, SessionView, SlotKey};
use crate::ids::{PartyId, RequestId, SessionId, Time};
use crate::io::{ChainFact, Query};
use crate::message::Open;

/// How much later the next in line opens.
const RANK_MS: u64 = 3_000;
/// How long to wait after a first failed session; doubles with each, up to [`MAX_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 500;
const MAX_PAUSE_MS: u64 = 20_000;
/// How long an answer about fees is good for.
const FRESH_FEES_MS: u64 = 3_000;
/// When to ask again if no answer came.
const ASK_FEES_EVERY_MS: u64 = 4_000;
/// How long sessions of others are believed to go on without an outcome, from when they were first heard of here.
const OTHERS_SESSION_MS: u64 = 20_000;

/// What waits for a session of which this member may be the opener.
#[derive(Default)]
pub(super) struct Openings {
    candidates: BTreeMap<(RequestId, Purpose), Candidate>,
    fees: BTreeMap<ChainId, (FeeQuote, Time)>,
    asked: BTreeMap<ChainId, Time>,
    /// Members who said that they do not sign with each other.
    pub(super) incompatible: BTreeSet<(PartyId, PartyId)>,
    /// Requests for which there is nothing to open any more.
    over: BTreeSet<RequestId>,
    /// When a session was first heard of in this run.
    pub(super) first_heard: BTreeMap<SessionId, Time>,
}

#[derive(Clone, Copy)]
struct Candidate {
    attempt: u32,
    since: Time,
}

/// A candidate whose time has come.
struct Due {
    request: RequestId,
    purpose: Purpose,
    attempt: u32,
    quorum: Vec<PartyId>,
}

impl Vault {
    /// Opens what can be opened now, and asks for what is missing.
    pub(super) fn advance_openings(&mut self, rng: &mut dyn CryptoRngCore) {
        self.forget_finished();
        let candidates = self.candidates();
        self.openings
            .candidates
            .retain(|key, _| candidates.contains(key));
        for (request, purpose) in candidates {
            if let Some(due) = self.due(request, purpose) {
                self.open_or_ask(due, rng);
            }
        }
    }

    /// What this member's own fold allows it to sign now, and nobody is signing.
    fn candidates(&self) -> BTreeSet<(RequestId, Purpose)> {
        if self.rolled_back {
            return BTreeSet::new();
        }
        let purpose = |request: &RequestId| match self.state.fill_needed(request, self.now) {
            Some(slot) => Purpose::Fill { slot },
            None => Purpose::Payment,
        };
        let all = self
            .state
            .requests()
            .filter(|request| !self.openings.over.contains(request));
        let with_purpose = all.map(|request| (request, purpose(&request)));
        with_purpose
            .filter(|(request, purpose)| self.may_open(request, *purpose))
            .collect()
    }

    /// Remembers which requests no session can ever be opened for again, so that a long history costs nothing.
    fn forget_finished(&mut self) {
        let over = |request: &RequestId| match self.state.request_state(request, self.now) {
            Some(RequestState::Mined { finalised, .. }) => finalised,
            Some(RequestState::Cancelled | RequestState::Rejected | RequestState::Expired) => true,
            _ => false,
        };
        let fresh: Vec<_> = self
            .state
            .requests()
            .filter(|id| !self.openings.over.contains(id))
            .filter(over)
            .collect();
        self.openings.over.extend(fresh);
    }

    fn may_open(&self, request: &RequestId, purpose: Purpose) -> bool {
        self.state.may_sign(request, purpose, self.now).is_ok()
            && self
                .slot_of(request, purpose)
                .is_some_and(|slot| !self.sessions.occupies(&slot))
            && !self.others_sign(request, purpose)
    }

    fn slot_of(&self, request: &RequestId, purpose: Purpose) -> Option<SlotKey> {
        let quorate_chain::Slot::EvmNonce { chain, nonce, .. } =
            self.state.intent_for(request, purpose)?.slot();
        Some(SlotKey { chain, slot: nonce })
    }

    /// Whether a session without this member seems to go on.
    fn others_sign(&self, request: &RequestId, purpose: Purpose) -> bool {
        let young = |id: &SessionId| {
            let heard = self
                .openings
                .first_heard
                .get(id)
                .copied()
                .unwrap_or_default();
            self.now.since_ms(heard) < OTHERS_SESSION_MS
        };
        let running =
            |session: &SessionView| session.end == SessionEnd::Running && young(&session.session);
        self.believed_sessions(request, purpose).iter().any(running)
    }

    /// Sessions that this member entered itself, or that all their signers recorded: with fewer than `t` liars one of
    /// those is honest, so that nobody can hold a payment up by recording sessions that never were.
    fn believed_sessions(&self, request: &RequestId, purpose: Purpose) -> Vec<SessionView> {
        let mut sessions = self.sessions_for(request, purpose);
        sessions.retain(|session| {
            session.recorded.contains(&self.me)
                || session.recorded.len() == session.record.quorum.len()
        });
        sessions
    }

    /// The candidate, if it is this member's turn to open it.
    fn due(&mut self, request: RequestId, purpose: Purpose) -> Option<Due> {
        let sessions = self.believed_sessions(&request, purpose);
        let attempt = u32::try_from(sessions.len())
            .unwrap_or(u32::MAX)
            .saturating_add(1);
        let order = self.signers_in_order(&request, attempt);
        let rank = order.iter().position(|party| *party == self.me)?;
        let quorum = self.choose_quorum(&order)?;
        let now = self.now;
        let candidate = self
            .openings
            .candidates
            .entry((request, purpose))
            .or_insert(Candidate {
                attempt,
                since: now,
            });
        if candidate.attempt != attempt {
            *candidate = Candidate {
                attempt,
                since: now,
            };
        }
        let failures = sessions
            .iter()
            .filter(|session| session.end != SessionEnd::Signed)
            .count();
        let wait = RANK_MS
            .saturating_mul(rank as u64)
            .saturating_add(pause(failures));
        let at = candidate.since.plus_ms(wait);
        if now < at {
            self.wake_by(at);
            return None;
        }
        Some(Due {
            request,
            purpose,
            attempt,
            quorum,
        })
    }

    fn sessions_for(&self, request: &RequestId, purpose: Purpose) -> Vec<SessionView> {
        let mut sessions = self.state.sessions(request);
        sessions.retain(|session| session.record.purpose == purpose);
        sessions
    }

    /// Who can sign this request with us now: approvers that can be reached, in committee order rotated by the attempt.
    fn signers_in_order(&self, request: &RequestId, attempt: u32) -> Vec<PartyId> {
        let approvers = self.state.approvers(request);
        let reachable = |party: &PartyId| {
            *party == self.me
                || (self.conduct.trusts(party)
                    && self
                        .peers
                        .get(party)
                        .is_some_and(super::peer::Peer::is_ready))
        };
        let mut order: Vec<_> = self
            .charter
            .parties()
            .filter(|party| approvers.contains(party) && reachable(party))
            .collect();
        let turn = (attempt.saturating_sub(1) as usize)
            .checked_rem(order.len())
            .unwrap_or(0);
        order.rotate_left(turn);
        order
    }

    /// This member and the next in line, those that let us down last; in committee order. None if they are too few.
    fn choose_quorum(&self, order: &[PartyId]) -> Option<Vec<PartyId>> {
        let penalised = |party: &PartyId| {
            self.peers
                .get(party)
                .is_some_and(|peer| peer.penalised_until > self.now)
        };
        let mine = order.iter().position(|party| *party == self.me)?;
        let after = order
            .iter()
            .cycle()
            .skip(mine + 1)
            .take(order.len().saturating_sub(1));
        let mut others: Vec<PartyId> = after.copied().collect();
        others.sort_by_key(|party| penalised(party));
        let mut quorum = vec![self.me];
        for party in others {
            let clashes = |other: &PartyId| {
                self.openings.incompatible.contains(&(*other, party))
                    || self.openings.incompatible.contains(&(party, *other))
            };
            if quorum.len() < usize::from(self.charter.threshold) && !quorum.iter().any(clashes) {
                quorum.push(party);
            }
        }
        if quorum.len() < usize::from(self.charter.threshold) {
            return None;
        }
        Some(
            self.charter
                .parties()
                .filter(|party| quorum.contains(party))
                .collect(),
        )
    }

    fn open_or_ask(&mut self, due: Due, rng: &mut dyn CryptoRngCore) {
        let Some(chain) = self
            .slot_of(&due.request, due.purpose)
            .map(|slot| slot.chain)
        else {
            return;
        };
        match self.openings.fees.get(&chain) {
            Some((quote, at)) if self.now.since_ms(*at) < FRESH_FEES_MS => {
                let quote = *quote;
                self.open(due, quote, rng);
            }
            _ => self.ask_fees(chain),
        }
    }

    fn ask_fees(&mut self, chain: ChainId) {
        let due = self
            .openings
            .asked
            .get(&chain)
            .map_or(self.now, |at| at.plus_ms(ASK_FEES_EVERY_MS));
        if self.now >= due {
            self.openings.asked.insert(chain, self.now);
            self.out
                .push(crate::io::Output::Query(Query::Fees { chain }));
            self.wake_by(self.now.plus_ms(ASK_FEES_EVERY_MS));
        } else {
            self.wake_by(due);
        }
    }

    /// The chain said what fees are asked.
    pub(super) fn on_fees(&mut self, fact: &ChainFact) {
        if let ChainFact::Fees {
            chain,
            base_fee,
            tip,
        } = fact
        {
            let quote = FeeQuote {
                base_fee_per_gas: *base_fee,
                tip: *tip,
            };
            self.openings.fees.insert(*chain, (quote, self.now));
            self.openings.asked.remove(chain);
            self.stirred = true;
        }
    }

    /// Builds the final bytes and enters the session; the proposal leaves when the record is durable.
    fn open(&mut self, due: Due, quote: FeeQuote, rng: &mut dyn CryptoRngCore) {
        let Some(unsigned) = self.final_bytes(&due, quote) else {
            return;
        };
        let Ok(signable) = self.signable(&due.request, due.purpose, &unsigned) else {
            return;
        };
        let mut nonce = [0; 32];
        rng.fill_bytes(&mut nonce);
        let mut open = Open {
            session: SessionId([0; 32]),
            nonce,
            request: due.request,
            purpose: due.purpose,
            attempt: due.attempt,
            quorum: due.quorum,
            unsigned,
        };
        open.session = session_id(&self.id, self.me, &open);
        let record = SessionRecord {
            session: open.session,
            request: open.request,
            purpose: open.purpose,
            attempt: open.attempt,
            opener: self.me,
            quorum: open.quorum.clone(),
            unsigned: open.unsigned.clone(),
            digest: signable.digest(),
        };
        self.enter(record, signable, Some(Box::new(open)));
    }

    /// The intent with fees: what the chain asks for now, or more than the signed transaction that is to be replaced.
    fn final_bytes(&self, due: &Due, quote: FeeQuote) -> Option<Vec<u8>> {
        let intent = self.state.intent_for(&due.request, due.purpose)?;
        let Intent::EvmTransfer(transfer) = &intent;
        let bounds = transfer.terms().bounds;
        let fees = match self.signed_fees(&due.request, due.purpose, &intent) {
            None => Fees::for_quote(quote, bounds),
            Some(old) => old.replacement(quote, bounds).ok()?,
        };
        intent.build(fees).ok()
    }

    /// The highest fees among the transactions that are signed for this intent already.
    pub(super) fn signed_fees(
        &self,
        request: &RequestId,
        purpose: Purpose,
        intent: &Intent,
    ) -> Option<Fees> {
        let sessions = self.sessions_for(request, purpose);
        let signed = sessions
            .iter()
            .filter(|session| session.end == SessionEnd::Signed);
        let fees = signed.filter_map(|session| {
            Some(intent.check(&session.record.unsigned).ok()?.transfer().fees)
        });
        fees.max_by_key(fee_order)
    }
}

fn fee_order(fees: &Fees) -> (u128, u128) {
    (fees.max_fee_per_gas, fees.max_priority_fee_per_gas)
}

fn pause(failures: usize) -> u64 {
    match failures {
        0 => 0,
        n => (FIRST_PAUSE_MS << (n - 1).min(16)).min(MAX_PAUSE_MS),
    }
}
