//! Act 0: the roster is confirmed, the keys are made, every member acknowledges them.
//!
//! One attempt at a time. A member enters an attempt by a durable `CeremonyStarted`, ends it by `Prepared` (its shares
//! are durable) or `Aborted` (it holds none and never will), and never both. State of the protocol is in memory only:
//! after a restart an attempt that was entered and not ended is aborted.

use ed25519_dalek::Signer;
use quorate_threshold::{
    EpochSecrets, KeygenOutput, KeygenParams, PublicKeys, Session, Step, Verdict,
};

use super::outbox::After;
use super::{Error, Vault, conduct};
use crate::entry::{Entry, Prepared};
use crate::fold::{Act0, prepared_hash};
use crate::ids::{PartyId, Time};
use crate::io::{Mutation, Outcome};
use crate::message::Message;

/// The act that makes the keys.
pub(super) const KEYGEN_ACT: u64 = 0;
/// The sharing generation that keygen makes.
pub(super) const FIRST_EPOCH: u64 = 1;
/// How long an attempt goes on without any message that helps.
const PROGRESS_MS: u64 = 60_000;
/// How long to wait after the first failed attempt; doubles with each, up to [`MAX_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1_000;
const MAX_PAUSE_MS: u64 = 30_000;
/// Most envelopes of one member kept for an attempt that has not begun here.
const MAX_EARLY: usize = 4;

/// How far this member is with its present attempt.
pub(super) enum Ceremony {
    /// None runs.
    Idle,
    /// Its record is on the way to disk.
    Recording(u32),
    /// Messages go to and fro.
    Running(Running),
    /// The shares are on the way to disk.
    Storing(Box<Storing>),
}

/// A running attempt.
pub(super) struct Running {
    attempt: u32,
    session: Box<dyn Session<KeygenOutput>>,
    progress: Time,
}

/// A finished attempt whose shares are not known to be durable.
pub(super) struct Storing {
    attempt: u32,
    public: PublicKeys,
}

/// What the founding keeps in memory.
pub(super) struct Founding {
    pub(super) ceremony: Ceremony,
    /// Envelopes of the next attempt, from members that were quicker.
    early: Vec<(u32, PartyId, Vec<u8>)>,
    /// No attempt begins before.
    not_before: Time,
    /// `Outcome::Active` was told in this run, or the vault was active when it began.
    pub(super) told_active: bool,
}

impl Default for Founding {
    fn default() -> Self {
        Self {
            ceremony: Ceremony::Idle,
            early: Vec::new(),
            not_before: Time(0),
            told_active: false,
        }
    }
}

impl Vault {
    /// The person compared the words.
    pub(super) fn confirm(&mut self, words: &str) -> Result<(), Error> {
        if !self.words().matches(words) {
            return Err(Error::WordsDiffer);
        }
        if !self.state.has_founded(&self.me) {
            self.append(Entry::Founded(Box::new(self.charter.as_ref().clone())))?;
        }
        self.out.done(Outcome::Confirmed);
        Ok(())
    }

    /// Does what act 0 asks of this member now.
    pub(super) fn advance_founding(&mut self) {
        self.end_stale_attempt();
        match self.state.act0() {
            Act0::Confirming { .. } => {}
            Act0::Keygen { attempt, .. } => self.begin_attempt(attempt),
            Act0::Preparing { .. } => {}
            Act0::Decided {
                attempt,
                public,
                unacknowledged,
            } => {
                if unacknowledged.contains(&self.me) && self.may_append_unasked() {
                    let public = public.hash();
                    self.append_unasked(Entry::Acknowledged {
                        act: KEYGEN_ACT,
                        attempt,
                        public,
                    });
                }
            }
            Act0::Active { .. } => {
                if !std::mem::replace(&mut self.founding.told_active, true) {
                    self.out.done(Outcome::Active);
                }
            }
        }
    }

    fn begin_attempt(&mut self, attempt: u32) {
        let idle = matches!(self.founding.ceremony, Ceremony::Idle);
        if !idle || !self.all_ready() || self.rolled_back {
            return;
        }
        if self.now < self.founding.not_before {
            self.wake_by(self.founding.not_before);
            return;
        }
        if self.append_unasked(Entry::CeremonyStarted {
            act: KEYGEN_ACT,
            attempt,
        }) {
            self.founding.ceremony = Ceremony::Recording(attempt);
            self.out.after_own(After::StartKeygen(attempt));
        }
    }

    fn all_ready(&self) -> bool {
        self.peers.values().all(super::peer::Peer::is_ready)
    }

