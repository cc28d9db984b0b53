//! Logs to [`State`]: what the members' logs together say, judged by one member.
//!
//! Two layers. *Facts* are what was said, kept so that the order of arrival leaves no trace. Everything else (where a
//! request stands, who may sign, which slot is free) is computed from the facts, the charter and the time whenever it
//! is asked for; nothing derived is stored, so nothing derived can be stale.
//!
//! **Invariant:** two states that absorbed the same entries are equal, however the authors' logs interleaved; entries
//! of one author come in its log's order.
//!
//! **Invariant:** grants count only where their own signature holds (approvals, PREPARED, signatures under the
//! vault's key); restrictions (rejections, cancellations, session records) count from everybody's log as they stand.

mod absorb;
mod act0;
mod again;
mod claims;
mod evidence;
mod explain;
mod facts;
mod hashes;
mod judge;
mod propose;
mod requests;
mod sessions;
mod settle;
mod slots;
mod standing;
#[cfg(test)]
mod tests;

use quorate_chain::evm::Address;
use quorate_threshold::{PublicKeys, Suite};

use crate::charter::{Charter, CharterError};
use crate::ids::{PartyId, VaultId};

pub use self::act0::Act0;
pub use self::again::MAX_ASKED_AGAIN;
pub use self::claims::{MAX_GAPS, MAX_OPEN_PER_AUTHOR};
pub use self::evidence::Consent;
pub use self::explain::Explain;
pub use self::facts::{Asked, Consumed, Place, Recorded, Said, SessionFacts, SlotKey};
pub use self::hashes::{approval_hash, intent_digest, prepared_hash, request_id};
pub use self::judge::Denied;
pub use self::propose::{ProposeError, SameKey};
pub use self::sessions::{SessionEnd, SessionView};
pub use self::slots::{GIVE_WAY_MS, WatchedSlot};
pub use self::standing::{
    Decision, Invalid, MAX_IDEMPOTENCY_KEY_BYTES, MAX_LIFETIME_MS, NoteView, RequestState, Standing,
};

/// What the members' logs say, as one member judges it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    charter: Charter,
    vault: VaultId,
    me: PartyId,
    facts: facts::Facts,
    /// The keys that act 0 decided, once it has.
    decided: Option<act0::Decided>,
}

impl State {
    /// The state before any entry.
    ///
    /// `me` is whose judgement this is: whose receipts count, whose records bind, whose approval is asked for. An
    /// outsider who only reads gives any id.
    ///
    /// # Errors
    /// [`CharterError`] for a charter that cannot found a vault.
    pub fn new(charter: Charter, me: PartyId) -> Result<Self, CharterError> {
        charter.check()?;
        Ok(Self {
            vault: charter.vault_id(),
            charter,
            me,
            facts: facts::Facts::default(),
            decided: None,
        })
    }

    /// The charter in force.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// The vault.
    pub fn vault(&self) -> &VaultId {
        &self.vault
    }

    /// Whose judgement this is.
    pub fn me(&self) -> &PartyId {
        &self.me
    }

    /// The keys that act 0 decided; they may not have been acknowledged by everybody yet.
    pub fn public(&self) -> Option<&PublicKeys> {
        self.decided.as_ref().map(|decided| &decided.public)
    }

    /// The vault's account on EVM chains, to be shown to people: once every member has acknowledged the keys.
    pub fn address(&self) -> Option<Address> {
        match self.act0() {
            Act0::Active { .. } => self.account(),
            _ => None,
        }
    }

    /// The vault's account on EVM chains, to sign for: once its keys are decided, whoever has acknowledged them.
    pub fn account(&self) -> Option<Address> {
        self.decided.as_ref().map(|decided| decided.address)
    }

    /// Whether I use the keys: they are decided, which my own durable shares are a part of, and I have said so. What
    /// others say of them afterwards does not matter, or one of them could have some sign and others decline for ever.
    pub fn has_keys(&self) -> bool {
        self.has_acknowledged(&self.me)
    }
}

/// The EVM account of a vault's keys.
pub fn evm_address(public: &PublicKeys) -> Option<Address> {
    let sec1 = public
        .group_key(Suite::EcdsaSecp256k1)
        .as_bytes()
        .try_into()
        .ok()?;
    Address::from_public_key(sec1).ok()
}
