//! A disk in memory, and the ways a process can die while it writes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use quorate_driver::{Journal, Write};
use quorate_vault::{Mutation, PartyId, Snapshot};

/// What a disk holds after a crash.
#[derive(Default)]
pub(crate) struct Disk {
    pub(crate) own: Vec<Vec<u8>>,
    pub(crate) replicas: BTreeMap<PartyId, Vec<Vec<u8>>>,
    pub(crate) checkpoints: BTreeMap<PartyId, String>,
    pub(crate) secrets: BTreeMap<String, Vec<u8>>,
    pub(crate) notes: BTreeMap<String, Vec<u8>>,
    pub(crate) commits: u64,
    /// The commit at which the process dies, and whether it is on disk then.
    pub(crate) dies_at: Option<(u64, bool)>,
    /// The process dies at the commit that holds a note of this family or forgets a secret of it; whether it is on
    /// disk then.
    pub(crate) dies_with: Option<(&'static str, bool)>,
}

impl Disk {
    /// Whether the process dies at this commit, and if so, whether it is on disk then.
    fn death(&mut self, writes: &[Write]) -> Option<bool> {
        let named = |family: &str| {
            writes.iter().any(|write| match write {
                Write::Mutate(Mutation::Note { name, .. } | Mutation::Forget { name, .. }) => {
                    name.starts_with(family)
                }
                _ => false,
            })
        };
        let at = self
            .dies_at
            .filter(|(at, _)| *at == self.commits)
            .map(|(_, kept)| kept);
        at.or_else(|| {
            self.dies_with
                .take_if(|(family, _)| named(family))
                .map(|(_, kept)| kept)
        })
    }

    pub(crate) fn snapshot(&self, me: PartyId) -> Snapshot {
        let own = std::iter::once((me, 0, self.own.clone()));
        let replicas = self
            .replicas
            .iter()
            .map(|(author, entries)| (*author, 0, entries.clone()));
        Snapshot {
            logs: own.chain(replicas).collect(),
            checkpoints: self
                .checkpoints
                .iter()
                .map(|(author, note)| (*author, 0, note.clone()))
                .collect(),
            secrets: self
                .secrets
                .iter()
                .map(|(name, plain)| (name.clone(), plain.clone().into()))
                .collect(),
            notes: self.notes.clone().into_iter().collect(),
        }
    }

    /// A copy of the folder, as a backup program makes it.
    pub(crate) fn copy(&self) -> Self {
        Self {
            own: self.own.clone(),
            replicas: self.replicas.clone(),
            checkpoints: self.checkpoints.clone(),
            secrets: self.secrets.clone(),
            notes: self.notes.clone(),
            commits: self.commits,
            dies_at: None,
            dies_with: None,
        }
    }

    fn write(&mut self, write: Write) {
        match write {
            Write::Append { position, entry } => {
                assert_eq!(
                    position as usize,
                    self.own.len(),
                    "own entries come without gaps"
                );
                self.own.push(entry);
            }
            Write::Mutate(Mutation::Replicate {
                author,
                from,
                entries,
                ..
            }) => {
                let log = self.replicas.entry(author).or_default();
                assert_eq!(from as usize, log.len(), "replicas come without gaps");
                log.extend(entries);
            }
            Write::Mutate(Mutation::Checkpoint { author, note, .. }) => {
                self.checkpoints.insert(author, note);
            }
            Write::Mutate(Mutation::Secret { name, plain, .. }) => {
                self.secrets.insert(name, plain.to_vec());
            }
            Write::Mutate(Mutation::Forget { name, .. }) => {
                self.secrets.remove(&name);
            }
            Write::Mutate(Mutation::Note { name, value }) => {
                self.notes.insert(name, value);
            }
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("the process died")]
pub(crate) struct Died;

pub(crate) struct MemJournal(pub(crate) Rc<RefCell<Disk>>);

impl Journal for MemJournal {
    type Error = Died;

    fn commit(&mut self, writes: Vec<Write>) -> Result<(), Died> {
        let mut disk = self.0.borrow_mut();
        disk.commits += 1;
        let death = disk.death(&writes);
        if death.unwrap_or(true) {
            writes.into_iter().for_each(|write| disk.write(write));
        }
        if death.is_some() { Err(Died) } else { Ok(()) }
    }
}
