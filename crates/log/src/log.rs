//! One author's log: appended to by the author, replicated by everybody else.

use std::collections::BTreeMap;

use ed25519_dalek::{SigningKey, VerifyingKey};
use serde::{Deserialize, Serialize};

use crate::{
    Checkpoint, Error, ForkEvidence, Frontier, Hash, Origin, Prefix, SignedCheckpoint, Tree,
    leaf_hash,
};

/// Largest entry, in bytes.
pub const MAX_ENTRY_BYTES: usize = 64 * 1024;

/// Most entries between two checkpoints, and so in a [`Batch`].
pub const MAX_BATCH_ENTRIES: usize = 1024;

/// Most bytes of entries between two checkpoints, and so in a [`Batch`]; with its note it stays below a 1 MiB frame.
pub const MAX_BATCH_BYTES: usize = 768 * 1024;

/// The entries of one [`Origin`] with the checkpoints its author signed.
///
/// **Invariant:** every checkpoint kept was signed by the author and has the root of the entries held at its size.
/// In a replica the newest checkpoint covers every entry; only the author's own log has a tail not signed yet.
///
/// Between two neighbouring checkpoints lies at most one batch, so that any holder can pass the log on piece by piece.
#[derive(Clone, Debug)]
pub struct Log {
    origin: Origin,
    key: VerifyingKey,
    entries: Vec<Vec<u8>>,
    tree: Tree,
    checkpoints: BTreeMap<u64, SignedCheckpoint>,
}

/// Entries with the checkpoint that ends them: what members send each other.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Batch {
    /// Index of the first entry.
    pub from: u64,
    /// The entries `from ..` up to the checkpoint's size.
    pub entries: Vec<Vec<u8>>,
    /// Signed by the log's author.
    pub checkpoint: SignedCheckpoint,
}

/// What [`Log::extend`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extended {
    /// How many entries were new: the last `new` of the log.
    pub new: u64,
    /// Entries held now.
    pub size: u64,
}

/// How a signed checkpoint stands to the entries held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// All it covers is held, and its root is right.
    Held,
    /// It covers more than is held: fetch from here.
    Ahead {
        /// Entries held.
        held: u64,
        /// Entries covered.
        covered: u64,
    },
}

impl Log {
    /// The empty log of `origin`, whose author signs with `key`.
    pub fn new(origin: Origin, key: VerifyingKey) -> Self {
        Self {
            origin,
            key,
            entries: Vec::new(),
            tree: Tree::new(),
            checkpoints: BTreeMap::new(),
        }
    }

    /// A log read back from disk, with every checkpoint checked against the entries and the author's key.
    ///
    /// For a replica, compare [`Log::signed_size`] with [`Log::size`] afterwards: a tail nobody signed is damage.
    pub fn restore(
        origin: Origin,
        key: VerifyingKey,
        entries: Vec<Vec<u8>>,
        checkpoints: Vec<SignedCheckpoint>,
    ) -> Result<Self, Error> {
        let mut log = Self::new(origin, key);
        for entry in entries {
            check_entry(&entry)?;
            log.push(entry);
        }
        for signed in checkpoints {
            let head = log.authentic(&signed)?;
            if log.tree.root_at(head.size) != Some(head.root) {
                return Err(Error::Mismatch);
            }
            log.checkpoints.insert(head.size, signed);
        }
        Ok(log)
    }

    /// Which log this is.
    pub fn origin(&self) -> &Origin {
        &self.origin
    }

    /// The author's key.
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Number of entries.
    pub fn size(&self) -> u64 {
        self.tree.size()
    }

    /// Number of entries that the newest checkpoint covers.
    pub fn signed_size(&self) -> u64 {
        self.checkpoints
            .last_key_value()
            .map_or(0, |(size, _)| *size)
    }

    /// The Merkle tree over the entries: roots and proofs.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// All entries, oldest first.
    pub fn entries(&self) -> &[Vec<u8>] {
        &self.entries
    }

    /// Entry `index`, if there is one.
    pub fn entry(&self, index: u64) -> Option<&[u8]> {
        let index = usize::try_from(index).ok()?;
        self.entries.get(index).map(Vec::as_slice)
    }

    /// The newest checkpoint.
    pub fn checkpoint(&self) -> Option<&SignedCheckpoint> {
        self.checkpoints.last_key_value().map(|(_, signed)| signed)
    }

    /// The checkpoints kept, oldest first; with the entries all that [`Log::restore`] needs.
    pub fn checkpoints(&self) -> impl Iterator<Item = &SignedCheckpoint> {
        self.checkpoints.values()
    }

    /// Appends an entry to one's own log and returns its index. Others see it after [`Log::sign_checkpoint`].
    ///
    /// # Errors
    /// [`Error::EntryTooLarge`]; [`Error::BatchTooLarge`] when the unsigned tail is a full batch: sign first.
    pub fn append(&mut self, entry: Vec<u8>) -> Result<u64, Error> {
        check_entry(&entry)?;
        let tail = self.tail(self.signed_size());
        check_batch(tail.len() + 1, sum(tail) + entry.len())?;
        self.push(entry);
        Ok(self.size() - 1)
    }

