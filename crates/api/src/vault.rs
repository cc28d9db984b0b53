//! Vaults: making one, joining one, looking at one.

use serde::{Deserialize, Serialize};

use crate::{AddressView, Secret};

/// Body of `POST /v1/vaults`: begins a vault and opens pairing for the others.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CreateVault {
    /// Name of the vault ([`crate::is_name`]); the others get it proposed.
    pub name: String,
    /// Signers that a signature needs; `2 <= t <= n`, `2t > n`.
    pub threshold: u8,
    /// Members in all, this one included; at most 16.
    pub members: u8,
    /// Who controls this member: `owner`, `provider`, ... Default `owner`.
    pub controller: Option<String>,
    /// What could take several members at once: a cloud account, an office. Default: this member's name.
    pub trust_domain: Option<String>,
}

/// Answer of `POST /v1/vaults`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CreatedVault {
    /// The vault, inviting.
    pub vault: VaultView,
    /// One invitation for every other member.
    pub invitations: Vec<Invitation>,
}

/// A code that lets one member join, once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The spoken code.
    pub code: String,
    /// `HOST:PORT` where the joining member dials.
    pub address: String,
    /// When the code dies.
    pub expires_ms: u64,
}

/// Body of `POST /v1/join`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct JoinVault {
    /// The spoken code.
    pub code: String,
    /// `HOST:PORT` of the inviting member.
    pub address: String,
    /// Another local name for the vault, if the proposed one is taken.
    pub name: Option<String>,
    /// As in [`CreateVault`].
    pub controller: Option<String>,
    /// As in [`CreateVault`].
    pub trust_domain: Option<String>,
}

/// Body of `POST /v1/vault/{vault}/confirm`: the person saw the same six words on every screen.
/// Words that differ are [`crate::ErrorCode::Integrity`] and confirm nothing.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConfirmRoster {
    /// The six words, in order, lower case.
    pub words: Vec<String>,
    /// The PIN that opens this member's device key.
    pub pin: Secret,
}

/// Where a vault stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VaultPhase {
    /// Members are still joining.
    Inviting,
    /// The roster is complete; every member compares the six words and confirms.
    Confirming,
    /// All confirmed; the keys are being made, or members have yet to acknowledge them.
    Keygen,
    /// Every member has acknowledged: the vault has an address and can pay.
    Active,
    /// Key generation ended without keys; nothing can have been paid in. See the warnings.
    Failed,
}

/// A vault as one member sees it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VaultView {
    /// Vault id, hex.
    pub id: String,
    /// Local name.
    pub name: String,
    /// Signers that a signature needs.
    pub threshold: u8,
    /// Members when complete; `members` can be shorter while the vault is inviting.
    pub size: u8,
    /// Members known so far, by index once the roster is complete.
    pub members: Vec<MemberView>,
    /// Where the vault stands.
    pub phase: VaultPhase,
    /// Who has yet to do what before the next phase.
    pub waiting_for: Vec<AwaitedMember>,
    /// The six words of the roster, once it is complete.
    pub words: Option<Vec<String>>,
    /// Version of the charter in force; 0 before there is one.
    pub charter_version: u32,
    /// Generation of the key shares; 0 before there are any.
    pub epoch: u32,
    /// Addresses; empty until every member has acknowledged.
    pub addresses: Vec<AddressView>,
    /// What the person should know: `test funds only until backups exist`.
    pub warnings: Vec<String>,
    /// When the vault was begun or joined here.
    pub created_ms: u64,
}

/// A member of a vault.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MemberView {
    /// Party id, hex.
    pub party: String,
    /// Name.
    pub name: String,
    /// 1-based position in the committee, once the roster is complete.
    pub index: Option<u8>,
    /// Whether this is the daemon that answers.
    pub you: bool,
    /// Who controls it.
    pub controller: String,
    /// What could take it together with others.
    pub trust_domain: String,
    /// How far it has come.
    pub state: MemberState,
    /// Whether there is a live connection.
    pub online: bool,
    /// When it was last heard.
    pub last_seen_ms: Option<u64>,
    /// Why it cannot take part, if known.
    pub problem: Option<String>,
}

/// How far a member has come with a vault's making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MemberState {
    /// Paired.
    Joined,
    /// Its person confirmed the six words.
    Confirmed,
    /// Its shares are durable.
    Prepared,
    /// It has acknowledged that the vault exists.
    Acknowledged,
}

/// A member that the vault waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedMember {
    /// Its name; none for a seat that nobody has taken.
    pub name: Option<String>,
    /// What is awaited: `to join`, `to confirm the six words`, `to come online`, `to acknowledge`.
    pub what: String,
}
