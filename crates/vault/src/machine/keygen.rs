//! One attempt at keygen: its messages, and its shares' way to disk.

use ed25519_dalek::Signer;
use quorate_threshold::{EpochSecrets, KeygenOutput, KeygenParams, Outgoing, Step, Verdict};
use rand_core::CryptoRngCore;

use super::found::{Ceremony, FIRST_EPOCH, KEYGEN_ACT, Running, Storing};
use super::outbox::After;
use super::{Error, Vault};
use crate::entry::{Entry, Prepared};
use crate::fold::{Act0, prepared_hash};
use crate::ids::PartyId;
use crate::io::Mutation;
use crate::message::Message;

/// Most envelopes of one member kept for an attempt that has not begun here.
const MAX_EARLY: usize = 4;

impl Vault {
    /// The record of the attempt is durable: round one.
    pub(super) fn start_keygen(&mut self, attempt: u32, rng: &mut dyn CryptoRngCore) {
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

    fn feed_early(&mut self, attempt: u32, rng: &mut dyn CryptoRngCore) {
        for (of, from, bytes) in std::mem::take(&mut self.founding.early) {
            if of == attempt {
                self.on_keygen(from, attempt, &bytes, rng);
            }
        }
    }

    fn send_keygen(&mut self, attempt: u32, send: Vec<Outgoing>) {
        for mut outgoing in send {
            if let Some(to) = self
                .charter
                .member_at(outgoing.to)
                .map(|member| member.party)
            {
                self.out.send(
                    to,
                    Message::Keygen {
                        attempt,
                        bytes: std::mem::take(&mut *outgoing.bytes),
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
        rng: &mut dyn CryptoRngCore,
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
            Ok(Step {
                send,
                done,
                verdict,
            }) => {
                // What a verdict makes durable comes before anything that is said.
                if let Some(verdict) = verdict {
                    self.on_keygen_verdict(attempt, verdict);
                }
                self.send_keygen(attempt, send);
                if let Some(output) = done {
                    self.store_shares(attempt, output);
                }
            }
            Err(verdict) => self.on_keygen_verdict(attempt, verdict),
        }
    }

    fn on_keygen_verdict(&mut self, attempt: u32, verdict: Verdict) {
        match verdict {
            Verdict::Ignored(_) => {}
            Verdict::Abort(why) => self.abort_attempt(attempt, why.to_string()),
            Verdict::NamedFault { culprit, evidence } => {
                let offence = self.accuse(culprit, &format!("keygen-{attempt}"), &evidence);
                self.abort_attempt(attempt, offence);
            }
            Verdict::LocalBan { culprit, check } => {
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
        let sealed = secret_to_seal(attempt, &secrets);
        self.secrets.insert(attempt, secrets);
        self.founding.ceremony = Ceremony::Storing(Box::new(Storing { attempt, public }));
        self.out.persist(sealed, vec![After::Prepare(attempt)]);
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
}

/// Under which name the shares of an attempt are sealed.
fn secret_name(attempt: u32) -> String {
    format!("act-{KEYGEN_ACT}-attempt-{attempt}")
}

/// What makes the secrets of an attempt durable, in the place of what was sealed for it before.
pub(super) fn secret_to_seal(attempt: u32, secrets: &EpochSecrets) -> Mutation {
    Mutation::Secret {
        name: secret_name(attempt),
        epoch: FIRST_EPOCH,
        plain: secrets.to_bytes(),
    }
}

/// What deletes the secrets of an attempt.
pub(super) fn secret_to_forget(attempt: u32) -> Mutation {
    Mutation::Forget {
        name: secret_name(attempt),
        epoch: FIRST_EPOCH,
    }
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
