//! Turns a chain of phases into a [`Session`]: one message a member and round, in order or one round early.

use std::collections::{BTreeMap, BTreeSet};

use rand_core::CryptoRngCore;

use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::envelope::Envelope;
use crate::session::{Outgoing, Session, Started, Step, Verdict, Why};

/// One round's state: it takes one message of every other member, then turns into the next.
pub(crate) trait Phase<T>: Send {
    /// The round whose messages this takes.
    fn round(&self) -> u8;

    /// Checks and keeps one member's message, already authenticated and the first of its round.
    ///
    /// After [`Verdict::Ignored`] the phase is as it was.
    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict>;

    /// Everybody's message is there.
    fn advance(
        self: Box<Self>,
        channel: &Channel,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<T>, Verdict>;
}

/// Where a phase leads.
pub(crate) enum Advance<T> {
    /// To the next round, with its messages.
    Next(Box<dyn Phase<T>>, RoundOutput),
    /// To the end.
    Done(T),
}

/// A running session. `phase` is gone when the session is over, and all secrets of it with it.
struct Machine<T> {
    channel: Channel,
    phase: Option<Box<dyn Phase<T>>>,
    /// Whose message of this round has been kept.
    got: BTreeSet<PartyIndex>,
    /// Authentic messages of the next round, at most one a member.
    early: BTreeMap<PartyIndex, Envelope>,
}

/// Starts a session at its first phase.
pub(crate) fn start<T: 'static>(
    mut channel: Channel,
    first: Box<dyn Phase<T>>,
    output: RoundOutput,
) -> Started<T> {
    let send = channel.seal(first.round(), output);
    let machine = Machine {
        channel,
        phase: Some(first),
        got: BTreeSet::new(),
        early: BTreeMap::new(),
    };
    Started {
        session: Box::new(machine),
        send,
    }
}

impl<T> Session<T> for Machine<T> {
    fn receive(
        &mut self,
        from: PartyIndex,
        bytes: &[u8],
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Step<T>, Verdict> {
        let result = self.take(from, bytes).and_then(|()| self.run(rng));
        let over = !matches!(
            &result,
            Ok(Step {
                done: None,
                verdict: None,
                ..
            }) | Err(Verdict::Ignored(_))
        );
        if over {
            self.phase = None;
            self.early.clear();
        }
        result
    }

    fn waiting_for(&self) -> Vec<PartyIndex> {
        match self.phase {
            Some(_) => self
                .channel
                .others()
                .filter(|index| !self.got.contains(index))
                .collect(),
            None => Vec::new(),
        }
    }

    fn round(&self) -> u8 {
        self.phase.as_ref().map_or(0, |phase| phase.round())
    }
}

impl<T> Machine<T> {
    /// Authenticates a message and puts it where it belongs.
    fn take(&mut self, from: PartyIndex, bytes: &[u8]) -> Result<(), Verdict> {
        let ignore = |why| Err(Verdict::Ignored(why));
        let Some(phase) = &self.phase else {
            return ignore(Why::SessionOver);
        };
        let now = phase.round();
        let envelope = self.channel.open(from, bytes)?;
        let round = envelope.header.round;
        if round > now.saturating_add(1) {
            return ignore(Why::TooEarly { round });
        }
        // Also for rounds that have passed: two broadcasts of one round convict at any time.
        self.channel.hear(&envelope)?;
        if round < now {
            return ignore(Why::Stale { round });
        }
        if round == now {
            return self.deliver(from, envelope);
        }
        if self.early.contains_key(&from) {
            return ignore(Why::Duplicate);
        }
        self.early.insert(from, envelope);
        Ok(())
    }

    fn deliver(&mut self, from: PartyIndex, envelope: Envelope) -> Result<(), Verdict> {
        if self.got.contains(&from) {
            return Err(Verdict::Ignored(Why::Duplicate));
        }
        if let Some(phase) = &mut self.phase {
            phase.accept(&self.channel, from, envelope)?;
        }
        self.got.insert(from);
        Ok(())
    }

    /// Goes through as many phases as the messages at hand allow.
    fn run(&mut self, rng: &mut dyn CryptoRngCore) -> Result<Step<T>, Verdict> {
        let mut send = Vec::new();
        while self.channel.others().all(|index| self.got.contains(&index)) {
            let Some(phase) = self.phase.take() else {
                break;
            };
            match phase.advance(&self.channel, rng) {
                Err(verdict) => return ended(send, verdict),
                Ok(Advance::Done(done)) => {
                    return Ok(Step {
                        send,
                        done: Some(done),
                        verdict: None,
                    });
                }
                Ok(Advance::Next(phase, output)) => {
                    send.extend(self.channel.seal(phase.round(), output));
                    self.phase = Some(phase);
                }
            }
            self.got.clear();
            for (from, envelope) in std::mem::take(&mut self.early) {
                match self.deliver(from, envelope) {
                    Ok(()) | Err(Verdict::Ignored(_)) => {}
                    Err(verdict) => return ended(send, verdict),
                }
            }
        }
        Ok(Step {
            send,
            ..Step::wait()
        })
    }
}

/// The session is over; what rounds that passed had to say is said.
fn ended<T>(send: Vec<Outgoing>, verdict: Verdict) -> Result<Step<T>, Verdict> {
    if send.is_empty() {
        return Err(verdict);
    }
    Ok(Step {
        send,
        done: None,
        verdict: Some(verdict),
    })
}
