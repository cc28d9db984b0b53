//! What a vault's driver touches the world through, besides its journal.

use std::sync::Arc;
use std::time::Instant;

use quorate_chain::ChainId;
use quorate_driver::{Chain, Clock, Peers as PeerSeam};
use quorate_vault::io::Query;
use quorate_vault::{ChainFact, Input, Message, PartyId, Time, VaultId};
use tokio::runtime::Handle;
use tokio::sync::Semaphore;
use tokio::sync::mpsc::WeakSender;

use super::host::Job;
use crate::chains::Chains;
use crate::peers::Peers;
use crate::process::now_ms;

/// Questions to chains that are open at once for one vault. More are dropped; the vault asks again.
const MAX_ASKING: usize = 32;

/// Sends a vault's messages.
pub(super) struct PeerPort {
    pub(super) peers: Peers,
    pub(super) vault: VaultId,
}

impl PeerSeam for PeerPort {
    fn send(&mut self, to: PartyId, message: Message) {
        if !self.peers.send(to, self.vault.0, message.encode()) {
            tracing::trace!(to = to.short(), "a message was dropped");
        }
    }
}

/// This machine's clocks.
pub(super) struct SystemClock {
    pub(super) started: Instant,
}

impl Clock for SystemClock {
    fn now(&self) -> Time {
        Time(now_ms())
    }

    fn uptime_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// Asks chains in the background; answers come back as jobs.
pub(super) struct ChainPort {
    pub(super) chains: Chains,
    pub(super) jobs: WeakSender<Job>,
    pub(super) runtime: Handle,
    room: Arc<Semaphore>,
}

impl ChainPort {
    pub(super) fn new(chains: Chains, jobs: WeakSender<Job>, runtime: Handle) -> Self {
        Self {
            chains,
            jobs,
            runtime,
            room: Arc::new(Semaphore::new(MAX_ASKING)),
        }
    }

    fn begin(&self, answer: impl Future<Output = ChainFact> + Send + 'static) {
        let Ok(seat) = Arc::clone(&self.room).try_acquire_owned() else {
            return;
        };
        let jobs = self.jobs.clone();
        self.runtime.spawn(async move {
            let fact = answer.await;
            drop(seat);
            let Some(jobs) = jobs.upgrade() else { return };
            // An error means that the vault has stopped.
            jobs.send(Job::Input(Input::Observed(fact))).await.ok();
        });
    }
}

impl Chain for ChainPort {
    fn ask(&mut self, query: Query) {
        let chains = self.chains.clone();
        self.begin(async move { chains.answer(query).await });
    }

    fn broadcast(&mut self, chain: ChainId, raw: Vec<u8>, hash: [u8; 32]) {
        let chains = self.chains.clone();
        self.begin(async move { chains.broadcast(chain, raw, hash).await });
    }
}