    /// The record of the attempt is durable: round one.
    pub(super) fn start_keygen(&mut self, attempt: u32, rng: &mut dyn rand_core::CryptoRngCore) {
        if !matches!(self.founding.ceremony, Ceremony::Recording(a) if a == attempt) {
            return;
        }
        let params = KeygenParams {
            vault: self.id.0,
            epoch: FIRST_EPOCH,
            attempt,
            committee: self.committee.clone(),
            me: self.my_index,
            identity: self.identity.clone(),
        };
        let engine = self.engine.clone();
        match engine.keygen(params, rng) {
            Err(error) => self.abort_attempt(attempt, error.to_string()),
            Ok(started) => {
                let progress = self.now;
                self.founding.ceremony = Ceremony::Running(Running {
                    attempt,
                    session: started.session,
                    progress,
                });
                self.send_keygen(attempt, started.send);
                self.feed_early(attempt, rng);
                self.stirred = true;
            }
        }
    }

    fn feed_early(&mut self, attempt: u32, rng: &mut dyn rand_core::CryptoRngCore) {
        for (of, from, bytes) in std::mem::take(&mut self.founding.early) {
            if of == attempt {
                self.on_keygen(from, attempt, &bytes, rng);
            }
        }
    }

    fn send_keygen(&mut self, attempt: u32, send: Vec<quorate_threshold::Outgoing>) {
        for outgoing in send {
            if let Some(to) = self
                .charter
                .member_at(outgoing.to)
                .map(|member| member.party)
            {
                self.out.send(
                    to,
                    Message::Keygen {
                        attempt,
                        bytes: outgoing.bytes,
                    },
                );
            }
        }
    }

    /// A keygen envelope arrived.
    pub(super) fn on_keygen(
        &mut self,
        from: PartyId,
        attempt: u32,
        bytes: &[u8],
        rng: &mut dyn rand_core::CryptoRngCore,
    ) {
        let Some(index) = self.charter.index_of(&from) else {
            return;
        };
        let running = match &mut self.founding.ceremony {
            Ceremony::Running(running) if running.attempt == attempt => running,
            _ => return self.keep_early(from, attempt, bytes),
        };
        let step = running.session.receive(index, bytes, rng);
        if !matches!(step, Err(Verdict::Ignored(_))) {
            running.progress = self.now;
        }
        match step {
            Ok(Step { send, done }) => {
                self.send_keygen(attempt, send);
                if let Some(output) = done {
                    self.store_shares(attempt, output);
                }
            }
            Err(Verdict::Ignored(_)) => {}
            Err(Verdict::Abort(why)) => self.abort_attempt(attempt, why.to_string()),
            Err(Verdict::NamedFault { culprit, evidence }) => {
                let offence = self.accuse(culprit, &format!("keygen-{attempt}"), &evidence);
                self.abort_attempt(attempt, offence);
            }
            Err(Verdict::LocalBan { culprit, check }) => {
                self.ban(culprit, check);
                self.abort_attempt(attempt, check.to_string());
            }
        }
    }

    /// Keeps an envelope of the attempt that comes next here, a few a member.
    fn keep_early(&mut self, from: PartyId, attempt: u32, bytes: &[u8]) {
        let next = match (&self.founding.ceremony, self.state.act0()) {
            (Ceremony::Recording(recording), _) => *recording,
            (Ceremony::Idle | Ceremony::Running(_), Act0::Keygen { attempt, .. }) => attempt,
            (Ceremony::Idle, Act0::Confirming { .. }) => 1,
            _ => return,
        };
        let early = &mut self.founding.early;
        early.retain(|(of, ..)| *of >= next);
        let kept = early.iter().filter(|(_, party, _)| *party == from).count();
        // One ahead: the sender may know of an abort that has not arrived here.
        if (attempt == next || attempt == next.saturating_add(1)) && kept < MAX_EARLY {
            early.push((attempt, from, bytes.to_vec()));
        }
    }

    /// Shares first, PREPARED when they are durable.
    fn store_shares(&mut self, attempt: u32, output: KeygenOutput) {
        let KeygenOutput { public, secrets } = output;
        let plain = secrets.to_bytes();
        self.secrets.insert(attempt, secrets);
        self.founding.ceremony = Ceremony::Storing(Box::new(Storing { attempt, public }));
        let secret = Mutation::Secret {
            name: secret_name(attempt),
            epoch: FIRST_EPOCH,
            plain,
        };
        self.out.persist(secret, vec![After::Prepare(attempt)]);
    }

