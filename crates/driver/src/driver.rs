//! The loop.

use std::marker::PhantomData;

use quorate_vault::machine::Error;
use quorate_vault::{Input, Outcome, Ticket, Time, Vault};
use rand_core::CryptoRngCore;

use crate::effects::Effects;
use crate::order::{Order, PersistFirst, carry_out};
use crate::seams::{Chain, Clock, Journal, Peers};

/// How many times one step feeds `Persisted` back before it returns to its owner. What is left waits for the next
/// step, which [`Driver::wake_at`] then asks for at once.
const MAX_ROUNDS: usize = 32;

/// One vault and the world around it.
pub struct Driver<J, P, C, X, O = PersistFirst> {
    vault: Vault,
    journal: J,
    peers: P,
    clock: C,
    chain: X,
    /// Durable, not yet told to the vault.
    persisted: Vec<Ticket>,
    wake_at: Option<Time>,
    stopped: bool,
    order: PhantomData<O>,
}

/// What one step brought.
#[derive(Debug, Default)]
pub struct Stepped {
    /// What came to its end; durable.
    pub done: Vec<Answer>,
    /// Inputs that the vault refused; each changed nothing.
    pub refused: Vec<Refused>,
}

/// Something that came to its end.
#[derive(Debug)]
pub struct Answer {
    /// Which of the step's inputs brought it, by position; none when it was the clock or the journal.
    pub input: Option<usize>,
    /// What it is.
    pub outcome: Outcome,
}

/// A refused input.
#[derive(Debug)]
pub struct Refused {
    /// Which of the step's inputs, by position; none when it was the clock or the journal.
    pub input: Option<usize>,
    /// Why.
    pub error: Error,
}

/// Why a driver does not go on.
#[derive(Debug, thiserror::Error)]
pub enum DriverError<E: std::error::Error> {
    /// The journal failed. Nothing of that batch was sent.
    #[error(
        "the journal failed, so this vault stopped and sent nothing; free or repair the disk and restart"
    )]
    Journal(#[source] E),
    /// The journal failed earlier.
    #[error("this vault stopped when its journal failed; free or repair the disk and restart")]
    Stopped,
}

impl<J: Journal, P: Peers, C: Clock, X: Chain> Driver<J, P, C, X> {
    /// Runs `vault` in the one right order.
    pub fn new(vault: Vault, journal: J, peers: P, clock: C, chain: X) -> Self {
        Self::with_order(vault, journal, peers, clock, chain)
    }
}

impl<J: Journal, P: Peers, C: Clock, X: Chain, O: Order> Driver<J, P, C, X, O> {
    /// Runs `vault` in the order that the type says; all but the simulator call [`Driver::new`].
    pub fn with_order(vault: Vault, journal: J, peers: P, clock: C, chain: X) -> Self {
        Self {
            vault,
            journal,
            peers,
            clock,
            chain,
            persisted: Vec::new(),
            wake_at: None,
            stopped: false,
            order: PhantomData,
        }
    }

    /// Tells the vault the time and `inputs`, and carries out what it answers until nothing is left to do.
    ///
    /// All inputs share one commit; what the vault answers to that commit is one more batch, and so on.
    ///
    /// # Errors
    /// [`DriverError`]: the journal failed, now or earlier.
    pub fn step(
        &mut self,
        inputs: Vec<Input>,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Stepped, DriverError<J::Error>> {
        if self.stopped {
            return Err(DriverError::Stopped);
        }
        let mut stepped = Stepped::default();
        let tick = Input::Tick {
            wall: self.clock.now(),
            uptime_ms: self.clock.uptime_ms(),
        };
        let mut batch = vec![(None, tick)];
        batch.extend(
            std::mem::take(&mut self.persisted)
                .into_iter()
                .map(persisted),
        );
        batch.extend(
            inputs
                .into_iter()
                .enumerate()
                .map(|(i, input)| (Some(i), input)),
        );
        self.wake_at = None;
        for _ in 0..MAX_ROUNDS {
            if batch.is_empty() {
                return Ok(stepped);
            }
            let effects = self.decide(batch, rng, &mut stepped);
            batch = self
                .apply(effects, &mut stepped)?
                .into_iter()
                .map(persisted)
                .collect();
        }
        self.persisted = batch
            .into_iter()
            .filter_map(|(_, input)| ticket(&input))
            .collect();
        self.wake_at = Some(self.clock.now());
        Ok(stepped)
    }

    /// When, by the clock, to call [`Driver::step`] at the latest; none while only an input can bring anything.
    pub fn wake_at(&self) -> Option<Time> {
        self.wake_at
    }

    /// The vault, to look at.
    pub fn vault(&self) -> &Vault {
        &self.vault
    }

    /// Ends the run and gives the journal, the peers, the clock and the chain back; the vault's memory is gone.
    pub fn into_seams(self) -> (J, P, C, X) {
        (self.journal, self.peers, self.clock, self.chain)
    }

    fn decide(
        &mut self,
        batch: Vec<(Option<usize>, Input)>,
        rng: &mut dyn CryptoRngCore,
        stepped: &mut Stepped,
    ) -> Effects {
        let mut effects = Effects::default();
        for (index, input) in batch {
            match self.vault.handle(input, rng) {
                Ok(outputs) => effects.take(index, outputs),
                Err(error) => stepped.refused.push(Refused {
                    input: index,
                    error,
                }),
            }
        }
        effects
    }

    fn apply(
        &mut self,
        mut effects: Effects,
        stepped: &mut Stepped,
    ) -> Result<Vec<Ticket>, DriverError<J::Error>> {
        let tickets = std::mem::take(&mut effects.tickets);
        let done = std::mem::take(&mut effects.done);
        let wake_at = effects.wake_at;
        if let Err(error) =
            carry_out::<O, J, P, X>(effects, &mut self.journal, &mut self.peers, &mut self.chain)
        {
            self.stopped = true;
            return Err(DriverError::Journal(error));
        }
        // The vault's time can be ahead of a clock that was put back.
        let wake_at = wake_at.map(|at| self.clock.now().plus_ms(at.since_ms(self.vault.now())));
        self.wake_at = wake_at.or(self.wake_at);
        stepped.done.extend(
            done.into_iter()
                .map(|(input, outcome)| Answer { input, outcome }),
        );
        Ok(tickets)
    }
}

fn persisted(ticket: Ticket) -> (Option<usize>, Input) {
    (None, Input::Persisted(ticket))
}

fn ticket(input: &Input) -> Option<Ticket> {
    match input {
        Input::Persisted(ticket) => Some(*ticket),
        _ => None,
    }
}
