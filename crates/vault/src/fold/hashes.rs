//! The hashes that members sign, each under a domain of its own.

use quorate_chain::Intent;
use quorate_threshold::{PublicKeys, Transcript};

use crate::codec;
use crate::entry::{Approval, Prepared, Request};
use crate::ids::{PartyId, RequestId, Time, VaultId};

/// The name of a request: bound to the vault, its author and every byte of it.
pub fn request_id(vault: &VaultId, author: &PartyId, request: &Request) -> RequestId {
    let mut transcript = Transcript::new("quorate/request/v1");
    transcript.append(vault.as_bytes());
    transcript.append(author.as_bytes());
    transcript.append(&codec::encode(request));
    RequestId(transcript.finish())
}

/// The digest of an intent at the slot it names: what a person is shown and approves.
pub fn intent_digest(intent: &Intent) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/intent/v1");
    transcript.append(&intent.encode());
    transcript.finish()
}

/// What a credential key signs to approve.
///
/// The nonce is the request's own, so one approval fits one request; the digest names the slot, so it fits one slot.
pub fn approval_hash(
    vault: &VaultId,
    charter_version: u32,
    intent_digest: &[u8; 32],
    expires: Time,
    nonce: &[u8; 32],
) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/approval/v1");
    transcript.append(vault.as_bytes());
    transcript.append_u64(u64::from(charter_version));
    transcript.append(intent_digest);
    transcript.append_u64(expires.0);
    transcript.append(nonce);
    transcript.finish()
}

impl Approval {
    /// What this approval's signature is over, in this vault.
    pub fn hash(&self, vault: &VaultId) -> [u8; 32] {
        approval_hash(
            vault,
            self.charter_version,
            &self.intent_digest,
            self.expires,
            &self.nonce,
        )
    }
}

/// What an identity key signs to say that its shares of an attempt are durable.
pub fn prepared_hash(vault: &VaultId, act: u64, attempt: u32, public: &PublicKeys) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/prepared/v1");
    transcript.append(vault.as_bytes());
    transcript.append_u64(act);
    transcript.append_u64(u64::from(attempt));
    transcript.append(&public.hash());
    transcript.finish()
}

impl Prepared {
    /// What this statement's signature is over, in this vault.
    pub fn hash(&self, vault: &VaultId) -> [u8; 32] {
        prepared_hash(vault, self.act, self.attempt, &self.public)
    }
}
