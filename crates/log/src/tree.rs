//! The Merkle tree of RFC 6962, section 2.1, kept in memory with all complete subtrees.

use sha2::{Digest, Sha256};

use crate::{Frontier, ProofError};

/// A SHA-256 hash: of a leaf, of a node, or a root.
pub type Hash = [u8; 32];

/// The root of the empty tree: SHA-256 of nothing (RFC 6962, section 2.1).
pub const EMPTY_ROOT: Hash = [
    0xe3, 0xb0, 0xc4, 0x42, 0x98, 0xfc, 0x1c, 0x14, 0x9a, 0xfb, 0xf4, 0xc8, 0x99, 0x6f, 0xb9, 0x24,
    0x27, 0xae, 0x41, 0xe4, 0x64, 0x9b, 0x93, 0x4c, 0xa4, 0x95, 0x99, 0x1b, 0x78, 0x52, 0xb8, 0x55,
];

const LEAF_PREFIX: u8 = 0x00;
const NODE_PREFIX: u8 = 0x01;

/// The hash of a leaf: `SHA-256(0x00 || entry)`.
pub fn leaf_hash(entry: &[u8]) -> Hash {
    Sha256::new()
        .chain_update([LEAF_PREFIX])
        .chain_update(entry)
        .finalize()
        .into()
}

/// The hash of an inner node: `SHA-256(0x01 || left || right)`.
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    Sha256::new()
        .chain_update([NODE_PREFIX])
        .chain_update(left)
        .chain_update(right)
        .finalize()
        .into()
}

/// An incremental Merkle tree that can prove any size it ever had.
///
/// `levels[h][i]` is the root of the complete subtree over leaves `i * 2^h .. (i + 1) * 2^h`, so memory is two
/// hashes a leaf and a root or proof at any size costs `O(log^2 size)`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tree {
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// The empty tree.
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of leaves.
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// Appends an entry and returns its index.
    pub fn append(&mut self, entry: &[u8]) -> u64 {
        self.append_leaf(leaf_hash(entry))
    }

    /// Appends a leaf by its hash and returns its index.
    pub fn append_leaf(&mut self, leaf: Hash) -> u64 {
        let index = self.size();
        let mut hash = leaf;
        let mut height = 0;
        loop {
            if self.levels.len() == height {
                self.levels.push(Vec::new());
            }
            let level = self
                .levels
                .get_mut(height)
                .expect("invariant: the level was just made");
            level.push(hash);
            // An even count means that this node closed a pair: its parent is complete too.
            match level.as_slice() {
                [.., left, right] if level.len().is_multiple_of(2) => hash = node_hash(left, right),
                _ => return index,
            }
            height += 1;
        }
    }

    /// The hash of leaf `index`, if there is one.
    pub fn leaf(&self, index: u64) -> Option<Hash> {
        let index = usize::try_from(index).ok()?;
        self.levels.first()?.get(index).copied()
    }

    /// The root over all leaves.
    pub fn root(&self) -> Hash {
        self.subtree(0, self.size())
    }

    /// The root this tree had at `size`; `None` when it never was that large.
    pub fn root_at(&self, size: u64) -> Option<Hash> {
        (size <= self.size()).then(|| self.subtree(0, size))
    }

    /// The roots of the complete subtrees from left to right: all that is needed to go on appending.
    pub fn frontier(&self) -> Frontier {
        let mut peaks = Vec::new();
        let mut start = 0;
        for height in (0..u64::BITS).rev() {
            let width = 1 << height;
            if self.size() & width != 0 {
                peaks.push(self.subtree(start, width));
                start += width;
            }
        }
        Frontier::from_parts(self.size(), peaks)
            .expect("invariant: one peak for each bit of the size")
    }

    /// Proves that leaf `index` is in the tree of `size` leaves (RFC 6962, section 2.1.1, `PATH`).
    ///
    /// The hashes go from the leaf's sibling up to the root's child.
    pub fn inclusion_proof(&self, index: u64, size: u64) -> Result<Vec<Hash>, ProofError> {
        self.require(size)?;
        if index >= size {
            return Err(ProofError::Index { index, size });
        }
        let mut path = Vec::new();
        let (mut start, mut len) = (0, size);
        while len > 1 {
            let split = split_point(len);
            if index - start < split {
                path.push(self.subtree(start + split, len - split));
                len = split;
            } else {
                path.push(self.subtree(start, split));
                start += split;
                len -= split;
            }
        }
        path.reverse();
        Ok(path)
    }

    /// Proves that the tree of `old` leaves is a prefix of the tree of `new` leaves (RFC 6962, section 2.1.2, `PROOF`).
    ///
    /// Empty when `old == new` and when `old == 0`: then there is nothing to prove.
    pub fn consistency_proof(&self, old: u64, new: u64) -> Result<Vec<Hash>, ProofError> {
        self.require(new)?;
        if old > new {
            return Err(ProofError::Order { old, new });
        }
        let mut path = Vec::new();
        if old == 0 || old == new {
            return Ok(path);
        }
        let (mut start, mut len) = (0, new);
        // SUBPROOF: walk down to the boundary; `complete` says that the old tree itself is a node the verifier knows.
        let mut complete = true;
        while old - start < len {
            let split = split_point(len);
            if old - start <= split {
                path.push(self.subtree(start + split, len - split));
                len = split;
            } else {
                path.push(self.subtree(start, split));
                start += split;
                len -= split;
                complete = false;
            }
        }
        if !complete {
            path.push(self.subtree(start, len));
        }
        path.reverse();
        Ok(path)
    }

    fn require(&self, size: u64) -> Result<(), ProofError> {
        if size > self.size() {
            return Err(ProofError::Size {
                asked: size,
                held: self.size(),
            });
        }
        Ok(())
    }

    /// `MTH(D[start .. start + len])`; `start` is a multiple of the power of two that spans `len`, as in every RFC 6962 split.
    fn subtree(&self, start: u64, len: u64) -> Hash {
        if len == 0 {
            return EMPTY_ROOT;
        }
        if len.is_power_of_two() {
            return self
                .complete(start, len)
                .expect("invariant: every complete subtree below the size is kept");
        }
        let split = split_point(len);
        node_hash(
            &self.subtree(start, split),
            &self.subtree(start + split, len - split),
        )
    }

    fn complete(&self, start: u64, len: u64) -> Option<Hash> {
        let level = self.levels.get(usize::try_from(len.ilog2()).ok()?)?;
        level.get(usize::try_from(start / len).ok()?).copied()
    }
}

/// The largest power of two smaller than `len`, for `len > 1`.
fn split_point(len: u64) -> u64 {
    1 << (len - 1).ilog2()
}
