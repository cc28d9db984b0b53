//! Act 0: the roster is confirmed, the keys are made, every member acknowledges them.
//!
//! One attempt at a time. A member enters an attempt by a durable `CeremonyStarted`, ends it by `Prepared` (its shares
//! are durable) or `Aborted` (it holds none and never will), and never both. State of the protocol is in memory only:
//! after a restart an attempt that was entered and not ended is aborted.

use std::collections::BTreeSet;

use quorate_threshold::{KeygenOutput, PublicKeys, Session};

use super::keygen::secret_to_forget;
use super::outbox::After;
use super::{Error, Vault};
use crate::entry::Entry;
use crate::fold::Act0;
use crate::ids::{PartyId, Time};
use crate::io::Outcome;

/// The act that makes the keys.
pub(super) const KEYGEN_ACT: u64 = 0;
/// The sharing generation that keygen makes.
pub(super) const FIRST_EPOCH: u64 = 1;
/// How long an attempt goes on without any message that helps.
const PROGRESS_MS: u64 = 60_000;
/// How long to wait after the first failed attempt; doubles with each, up to [`MAX_PAUSE_MS`].
const FIRST_PAUSE_MS: u64 = 1_000;
const MAX_PAUSE_MS: u64 = 30_000;
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
    pub(super) attempt: u32,
    pub(super) session: Box<dyn Session<KeygenOutput>>,
    pub(super) progress: Time,
}

/// A finished attempt whose shares are not known to be durable.
pub(super) struct Storing {
    pub(super) attempt: u32,
    pub(super) public: PublicKeys,
}

/// What the founding keeps in memory.
pub(super) struct Founding {
    pub(super) ceremony: Ceremony,
    /// Envelopes of the next attempt, from members that were quicker.
    pub(super) early: Vec<(u32, PartyId, Vec<u8>)>,
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
        self.forget_dead_attempts();
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

    /// Deletes the shares of attempts that can never be decided: a member signed that it gave the attempt up or said
    /// of it what does not hold, or another one is decided. Logs say each of that once and for all.
    fn forget_dead_attempts(&mut self) {
        if self.secrets.is_empty() || matches!(self.founding.ceremony, Ceremony::Storing(_)) {
            return;
        }
        let decided = match self.state.act0() {
            Act0::Decided { attempt, .. } | Act0::Active { attempt, .. } => Some(attempt),
            _ => None,
        };
        let dead: BTreeSet<u32> = match decided {
            Some(kept) => self
                .secrets
                .keys()
                .copied()
                .filter(|a| *a != kept)
                .collect(),
            // One member's word can be a branch of its log; what decided is in the logs of all, the own one among them.
            None if self.all_ready() => self.state.aborts().into_iter().map(|(a, ..)| a).collect(),
            None => BTreeSet::new(),
        };
        for attempt in dead {
            if self.secrets.remove(&attempt).is_some() {
                self.out.persist(secret_to_forget(attempt), Vec::new());
            }
        }
    }

    fn all_ready(&self) -> bool {
        self.peers.values().all(super::peer::Peer::is_ready)
    }

    /// Gives an attempt up, and waits longer before the next.
    pub(super) fn abort_attempt(&mut self, attempt: u32, reason: String) {
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
}
