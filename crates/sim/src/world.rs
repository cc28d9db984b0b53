//! Many drivers under one seed: every event in one queue, ordered by time and then by number.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use quorate_chain::ChainId;
use quorate_driver::{Clock, Driver, Order};
use quorate_vault::entry::Purpose;
use quorate_vault::fold::Act0;
use quorate_vault::io::ChainFact;
use quorate_vault::machine::Setup;
use quorate_vault::{Input, Message, PartyId, Vault};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::cast::Cast;
use crate::chain::{ChainFaults, SimChain, chance};
use crate::disk::{Death, SimJournal};
use crate::net::{NetFaults, Network, Outbox, SimPeers};
use crate::seat::{Asked, Seat};
use crate::trace::Trace;
use crate::watch::Watch;

/// The chain of every world.
pub const CHAIN: ChainId = ChainId::Eip155(31337);
const BLOCK_MS: u64 = 1_000;
const PERSON_MS: u64 = 300;
const RESTART_MS: u64 = 700;
const NOTICE_MS: u64 = 150;

/// What happens in a run beside what the members do.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Everything that is drawn is drawn from this.
    pub seed: u64,
    /// Threshold.
    pub threshold: u8,
    /// Members.
    pub members: u8,
    /// Payments that each of the first two members asks for.
    pub payments: usize,
    /// The network until `heal_ms`.
    pub net: NetFaults,
    /// The chain until `heal_ms`.
    pub chain: ChainFaults,
    /// Of 1,000 commits, how many a member does not survive, until `heal_ms`.
    pub deaths_per_mille: u32,
    /// Deaths by name: member, commit, side; each happens once.
    pub deaths: Vec<(usize, u64, Death)>,
    /// Whether partitions come and go until `heal_ms`.
    pub partitions: bool,
    /// Largest difference between two members' clocks.
    pub skew_ms: u64,
    /// Largest jump of a clock; until `heal_ms` clocks also stand still and run slow or fast. None if 0.
    pub clock_jump_ms: u64,
    /// When the faults stop.
    pub heal_ms: u64,
    /// When everything that was asked for has to be done.
    pub end_ms: u64,
}

enum Event {
    Start(usize),
    Wake(usize, u64),
    Deliver(PartyId, PartyId, u64, Message),
    Fact(usize, u64, ChainFact),
    Link(usize, usize),
    Person(usize),
    Mine,
    Partition,
    Clock,
    Heal,
}

/// A cluster, its surroundings and its judge.
pub struct World<O: Order> {
    plan: Plan,
    cast: Cast,
    seats: Vec<Seat<O>>,
    queue: BTreeMap<(u64, u64), Event>,
    numbered: u64,
    now: Rc<Cell<u64>>,
    rng: ChaCha8Rng,
    outbox: Outbox,
    network: Network,
    chain: SimChain,
    healed: bool,
    /// What happened.
    pub trace: Trace,
    /// What must hold.
    pub watch: Watch,
}

