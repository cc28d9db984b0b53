//! A member's disk: what it holds survives the member. Commits can be the member's last act.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use quorate_driver::{Journal, Write};
use quorate_vault::entry::Logged;
use quorate_vault::{Mutation, PartyId, Snapshot};
use zeroize::Zeroizing;

/// When a member dies around a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Death {
    /// Power fails before the commit is on disk: all of its writes are lost.
    BeforeCommit,
    /// The process is killed after the commit is on disk and before anything of it is sent.
    AfterCommit,
}

/// What is on disk.
#[derive(Default)]
pub struct Disk {
    own: Vec<Vec<u8>>,
    /// The same, decoded once.
    decoded: Vec<Logged>,
    replicas: BTreeMap<(PartyId, u32), Vec<Vec<u8>>>,
    checkpoints: BTreeMap<(PartyId, u32), String>,
    secrets: BTreeMap<String, Vec<u8>>,
    notes: BTreeMap<String, Vec<u8>>,
    /// Commits since the member first started.
    commits: u64,
}

/// One member's way to its disk.
pub struct SimJournal {
    me: PartyId,
    disk: Rc<RefCell<Disk>>,
    plan: Rc<RefCell<Option<(u64, Death)>>>,
}

/// The member died in this commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("killed at commit {commit}, {death:?}")]
pub struct Killed {
    /// Which commit.
    pub commit: u64,
    /// On which side of it.
    pub death: Death,
}

impl SimJournal {
    /// A journal for member `me`; `plan` names the commit at which it dies, if any.
    pub fn new(
        me: PartyId,
        disk: Rc<RefCell<Disk>>,
        plan: Rc<RefCell<Option<(u64, Death)>>>,
    ) -> Self {
        Self { me, disk, plan }
    }
}

impl Journal for SimJournal {
    type Error = Killed;

    fn commit(&mut self, writes: Vec<Write>) -> Result<(), Killed> {
        let mut disk = self.disk.borrow_mut();
        disk.commits += 1;
        let commit = disk.commits;
        let dies = self
            .plan
            .borrow()
            .filter(|(at, _)| *at == commit)
            .map(|(_, death)| death);
        if let Some(death @ Death::BeforeCommit) = dies {
            self.plan.borrow_mut().take();
            return Err(Killed { commit, death });
        }
        for write in writes {
            disk.apply(self.me, write);
        }
        if let Some(death) = dies {
            self.plan.borrow_mut().take();
            return Err(Killed { commit, death });
        }
        Ok(())
    }
}

impl Disk {
    fn apply(&mut self, me: PartyId, write: Write) {
        match write {
            Write::Append { position, entry } => {
                let at = usize::try_from(position).unwrap_or(usize::MAX);
                self.own.truncate(at);
                self.decoded.truncate(at);
                self.decoded.extend(Logged::decode(&entry));
                self.own.push(entry);
                debug_assert_eq!(self.own.len() as u64, position + 1);
            }
            Write::Mutate(Mutation::Replicate {
                author,
                incarnation,
                from,
                entries,
            }) => {
                debug_assert_ne!(author, me, "a replica of one's own log");
                let log = self.replicas.entry((author, incarnation)).or_default();
                log.truncate(usize::try_from(from).unwrap_or(usize::MAX));
                log.extend(entries);
            }
            Write::Mutate(Mutation::Checkpoint {
                author,
                incarnation,
                note,
            }) => {
                self.checkpoints.insert((author, incarnation), note);
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

    /// What a restarting member loads.
    pub fn snapshot(&self, me: PartyId) -> Snapshot {
        let own = std::iter::once((me, 0, self.own.clone())).filter(|(_, _, log)| !log.is_empty());
        let replicas = self
            .replicas
            .iter()
            .map(|((author, incarnation), log)| (*author, *incarnation, log.clone()));
        Snapshot {
            logs: own.chain(replicas).collect(),
            checkpoints: self
                .checkpoints
                .iter()
                .map(|((author, inc), note)| (*author, *inc, note.clone()))
                .collect(),
            secrets: self
                .secrets
                .iter()
                .map(|(name, plain)| (name.clone(), Zeroizing::new(plain.clone())))
                .collect(),
            notes: self
                .notes
                .iter()
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
        }
    }

    /// The member's own log, decoded.
    pub fn own_entries(&self) -> &[Logged] {
        &self.decoded
    }

    /// The member's own log, as bytes.
    pub fn own_log(&self) -> &[Vec<u8>] {
        &self.own
    }

    /// What the member holds of others' logs.
    pub fn replicas(&self) -> impl Iterator<Item = (PartyId, &[Vec<u8>])> {
        self.replicas
            .iter()
            .map(|((author, _), log)| (*author, log.as_slice()))
    }

    /// Names of the sealed secrets.
    pub fn secret_names(&self) -> Vec<String> {
        self.secrets.keys().cloned().collect()
    }

    /// Names of the notes (bans, evidence).
    pub fn note_names(&self) -> Vec<String> {
        self.notes.keys().cloned().collect()
    }

    /// Commits since the member first started.
    pub fn commits(&self) -> u64 {
        self.commits
    }
}
