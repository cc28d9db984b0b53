//! Signing sessions, the side that every signer has.
//!
//! A session is entered by a durable [`SessionRecord`], and only then does its first message leave. It lives in
//! memory; after a restart a record without an outcome is closed as failed and the request is tried again in a new
//! session with fresh randomness. One session a slot at a time.

use std::collections::BTreeMap;

use quorate_chain::Signable;
use quorate_threshold::{
    EcdsaSignature, MessageDigest, Outgoing, PartyIndex, Session, SignParams, Step, Verdict,
};
use rand_core::CryptoRngCore;

use super::Vault;
use super::found::FIRST_EPOCH;
use super::outbox::After;
use crate::entry::{Entry, SessionRecord, SessionResult};
use crate::fold::SlotKey;
use crate::ids::{PartyId, RequestId, SessionId, Time};
use crate::message::{Decline, Message, Open};

/// How long a session goes on without any message that helps.
pub(super) const PROGRESS_MS: u64 = 15_000;
/// Most sessions of one request that this member ever enters. The fold believes a few more records than that of one
/// author, so none of its own is ever left out.
const MAX_ENTRIES: usize = 3_000;
/// Most envelopes of one member kept for sessions that have not begun here.
const MAX_EARLY: usize = 8;
/// How long they are kept.
const EARLY_MS: u64 = PROGRESS_MS;

/// The sessions of this run.
#[derive(Default)]
pub(super) struct Sessions {
    live: BTreeMap<SessionId, Live>,
    early: Vec<Early>,
    /// What an earlier run left open has been closed in this one.
    left_open_closed: bool,
}

/// A session that this member entered and that has not ended.
struct Live {
    record: SessionRecord,
    signable: Signable,
    slot: SlotKey,
    stage: Stage,
}

enum Stage {
    /// The record is on the way to disk; the opener keeps its proposal until then.
    Recording(Option<Box<Open>>),
    /// Messages go to and fro.
    Running(Running),
}

struct Running {
    session: Box<dyn Session<EcdsaSignature>>,
    progress: Time,
}

struct Early {
    from: PartyId,
    session: SessionId,
    bytes: Vec<u8>,
    at: Time,
}

impl Sessions {
    /// Whether a session runs for this slot.
    pub(super) fn occupies(&self, slot: &SlotKey) -> bool {
        self.live.values().any(|live| live.slot == *slot)
    }

    /// Whether this session was entered in this run and goes on.
    pub(super) fn is_live(&self, session: &SessionId) -> bool {
        self.live.contains_key(session)
    }

    fn keep_early(&mut self, early: Early) {
        let from_same = self
            .early
            .iter()
            .filter(|other| other.from == early.from)
            .count();
        if from_same < MAX_EARLY {
            self.early.push(early);
        }
    }

    fn take_early(&mut self, session: &SessionId) -> Vec<Early> {
        let (of_it, rest) = std::mem::take(&mut self.early)
            .into_iter()
            .partition(|early| early.session == *session);
        self.early = rest;
        of_it
    }
}

impl Vault {
    /// Enters a session: the record first, round one when it is durable.
    pub(super) fn enter(
        &mut self,
        record: SessionRecord,
        signable: Signable,
        open: Option<Box<Open>>,
    ) {
        let session = record.session;
        if self.entered(&record.request) >= MAX_ENTRIES {
            return;
        }
        let slot = SlotKey {
            chain: signable.transfer().chain,
            slot: signable.transfer().nonce,
        };
        if self.append_unasked(Entry::SessionRecord(Box::new(record.clone()))) {
            self.out.after_own(After::StartSession(session));
            let stage = Stage::Recording(open);
            self.sessions.live.insert(
                session,
                Live {
                    record,
                    signable,
                    slot,
                    stage,
                },
            );
        }
    }

    /// How many sessions of a request this member has a record of.
    fn entered(&self, request: &RequestId) -> usize {
        self.state
            .sessions(request)
            .iter()
            .filter(|session| session.recorded.contains(&self.me))
            .count()
    }

