//! The right edge of a tree: enough to go on appending when the entries are archived.

use serde::{Deserialize, Serialize};

use crate::{EMPTY_ROOT, Hash, leaf_hash, node_hash};

/// A tree without its leaves: its size and the roots of its complete subtrees, largest first.
///
/// It appends and gives the root like [`crate::Tree`], in `O(log size)` memory, and proves nothing about the past.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Frontier {
    size: u64,
    peaks: Vec<Hash>,
}

impl Frontier {
    /// The frontier of the empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// A frontier from its size and peaks; `None` unless there is one peak for each one-bit of `size`.
    pub fn from_parts(size: u64, peaks: Vec<Hash>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The roots of the complete subtrees, largest first.
    pub fn peaks(&self) -> &[Hash] {
        &self.peaks
    }

    /// Appends an entry and returns its index.
    pub fn append(&mut self, entry: &[u8]) -> u64 {
        let index = self.size;
        let mut hash = leaf_hash(entry);
        for _ in 0..index.trailing_ones() {
            let left = self
                .peaks
                .pop()
                .expect("invariant: one peak for each bit of the size");
            hash = node_hash(&left, &hash);
        }
        self.peaks.push(hash);
        self.size += 1;
        index
    }

    /// The root over all leaves (RFC 6962).
    pub fn root(&self) -> Hash {
        let folded = self
            .peaks
            .iter()
            .rev()
            .copied()
            .reduce(|right, left| node_hash(&left, &right));
        folded.unwrap_or(EMPTY_ROOT)
    }
}

#[derive(Serialize, Deserialize)]
struct Parts {
    size: u64,
    peaks: Vec<Hash>,
}

impl TryFrom<Parts> for Frontier {
    type Error = &'static str;

    fn try_from(parts: Parts) -> Result<Self, Self::Error> {
        Self::from_parts(parts.size, parts.peaks)
            .ok_or("a frontier has one peak for each bit of its size")
    }
}

impl From<Frontier> for Parts {
    fn from(frontier: Frontier) -> Self {
        Self {
            size: frontier.size,
            peaks: frontier.peaks,
        }
    }
}