impl<O: Order> World<O> {
    /// A world at rest.
    pub fn new(plan: Plan, cast: Cast) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(plan.seed);
        let now = Rc::new(Cell::new(0));
        let outbox: Outbox = Rc::default();
        let watch = Watch::new(&plan, &cast);
        let seats = (0..usize::from(plan.members))
            .map(|i| Seat::new(&plan, &cast, i, &now, &mut rng))
            .collect();
        let (network, chain) = (Network::new(plan.net), SimChain::new(CHAIN, plan.chain));
        let mut world = Self {
            seats,
            cast,
            queue: BTreeMap::new(),
            numbered: 0,
            now,
            rng,
            outbox,
            network,
            chain,
            healed: false,
            trace: Trace::default(),
            watch,
            plan,
        };
        world.begin();
        world
    }

    fn begin(&mut self) {
        for i in 0..self.seats.len() {
            self.at(1 + i as u64 * 10, Event::Start(i));
            self.at(100 + i as u64 * 7, Event::Person(i));
        }
        self.at(BLOCK_MS, Event::Mine);
        if self.plan.partitions {
            self.at(1_500, Event::Partition);
        }
        if self.plan.clock_jump_ms > 0 {
            self.at(1_200, Event::Clock);
        }
        self.at(self.plan.heal_ms, Event::Heal);
    }

    /// Runs until everything is done or the time is over; every broken promise is in `watch`.
    pub fn run(&mut self) {
        while let Some(((at, _), event)) = self.queue.pop_first() {
            self.now.set(at);
            if at > self.plan.end_ms {
                self.watch
                    .break_promise(format!("not done after {at} ms: {}", self.standing()));
                break;
            }
            self.happen(event);
            if self.healed && self.watch.is_done(&self.chain) && self.all_active() {
                break;
            }
        }
        self.inspect();
    }

    /// The disks, to enumerate crashes by what was durable when.
    pub fn commits(&self) -> Vec<u64> {
        self.seats
            .iter()
            .map(|seat| seat.disk.borrow().commits())
            .collect()
    }

    fn at(&mut self, at: u64, event: Event) {
        self.numbered += 1;
        self.queue.insert((at, self.numbered), event);
    }

    fn after(&mut self, ms: u64, event: Event) {
        let at = self.now.get() + ms;
        self.at(at, event);
    }

    fn happen(&mut self, event: Event) {
        match event {
            Event::Start(i) => self.start(i),
            Event::Wake(i, life) if self.lives(i, life) => self.step(i, Vec::new()),
            Event::Deliver(from, to, life, message) => self.deliver(from, to, life, message),
            Event::Fact(i, life, fact) if self.lives(i, life) => {
                self.step(i, vec![Input::Observed(fact)])
            }
            Event::Link(i, j) => self.link(i, j),
            Event::Person(i) => self.person(i),
            Event::Mine => {
                self.chain.mine(&mut self.rng);
                self.after(BLOCK_MS, Event::Mine);
            }
            Event::Partition => self.partition(),
            Event::Clock => self.disturb_a_clock(),
            Event::Heal => self.heal(),
            Event::Wake(..) | Event::Fact(..) => {}
        }
    }

    fn lives(&self, i: usize, life: u64) -> bool {
        self.seats
            .get(i)
            .is_some_and(|seat| seat.life == life && seat.driver.is_some())
    }

    fn say(&mut self, event: &str) {
        self.trace.say(self.now.get(), event);
    }

    fn start(&mut self, i: usize) {
        let charter = self.cast.charter.clone();
        let Some(seat) = self.seats.get_mut(i) else {
            return;
        };
        if seat.driver.is_some() {
            return;
        }
        let Some(role) = self.cast.roles.get(i) else {
            return;
        };
        let setup = Setup {
            charter,
            me: seat.party,
            identity: role.identity.clone(),
            engine: self.cast.engine.clone(),
        };
        let snapshot = seat.disk.borrow().snapshot(seat.party);
        let vault = match Vault::restore(setup, snapshot, seat.clock.now()) {
            Ok(vault) => vault,
            Err(error) => {
                return self
                    .watch
                    .break_promise(format!("member {i} does not start again: {error}"));
            }
        };
        let journal = SimJournal::new(seat.party, seat.disk.clone(), seat.death.clone());
        let peers = SimPeers::new(seat.party, self.outbox.clone());
        seat.life += 1;
        seat.driver = Some(Driver::with_order(
            vault,
            journal,
            peers,
            seat.clock.clone(),
            seat.endpoint.clone(),
        ));
        self.say(&format!("{i} starts"));
        self.step(i, Vec::new());
        for j in 0..self.seats.len() {
            self.after(2 + j as u64, Event::Link(i, j));
        }
    }

    /// Both ends learn that their channel stands, if it does.
    fn link(&mut self, i: usize, j: usize) {
        let (Some(a), Some(b)) = (self.seats.get(i), self.seats.get(j)) else {
            return;
        };
        let (pa, pb) = (a.party, b.party);
        if i == j || a.driver.is_none() || b.driver.is_none() || !self.network.reaches(pa, pb) {
            return;
        }
        self.step(i, vec![Input::Connected(pb)]);
        self.step(j, vec![Input::Connected(pa)]);
    }

    fn unlink(&mut self, i: usize, j: usize) {
        let (Some(a), Some(b)) = (self.seats.get(i), self.seats.get(j)) else {
            return;
        };
        let (pa, pb) = (a.party, b.party);
        self.step(i, vec![Input::Disconnected(pb)]);
        self.step(j, vec![Input::Disconnected(pa)]);
    }

    fn deliver(&mut self, from: PartyId, to: PartyId, life: u64, message: Message) {
        let Some(i) = self.index(to) else { return };
        if self.lives(i, life) && self.network.reaches(from, to) {
            let sender = self.index(from).unwrap_or(usize::MAX);
            self.say(&format!("{sender}>{i} {}", message.kind()));
            self.step(i, vec![Input::Received(from, message)]);
        }
    }

    fn person(&mut self, i: usize) {
        self.after(PERSON_MS, Event::Person(i));
        let Some(seat) = self.seats.get_mut(i) else {
            return;
        };
        let Some(driver) = &seat.driver else { return };
        let commands = seat.person.act(driver.vault(), CHAIN, seat.clock.now());
        if !commands.is_empty() {
            self.step(i, commands.into_iter().map(Input::Request).collect());
        }
    }

    /// Lets member `i` decide, carries out what it wants of the world, and buries it if its disk says so.
    fn step(&mut self, i: usize, inputs: Vec<Input>) {
        self.maybe_doom(i);
        let Some(seat) = self.seats.get_mut(i) else {
            return;
        };
        let Some(driver) = &mut seat.driver else {
            return;
        };
        let stepped = driver.step(inputs, &mut self.rng);
        // As a machine sleeps: for so long, whatever its clock does meanwhile.
        let sleep = driver.wake_at().map(|at| at.since_ms(seat.clock.now()));
        let life = seat.life;
        self.collect(i);
        match stepped {
            Ok(stepped) => {
                for answer in stepped.done {
                    self.watch.outcome(i, &answer.outcome);
                }
                let Some(ms) = sleep else { return };
                self.after(ms.max(1), Event::Wake(i, life));
            }
            Err(error) => self.bury(i, &error.to_string()),
        }
    }

    /// Draws whether the next commit of this member is its last.
    fn maybe_doom(&mut self, i: usize) {
        if self.healed || !chance(&mut self.rng, self.plan.deaths_per_mille) {
            return;
        }
        let death = if self.rng.next_u32().is_multiple_of(2) {
            Death::BeforeCommit
        } else {
            Death::AfterCommit
        };
        if let Some(seat) = self.seats.get(i) {
            let next = seat.disk.borrow().commits() + 1;
            seat.death.borrow_mut().get_or_insert((next, death));
        }
    }

    fn bury(&mut self, i: usize, why: &str) {
        self.say(&format!("{i} dies: {why}"));
        if let Some(seat) = self.seats.get_mut(i) {
            seat.driver = None;
        }
        for j in (0..self.seats.len()).filter(|j| *j != i) {
            let Some(party) = self.seats.get(i).map(|seat| seat.party) else {
                return;
            };
            // Others notice when the channel breaks; the world tells them in its own time.
            if self.seats.get(j).is_some_and(|seat| seat.driver.is_some()) {
                self.step(j, vec![Input::Disconnected(party)]);
            }
        }
        let wait = RESTART_MS + NOTICE_MS + self.rng.next_u64() % 500;
        self.after(wait, Event::Start(i));
    }

    /// Looks at everything that left member `i` in its last step, and sends it on its way.
    fn collect(&mut self, i: usize) {
        let sent: Vec<_> = self.outbox.borrow_mut().drain(..).collect();
        for (from, to, message) in sent {
            if let Some(seat) = self.seats.get(i) {
                self.watch.released(i, &message, to, &seat.disk.borrow());
            }
            let life = self
                .index(to)
                .and_then(|j| self.seats.get(j))
                .map_or(0, |seat| seat.life);
            for delay in self.network.fate(from, to, &mut self.rng) {
                self.after(delay, Event::Deliver(from, to, life, message.clone()));
            }
        }
        let Some(seat) = self.seats.get(i) else {
            return;
        };
        let life = seat.life;
        let asked: Vec<Asked> = seat.endpoint.asked.borrow_mut().drain(..).collect();
        for one in asked {
            let fact = match one {
                Asked::Query(query) => self.chain.answer(&query, &mut self.rng),
                Asked::Broadcast(raw, hash) => self.chain.broadcast(&raw, hash, &mut self.rng),
            };
            let delay = 5 + self.rng.next_u64() % 40;
            self.after(delay, Event::Fact(i, life, fact));
        }
    }

    fn partition(&mut self) {
        if self.healed {
            return;
        }
        let all: Vec<PartyId> = self.seats.iter().map(|seat| seat.party).collect();
        let alone = usize::try_from(self.rng.next_u32()).unwrap_or(0) % all.len().max(1);
        self.network.rejoin();
        let cut = self.rng.next_u32().is_multiple_of(2);
        self.say(if cut { "partition" } else { "rejoin" });
        for j in (0..all.len()).filter(|j| *j != alone) {
            if cut {
                self.unlink(alone, j);
            } else {
                self.link(alone, j);
            }
        }
        if let (true, Some(one)) = (cut, all.get(alone)) {
            self.network.partition(&[*one], &all);
        } else {
            self.link_all();
        }
        let next = 1_000 + self.rng.next_u64() % 4_000;
        self.after(next, Event::Partition);
    }

    fn disturb_a_clock(&mut self) {
        if self.healed {
            return;
        }
        let i = usize::try_from(self.rng.next_u32()).unwrap_or(0) % self.seats.len().max(1);
        if let Some(seat) = self.seats.get(i) {
            let what = seat.clock.disturb(self.plan.clock_jump_ms, &mut self.rng);
            self.say(&format!("clock of {i}: {what}"));
        }
        let next = 500 + self.rng.next_u64() % 4_000;
        self.after(next, Event::Clock);
    }

    fn heal(&mut self) {
        self.healed = true;
        self.network.heal();
        self.chain.heal();
        for seat in &self.seats {
            seat.death.borrow_mut().take();
            seat.clock.set_right();
        }
        for i in 0..self.seats.len() {
            self.step(i, Vec::new());
        }
        self.say("healed");
        for i in 0..self.seats.len() {
            self.start(i);
        }
        self.link_all();
    }

    fn link_all(&mut self) {
        for i in 0..self.seats.len() {
            for j in i + 1..self.seats.len() {
                self.link(i, j);
            }
        }
    }

    fn index(&self, party: PartyId) -> Option<usize> {
        self.seats.iter().position(|seat| seat.party == party)
    }

    fn all_active(&self) -> bool {
        self.seats.iter().all(|seat| {
            let vault = seat.driver.as_ref().map(Driver::vault);
            vault.is_some_and(|vault| matches!(vault.state().act0(), Act0::Active { .. }))
        })
    }

    /// What every promise says about the disks and the chain at the end.
    fn inspect(&mut self) {
        let disks: Vec<_> = self
            .seats
            .iter()
            .map(|seat| (seat.party, seat.disk.clone()))
            .collect();
        self.watch.inspect(&disks, &self.chain);
    }

    fn standing(&self) -> String {
        let mut all = String::new();
        for (i, seat) in self.seats.iter().enumerate() {
            let Some(vault) = seat.driver.as_ref().map(Driver::vault) else {
                all.push_str(&format!("\n  {i}: down"));
                continue;
            };
            let now = seat.clock.now();
            let (phase, presence) = (vault.phase(), vault.presence());
            all.push_str(&format!("\n  {i}: {phase:?} {presence:?}"));
            for standing in vault
                .state()
                .requests()
                .filter_map(|id| vault.state().standing(&id, now))
            {
                let (id, slot, state) = (standing.id, standing.slot.slot, standing.state);
                let may = vault.state().may_sign(&id, Purpose::Payment, now);
                let (fill, why) = (vault.state().fill_needed(&id, now), vault.blocked(&id));
                all.push_str(&format!(
                    "\n     {} slot {slot} {state:?}; {may:?}; fill {fill:?}; {why:?}",
                    id.short()
                ));
            }
        }
        all
    }
}
