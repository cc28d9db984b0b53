//! Network, clock and chain as a driver sees them.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, VecDeque};
use std::rc::Rc;

use quorate_chain::ChainId;
use quorate_driver::{Chain, Clock, Peers};
use quorate_vault::io::Query;
use quorate_vault::{ChainFact, Message, PartyId, Time};

use crate::fake_chain::FakeChain;

/// All that is under way, and all that ever was.
#[derive(Default)]
pub(crate) struct Net {
    pub(crate) queue: VecDeque<(PartyId, PartyId, Message)>,
    pub(crate) sent: Vec<(PartyId, PartyId, Message)>,
    pub(crate) cut: BTreeSet<(PartyId, PartyId)>,
    /// The next message that passes this test is lost.
    pub(crate) loses: Option<fn(&Message) -> bool>,
}

pub(crate) struct MemPeers {
    pub(crate) me: PartyId,
    pub(crate) net: Rc<RefCell<Net>>,
}

impl Peers for MemPeers {
    fn send(&mut self, to: PartyId, message: Message) {
        assert!(message.encode().len() <= quorate_vault::message::MAX_MESSAGE_BYTES);
        let mut net = self.net.borrow_mut();
        net.sent.push((self.me, to, message.clone()));
        if net.loses.take_if(|lost| lost(&message)).is_some() {
            return;
        }
        net.queue.push_back((self.me, to, message));
    }
}

#[derive(Clone)]
pub(crate) struct MemClock {
    pub(crate) now: Rc<Cell<u64>>,
    /// How far the wall clock is off.
    pub(crate) off: Rc<Cell<i64>>,
}

impl Clock for MemClock {
    fn now(&self) -> Time {
        Time(self.now.get().saturating_add_signed(self.off.get()))
    }

    fn uptime_ms(&self) -> u64 {
        self.now.get()
    }
}

pub(crate) struct MemChain {
    pub(crate) me: usize,
    pub(crate) chain: Rc<RefCell<FakeChain>>,
    pub(crate) facts: Rc<RefCell<VecDeque<(usize, ChainFact)>>>,
}

impl Chain for MemChain {
    fn ask(&mut self, query: Query) {
        let fact = self.chain.borrow().answer(query);
        self.facts.borrow_mut().push_back((self.me, fact));
    }

    fn broadcast(&mut self, chain: ChainId, raw: Vec<u8>, hash: [u8; 32]) {
        let result = if self.chain.borrow().down {
            Err("down".to_owned())
        } else {
            self.chain.borrow_mut().take(&raw)
        };
        self.facts.borrow_mut().push_back((
            self.me,
            ChainFact::Broadcast {
                chain,
                hash,
                result,
            },
        ));
    }
}
