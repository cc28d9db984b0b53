//! One vault on a thread of its own: inputs go in by a bounded queue, in batches that share a commit; whoever wants to
//! look at the vault sends a closure.
//!
//! A journal that fails ends the vault's memory, not the daemon: the vault is read from the journal again, as after a
//! kill, and goes on when the journal does.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use ed25519_dalek::SigningKey;
use quorate_driver::{Driver, DriverError};
use quorate_threshold::Engine;
use quorate_vault::machine::{Error, Setup};
use quorate_vault::{
    ChainFact, Charter, Command, Input, Message, Outcome, PartyId, Time, Vault, VaultId,
};
use rand_core::OsRng;
use thiserror::Error as ThisError;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch};
use tokio::time::timeout;

use super::journal::{StoreJournal, snapshot};
use super::news::Reporter;
use super::ports::{ChainPort, PeerPort, SystemClock};
use crate::chains::Chains;
use crate::error::split_remedy;
use crate::events::Events;
use crate::peers::Peers;
use crate::process::now_ms;
use crate::shelf::Shelf;

/// Jobs that wait for one vault; whoever brings more waits.
const MAX_JOBS: usize = 1024;
/// Log entries and other inputs that share one commit at the most; the store takes 4096 writes.
const MAX_BATCH: usize = 2048;
/// What members said and waits for one vault, in units of [`UNIT`] bytes: 32 MiB.
const MAX_UNITS: u32 = 32 * 1024;
/// Bytes of one unit.
const UNIT: usize = 1024;
/// How often a vault is told the time when nothing else happens.
const TICK: Duration = Duration::from_secs(1);
/// How long a command waits after a start for others to say what they hold of this member's log.
const HEARING: Duration = Duration::from_secs(5);
/// Pause after a journal failed.
const PAUSE: Duration = Duration::from_secs(2);
/// The protocols' scalars and matrices live on the stack in debug builds.
const STACK_BYTES: usize = 16 * 1024 * 1024;
/// Hashes of transactions that an endpoint took, as remembered.
const MAX_ACCEPTED: usize = 4096;

type VaultDriver = Driver<StoreJournal, PeerPort, SystemClock, ChainPort>;
type Looking = Box<dyn FnOnce(Result<Seen<'_>, HostError>) + Send>;

/// What a vault is given to do.
pub(crate) enum Job {
    /// Something happened.
    Input(Input),
    /// A member said something; the room that it takes comes free when it has been dealt with.
    Heard(PartyId, Message, OwnedSemaphorePermit),
    /// The person asks.
    Command(Command, oneshot::Sender<Result<Outcome, HostError>>),
    /// Somebody wants to look.
    Look(Looking),
    /// The vault is registered now: whoever is online already is told.
    Greet,
    /// End the thread.
    Stop,
}

/// A vault as it stands between two steps.
pub(crate) struct Seen<'a> {
    /// The vault.
    pub(crate) vault: &'a Vault,
    /// Hashes of transactions that an endpoint took since the start.
    pub(crate) accepted: &'a BTreeSet<[u8; 32]>,
}

/// Why a vault does not do as asked.
#[derive(Debug, ThisError)]
pub(crate) enum HostError {
    /// It refuses; nothing has changed.
    #[error(transparent)]
    Refused(#[from] Error),
    /// Its journal failed.
    #[error("{0}")]
    Journal(String),
    /// The daemon is stopping.
    #[error("the daemon is stopping; start it again")]
    Stopping,
}

/// All that a vault's thread is made of.
pub(crate) struct Parts {
    /// Local name.
    pub(crate) name: String,
    /// The founding charter.
    pub(crate) charter: Charter,
    /// This member.
    pub(crate) me: PartyId,
    /// Its identity key.
    pub(crate) identity: Arc<SigningKey>,
    /// The threshold protocols.
    pub(crate) engine: Arc<dyn Engine>,
    /// The store.
    pub(crate) shelf: Shelf,
    /// The channels.
    pub(crate) peers: Peers,
    /// The chains.
    pub(crate) chains: Chains,
    /// Where news go.
    pub(crate) events: Arc<Events>,
}

/// A vault that runs. Cheap to clone.
#[derive(Clone)]
pub(crate) struct VaultHandle {
    /// Which.
    pub(crate) id: VaultId,
    /// Its founding charter.
    pub(crate) charter: Arc<Charter>,
    jobs: mpsc::Sender<Job>,
    room: Arc<Semaphore>,
    changes: watch::Receiver<u64>,
}

impl VaultHandle {
    /// Asks for something and waits until it is durable or refused. None if it is done without an answer. Right after a
    /// start it gives the others a moment to be heard of.
    ///
    /// # Errors
    /// [`HostError`].
    pub(crate) async fn command(&self, command: Command) -> Result<Outcome, HostError> {
        let deadline = Instant::now() + HEARING;
        while self.look(|seen| seen.vault.unheard().is_some()).await? && Instant::now() < deadline {
            tokio::time::sleep(HEARING / 50).await;
        }
        let (answer, answered) = oneshot::channel();
        self.jobs
            .send(Job::Command(command, answer))
            .await
            .map_err(|_| HostError::Stopping)?;
        answered.await.unwrap_or(Err(HostError::Stopping))
    }

