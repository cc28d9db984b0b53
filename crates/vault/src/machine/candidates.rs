//! Which requests this member may open a session for, whose turn it is, and with whom.

use std::collections::BTreeSet;

use super::Vault;
use crate::entry::Purpose;
use crate::fold::{Denied, RequestState, SessionEnd, SessionView, SlotKey};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// How much later the next in line opens.
const RANK_MS: u64 = 3_000;
/// How long to wait after a first failed session; doubles with each, up to [`MAX_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 500;
const MAX_PAUSE_MS: u64 = 20_000;
/// How long sessions of others are believed to go on without an outcome, from when they were first heard of here.
const OTHERS_SESSION_MS: u64 = 20_000;

/// A request that this member may sign: which attempt comes next, and since when that is so.
#[derive(Clone, Copy)]
pub(super) struct Candidate {
    attempt: u32,
    since: Time,
}

/// A candidate whose time has come.
pub(super) struct Due {
    pub(super) request: RequestId,
    pub(super) purpose: Purpose,
    pub(super) attempt: u32,
    pub(super) quorum: Vec<PartyId>,
}

impl Vault {
    /// What this member's own fold allows it to sign now, and nobody is signing.
    pub(super) fn candidates(&self) -> BTreeSet<(RequestId, Purpose)> {
        if self.rolled_back {
            return BTreeSet::new();
        }
        let purpose = |request: &RequestId| {
            let payment = self.state.may_sign(request, Purpose::Payment, self.now);
            let fill = || self.state.fill_needed(request, self.now);
            match payment {
                Ok(()) => Some(Purpose::Payment),
                Err(Denied::LowerSlotOpen { .. } | Denied::AlreadySigned) => {
                    fill().map(|slot| Purpose::Fill { slot })
                }
                Err(_) => None,
            }
        };
        self.unfinished()
            .filter_map(|request| Some((request, purpose(&request)?)))
            .filter(|(request, purpose)| self.may_open(request, *purpose))
            .collect()
    }

    /// Requests for which a session may still be opened some day.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = RequestId> + '_ {
        let over = &self.openings.over;
        self.state
            .requests()
            .filter(|request| !over.contains(request))
    }

    /// Remembers which requests no session can ever be opened for again, so that a long history costs nothing.
    pub(super) fn forget_finished(&mut self) {
        let over = |request: &RequestId| match self.state.request_state(request, self.now) {
            Some(RequestState::Mined { finalised, .. }) => finalised,
            Some(RequestState::Cancelled | RequestState::Rejected | RequestState::Expired) => true,
            _ => false,
        };
        let fresh: Vec<_> = self.unfinished().filter(over).collect();
        self.openings.over.extend(fresh);
    }

    fn may_open(&self, request: &RequestId, purpose: Purpose) -> bool {
        self.state.may_sign(request, purpose, self.now).is_ok()
            && self
                .slot_of(request, purpose)
                .is_some_and(|slot| !self.sessions.occupies(&slot))
            && !self.others_sign(request, purpose)
    }

    pub(super) fn slot_of(&self, request: &RequestId, purpose: Purpose) -> Option<SlotKey> {
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
    pub(super) fn due(&mut self, request: RequestId, purpose: Purpose) -> Option<Due> {
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
            .saturating_add(pause(failures, self.me, attempt));
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

    pub(super) fn sessions_for(&self, request: &RequestId, purpose: Purpose) -> Vec<SessionView> {
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
        // Who keeps others waiting waits for others.
        order.sort_by_key(|party| {
            self.peers
                .get(party)
                .is_some_and(|peer| peer.is_paused(self.now))
        });
        order
    }

    /// This member and the next in line, those with most strikes last; in committee order. None if they are too few.
    fn choose_quorum(&self, order: &[PartyId]) -> Option<Vec<PartyId>> {
        let strikes = |party: &PartyId| {
            self.peers
                .get(party)
                .map_or(0, |peer| peer.strikes(self.now))
        };
        let mine = order.iter().position(|party| *party == self.me)?;
        let after = order
            .iter()
            .cycle()
            .skip(mine + 1)
            .take(order.len().saturating_sub(1));
        let mut others: Vec<PartyId> = after.copied().collect();
        others.sort_by_key(strikes);
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
}

/// How long to wait after failures, and up to a quarter more: two members who opened at the same time and were in each
/// other's way would do so again for ever.
fn pause(failures: usize, me: PartyId, attempt: u32) -> u64 {
    let whole = match failures {
        0 => return 0,
        n => (FIRST_PAUSE_MS << (n - 1).min(16)).min(MAX_PAUSE_MS),
    };
    let drawn = me
        .as_bytes()
        .iter()
        .cycle()
        .nth(attempt as usize % 32)
        .copied()
        .unwrap_or_default();
    whole + whole * u64::from(drawn) / 1024
}
