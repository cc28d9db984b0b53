//! The daemon itself: status, checks, changing its secrets.

use serde::{Deserialize, Serialize};

use crate::{ChainView, Secret, VaultPhase};

/// Answer where there is nothing to tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Done {
    /// Always true.
    pub done: bool,
}

impl Done {
    /// It is done.
    pub const OK: Self = Self { done: true };
}

/// What a member's daemon says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeStatus {
    /// This member's party id, hex.
    pub party: String,
    /// Name this member goes by, on every member's screen.
    pub name: String,
    /// Software version.
    pub version: String,
    /// Version of the protocol between members.
    pub protocol: u32,
    /// Addresses (`HOST:PORT`) where peers reach this member.
    pub listen: Vec<String>,
    /// Address (`HOST:PORT`) that an invited member is told; none when pairing is not open.
    pub pairing: Option<String>,
    /// When the daemon started.
    pub started_ms: u64,
    /// True while the store is locked: nothing can be approved or signed.
    pub locked: bool,
    /// Why this member signs nothing at present, one sentence; none when it does.
    pub read_only: Option<String>,
    /// Every vault this member takes part in.
    pub vaults: Vec<VaultStatus>,
    /// Every other party this member knows.
    pub peers: Vec<PeerView>,
    /// Every chain that was added.
    pub chains: Vec<ChainView>,
    /// What the person should know, one sentence each.
    pub warnings: Vec<String>,
}

/// One vault, in a line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultStatus {
    /// Local name.
    pub name: String,
    /// Where the vault stands.
    pub phase: VaultPhase,
    /// Signers that a signature needs.
    pub threshold: u8,
    /// Members of the vault.
    pub members: u8,
    /// Members online, this one included.
    pub online: u8,
    /// Names of the members that are not online.
    pub missing: Vec<String>,
    /// Requests that are neither finished nor dead.
    pub open_requests: u32,
}

/// Another party, as this member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PeerView {
    /// Party id, hex.
    pub party: String,
    /// Name.
    pub name: String,
    /// Whether there is a live connection.
    pub online: bool,
    /// When it was last heard; none if never since the daemon started.
    pub last_seen_ms: Option<u64>,
    /// Why there is none, if known: `speaks protocol 2, this member speaks 1`.
    pub problem: Option<String>,
}

/// One thing that `quorate doctor` looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Check {
    /// Short name: `store`, `disk`, `clock`, `chain dev`, `vault family`.
    pub name: String,
    /// How it stands.
    pub level: CheckLevel,
    /// What was seen, one sentence.
    pub detail: String,
    /// What to do; none when all is well.
    pub hint: Option<String>,
}

/// How a [`Check`] stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CheckLevel {
    /// As it should be.
    Ok,
    /// Works, and the person should know something.
    Warn,
    /// Does not work.
    Fail,
}

/// Body of `POST /v1/pin` and `POST /v1/passphrase`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ChangeSecret {
    /// The present one.
    pub old: Secret,
    /// The next one.
    pub new: Secret,
}
