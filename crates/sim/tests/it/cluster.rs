//! A few vaults under their drivers, with a network that delivers in order, an obedient chain, and disks in memory.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;
use std::sync::{Arc, Mutex};

use ed25519_dalek::{Signer, SigningKey};
use quorate_chain::ChainId;
use quorate_chain::evm::{Address, Fees, Wei};
use quorate_driver::{Driver, DriverError, Stepped};
use quorate_sim::stub::StubEngine;
use quorate_threshold::Engine;
use quorate_vault::charter::{Charter, FOUNDING_VERSION, Member, Role, Rule};
use quorate_vault::entry::Approval;
use quorate_vault::fold::RequestState;
use quorate_vault::io::{Amount, Proposal};
use quorate_vault::machine::{Error, Phase, RequestView, Setup};
use quorate_vault::{
    ChainFact, Command, Input, Message, Outcome, PartyId, RequestId, Time, Vault, VaultId,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::disk::{Disk, MemJournal};
use crate::fake_chain::FakeChain;
use crate::seams::{MemChain, MemClock, MemPeers, Net};

pub(crate) const CHAIN: ChainId = ChainId::Eip155(31337);
pub(crate) const START: u64 = 1_790_000_000_000;
pub(crate) const HOUR_MS: u64 = 3_600_000;
const BLOCK_MS: u64 = 1_000;
pub(crate) const GWEI: u128 = 1_000_000_000;

type MemDriver = Driver<MemJournal, MemPeers, MemClock, MemChain>;

pub(crate) struct Node {
    pub(crate) party: PartyId,
    pub(crate) identity: Arc<SigningKey>,
    pub(crate) credential: SigningKey,
    pub(crate) engine: Arc<dyn Engine>,
    pub(crate) disk: Rc<RefCell<Disk>>,
    pub(crate) driver: Option<MemDriver>,
    pub(crate) outcomes: Vec<Outcome>,
    /// How far its wall clock is off at present.
    pub(crate) clock_off: Rc<Cell<i64>>,
    /// Down on purpose: not restarted by itself.
    pub(crate) off: bool,
}

pub(crate) struct Cluster {
    pub(crate) charter: Charter,
    pub(crate) nodes: Vec<Node>,
    pub(crate) net: Rc<RefCell<Net>>,
    pub(crate) chain: Rc<RefCell<FakeChain>>,
    facts: Rc<RefCell<VecDeque<(usize, ChainFact)>>>,
    now: Rc<Cell<u64>>,
    next_block: u64,
    rng: ChaCha8Rng,
    proposals: u64,
}

impl Cluster {
    pub(crate) fn new(threshold: u8, n: u8) -> Self {
        Self::with_engines(threshold, (0..n).map(|_| StubEngine::default()).collect())
    }

    pub(crate) fn with_engines(threshold: u8, engines: Vec<StubEngine>) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut nodes = Vec::new();
        let mut members = Vec::new();
        for (engine, name) in engines
            .into_iter()
            .zip(["alice", "bob", "carol", "dave", "erin"])
        {
            let identity = SigningKey::generate(&mut rng);
            let credential = SigningKey::generate(&mut rng);
            let party = PartyId::of_identity(&identity.verifying_key().to_bytes());
            members.push(Member {
                party,
                name: name.to_owned(),
                identity: identity.verifying_key().to_bytes(),
                endpoint: SigningKey::generate(&mut rng).verifying_key().to_bytes(),
                credential: credential.verifying_key().to_bytes(),
                controller: "owner".to_owned(),
                domains: vec![name.to_owned()],
                role: Role::Signer,
                nonce: [7; 32],
            });
            nodes.push(Node {
                party,
                identity: Arc::new(identity),
                credential,
                engine: Arc::new(engine),
                disk: Rc::default(),
                driver: None,
                outcomes: Vec::new(),
                clock_off: Rc::default(),
                off: false,
            });
        }
        let charter = Charter {
            version: FOUNDING_VERSION,
            name: "family".to_owned(),
            nonce: [9; 32],
            threshold,
            rule: Rule::Approvals { k: threshold },
            members,
        };
        let mut cluster = Self {
            charter,
            nodes,
            net: Rc::default(),
            chain: Rc::default(),
            facts: Rc::default(),
            now: Rc::new(Cell::new(START)),
            next_block: START + BLOCK_MS,
            rng,
            proposals: 0,
        };
        for i in 0..cluster.nodes.len() {
            cluster.start(i);
        }
        cluster
    }

    /// A vault that everybody confirmed, made and acknowledged.
    pub(crate) fn active(threshold: u8, n: u8) -> Self {
        let mut cluster = Self::new(threshold, n);
        cluster.found();
        cluster
    }

    pub(crate) fn found(&mut self) {
        for i in 0..self.nodes.len() {
            let words = self.words();
            self.command(i, Command::Confirm { words }).unwrap();
        }
        self.until("the vault is active everywhere", |c| {
            (0..c.nodes.len()).all(|i| c.vault(i).phase() == Phase::Active)
        });
    }

    /// The six words; slow to make, so made once a charter.
    pub(crate) fn words(&self) -> String {
        static WORDS: Mutex<BTreeMap<VaultId, String>> = Mutex::new(BTreeMap::new());
        let mut known = WORDS.lock().unwrap();
        known
            .entry(self.charter.vault_id())
            .or_insert_with(|| self.charter.fingerprint().to_string())
            .clone()
    }

    pub(crate) fn now(&self) -> Time {
        Time(self.now.get())
    }

    pub(crate) fn vault(&self, i: usize) -> &Vault {
        self.nodes[i].driver.as_ref().unwrap().vault()
    }

    pub(crate) fn party(&self, i: usize) -> PartyId {
        self.nodes[i].party
    }

    fn is_up(&self, party: &PartyId) -> bool {
        self.nodes
            .iter()
            .any(|node| node.party == *party && node.driver.is_some())
    }

    fn linked(&self, a: PartyId, b: PartyId) -> bool {
        let cut = &self.net.borrow().cut;
        !cut.contains(&(a, b)) && !cut.contains(&(b, a)) && self.is_up(&a) && self.is_up(&b)
    }

    /// Starts a member from its disk and connects it to everybody who is up.
    pub(crate) fn start(&mut self, i: usize) {
        self.nodes[i].off = false;
        let node = &self.nodes[i];
        let setup = Setup {
            charter: self.charter.clone(),
            me: node.party,
            identity: node.identity.clone(),
            engine: node.engine.clone(),
        };
        let snapshot = node.disk.borrow().snapshot(node.party);
        let vault = Vault::restore(setup, snapshot, self.now()).unwrap();
        let peers = MemPeers {
            me: node.party,
            net: self.net.clone(),
        };
        let chain = MemChain {
            me: i,
            chain: self.chain.clone(),
            facts: self.facts.clone(),
        };
        let journal = MemJournal(node.disk.clone());
        let clock = MemClock {
            now: self.now.clone(),
            off: node.clock_off.clone(),
        };
        let driver = Driver::new(vault, journal, peers, clock, chain);
        let me = node.party;
        self.nodes[i].driver = Some(driver);
        let others: Vec<usize> = (0..self.nodes.len()).filter(|j| *j != i).collect();
        for j in others {
            if self.linked(me, self.party(j)) {
                self.step(i, vec![Input::Connected(self.party(j))]);
                self.step(j, vec![Input::Connected(me)]);
            }
        }
        self.step(i, Vec::new());
    }

    /// Ends a member's process; nothing but its disk is left.
    pub(crate) fn kill(&mut self, i: usize) {
        let me = self.party(i);
        self.nodes[i].driver = None;
        self.net
            .borrow_mut()
            .queue
            .retain(|(from, to, _)| *from != me && *to != me);
        self.facts.borrow_mut().retain(|(of, _)| *of != i);
        for j in 0..self.nodes.len() {
            if j != i {
                self.step(j, vec![Input::Disconnected(me)]);
            }
        }
    }

    /// Ends it for good, until `start`.
    pub(crate) fn switch_off(&mut self, i: usize) {
        self.nodes[i].off = true;
        self.kill(i);
    }

    pub(crate) fn restart(&mut self, i: usize) {
        self.kill(i);
        self.start(i);
    }

    pub(crate) fn cut(&mut self, i: usize, j: usize) {
        let (a, b) = (self.party(i), self.party(j));
        self.net.borrow_mut().cut.insert((a, b));
        self.net
            .borrow_mut()
            .queue
            .retain(|(from, to, _)| (*from, *to) != (a, b) && (*from, *to) != (b, a));
        self.step(i, vec![Input::Disconnected(b)]);
        self.step(j, vec![Input::Disconnected(a)]);
    }

    pub(crate) fn heal(&mut self, i: usize, j: usize) {
        let (a, b) = (self.party(i), self.party(j));
        self.net
            .borrow_mut()
            .cut
            .retain(|pair| *pair != (a, b) && *pair != (b, a));
        self.step(i, vec![Input::Connected(b)]);
        self.step(j, vec![Input::Connected(a)]);
    }

    fn step(&mut self, i: usize, inputs: Vec<Input>) -> Option<Stepped> {
        let Node {
            driver, outcomes, ..
        } = &mut self.nodes[i];
        match driver.as_mut()?.step(inputs, &mut self.rng) {
            Ok(stepped) => {
                outcomes.extend(stepped.done.iter().map(|answer| answer.outcome.clone()));
                Some(stepped)
            }
            Err(DriverError::Journal(_)) => {
                self.nodes[i].disk.borrow_mut().dies_at = None;
                self.kill(i);
                None
            }
            Err(DriverError::Stopped) => panic!("a stopped driver was used"),
        }
    }

    pub(crate) fn command(&mut self, i: usize, command: Command) -> Result<Vec<Outcome>, Error> {
        let Some(mut stepped) = self.step(i, vec![Input::Request(command)]) else {
            return Ok(Vec::new());
        };
        match stepped.refused.pop() {
            Some(refused) => Err(refused.error),
            None => Ok(stepped
                .done
                .into_iter()
                .filter(|a| a.input == Some(0))
                .map(|a| a.outcome)
                .collect()),
        }
    }

    /// Says something in another's name, over that one's channel.
    pub(crate) fn inject(&mut self, from: usize, to: usize, message: Message) {
        let from = self.party(from);
        self.step(to, vec![Input::Received(from, message)]);
    }

    /// A program in a member's place has a channel to `to`.
    pub(crate) fn pretend_connected(&mut self, of: usize, to: usize) {
        let party = self.party(of);
        self.step(to, vec![Input::Connected(party)]);
    }

    /// Delivers one message or answer, or lets time pass to the next thing that happens.
    fn tick(&mut self) {
        let message = self.net.borrow_mut().queue.pop_front();
        if let Some((from, to, message)) = message {
            if self.linked(from, to) {
                let i = self.nodes.iter().position(|node| node.party == to).unwrap();
                self.step(i, vec![Input::Received(from, message)]);
            }
            return;
        }
        let fact = self.facts.borrow_mut().pop_front();
        if let Some((i, fact)) = fact {
            self.step(i, vec![Input::Observed(fact)]);
            return;
        }
        self.pass_time();
    }

    fn pass_time(&mut self) {
        let wakes = self
            .nodes
            .iter()
            .filter_map(|node| node.driver.as_ref()?.wake_at());
        let next = wakes
            .map(|time| time.0)
            .chain([self.next_block])
            .min()
            .unwrap();
        self.now.set(next.max(self.now.get() + 1));
        if self.now.get() >= self.next_block {
            self.next_block = self.now.get() + BLOCK_MS;
            self.chain.borrow_mut().mine();
            // Who died comes back with the next block.
            let dead: Vec<_> = (0..self.nodes.len())
                .filter(|i| self.nodes[*i].driver.is_none() && !self.nodes[*i].off)
                .collect();
            dead.into_iter().for_each(|i| self.start(i));
        }
        let due: Vec<_> = (0..self.nodes.len())
            .filter(|i| {
                self.nodes[*i]
                    .driver
                    .as_ref()
                    .and_then(Driver::wake_at)
                    .is_some_and(|at| at <= self.now())
            })
            .collect();
        for i in due {
            self.step(i, Vec::new());
        }
    }

    pub(crate) fn run(&mut self, ms: u64) {
        let end = self.now.get() + ms;
        while self.now.get() < end {
            self.tick();
        }
    }

    /// Runs until something holds; it has ten minutes.
    pub(crate) fn until(&mut self, what: &str, holds: impl Fn(&Self) -> bool) {
        let end = self.now.get() + 600_000;
        while !holds(self) {
            assert!(
                self.now.get() < end,
                "after ten minutes still not: {what}\n{}",
                self.describe()
            );
            self.tick();
        }
    }

    fn describe(&self) -> String {
        let describe = |node: &Node| match &node.driver {
            None => "down".to_owned(),
            Some(driver) => {
                let vault = driver.vault();
                let requests: Vec<_> = vault
                    .requests()
                    .iter()
                    .map(|r| format!("{:?} {} {:?}", r.state, r.sentence, r.sessions))
                    .collect();
                format!(
                    "{:?} {:?} read only: {:?} presence {:?}\n    {}",
                    vault.view().phase,
                    vault.view().aborted,
                    vault.read_only(),
                    vault.presence(),
                    requests.join("\n    ")
                )
            }
        };
        self.nodes
            .iter()
            .map(describe)
            .collect::<Vec<_>>()
            .join("\n")
    }

    pub(crate) fn proposal(&mut self, to: Address, wei: u128) -> Proposal {
        self.proposals += 1;
        Proposal {
            chain: CHAIN,
            to,
            amount: Amount::Exact(Wei::from(wei)),
            bounds: Fees {
                max_fee_per_gas: 100 * GWEI,
                max_priority_fee_per_gas: 10 * GWEI,
            },
            expires: self.now().plus_ms(24 * HOUR_MS),
            note: format!("payment {}", self.proposals),
            idempotency_key: String::new(),
        }
    }

    pub(crate) fn propose(&mut self, i: usize, to: Address, wei: u128) -> RequestId {
        self.hear_the_others(i);
        let proposal = self.proposal(to, wei);
        let done = self
            .command(i, Command::Propose(Box::new(proposal)))
            .unwrap();
        match done.first() {
            Some(Outcome::Requested(id)) => *id,
            other => panic!("{other:?}"),
        }
    }

    /// What a daemon does before it hands a command on: right after a start it waits a moment.
    fn hear_the_others(&mut self, i: usize) {
        let end = self.now.get() + 5_000;
        while self.vault(i).unheard().is_some() && self.now.get() < end {
            self.tick();
        }
    }

    /// The person's consent to what this member's own screen shows.
    pub(crate) fn approval(&self, i: usize, id: RequestId) -> Approval {
        let standing = self.vault(i).state().standing(&id, self.now()).unwrap();
        let mut approval = Approval {
            request: id,
            charter_version: self.charter.version,
            intent_digest: standing.digest,
            expires: standing.request.expires,
            nonce: standing.request.nonce,
            signature: Vec::new(),
        };
        let hash = approval.hash(&self.charter.vault_id());
        approval.signature = self.nodes[i].credential.sign(&hash).to_bytes().to_vec();
        approval
    }

    pub(crate) fn approve(&mut self, i: usize, id: RequestId) {
        self.hear_the_others(i);
        let approval = self.approval(i, id);
        self.command(i, Command::Approve(approval)).unwrap();
    }

    /// The request that stands for this one now, as the first member knows.
    pub(crate) fn latest(&self, id: RequestId) -> RequestId {
        self.vault(0).state().latest(&id)
    }

    pub(crate) fn view(&self, i: usize, id: RequestId) -> RequestView {
        self.vault(i).request(&id).unwrap()
    }

    /// Runs until the request has arrived at all these members.
    pub(crate) fn arrived(&mut self, id: RequestId, members: &[usize]) {
        self.until("the request has arrived", |c| {
            members
                .iter()
                .all(|i| c.vault(*i).state().request_state(&id, c.now()).is_some())
        });
    }

    pub(crate) fn mined(&mut self, id: RequestId, members: &[usize]) {
        self.until("the request is mined", |c| {
            members.iter().all(|i| c.is_mined(*i, id))
        });
    }

    pub(crate) fn is_mined(&self, i: usize, id: RequestId) -> bool {
        let state = self.vault(i).state().request_state(&id, self.now());
        matches!(state, Some(RequestState::Mined { .. }))
    }

    pub(crate) fn fresh_address(&mut self) -> Address {
        let mut bytes = [0; 20];
        self.rng.fill_bytes(&mut bytes);
        Address::new(bytes)
    }

    /// Messages of one member to another that pass a test.
    pub(crate) fn sent(&self, from: usize, to: usize, test: impl Fn(&Message) -> bool) -> usize {
        let (from, to) = (self.party(from), self.party(to));
        self.net
            .borrow()
            .sent
            .iter()
            .filter(|(f, t, m)| *f == from && *t == to && test(m))
            .count()
    }
}
