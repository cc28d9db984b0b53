//! A member proposes a session: does this member enter it?
//!
//! Nothing that the proposal says is believed. The session id is recomputed, the final bytes are decoded and compared
//! with the intent that this member itself holds, and its own fold decides.

use quorate_chain::Signable;
use quorate_threshold::Transcript;

use super::Vault;
use crate::entry::{Purpose, SessionRecord};
use crate::fold::SlotKey;
use crate::ids::{PartyId, RequestId, SessionId, Time, VaultId};
use crate::message::{Decline, Message, Open};

/// How long a proposal waits for entries that are still under way before it is declined.
const PATIENCE_MS: u64 = 2_000;
/// Most proposals of one member that wait.
const MAX_PARKED: usize = 4;
/// Highest attempt that is believed.
const MAX_ATTEMPT: u32 = 1 << 20;

/// Proposals that wait.
#[derive(Default)]
pub(super) struct Parked(Vec<Waiting>);

struct Waiting {
    from: PartyId,
    open: Box<Open>,
    until: Time,
}

impl Parked {
    fn of(&self, opener: &PartyId) -> usize {
        self.0
            .iter()
            .filter(|waiting| waiting.from == *opener)
            .count()
    }
}

impl Vault {
    /// A member proposes a session.
    pub(super) fn on_open(&mut self, from: PartyId, open: Box<Open>) {
        let known = self.sessions.is_live(&open.session)
            || self
                .parked
                .0
                .iter()
                .any(|waiting| waiting.open.session == open.session)
            || self
                .state
                .session(&open.session)
                .is_some_and(|facts| facts.records.contains_key(&self.me));
        if known {
            return;
        }
        match self.judge_open(from, &open) {
            Ok((record, signable)) => self.enter(record, signable, None),
            Err(reason) if may_pass(&reason) && self.parked.of(&from) < MAX_PARKED => {
                let until = self.now.plus_ms(PATIENCE_MS);
                self.parked.0.push(Waiting { from, open, until });
                self.wake_by(until);
            }
            Err(reason) => self.decline(from, open.session, reason),
        }
    }

    /// Judges waiting proposals again: what they lacked may have arrived.
    pub(super) fn judge_parked(&mut self) {
        for waiting in std::mem::take(&mut self.parked.0) {
            match self.judge_open(waiting.from, &waiting.open) {
                Ok((record, signable)) => self.enter(record, signable, None),
                Err(reason) if may_pass(&reason) && self.now < waiting.until => {
                    self.wake_by(waiting.until);
                    self.parked.0.push(waiting);
                }
                Err(reason) => self.decline(waiting.from, waiting.open.session, reason),
            }
        }
    }

    fn decline(&mut self, to: PartyId, session: SessionId, reason: Decline) {
        self.out.send(to, Message::Decline { session, reason });
    }

    /// Whether this member enters the session, and with which bytes.
    fn judge_open(&self, from: PartyId, open: &Open) -> Result<(SessionRecord, Signable), Decline> {
        if self.rolled_back {
            return Err(Decline::CatchingUp);
        }
        if self
            .peers
            .get(&from)
            .is_some_and(|peer| peer.is_paused(self.now))
        {
            return Err(Decline::Busy);
        }
        self.check_shape(from, open)?;
        self.check_quorum(&open.quorum)?;
        self.state
            .may_sign(&open.request, open.purpose, self.now)
            .map_err(|denied| Decline::NotAllowed(denied.to_string()))?;
        let signable = self.signable(&open.request, open.purpose, &open.unsigned)?;
        let slot = SlotKey {
            chain: signable.transfer().chain,
            slot: signable.transfer().nonce,
        };
        if self.sessions.occupies(&slot) {
            return Err(Decline::Busy);
        }
        let record = SessionRecord {
            session: open.session,
            request: open.request,
            purpose: open.purpose,
            attempt: open.attempt,
            opener: from,
            quorum: open.quorum.clone(),
            unsigned: open.unsigned.clone(),
            digest: signable.digest(),
        };
        Ok((record, signable))
    }

    /// The id is the hash of the rest, and the quorum is `t` members in committee order, both of us among them.
    fn check_shape(&self, from: PartyId, open: &Open) -> Result<(), Decline> {
        let wrong = |why: &str| Err(Decline::Mismatch(why.to_owned()));
        if open.session != session_id(&self.id, from, open) {
            return wrong("the session id is not the hash of the proposal");
        }
        if open.attempt == 0 || open.attempt > MAX_ATTEMPT {
            return wrong("the attempt is out of range");
        }
        let in_order: Vec<_> = self
            .charter
            .parties()
            .filter(|party| open.quorum.contains(party))
            .collect();
        if in_order != open.quorum || open.quorum.len() != usize::from(self.charter.threshold) {
            return wrong("the quorum is not exactly the threshold's number of members in order");
        }
        if !open.quorum.contains(&from) || !open.quorum.contains(&self.me) {
            return wrong("opener and receiver must both be in the quorum");
        }
        Ok(())
    }

    /// Everybody in it can be signed with now.
    fn check_quorum(&self, quorum: &[PartyId]) -> Result<(), Decline> {
        for party in quorum.iter().filter(|party| **party != self.me) {
            if !self.conduct.trusts(party) {
                return Err(Decline::Banned(*party));
            }
            if !self
                .peers
                .get(party)
                .is_some_and(super::peer::Peer::is_ready)
            {
                return Err(Decline::CatchingUp);
            }
        }
        Ok(())
    }

    /// What these bytes sign, if they are exactly the request's intent, or its fill of a lower slot.
    pub(super) fn signable(
        &self,
        request: &RequestId,
        purpose: Purpose,
        unsigned: &[u8],
    ) -> Result<Signable, Decline> {
        let intent = self
            .state
            .intent_for(request, purpose)
            .ok_or_else(|| Decline::NotAllowed("the request is not known here".to_owned()))?;
        intent
            .check(unsigned)
            .map_err(|mismatch| Decline::Mismatch(mismatch.to_string()))
    }
}

/// Entries under way can still turn this into a yes.
fn may_pass(reason: &Decline) -> bool {
    matches!(reason, Decline::NotAllowed(_) | Decline::CatchingUp)
}

/// The name of a session: the hash of the vault, the opener and all that the proposal says.
pub fn session_id(vault: &VaultId, opener: PartyId, open: &Open) -> SessionId {
    let mut transcript = Transcript::new("quorate/session/v1");
    transcript.append(vault.as_bytes());
    transcript.append(opener.as_bytes());
    transcript.append(&open.nonce);
    transcript.append(open.request.as_bytes());
    match open.purpose {
        Purpose::Payment => transcript.append_u64(0),
        Purpose::Fill { slot } => transcript.append_u64(1).append_u64(slot),
    };
    transcript.append_u64(u64::from(open.attempt));
    transcript.append_u64(open.quorum.len() as u64);
    for party in &open.quorum {
        transcript.append(party.as_bytes());
    }
    transcript.append(&open.unsigned);
    SessionId(transcript.finish())
}