    /// The record is durable: the opener proposes, and everybody sends round one.
    pub(super) fn start_session(&mut self, id: SessionId, rng: &mut dyn CryptoRngCore) {
        let Some(live) = self.sessions.live.get_mut(&id) else {
            return;
        };
        let Stage::Recording(open) = &mut live.stage else {
            return;
        };
        let open = open.take();
        let quorum = live.record.quorum.clone();
        let digest = MessageDigest::derived_from_what_this_signer_decoded(live.signable.digest());
        let started = match self.sign_params(id, &quorum, digest) {
            None => {
                return self.fail(
                    id,
                    "this member has no shares of the vault's keys".to_owned(),
                );
            }
            Some((params, attempt)) => match self.secrets.get(&attempt) {
                None => {
                    return self.fail(
                        id,
                        "this member has no shares of the vault's keys".to_owned(),
                    );
                }
                Some(secrets) => self.engine.sign_ecdsa(params, secrets, rng),
            },
        };
        match started {
            Err(error) => self.fail(id, error.to_string()),
            Ok(started) => {
                if let Some(open) = open {
                    self.tell_quorum(&quorum, &Message::Open(open));
                }
                let running = Running {
                    session: started.session,
                    progress: self.now,
                };
                if let Some(live) = self.sessions.live.get_mut(&id) {
                    live.stage = Stage::Running(running);
                }
                self.send_sign(id, started.send);
                for early in self.sessions.take_early(&id) {
                    self.on_sign(early.from, id, &early.bytes, rng);
                }
                self.stirred = true;
            }
        }
    }

    fn sign_params(
        &self,
        id: SessionId,
        quorum: &[PartyId],
        digest: MessageDigest,
    ) -> Option<(SignParams, u32)> {
        let (attempt, public) = self.active_keys()?;
        let quorum = quorum
            .iter()
            .map(|party| self.charter.index_of(party))
            .collect::<Option<Vec<_>>>()?;
        let params = SignParams {
            session: id.0,
            vault: self.id.0,
            epoch: FIRST_EPOCH,
            committee: self.committee.clone(),
            quorum,
            me: self.my_index,
            digest,
            public,
            identity: self.identity.clone(),
        };
        Some((params, attempt))
    }

    fn send_sign(&mut self, session: SessionId, send: Vec<Outgoing>) {
        for outgoing in send {
            if let Some(to) = self
                .charter
                .member_at(outgoing.to)
                .map(|member| member.party)
            {
                self.out.send(
                    to,
                    Message::Sign {
                        session,
                        bytes: outgoing.bytes,
                    },
                );
            }
        }
    }

    fn tell_quorum(&mut self, quorum: &[PartyId], message: &Message) {
        for to in quorum.iter().filter(|party| **party != self.me) {
            self.out.send(*to, message.clone());
        }
    }

    /// A signing envelope arrived.
    pub(super) fn on_sign(
        &mut self,
        from: PartyId,
        id: SessionId,
        bytes: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) {
        let Some(index) = self.charter.index_of(&from) else {
            return;
        };
        let now = self.now;
        let step = match self
            .sessions
            .live
            .get_mut(&id)
            .map(|live| (&live.record.quorum, &mut live.stage))
        {
            Some((quorum, _)) if !quorum.contains(&from) => return,
            Some((_, Stage::Running(running))) => {
                let step = running.session.receive(index, bytes, rng);
                if !matches!(step, Err(Verdict::Ignored(_))) {
                    running.progress = now;
                }
                step
            }
            Some((_, Stage::Recording(_))) => return self.keep_early_sign(from, id, bytes),
            None if self
                .state
                .session(&id)
                .is_some_and(|facts| facts.records.contains_key(&self.me)) =>
            {
                return;
            }
            None => return self.keep_early_sign(from, id, bytes),
        };
        match step {
            Ok(Step { send, done }) => {
                self.send_sign(id, send);
                if let Some(signature) = done {
                    self.finish_session(id, signature);
                }
            }
            Err(verdict) => self.on_verdict(id, verdict),
        }
    }

    fn keep_early_sign(&mut self, from: PartyId, session: SessionId, bytes: &[u8]) {
        let early = Early {
            from,
            session,
            bytes: bytes.to_vec(),
            at: self.now,
        };
        self.sessions.keep_early(early);
    }

    fn on_verdict(&mut self, id: SessionId, verdict: Verdict) {
        match verdict {
            Verdict::Ignored(_) => {}
            Verdict::Abort(why) => self.fail(id, why.to_string()),
            Verdict::LocalBan { culprit, check } => {
                self.ban(culprit, check);
                let name = self.names(vec![culprit]);
                self.fail(
                    id,
                    format!("{check}; this member does not sign with {name} any more"),
                );
            }
            Verdict::NamedFault { culprit, evidence } => {
                let offence = self.accuse(culprit, &id.short(), &evidence);
                self.fail(id, offence);
            }
        }
    }

    /// A verified signature came out.
    fn finish_session(&mut self, id: SessionId, signature: EcdsaSignature) {
        let Some(live) = self.sessions.live.get(&id) else {
            return;
        };
        let signed = live
            .signable
            .assemble(signature.r, signature.s, signature.recovery_id);
        let slot = live.slot;
        let opener = live.record.opener == self.me;
        match signed {
            Err(mismatch) => self.fail(id, mismatch.to_string()),
            Ok(signed) => {
                self.settle_with_opener(id, true);
                self.sessions.live.remove(&id);
                let result = SessionResult::Signed(signature);
                self.append_unasked(Entry::SessionOutcome {
                    session: id,
                    result,
                });
                if opener {
                    self.broadcast(slot.chain, signed);
                }
            }
        }
    }

