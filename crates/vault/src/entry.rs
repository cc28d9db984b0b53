//! What a member's log says. One entry is one [`Logged`]: the author's clock and an [`Entry`].
//!
//! Who said it is not inside: the log's signed checkpoint proves the author.

use quorate_chain::Intent;
use quorate_threshold::{EcdsaSignature, PublicKeys};
use serde::{Deserialize, Serialize};

use crate::charter::Charter;
use crate::codec::{self, CodecError};
use crate::ids::{PartyId, RequestId, SessionId, Time};

/// Longest encoded entry, bytes.
pub const MAX_ENTRY_BYTES: usize = 64 * 1024;
/// Longest note or reason a person can attach, bytes of UTF-8.
pub const MAX_NOTE_BYTES: usize = 512;

/// An entry with the time its author's clock showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Logged {
    /// The author's clock.
    pub at: Time,
    /// What is said.
    pub entry: Entry,
}

impl Logged {
    /// The one encoding, as it stands in a log.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Reads an entry of a log.
    ///
    /// # Errors
    /// [`CodecError`] for anything but the one encoding of an entry of at most [`MAX_ENTRY_BYTES`].
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes, MAX_ENTRY_BYTES)
    }
}

/// Everything a log can say. Variants are only ever added at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Entry {
    /// First entry of every log: my person compared the six words of this charter and confirmed it.
    Founded(Box<Charter>),
    /// I take part in this attempt at this act's ceremony; durable before round one.
    CeremonyStarted {
        /// 0 for keygen.
        act: u64,
        /// Counts up from 1.
        attempt: u32,
    },
    /// My shares of this attempt are durable.
    Prepared(Box<Prepared>),
    /// I hold no share of this attempt and never will.
    Aborted {
        /// 0 for keygen.
        act: u64,
        /// The attempt that is given up.
        attempt: u32,
        /// Why, for people.
        reason: String,
    },
    /// I have seen every member's PREPARED of this attempt, and that is durable here.
    Acknowledged {
        /// 0 for keygen.
        act: u64,
        /// The attempt that was decided.
        attempt: u32,
        /// Hash of the public keys that all prepared.
        public: [u8; 32],
    },
    /// A payment is asked for.
    Request(Box<Request>),
    /// My person consents.
    Approval(Approval),
    /// My person refuses.
    Rejection {
        /// Which request.
        request: RequestId,
        /// Why, for people.
        reason: String,
    },
    /// The request's author withdraws it.
    Cancellation {
        /// Which request.
        request: RequestId,
    },
    /// The request's author or an approver asks for a new signature at a higher fee within the approved bounds.
    Replacement {
        /// Which request.
        request: RequestId,
        /// The session whose transaction is too cheap.
        supersedes: SessionId,
    },
    /// I enter this session; durable before round one, counts as signed.
    SessionRecord(Box<SessionRecord>),
    /// How a session ended for me.
    SessionOutcome {
        /// Which session.
        session: SessionId,
        /// The signature, or why there is none.
        result: SessionResult,
    },
    /// What the chain says about one of this vault's slots, as I see it. A later one of the same author on the
    /// same request and slot replaces an earlier one.
    Receipt(Box<Receipt>),
    /// Words of a person on a request, for the others.
    Note {
        /// Which request.
        request: RequestId,
        /// At most [`MAX_NOTE_BYTES`].
        text: String,
    },
}

impl Entry {
    /// What kind of entry it is, in a word or two: for lists, traces and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Founded(_) => "founded",
            Self::CeremonyStarted { .. } => "ceremony started",
            Self::Prepared(_) => "prepared",
            Self::Aborted { .. } => "aborted",
            Self::Acknowledged { .. } => "acknowledged",
            Self::Request(_) => "request",
            Self::Approval(_) => "approval",
            Self::Rejection { .. } => "rejection",
            Self::Cancellation { .. } => "cancellation",
            Self::Replacement { .. } => "replacement",
            Self::SessionRecord(_) => "session record",
            Self::SessionOutcome { .. } => "session outcome",
            Self::Receipt(_) => "receipt",
            Self::Note { .. } => "note",
        }
    }
}

/// A member's signed statement that its shares are durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prepared {
    /// 0 for keygen.
    pub act: u64,
    /// The attempt.
    pub attempt: u32,
    /// Everything public about the new keys.
    pub public: PublicKeys,
    /// Ed25519 by the member's identity over (domain, vault, act, attempt, hash of `public`); 64 bytes.
    pub signature: Vec<u8>,
}

/// What a member asks the vault to do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Request {
    /// 32 fresh bytes; bound into every approval, so that an approval fits this request alone.
    pub nonce: [u8; 32],
    /// What is to be signed, with its slot; neither ever changes.
    pub intent: Intent,
    /// When it stops being able to be signed.
    pub expires: Time,
    /// Words for the approvers; at most [`MAX_NOTE_BYTES`].
    pub note: String,
    /// The caller's own key: a second request with the same one is refused as a duplicate. May be empty.
    pub idempotency_key: String,
    /// The author's own request that lost its slot, was withdrawn, and is asked again by this one in a higher slot.
    pub instead_of: Option<RequestId>,
}

/// A person's consent, bound to `H(domain, vault, charter version, intent digest, expiry, nonce)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Which request.
    pub request: RequestId,
    /// Charter under which it counts.
    pub charter_version: u32,
    /// Digest of the intent that was shown, slot included.
    pub intent_digest: [u8; 32],
    /// The request's expiry.
    pub expires: Time,
    /// The request's nonce.
    pub nonce: [u8; 32],
    /// Ed25519 by the member's credential key over the bound hash; 64 bytes.
    pub signature: Vec<u8>,
}

/// What a session signs for its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Purpose {
    /// The request's own intent.
    Payment,
    /// A zero-value self-transfer in a lower slot whose own requests are all dead; the waiting request's approvals
    /// cover it (its intent says so).
    Fill {
        /// The slot to fill.
        slot: u64,
    },
}

/// The durable record that one signer entered one session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionRecord {
    /// The session.
    pub session: SessionId,
    /// The request whose approvals carry it.
    pub request: RequestId,
    /// What it signs.
    pub purpose: Purpose,
    /// Counts up from 1 within a request and purpose.
    pub attempt: u32,
    /// Who opened it.
    pub opener: PartyId,
    /// Who signs, in committee order.
    pub quorum: Vec<PartyId>,
    /// The final bytes that are signed.
    pub unsigned: Vec<u8>,
    /// Their digest.
    pub digest: [u8; 32],
}

/// How a session ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SessionResult {
    /// Verified under the group key before this was written.
    Signed(EcdsaSignature),
    /// No signature came out here; somebody else may hold one.
    Failed {
        /// For people.
        reason: String,
    },
}

/// One member's view of what consumed a slot.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// The request whose slot it is.
    pub request: RequestId,
    /// The slot.
    pub slot: u64,
    /// What is seen.
    pub seen: Seen,
}

/// What a member saw on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Seen {
    /// A transaction of this vault consumed the slot.
    Mined {
        /// Transaction hash.
        hash: [u8; 32],
        /// The raw signed transaction, so that a stranger can recover the signer.
        raw: Vec<u8>,
        /// Block height.
        block_number: u64,
        /// Block hash.
        block_hash: [u8; 32],
        /// Whether the EVM call succeeded.
        success: bool,
        /// Gas used.
        gas_used: u64,
        /// Wei a unit of gas, as paid.
        effective_gas_price: u128,
        /// The chain calls the block final.
        finalised: bool,
    },
    /// What was mined is gone again (a reorganisation).
    Unmined,
}
