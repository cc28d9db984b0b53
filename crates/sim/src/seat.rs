//! One member's place in a world.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use quorate_chain::{ChainId, evm};
use quorate_driver::{Chain, Driver, Order};
use quorate_vault::PartyId;
use quorate_vault::io::Query;
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

use crate::cast::Cast;
use crate::clock::SimClock;
use crate::disk::{Death, Disk, SimJournal};
use crate::net::SimPeers;
use crate::person::Person;
use crate::world::Plan;

/// What a member wants of its chain.
pub(crate) enum Asked {
    Query(Query),
    Broadcast(Vec<u8>, [u8; 32]),
}

/// A member's way to the chain.
#[derive(Clone, Default)]
pub(crate) struct SimEndpoint {
    pub(crate) asked: Rc<RefCell<Vec<Asked>>>,
}

impl Chain for SimEndpoint {
    fn ask(&mut self, query: Query) {
        self.asked.borrow_mut().push(Asked::Query(query));
    }

    fn broadcast(&mut self, _chain: ChainId, raw: Vec<u8>, hash: [u8; 32]) {
        self.asked.borrow_mut().push(Asked::Broadcast(raw, hash));
    }
}

/// One member: what a death leaves, and what it takes.
pub(crate) struct Seat<O: Order> {
    pub(crate) party: PartyId,
    pub(crate) driver: Option<Driver<SimJournal, SimPeers, SimClock, SimEndpoint, O>>,
    pub(crate) disk: Rc<RefCell<Disk>>,
    pub(crate) death: Rc<RefCell<Option<(u64, Death)>>>,
    pub(crate) clock: SimClock,
    pub(crate) endpoint: SimEndpoint,
    pub(crate) person: Person,
    /// Counts starts, so that what was meant for an earlier life does not reach a later one.
    pub(crate) life: u64,
}

impl<O: Order> Seat<O> {
    /// A member that was never started.
    pub(crate) fn new(
        plan: &Plan,
        cast: &Cast,
        i: usize,
        now: &Rc<Cell<u64>>,
        rng: &mut ChaCha8Rng,
    ) -> Self {
        let role = cast
            .roles
            .get(i)
            .expect("invariant: a role for every member");
        let to_ask: Vec<(evm::Address, u64)> = if i < 2 {
            (0..plan.payments)
                .map(|k| (crate::watch::recipient(i, k), 1_000 + k as u64))
                .collect()
        } else {
            Vec::new()
        };
        let death = plan
            .deaths
            .iter()
            .find(|(member, _, _)| *member == i)
            .map(|(_, commit, side)| (*commit, *side));
        Self {
            party: role.party,
            driver: None,
            disk: Rc::default(),
            death: Rc::new(RefCell::new(death)),
            clock: SimClock::new(now.clone(), rng.next_u64() % plan.skew_ms.max(1)),
            endpoint: SimEndpoint::default(),
            person: Person::new(role.party, role.credential.clone(), to_ask),
            life: 0,
        }
    }
}
