//! Checking proofs without a tree: RFC 9162, sections 2.1.3.2 and 2.1.4.2 (the proofs are those of RFC 6962).

use crate::{EMPTY_ROOT, Hash, ProofError, node_hash};

/// No proof in a tree of at most `2^64` leaves is longer.
pub const MAX_PROOF_HASHES: usize = 65;

/// Checks that the leaf with hash `leaf` is at `index` in the tree of `size` leaves with `root`.
pub fn verify_inclusion(
    leaf: &Hash,
    index: u64,
    size: u64,
    root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if index >= size {
        return Err(ProofError::Index { index, size });
    }
    let (mut node, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for sibling in proof {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            hash = node_hash(sibling, &hash);
            // A right edge without a sibling rises unhashed to the level where it has one.
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if hash != *root {
        return Err(ProofError::Root);
    }
    Ok(())
}

/// Checks that the tree of `old` leaves with `old_root` is a prefix of the tree of `new` leaves with `new_root`.
///
/// For `old == 0` the old root must be that of the empty tree and the proof empty.
pub fn verify_consistency(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if old > new {
        return Err(ProofError::Order { old, new });
    }
    if old == new || old == 0 {
        return verify_trivial(old, new, old_root, new_root, proof);
    }
    // A complete old tree is a node of the new one that the verifier has already.
    let mut hashes = proof.iter();
    let seed = if old.is_power_of_two() {
        *old_root
    } else {
        *hashes.next().ok_or(ProofError::Length)?
    };
    let rise = (old - 1).trailing_ones();
    let (mut node, mut last) = ((old - 1) >> rise, (new - 1) >> rise);
    let (mut old_hash, mut new_hash) = (seed, seed);
    for sibling in hashes {
        if last == 0 {
            return Err(ProofError::Length);
        }
        if node & 1 == 1 || node == last {
            old_hash = node_hash(sibling, &old_hash);
            new_hash = node_hash(sibling, &new_hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            new_hash = node_hash(&new_hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    if last != 0 {
        return Err(ProofError::Length);
    }
    if old_hash != *old_root || new_hash != *new_root {
        return Err(ProofError::Root);
    }
    Ok(())
}

fn verify_trivial(
    old: u64,
    new: u64,
    old_root: &Hash,
    new_root: &Hash,
    proof: &[Hash],
) -> Result<(), ProofError> {
    if !proof.is_empty() {
        return Err(ProofError::Length);
    }
    let empty = |size: u64, root: &Hash| size != 0 || *root == EMPTY_ROOT;
    if !empty(old, old_root) || !empty(new, new_root) || (old == new && old_root != new_root) {
        return Err(ProofError::Root);
    }
    Ok(())
}
