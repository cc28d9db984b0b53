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
    let Effects { writes, releases, .. } = effects;
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
    if writes.is_empty() { Ok(()) } else { journal.commit(writes) }
}

fn release<P: Peers, X: Chain>(releases: Vec<Release>, peers: &mut P, chain: &mut X) {
    for one in releases {
        match one {
            Release::Send(to, message) => peers.send(to, message),
            Release::Ask(query) => chain.ask(query),
            Release::Broadcast { chain: id, raw, hash } => chain.broadcast(id, raw, hash),
        }
    }
}