    /// Looks at the vault between two steps.
    ///
    /// # Errors
    /// [`HostError::Stopping`], or [`HostError::Journal`] if the vault cannot be read.
    pub(crate) async fn look<T: Send + 'static>(
        &self,
        f: impl FnOnce(Seen<'_>) -> T + Send + 'static,
    ) -> Result<T, HostError> {
        let (answer, answered) = oneshot::channel();
        let look: Looking = Box::new(move |seen| {
            // An error means that whoever asked has gone.
            answer.send(seen.map(f)).ok();
        });
        self.jobs
            .send(Job::Look(look))
            .await
            .map_err(|_| HostError::Stopping)?;
        answered.await.unwrap_or(Err(HostError::Stopping))
    }

    /// Tells the vault that something happened; waits while its queue is full.
    pub(crate) async fn tell(&self, input: Input) {
        // An error means that the vault has stopped.
        self.jobs.send(Job::Input(input)).await.ok();
    }

    /// Tells the vault who is online already. To be called once news about members reach it: what happened before
    /// that is seen then, and what happens after it is told.
    pub(crate) fn greet(&self) {
        // The queue of a vault that has just started is empty; an error means that it has stopped.
        self.jobs.try_send(Job::Greet).ok();
    }

    /// Tells the vault what a member said in `bytes` bytes; waits while too much waits already, so that members
    /// cannot fill this one's memory.
    pub(crate) async fn hear(&self, from: PartyId, message: Message, bytes: usize) {
        let units = u32::try_from(bytes / UNIT + 1)
            .unwrap_or(u32::MAX)
            .min(MAX_UNITS);
        let room = Arc::clone(&self.room).acquire_many_owned(units).await;
        if let Ok(room) = room {
            // An error means that the vault has stopped.
            self.jobs.send(Job::Heard(from, message, room)).await.ok();
        }
    }

    /// Whether a party is a member.
    pub(crate) fn has_member(&self, party: &PartyId) -> bool {
        self.charter.member(party).is_some()
    }

    /// Tells when something may have changed.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.clone()
    }

    /// Ends the thread after what waits; it is not waited for.
    pub(crate) async fn stop(&self) {
        self.jobs.send(Job::Stop).await.ok();
    }
}

/// Starts a vault from its journal.
///
/// # Errors
/// What the journal kept is not this vault's, or the journal fails.
pub(crate) fn start(
    parts: Parts,
    runtime: &Handle,
) -> Result<(VaultHandle, thread::JoinHandle<()>), StartError> {
    let (sender, jobs) = mpsc::channel(MAX_JOBS);
    let (changes, changed) = watch::channel(0);
    let id = parts.charter.vault_id();
    let charter = Arc::new(parts.charter.clone());
    let chain = ChainPort::new(parts.chains.clone(), sender.downgrade(), runtime.clone());
    let driver = build(&parts, chain)?;
    let reporter = Reporter::new(
        parts.name.clone(),
        Arc::clone(&parts.events),
        driver.vault(),
    );
    let host = Host {
        parts,
        driver: Ok(driver),
        jobs,
        weak: sender.downgrade(),
        runtime: runtime.clone(),
        changes,
        accepted: BTreeSet::new(),
        reporter,
        paused_until: None,
    };
    let thread = thread::Builder::new()
        .name("vault".to_owned())
        .stack_size(STACK_BYTES);
    let thread = thread
        .spawn(move || host.run())
        .map_err(StartError::Thread)?;
    Ok((
        VaultHandle {
            id,
            charter,
            jobs: sender,
            room: Arc::new(Semaphore::new(MAX_UNITS as usize)),
            changes: changed,
        },
        thread,
    ))
}

