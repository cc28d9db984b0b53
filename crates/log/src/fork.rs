//! Evidence that an author signed two histories.

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::{Error, Hash, MAX_PROOF_HASHES, Origin, SignedCheckpoint, verify_consistency};

/// Two checkpoints of one log, signed by its author, whose first `size` entries differ.
///
/// Each is shown to contain a tree of `size` entries by a consistency proof; the two roots at that size are different.
/// Nobody but the author can make one: it takes two of its signatures (or a SHA-256 collision).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForkEvidence {
    /// The size at which the histories are compared; at most that of either checkpoint.
    pub size: u64,
    /// One history: the one that whoever found the fork held.
    pub first: Prefix,
    /// The other.
    pub second: Prefix,
}

/// What one signed checkpoint says about its first entries.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prefix {
    /// The signed head.
    pub checkpoint: SignedCheckpoint,
    /// Root over the first [`ForkEvidence::size`] entries under it.
    pub root: Hash,
    /// Consistency proof from that root to the head.
    pub proof: Vec<Hash>,
}

impl ForkEvidence {
    /// Checks everything and tells which log was forked; `key` is its author's.
    ///
    /// # Errors
    /// [`Error::NoFork`], [`Error::Note`] or [`Error::Proof`] when the evidence does not hold.
    pub fn verify(&self, key: &VerifyingKey) -> Result<Origin, Error> {
        let origin = self.first.verify(self.size, key)?;
        if self.second.verify(self.size, key)? != origin {
            return Err(Error::NoFork("the checkpoints are of two logs"));
        }
        if self.first.root == self.second.root {
            return Err(Error::NoFork("both have the same root"));
        }
        Ok(origin)
    }
}

impl Prefix {
    fn verify(&self, size: u64, key: &VerifyingKey) -> Result<Origin, Error> {
        if self.proof.len() > MAX_PROOF_HASHES {
            return Err(Error::NoFork("proof too long"));
        }
        let head = self.checkpoint.verify_author(key)?;
        verify_consistency(size, head.size, &self.root, &head.root, &self.proof)?;
        head.origin.parse()
    }
}
