//! The vaults that run here, by id and by local name.

mod host;
mod journal;
mod news;
mod ports;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use quorate_vault::{Input, PartyId};

pub(crate) use self::host::{HostError, Parts, Seen, StartError, VaultHandle, start};
use crate::shared::lock;

/// Every running vault. Cheap to clone.
#[derive(Clone, Default)]
pub(crate) struct Vaults(Arc<Mutex<BTreeMap<String, Running>>>);

struct Running {
    handle: VaultHandle,
    thread: JoinHandle<()>,
}

impl Vaults {
    /// Adds a vault under a local name.
    pub(crate) fn put(&self, name: &str, (handle, thread): (VaultHandle, JoinHandle<()>)) {
        let registered = handle.clone();
        lock(&self.0).insert(name.to_owned(), Running { handle, thread });
        registered.greet();
    }

    /// The vault of this local name.
    pub(crate) fn named(&self, name: &str) -> Option<VaultHandle> {
        lock(&self.0)
            .get(name)
            .map(|running| running.handle.clone())
    }

    /// The vault with this id.
    pub(crate) fn of_id(&self, id: &[u8; 32]) -> Option<VaultHandle> {
        lock(&self.0)
            .values()
            .find(|running| running.handle.id.0 == *id)
            .map(|running| running.handle.clone())
    }

    /// Every vault, by local name.
    pub(crate) fn all(&self) -> Vec<(String, VaultHandle)> {
        lock(&self.0)
            .iter()
            .map(|(name, running)| (name.clone(), running.handle.clone()))
            .collect()
    }

    /// Tells every vault of a member something about it.
    pub(crate) async fn tell_all(&self, party: PartyId, input: impl Fn(PartyId) -> Input) {
        for (_, handle) in self.all() {
            if handle.has_member(&party) {
                handle.tell(input(party)).await;
            }
        }
    }

    /// Stops one vault and takes it away.
    pub(crate) async fn remove(&self, name: &str) {
        let running = lock(&self.0).remove(name);
        if let Some(running) = running {
            end(running).await;
        }
    }

    /// Stops every vault and waits for their last commits.
    pub(crate) async fn stop(&self) {
        let all = std::mem::take(&mut *lock(&self.0));
        for running in all.into_values() {
            end(running).await;
        }
    }
}

async fn end(running: Running) {
    running.handle.stop().await;
    let joined = tokio::task::spawn_blocking(move || running.thread.join()).await;
    if !matches!(joined, Ok(Ok(()))) {
        tracing::error!("a vault's thread ended by a panic");
    }
}