/// Why a vault does not start.
#[derive(Debug, ThisError)]
#[allow(missing_docs)]
pub(crate) enum StartError {
    #[error(transparent)]
    Store(#[from] quorate_store::Error),
    #[error(transparent)]
    Vault(Box<Error>),
    #[error("no thread for a vault: {0}")]
    Thread(std::io::Error),
}

fn build(parts: &Parts, chain: ChainPort) -> Result<VaultDriver, StartError> {
    let vault = parts.charter.vault_id();
    let snapshot = parts.shelf.with(|store| snapshot(store, &vault))?;
    let setup = Setup {
        charter: parts.charter.clone(),
        me: parts.me,
        identity: Arc::clone(&parts.identity),
        engine: Arc::clone(&parts.engine),
    };
    let restored = Vault::restore(setup, snapshot, Time(now_ms()))
        .map_err(|error| StartError::Vault(Box::new(error)))?;
    let journal = StoreJournal {
        shelf: parts.shelf.clone(),
        vault,
        me: parts.me,
    };
    let peers = PeerPort {
        peers: parts.peers.clone(),
        vault,
    };
    let started = Instant::now();
    let clock = SystemClock { started };
    Ok(Driver::new(restored, journal, peers, clock, chain))
}

struct Host {
    parts: Parts,
    /// The error's words once even reading the journal failed.
    driver: Result<VaultDriver, String>,
    jobs: mpsc::Receiver<Job>,
    weak: mpsc::WeakSender<Job>,
    runtime: Handle,
    changes: watch::Sender<u64>,
    accepted: BTreeSet<[u8; 32]>,
    reporter: Reporter,
    paused_until: Option<(Instant, String)>,
}

/// Jobs that share one step.
#[derive(Default)]
struct Batch {
    inputs: Vec<Input>,
    asked: Vec<(usize, oneshot::Sender<Result<Outcome, HostError>>)>,
    looks: Vec<Looking>,
    rooms: Vec<OwnedSemaphorePermit>,
    greet: bool,
    weight: usize,
    stop: bool,
}

impl Batch {
    fn add(&mut self, job: Job) {
        match job {
            Job::Input(input) => {
                self.weight += weight(&input);
                self.inputs.push(input);
            }
            Job::Heard(from, message, room) => {
                self.rooms.push(room);
                self.add(Job::Input(Input::Received(from, message)));
            }
            Job::Command(command, answer) => {
                self.asked.push((self.inputs.len(), answer));
                self.inputs.push(Input::Request(command));
                self.weight += 1;
            }
            Job::Look(look) => self.looks.push(look),
            Job::Greet => self.greet = true,
            Job::Stop => self.stop = true,
        }
    }
}

/// About how many rows an input can lead to.
fn weight(input: &Input) -> usize {
    match input {
        Input::Received(_, Message::Entries { entries, .. }) => entries.len() + 1,
        _ => 4,
    }
}

impl Host {
    fn run(mut self) {
        loop {
            let batch = self.gather();
            let stop = batch.stop;
            self.carry_out(batch);
            if stop {
                return self.part();
            }
        }
    }

    /// Every channel is about to end, so every session ends now, on record. One without an end would count as cut off by a
    /// crash, and those are counted against its members.
    fn part(&mut self) {
        let parties: Vec<PartyId> = self.parts.charter.parties().collect();
        self.step(
            parties.into_iter().map(Input::Disconnected).collect(),
            Vec::new(),
        );
    }

    /// Waits for a job, the vault's wish to be woken, or the next tick; then takes what else is there.
    fn gather(&mut self) -> Batch {
        let wish = self.driver.as_ref().ok().and_then(VaultDriver::wake_at);
        let wait = wish.map_or(TICK, |at| {
            Duration::from_millis(at.since_ms(Time(now_ms()))).min(TICK)
        });
        let jobs = &mut self.jobs;
        let first = self
            .runtime
            .block_on(async { timeout(wait, jobs.recv()).await });
        let mut batch = Batch::default();
        match first {
            Ok(Some(job)) => batch.add(job),
            Ok(None) => batch.stop = true,
            Err(_) => {}
        }
        while batch.weight < MAX_BATCH && !batch.stop {
            let Ok(job) = self.jobs.try_recv() else { break };
            batch.add(job);
        }
        batch
    }

