//! Persist before send, in one small function.

use crate::effects::{Effects, Release};
use crate::seams::{Chain, Journal, Peers};

mod sealed {
    pub trait Sealed {}
}

/// In which order a batch is carried out. There is one right order; the other exists so that the simulator can
/// prove that it would notice.
pub trait Order: sealed::Sealed {
    /// Whether the journal's commit stands before everything that others can see.
    const PERSIST_FIRST: bool;
}

/// The right order: durable first, told afterwards.
#[derive(Debug)]
pub enum PersistFirst {}

/// The wrong order, for the simulator only: tells first, persists afterwards. It breaks G8 and G9 on purpose.
#[derive(Debug)]
pub enum MutateNoPersist {}

impl sealed::Sealed for PersistFirst {}
impl sealed::Sealed for MutateNoPersist {}

impl Order for PersistFirst {
    const PERSIST_FIRST: bool = true;
}

impl Order for MutateNoPersist {
    const PERSIST_FIRST: bool = false;
}

/// Carries out one batch: commits `effects.writes`, then releases what others can see.
pub(crate) fn carry_out<O: Order, J: Journal, P: Peers, X: Chain>(
    effects: Effects,
    journal: &mut J,
    peers: &mut P,
    chain: &mut X,
) -> Result<(), J::Error> {
    let Effects {
        writes, releases, ..
    } = effects;
    if O::PERSIST_FIRST {
        commit(writes, journal)?;
        release(releases, peers, chain);
    } else {
        release(releases, peers, chain);
        commit(writes, journal)?;
    }
    Ok(())
}

fn commit<J: Journal>(writes: Vec<crate::Write>, journal: &mut J) -> Result<(), J::Error> {
    if writes.is_empty() {
        Ok(())
    } else {
        journal.commit(writes)
    }
}

fn release<P: Peers, X: Chain>(releases: Vec<Release>, peers: &mut P, chain: &mut X) {
    for one in releases {
        match one {
            Release::Send(to, message) => peers.send(to, message),
            Release::Ask(query) => chain.ask(query),
            Release::Broadcast {
                chain: id,
                raw,
                hash,
            } => chain.broadcast(id, raw, hash),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use quorate_vault::io::{ChainId, Query};
    use quorate_vault::{Message, PartyId};

    use super::{MutateNoPersist, Order, PersistFirst, carry_out};
    use crate::effects::{Effects, Release};
    use crate::seams::{Chain, Journal, Peers, Write};

    #[derive(Debug, thiserror::Error)]
    #[error("full")]
    struct Full;

    /// Writes down what it is told, in order.
    struct Scribe<'a> {
        said: &'a RefCell<Vec<&'static str>>,
        full: bool,
    }

    impl Journal for Scribe<'_> {
        type Error = Full;
        fn commit(&mut self, _: Vec<Write>) -> Result<(), Full> {
            self.said.borrow_mut().push("commit");
            if self.full { Err(Full) } else { Ok(()) }
        }
    }

    impl Peers for Scribe<'_> {
        fn send(&mut self, _: PartyId, _: Message) {
            self.said.borrow_mut().push("send");
        }
    }

    impl Chain for Scribe<'_> {
        fn ask(&mut self, _: Query) {
            self.said.borrow_mut().push("ask");
        }
        fn broadcast(&mut self, _: ChainId, _: Vec<u8>, _: [u8; 32]) {
            self.said.borrow_mut().push("broadcast");
        }
    }

    fn carried_out<O: Order>(writes: Vec<Write>, full: bool) -> (bool, Vec<&'static str>) {
        let said = RefCell::default();
        let scribe = |full| Scribe { said: &said, full };
        let chain = ChainId::Eip155(1);
        let releases = vec![
            Release::Send(PartyId([1; 32]), Message::Heads { heads: Vec::new() }),
            Release::Ask(Query::Fees { chain }),
            Release::Broadcast {
                chain,
                raw: Vec::new(),
                hash: [0; 32],
            },
        ];
        let effects = Effects {
            writes,
            releases,
            ..Effects::default()
        };
        let ok = carry_out::<O, _, _, _>(
            effects,
            &mut scribe(full),
            &mut scribe(full),
            &mut scribe(full),
        )
        .is_ok();
        (ok, said.take())
    }

    fn write() -> Write {
        Write::Append {
            position: 0,
            entry: vec![1],
        }
    }

    #[test]
    fn the_commit_comes_before_all_that_others_can_see() {
        let (ok, said) = carried_out::<PersistFirst>(vec![write(), write()], false);
        assert!(ok);
        assert_eq!(said, ["commit", "send", "ask", "broadcast"]);
    }

    /// Threat: disk full, and the message that spends a one-time value leaves all the same.
    #[test]
    fn a_failed_commit_lets_nothing_out() {
        let (ok, said) = carried_out::<PersistFirst>(vec![write()], true);
        assert!(!ok);
        assert_eq!(said, ["commit"]);
    }

    #[test]
    fn nothing_to_keep_costs_no_commit() {
        assert_eq!(
            carried_out::<PersistFirst>(Vec::new(), false).1,
            ["send", "ask", "broadcast"]
        );
    }

    /// The mutation that the simulator must notice does what it says.
    #[test]
    fn the_mutation_tells_before_it_keeps() {
        assert_eq!(
            carried_out::<MutateNoPersist>(vec![write()], true).1,
            ["send", "ask", "broadcast", "commit"]
        );
    }
}