    /// Signs the present head of one's own log and keeps it. Signing an unchanged head gives the same checkpoint.
    ///
    /// Store it with the entries before sending it: a head that was sent and then forgotten becomes a fork.
    pub fn sign_checkpoint(&mut self, key: &SigningKey) -> Result<&SignedCheckpoint, Error> {
        if key.verifying_key() != self.key {
            return Err(Error::WrongKey);
        }
        let size = self.size();
        if !self.checkpoints.contains_key(&size) {
            let head = Checkpoint {
                origin: self.origin.to_string(),
                size,
                root: self.tree.root(),
            };
            let signed = head.sign(key, &head.origin)?;
            self.keep(size, signed);
        }
        Ok(self
            .checkpoint()
            .expect("invariant: a checkpoint of this size was just kept"))
    }

    /// Extends a replica by `entries`, which start at index `from` and end where `checkpoint` does.
    ///
    /// Entries held already are compared byte by byte. All is checked before anything changes.
    ///
    /// # Errors
    /// - [`Error::Fork`]: the author signed this checkpoint and another one that contradict each other.
    /// - [`Error::Mismatch`]: the entries are not what the checkpoint signs. The sender is wrong, or it holds another
    ///   branch that parted before `from`: ask for the log from 0 to tell.
    /// - [`Error::Contradiction`]: only in one's own log: one's key signed entries that are not held (a rollback).
    /// - [`Error::Gap`], [`Error::CheckpointSize`], [`Error::WrongLog`], [`Error::Note`] and the limits.
    pub fn extend(
        &mut self,
        from: u64,
        entries: &[Vec<u8>],
        checkpoint: &SignedCheckpoint,
    ) -> Result<Extended, Error> {
        entries.iter().try_for_each(|entry| check_entry(entry))?;
        check_batch(entries.len(), sum(entries))?;
        let standing = self.compare(checkpoint)?;
        let head = checkpoint.checkpoint_unverified();
        let size = self.size();
        if from > size {
            return Err(Error::Gap { from, size });
        }
        let end = from.saturating_add(entries.len() as u64);
        if head.size != end {
            return Err(Error::CheckpointSize {
                covered: head.size,
                offered: end,
            });
        }
        if let Some(index) = self.first_difference(from, entries) {
            return Err(self.explain_difference(index, from, entries, checkpoint));
        }
        let held = usize::try_from(size - from).unwrap_or(usize::MAX);
        let fresh = entries.get(held..).unwrap_or_default();
        if let Standing::Ahead { .. } = standing {
            let mut edge = self.tree.frontier();
            edge.extend(fresh);
            if edge.root() != head.root {
                return Err(Error::Mismatch);
            }
        }
        fresh.iter().for_each(|entry| self.push(entry.clone()));
        if head.size > self.signed_size() {
            self.keep(head.size, checkpoint.clone());
        }
        Ok(Extended {
            new: fresh.len() as u64,
            size: self.size(),
        })
    }

    /// How a signed checkpoint of this log stands to what is held; changes nothing.
    ///
    /// # Errors
    /// [`Error::Fork`] when it contradicts a checkpoint held; [`Error::Contradiction`] when it contradicts the unsigned
    /// tail of one's own log; [`Error::WrongLog`] and [`Error::Note`].
    pub fn compare(&self, checkpoint: &SignedCheckpoint) -> Result<Standing, Error> {
        let head = self.authentic(checkpoint)?;
        let Some(root) = self.tree.root_at(head.size) else {
            return Ok(Standing::Ahead {
                held: self.size(),
                covered: head.size,
            });
        };
        if root == head.root {
            return Ok(Standing::Held);
        }
        if head.size > self.signed_size() {
            return Err(Error::Contradiction {
                index: head.size - 1,
            });
        }
        Err(self.fork(head.size, root, checkpoint, head.root, Vec::new()))
    }

    /// The next entries from `from` on, up to the farthest checkpoint that one batch reaches; `None` when nothing signed lies beyond.
    pub fn batch(&self, from: u64) -> Option<Batch> {
        let reaches = |end: u64| {
            let entries = self.range(from, end);
            check_batch(entries.len(), sum(entries)).is_ok()
        };
        let after = self.checkpoints.range(from.checked_add(1)?..);
        let (end, checkpoint) = after.take_while(|(end, _)| reaches(**end)).last()?;
        Some(Batch {
            from,
            entries: self.range(from, *end).to_vec(),
            checkpoint: checkpoint.clone(),
        })
    }