    fn settle_with_opener(&mut self, id: SessionId, signed: bool) {
        let opener = self.sessions.live.get(&id).map(|live| live.record.opener);
        if let Some(peer) = opener.and_then(|party| self.peers.get_mut(&party)) {
            peer.opened(signed, self.now);
        }
    }

    /// Ends a session without a signature. Somebody else of the quorum may hold one: the slot excludes a second payment.
    pub(super) fn fail(&mut self, id: SessionId, reason: String) {
        self.settle_with_opener(id, false);
        let Some(live) = self.sessions.live.remove(&id) else {
            return;
        };
        let ended = Message::Decline {
            session: id,
            reason: Decline::Ended(reason.clone()),
        };
        self.tell_quorum(&live.record.quorum, &ended);
        self.append_unasked(Entry::SessionOutcome {
            session: id,
            result: SessionResult::Failed { reason },
        });
        self.sessions.take_early(&id);
        self.stirred = true;
    }

    /// A member of the quorum is out, so the session can come to nothing here.
    pub(super) fn on_decline(&mut self, from: PartyId, id: SessionId, reason: &Decline) {
        let in_quorum = |live: &Live| live.record.quorum.contains(&from);
        if !self.sessions.live.get(&id).is_some_and(in_quorum) {
            return;
        }
        let name = self.charter.name_of(&from);
        let why = match reason {
            Decline::NotAllowed(why) => {
                self.penalise(from);
                format!("{name} does not allow it: {}", cut(why))
            }
            Decline::Busy => format!("{name} is in another session for this slot"),
            Decline::Banned(party) => {
                self.openings.incompatible.insert((from, *party));
                format!("{name} does not sign with {}", self.charter.name_of(party))
            }
            Decline::CatchingUp => {
                self.penalise(from);
                format!("{name} has not caught up since its start")
            }
            Decline::Mismatch(why) => {
                self.penalise(from);
                format!("{name} finds the final bytes wrong: {}", cut(why))
            }
            Decline::Ended(why) => format!("it ended for {name}: {}", cut(why)),
        };
        self.fail(id, why);
    }

    /// Ends sessions that nobody helps on, and forgets envelopes of sessions that never began.
    pub(super) fn end_stale_sessions(&mut self) {
        let now = self.now;
        self.sessions
            .early
            .retain(|early| now.since_ms(early.at) < EARLY_MS);
        let running: Vec<(SessionId, Time, Vec<PartyIndex>)> = self
            .sessions
            .live
            .iter()
            .filter_map(|(id, live)| match &live.stage {
                Stage::Running(running) => {
                    Some((*id, running.progress, running.session.waiting_for()))
                }
                Stage::Recording(_) => None,
            })
            .collect();
        for (id, progress, silent) in running {
            let deadline = progress.plus_ms(PROGRESS_MS);
            if now < deadline {
                self.wake_by(deadline);
                continue;
            }
            for party in silent
                .iter()
                .filter_map(|index| self.charter.member_at(*index).map(|m| m.party))
                .collect::<Vec<_>>()
            {
                self.penalise(party);
            }
            let names = self.names(silent);
            self.fail(id, format!("nothing came from {names}"));
        }
    }

    /// A member that was put back signs nothing: what runs ends here.
    pub(super) fn end_all_if_rolled_back(&mut self) {
        if self.rolled_back {
            let live: Vec<_> = self.sessions.live.keys().copied().collect();
            live.into_iter().for_each(|id| {
                self.fail(id, "this member was put back to an earlier copy".to_owned())
            });
        }
    }

    /// Closes sessions that an earlier run of this member left open.
    pub(super) fn close_left_open(&mut self) {
        if self.sessions.left_open_closed || !self.may_append_unasked() {
            return;
        }
        self.sessions.left_open_closed = true;
        let open: Vec<_> = self
            .state
            .unfinished_sessions(&self.me)
            .into_iter()
            .filter(|id| !self.sessions.is_live(id))
            .collect();
        for session in open {
            let result = SessionResult::Failed {
                reason: "restarted".to_owned(),
            };
            self.append_unasked(Entry::SessionOutcome { session, result });
        }
    }

    pub(super) fn penalise(&mut self, party: PartyId) {
        let until = self.now.plus_ms(super::peer::PENALTY_MS);
        if let Some(peer) = self.peers.get_mut(&party) {
            peer.penalised_until = until;
        }
    }
}

/// Words of another member, short enough for a log entry.
fn cut(words: &str) -> String {
    const MAX_CHARS: usize = 120;
    words
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARS)
        .collect()
}
