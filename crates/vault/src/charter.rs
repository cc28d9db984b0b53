//! The vault's constitution, version 1: members, threshold, and how many of them must approve.

mod check;
mod words;

use ed25519_dalek::VerifyingKey;
use quorate_threshold::{Committee, Parameters, PartyIndex, Transcript};
use serde::{Deserialize, Serialize};

use crate::codec;
use crate::ids::{PartyId, VaultId};

pub use self::check::{CharterError, MAX_DOMAINS, MAX_LABEL_CHARS, MAX_NAME_CHARS};
pub use self::words::Words;
pub use crate::codec::CodecError;

/// Longest encoded charter, bytes: 16 members with every label at its longest stay well below.
pub const MAX_CHARTER_BYTES: usize = 32 * 1024;
/// The version of every founding charter.
pub const FOUNDING_VERSION: u32 = 1;

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
    /// 32 random bytes of the party, to which it was committed before anybody knew them: see [`Words`].
    pub nonce: [u8; 32],
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

impl Charter {
    /// Checks everything a charter promises; nothing else in this crate works on one that fails.
    ///
    /// # Errors
    /// The first rule that is broken, with who breaks it.
    pub fn check(&self) -> Result<(), CharterError> {
        check::check(self)
    }

    /// The hash of the whole charter: of its one encoding, under a domain of its own.
    pub fn hash(&self) -> [u8; 32] {
        let mut transcript = Transcript::new("quorate/charter/v1");
        transcript.append(&self.encode());
        transcript.finish()
    }

    /// The vault that this first charter founds.
    pub fn vault_id(&self) -> VaultId {
        VaultId(self.hash())
    }

    /// Six words that people compare on every screen before they confirm.
    ///
    /// Takes some hundredths of a second on purpose; see [`Words`].
    pub fn fingerprint(&self) -> Words {
        Words::of_hash(&self.hash())
    }

    /// The one encoding.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads what [`Charter::encode`] wrote; [`Charter::check`] is the caller's next step.
    ///
    /// # Errors
    /// [`CodecError`] for anything but the one encoding of a charter.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes, MAX_CHARTER_BYTES)
    }

    /// How many members there are, `n`.
    pub fn size(&self) -> u8 {
        u8::try_from(self.members.len()).unwrap_or(u8::MAX)
    }

    /// How many approvals a request needs, `k`.
    pub fn needed(&self) -> u8 {
        match self.rule {
            Rule::Approvals { k } => k,
        }
    }

    /// The committee that holds the key shares: the members in order, by their identity keys.
    ///
    /// # Errors
    /// [`CharterError`] for a charter that [`Charter::check`] refuses as well.
    pub fn committee(&self) -> Result<Committee, CharterError> {
        let parameters =
            Parameters::new(self.threshold, self.size()).map_err(|_| CharterError::Parameters {
                threshold: self.threshold,
                members: self.members.len(),
            })?;
        let identities = self
            .members
            .iter()
            .map(Member::identity_key)
            .collect::<Result<Vec<_>, _>>()?;
        Committee::new(parameters, identities).map_err(CharterError::Committee)
    }

    /// The member with this party id.
    pub fn member(&self, party: &PartyId) -> Option<&Member> {
        self.members.iter().find(|member| member.party == *party)
    }

    /// Whether this party is a signer of the vault.
    pub fn is_signer(&self, party: &PartyId) -> bool {
        self.member(party)
            .is_some_and(|member| member.role == Role::Signer)
    }

    /// The name of this party, or the first digits of its id if it is not a member.
    pub fn name_of(&self, party: &PartyId) -> String {
        self.member(party)
            .map_or_else(|| party.short(), |member| member.name.clone())
    }

    /// The member of this name; case does not matter.
    pub fn member_named(&self, name: &str) -> Option<&Member> {
        let wanted = name.to_lowercase();
        self.members
            .iter()
            .find(|member| member.name.to_lowercase() == wanted)
    }

    /// The member whose network endpoint has this key.
    pub fn member_at_endpoint(&self, endpoint: &[u8; 32]) -> Option<&Member> {
        self.members
            .iter()
            .find(|member| member.endpoint == *endpoint)
    }

    /// The member's x-coordinate in the committee.
    pub fn index_of(&self, party: &PartyId) -> Option<PartyIndex> {
        let position = self
            .members
            .iter()
            .position(|member| member.party == *party)?;
        PartyIndex::new(u8::try_from(position).ok()?.checked_add(1)?).ok()
    }

    /// The member at this index of the committee.
    pub fn member_at(&self, index: PartyIndex) -> Option<&Member> {
        self.members.get(index.position())
    }

    /// All parties, in committee order.
    pub fn parties(&self) -> impl Iterator<Item = PartyId> + Clone + '_ {
        self.members.iter().map(|member| member.party)
    }
}

impl Member {
    /// Checks what a charter asks of each member by itself.
    ///
    /// # Errors
    /// The first rule that is broken.
    pub fn check(&self) -> Result<(), CharterError> {
        check::check_member(self)
    }

    /// The key that signs protocol messages and checkpoints.
    ///
    /// # Errors
    /// [`CharterError::Key`] if the bytes are no usable Ed25519 key.
    pub fn identity_key(&self) -> Result<VerifyingKey, CharterError> {
        check::key(&self.identity, "identity", &self.name)
    }

    /// The key that signs approvals.
    ///
    /// # Errors
    /// [`CharterError::Key`] if the bytes are no usable Ed25519 key.
    pub fn credential_key(&self) -> Result<VerifyingKey, CharterError> {
        check::key(&self.credential, "credential", &self.name)
    }
}