    /// A log of the same origin that holds only what was signed up to `size`, to follow the other branch of a fork.
    ///
    /// Its size is that of the largest checkpoint at or below `size`.
    pub fn branch(&self, size: u64) -> Self {
        let mut branch = Self::new(self.origin, self.key);
        for (at, signed) in self.checkpoints.range(..=size) {
            branch.checkpoints.insert(*at, signed.clone());
        }
        for entry in self.range(0, branch.signed_size()) {
            branch.push(entry.clone());
        }
        branch
    }

    /// The checkpoint's content, once it is known to be this log's and the author's.
    fn authentic(&self, signed: &SignedCheckpoint) -> Result<Checkpoint, Error> {
        let expected = self.origin.to_string();
        let found = &signed.checkpoint_unverified().origin;
        if *found != expected {
            return Err(Error::WrongLog {
                expected,
                found: found.clone(),
            });
        }
        Ok(signed.verify(&expected, &self.key)?.clone())
    }

    fn first_difference(&self, from: u64, entries: &[Vec<u8>]) -> Option<u64> {
        let held = self.tail(from).iter().zip(entries);
        let offset = held.take_while(|(ours, theirs)| ours == theirs).count();
        let both = self.tail(from).len().min(entries.len());
        (offset < both).then(|| from + offset as u64)
    }

    /// The entries offered differ from those held from `index` on: a lie of the sender, or a fork by the author?
    fn explain_difference(
        &self,
        index: u64,
        from: u64,
        entries: &[Vec<u8>],
        checkpoint: &SignedCheckpoint,
    ) -> Error {
        let head = checkpoint.checkpoint_unverified();
        let mut other = Tree::new();
        for leaf in self.range(0, from).iter().chain(entries) {
            other.append(leaf);
        }
        if other.root() != head.root {
            return Error::Mismatch;
        }
        // `compare` let the checkpoint pass, so it is beyond every one held.
        let size = self.signed_size();
        match (
            other.root_at(size),
            other.consistency_proof(size, head.size),
        ) {
            (Some(root), Ok(proof)) if index < size => {
                let ours = self.tree.root_at(size).unwrap_or_default();
                self.fork(size, ours, checkpoint, root, proof)
            }
            _ => Error::Contradiction { index },
        }
    }

    /// Evidence that the newest checkpoint held and `other` part before `size`.
    fn fork(
        &self,
        size: u64,
        ours: Hash,
        other: &SignedCheckpoint,
        theirs: Hash,
        proof: Vec<Hash>,
    ) -> Error {
        let (Some(held), Ok(own_proof)) = (
            self.checkpoint(),
            self.tree.consistency_proof(size, self.signed_size()),
        ) else {
            return Error::Contradiction { index: size };
        };
        let prefix = |checkpoint: &SignedCheckpoint, root, proof| Prefix {
            checkpoint: checkpoint.clone(),
            root,
            proof,
        };
        Error::Fork(Box::new(ForkEvidence {
            size,
            first: prefix(held, ours, own_proof),
            second: prefix(other, theirs, proof),
        }))
    }

    fn push(&mut self, entry: Vec<u8>) {
        self.tree.append_leaf(leaf_hash(&entry));
        self.entries.push(entry);
    }

    /// Keeps a checkpoint and drops its older neighbour when one batch spans the gap without it.
    fn keep(&mut self, size: u64, signed: SignedCheckpoint) {
        self.checkpoints.entry(size).or_insert(signed);
        let mut older = self.checkpoints.range(..size).rev().map(|(size, _)| *size);
        let (last, before) = (older.next(), older.next().unwrap_or(0));
        let span = self.range(before, size);
        if let (Some(last), Ok(())) = (last, check_batch(span.len(), sum(span))) {
            self.checkpoints.remove(&last);
        }
    }

    fn tail(&self, from: u64) -> &[Vec<u8>] {
        self.range(from, self.size())
    }

    /// Entries `from .. end`; empty where there are none.
    fn range(&self, from: u64, end: u64) -> &[Vec<u8>] {
        let index = |at: u64| usize::try_from(at).unwrap_or(usize::MAX);
        self.entries
            .get(index(from)..index(end))
            .unwrap_or_default()
    }
}

impl Frontier {
    fn extend(&mut self, entries: &[Vec<u8>]) {
        for entry in entries {
            self.append(entry);
        }
    }
}

fn sum(entries: &[Vec<u8>]) -> usize {
    entries.iter().map(Vec::len).sum()
}

fn check_entry(entry: &[u8]) -> Result<(), Error> {
    if entry.len() > MAX_ENTRY_BYTES {
        return Err(Error::EntryTooLarge {
            bytes: entry.len(),
            limit: MAX_ENTRY_BYTES,
        });
    }
    Ok(())
}

fn check_batch(entries: usize, bytes: usize) -> Result<(), Error> {
    if entries > MAX_BATCH_ENTRIES || bytes > MAX_BATCH_BYTES {
        return Err(Error::BatchTooLarge { entries, bytes });
    }
    Ok(())
}
