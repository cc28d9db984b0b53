//! The vault's constitution, version 1: members, threshold, and how many of them must approve.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::ids::{PartyId, VaultId};

/// What a member does in the vault. Guardians and observers get their place here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// Holds key shares.
    Signer,
}

/// Which approvals a request needs. The policy language becomes a further kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Rule {
    /// Any `k` members approve; at least the threshold, at most all.
    Approvals {
        /// How many members.
        k: u8,
    },
}

/// A party in the charter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Member {
    /// Stable name of the party.
    pub party: PartyId,
    /// What people call it: 1 to 32 printable characters, unique in the charter.
    pub name: String,
    /// Ed25519 key that signs protocol messages and checkpoints.
    pub identity: [u8; 32],
    /// Ed25519 key of the party's network endpoint.
    pub endpoint: [u8; 32],
    /// Ed25519 key of the device credential that signs approvals.
    pub credential: [u8; 32],
    /// Who controls the party: `owner`, `provider`, ...
    pub controller: String,
    /// What could take several parties at once: one cloud account, one office.
    pub domains: Vec<String>,
    /// What the party does.
    pub role: Role,
}

/// The constitution that every member's first log entry repeats in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charter {
    /// 1 for the first; a later one names its parent.
    pub version: u32,
    /// What people call the vault: 1 to 32 printable characters.
    pub name: String,
    /// 32 fresh bytes of the creator, so that no two vaults share an id.
    pub nonce: [u8; 32],
    /// Minimum signers `t`, with `2t > n`.
    pub threshold: u8,
    /// Which approvals a request needs.
    pub rule: Rule,
    /// The members; position i holds committee index i + 1.
    pub members: Vec<Member>,
}

/// Where members can be reached, told once at pairing; not part of the charter.
pub type Addresses = Vec<(PartyId, Vec<SocketAddr>)>;

impl Charter {
    /// The vault that this first charter founds.
    pub fn vault_id(&self) -> VaultId {
        VaultId(self.hash())
    }
}
