//! Signing sessions, the side that every signer has.
//!
//! A session is entered by a durable [`SessionRecord`], and only then does its first message leave. It lives in
//! memory; after a restart a record without an outcome is closed as failed and the request is tried again in a new
//! session with fresh randomness. One session a slot at a time.

use quorate_chain::Signable;
use quorate_threshold::{
    ChildPath, EcdsaSignature, MessageDigest, Outgoing, SignParams, Step, Subject, Suite, Verdict,
    Why,
};
use rand_core::CryptoRngCore;

use super::Vault;
use super::ending::Fault;
use super::found::FIRST_EPOCH;
use super::outbox::After;
use super::sessions::{Early, Live, Running, Stage};
use crate::entry::{Entry, SessionRecord, SessionResult};
use crate::fold::SlotKey;
use crate::ids::{PartyId, RequestId, SessionId};
use crate::message::{Message, Open};

/// Most sessions of one request that this member ever enters. The fold believes a few more records than that of one
/// author, so none of its own is ever left out.
const MAX_ENTRIES: usize = 3_000;

impl Vault {
    /// Enters a session: the record first, round one when it is durable.
    pub(super) fn enter(
        &mut self,
        record: SessionRecord,
        signable: Signable,
        open: Option<Box<Open>>,
    ) {
        let session = record.session;
        // What an earlier run left open is told apart from this run's sessions by the order of the log.
        self.close_left_open();
        if !self.sessions.left_open_closed || self.entered(&record.request) >= MAX_ENTRIES {
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
            path: ChildPath::ROOT,
            key: *public.group_key(Suite::EcdsaSecp256k1),
            subject: Subject::Ecdsa(digest),
            public,
            identity: self.identity.clone(),
        };
        Some((params, attempt))
    }

    fn send_sign(&mut self, session: SessionId, send: Vec<Outgoing>) {
        for mut outgoing in send {
            if let Some(to) = self
                .charter
                .member_at(outgoing.to)
                .map(|member| member.party)
            {
                self.out.send(
                    to,
                    Message::Sign {
                        session,
                        bytes: std::mem::take(&mut *outgoing.bytes),
                    },
                );
            }
        }
    }

    pub(super) fn tell_quorum(&mut self, quorum: &[PartyId], message: &Message) {
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
            Ok(Step {
                send,
                done,
                verdict,
            }) => {
                // What a verdict makes durable comes before anything that is said.
                if let Some(verdict) = verdict {
                    self.on_verdict(id, verdict);
                }
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
            Verdict::Abort(Why::Local(error)) => self.fail(id, Why::Local(error).to_string()),
            Verdict::Abort(why) => {
                let whose = self.suspect_of(&why).map_or(Fault::Unclear, Fault::Of);
                self.fail_by(id, whose, why.to_string());
            }
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

    /// Whose message a check failed on, if on one's; no proof.
    fn suspect_of(&self, why: &Why) -> Option<PartyId> {
        let index = match why {
            Why::CheckFailed { suspect, .. } => *suspect,
            Why::TranscriptMismatch { from } => Some(*from),
            _ => None,
        };
        Some(self.charter.member_at(index?)?.party)
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
                self.praise_quorum(id);
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

    fn praise_quorum(&mut self, id: SessionId) {
        let quorum = self.sessions.live.get(&id).map(|live| &live.record.quorum);
        for party in quorum.into_iter().flatten() {
            if let Some(peer) = self.peers.get_mut(party) {
                peer.signed(self.now);
            }
        }
    }
}
