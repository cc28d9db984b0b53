//! The network between members: messages are dropped, doubled, reordered, delayed, and cut off by partitions.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use quorate_driver::Peers;
use quorate_vault::{Message, PartyId};
use rand_chacha::ChaCha8Rng;
use rand_core::RngCore;

use crate::chain::chance;

/// How the network treats a message.
#[derive(Clone, Copy, Debug)]
pub struct NetFaults {
    /// Of 1,000 messages, how many vanish.
    pub drop_per_mille: u32,
    /// Of 1,000 messages, how many come twice.
    pub twice_per_mille: u32,
    /// Longest delay, milliseconds; every message draws its own, so that messages overtake each other.
    pub delay_ms: u64,
}

impl NetFaults {
    /// Every message arrives once, after a moment.
    pub const NONE: Self = Self {
        drop_per_mille: 0,
        twice_per_mille: 0,
        delay_ms: 5,
    };
}

/// What members have handed over and the world has not looked at yet.
pub type Outbox = Rc<RefCell<Vec<(PartyId, PartyId, Message)>>>;

/// One member's way to the others.
pub struct SimPeers {
    me: PartyId,
    outbox: Outbox,
}

impl SimPeers {
    /// The channels of member `me`.
    pub fn new(me: PartyId, outbox: Outbox) -> Self {
        Self { me, outbox }
    }
}

impl Peers for SimPeers {
    fn send(&mut self, to: PartyId, message: Message) {
        self.outbox.borrow_mut().push((self.me, to, message));
    }
}

/// Who can reach whom.
pub struct Network {
    faults: NetFaults,
    cut: BTreeSet<(PartyId, PartyId)>,
}

impl Network {
    /// A network with these faults and no partition.
    pub fn new(faults: NetFaults) -> Self {
        Self {
            faults,
            cut: BTreeSet::new(),
        }
    }

    /// No faults and no partition from here on.
    pub fn heal(&mut self) {
        self.faults = NetFaults::NONE;
        self.cut.clear();
    }

    /// Cuts everything between `one` side and all others of `members`.
    pub fn partition(&mut self, one: &[PartyId], members: &[PartyId]) {
        for a in one {
            for b in members.iter().filter(|b| !one.contains(b)) {
                self.cut.insert((*a, *b));
                self.cut.insert((*b, *a));
            }
        }
    }

    /// Ends every partition.
    pub fn rejoin(&mut self) {
        self.cut.clear();
    }

    /// Whether a message can get from one to the other at all.
    pub fn reaches(&self, from: PartyId, to: PartyId) -> bool {
        !self.cut.contains(&(from, to))
    }

    /// After how many milliseconds each copy of one message arrives; none if it is lost.
    pub fn fate(&self, from: PartyId, to: PartyId, rng: &mut ChaCha8Rng) -> Vec<u64> {
        if !self.reaches(from, to) || chance(rng, self.faults.drop_per_mille) {
            return Vec::new();
        }
        let copies = if chance(rng, self.faults.twice_per_mille) {
            2
        } else {
            1
        };
        (0..copies)
            .map(|_| 1 + rng.next_u64() % self.faults.delay_ms.max(1))
            .collect()
    }
}