    fn carry_out(&mut self, batch: Batch) {
        let Batch {
            inputs,
            asked,
            looks,
            rooms,
            greet,
            ..
        } = batch;
        match self.fault() {
            Some(why) => refuse(asked, &why),
            None => self.step(inputs, asked),
        }
        drop(rooms);
        if greet {
            self.greet_members();
        }
        for look in looks {
            match &self.driver {
                Ok(driver) => look(Ok(Seen {
                    vault: driver.vault(),
                    accepted: &self.accepted,
                })),
                Err(why) => look(Err(HostError::Journal(why.clone()))),
            }
        }
    }

    /// Why nothing is done at present; inputs are lost then, as on a channel that is down.
    fn fault(&mut self) -> Option<String> {
        if let Err(why) = &self.driver {
            return Some(why.clone());
        }
        let (until, why) = self.paused_until.as_ref()?;
        if Instant::now() < *until {
            return Some(why.clone());
        }
        self.paused_until = None;
        self.greet_members();
        None
    }

    fn step(
        &mut self,
        inputs: Vec<Input>,
        asked: Vec<(usize, oneshot::Sender<Result<Outcome, HostError>>)>,
    ) {
        let eventful = !inputs.is_empty();
        self.note(&inputs);
        let Ok(driver) = &mut self.driver else { return };
        let stepped = match driver.step(inputs, &mut OsRng) {
            Ok(stepped) => stepped,
            Err(error) => return self.start_over(error, asked),
        };
        let mut refused = stepped.refused;
        for (index, answer) in asked {
            let refusal = refused
                .iter()
                .position(|one| one.input == Some(index))
                .map(|at| refused.swap_remove(at));
            let done = stepped
                .done
                .iter()
                .find(|one| one.input == Some(index))
                .map(|one| one.outcome.clone());
            let result = match (refusal, done) {
                (Some(refusal), _) => Err(HostError::Refused(refusal.error)),
                (None, Some(outcome)) => Ok(outcome),
                (None, None) => Ok(Outcome::Confirmed),
            };
            // An error means that whoever asked has gone.
            answer.send(result).ok();
        }
        self.reporter.report(driver.vault(), &stepped.done);
        if eventful || !stepped.done.is_empty() {
            self.changes.send_modify(|count| *count += 1);
        }
    }

    /// The journal failed: what is in memory is not durable, so it goes. The vault is read again, as after a kill.
    fn start_over(
        &mut self,
        error: DriverError<quorate_store::Error>,
        asked: Vec<(usize, oneshot::Sender<Result<Outcome, HostError>>)>,
    ) {
        let why = match &error {
            DriverError::Journal(cause) => cause.to_string(),
            DriverError::Stopped => error.to_string(),
        };
        tracing::error!(
            vault = self.parts.name,
            why,
            "the journal failed; the vault is read again"
        );
        refuse(asked, &why);
        self.paused_until = Some((Instant::now() + PAUSE, why));
        let chain = ChainPort::new(
            self.parts.chains.clone(),
            self.weak.clone(),
            self.runtime.clone(),
        );
        self.driver = build(&self.parts, chain).map_err(|error| {
            let (what, _) = split_remedy(&error.to_string());
            format!("{what}; stop the daemon and start it again")
        });
        self.changes.send_modify(|count| *count += 1);
    }

    /// Members whose channels stood before this vault was there.
    fn greet_members(&mut self) {
        let online: Vec<Input> = self
            .parts
            .charter
            .parties()
            .filter(|party| self.parts.peers.is_online(*party))
            .map(Input::Connected)
            .collect();
        self.step(online, Vec::new());
    }

    /// What people are told that is not in the vault.
    fn note(&mut self, inputs: &[Input]) {
        for input in inputs {
            self.reporter.hear(input, &self.parts.charter);
            if let Input::Observed(ChainFact::Broadcast {
                hash,
                result: Ok(()),
                ..
            }) = input
            {
                if self.accepted.len() == MAX_ACCEPTED {
                    self.accepted.pop_first();
                }
                self.accepted.insert(*hash);
            }
        }
    }
}

fn refuse(asked: Vec<(usize, oneshot::Sender<Result<Outcome, HostError>>)>, why: &str) {
    for (_, answer) in asked {
        answer.send(Err(HostError::Journal(why.to_owned()))).ok();
    }
}