    /// The shares are durable.
    pub(super) fn prepare(&mut self, attempt: u32) {
        let Ceremony::Storing(storing) =
            std::mem::replace(&mut self.founding.ceremony, Ceremony::Idle)
        else {
            return;
        };
        let hash = prepared_hash(&self.id, KEYGEN_ACT, storing.attempt, &storing.public);
        let signature = self.identity.sign(&hash).to_bytes().to_vec();
        let prepared = Prepared {
            act: KEYGEN_ACT,
            attempt,
            public: storing.public,
            signature,
        };
        self.append_unasked(Entry::Prepared(Box::new(prepared)));
    }

    fn abort_attempt(&mut self, attempt: u32, reason: String) {
        self.founding.ceremony = Ceremony::Idle;
        let failures = attempt.saturating_sub(1).min(16);
        let pause = (FIRST_PAUSE_MS << failures).min(MAX_PAUSE_MS);
        self.founding.not_before = self.now.plus_ms(pause);
        self.append_unasked(Entry::Aborted {
            act: KEYGEN_ACT,
            attempt,
            reason,
        });
    }

    /// Ends an attempt that cannot come to anything: nobody helps it on, another member gave it up, or this member
    /// was restarted in the middle of it.
    fn end_stale_attempt(&mut self) {
        match &self.founding.ceremony {
            Ceremony::Running(running) => {
                let attempt = running.attempt;
                let deadline = running.progress.plus_ms(PROGRESS_MS);
                if !matches!(self.state.act0(), Act0::Keygen { attempt: next, .. } | Act0::Preparing { attempt: next, .. } if next == attempt)
                {
                    self.abort_attempt(attempt, "another member gave up".to_owned());
                } else if self.now >= deadline {
                    let silent = self.names(running.session.waiting_for());
                    self.abort_attempt(attempt, format!("nothing came from {silent}"));
                } else {
                    self.wake_by(deadline);
                }
            }
            Ceremony::Idle if self.may_append_unasked() => {
                for attempt in self.state.unfinished_attempts(&self.me) {
                    self.abort_attempt(attempt, "restarted".to_owned());
                }
            }
            _ => {}
        }
    }

    /// Holds a proven fault against a member, durably.
    pub(super) fn accuse(
        &mut self,
        culprit: quorate_threshold::PartyIndex,
        session: &str,
        evidence: &quorate_threshold::Evidence,
    ) -> String {
        let Some(party) = self.charter.member_at(culprit).map(|member| member.party) else {
            return "a stranger broke the protocol".to_owned();
        };
        self.out
            .persist(conduct::fault_note(party, session, evidence), Vec::new());
        self.conduct.at_fault.insert(party);
        let offence = format!(
            "{} broke the protocol, provably",
            self.charter.name_of(&party)
        );
        self.out.done(Outcome::Misbehaved {
            culprit: party,
            offence: offence.clone(),
        });
        offence
    }

    /// Never signs with a member again in this epoch; durable before anything more is sent.
    pub(super) fn ban(
        &mut self,
        culprit: quorate_threshold::PartyIndex,
        check: quorate_threshold::OtCheck,
    ) {
        let Some(party) = self.charter.member_at(culprit).map(|member| member.party) else {
            return;
        };
        self.out
            .persist(conduct::ban_note(party, check), Vec::new());
        self.conduct.banned.insert(party);
        self.out.done(Outcome::Misbehaved {
            culprit: party,
            offence: check.to_string(),
        });
    }

    /// Names of members by index, for a sentence.
    pub(super) fn names(&self, indices: Vec<quorate_threshold::PartyIndex>) -> String {
        let name = |index| {
            self.charter
                .member_at(index)
                .map(|member| member.name.clone())
        };
        indices
            .into_iter()
            .filter_map(name)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// Under which name the shares of an attempt are sealed.
fn secret_name(attempt: u32) -> String {
    format!("act-{KEYGEN_ACT}-attempt-{attempt}")
}

/// The attempt whose shares a sealed secret holds.
pub(super) fn attempt_of_secret(name: &str) -> Option<u32> {
    name.strip_prefix(&format!("act-{KEYGEN_ACT}-attempt-"))?
        .parse()
        .ok()
}

/// Reads sealed shares back.
pub(super) fn read_secrets(name: &str, plain: &[u8]) -> Result<EpochSecrets, Error> {
    EpochSecrets::from_bytes(plain).map_err(|error| Error::Damaged {
        what: format!("secret {name}"),
        why: error.to_string(),
    })
}
