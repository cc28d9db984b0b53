//! A request's standing, as plain values.

use serde::{Deserialize, Serialize};
use thiserror::Error;

use super::again::MAX_ASKED_AGAIN;
use super::facts::SlotKey;
use crate::entry::{MAX_NOTE_BYTES, Request};
use crate::ids::{PartyId, RequestId, Time};

/// Longest time from asking to expiry, milliseconds: 30 days.
pub const MAX_LIFETIME_MS: u64 = 30 * 24 * 60 * 60 * 1000;
/// Longest idempotency key, bytes of UTF-8.
pub const MAX_IDEMPOTENCY_KEY_BYTES: usize = 128;

/// Where a request stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Too few members have approved.
    WaitingForApprovals,
    /// Enough have; a session can open.
    Ready,
    /// A session is under way.
    Signing,
    /// There is a verified signature.
    Signed,
    /// In a block, as my own receipts say.
    Mined {
        /// Whether the EVM call succeeded.
        success: bool,
        /// Whether the chain calls the block final.
        finalised: bool,
    },
    /// So many rejected that it cannot be approved any more.
    Rejected,
    /// Its author withdrew it.
    Cancelled,
    /// Its time was over before there was a signature.
    Expired,
    /// Another transaction took its slot: a fill or another request. It can never be mined.
    Lost,
    /// The request that it was asked in place of was paid after all, as my own receipts say.
    PaidBefore {
        /// Which.
        earlier: RequestId,
    },
    /// It breaks a rule; nobody signs it.
    Invalid(Invalid),
}

impl RequestState {
    /// Whether it will never be signed, again or at all.
    pub fn is_dead(&self) -> bool {
        matches!(
            self,
            Self::Rejected
                | Self::Cancelled
                | Self::Expired
                | Self::Lost
                | Self::PaidBefore { .. }
                | Self::Invalid(_)
        )
    }

    /// Whether nothing more can happen to it, short of a reorganisation.
    pub fn is_final(&self) -> bool {
        self.is_dead()
            || matches!(
                self,
                Self::Mined {
                    finalised: true,
                    ..
                }
            )
    }
}

/// Which rule a request breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, Error)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Invalid {
    #[error("the vault has no keys yet; finish its making first")]
    NoKeys,
    #[error("it pays from an account that is not the vault's; ask again")]
    WrongAccount,
    #[error("it expires before it was asked; choose a later expiry")]
    ExpiresTooEarly,
    #[error("it expires more than 30 days after it was asked; choose an earlier expiry")]
    ExpiresTooLate,
    #[error("its note is longer than {MAX_NOTE_BYTES} bytes; shorten it")]
    NoteTooLong,
    #[error("its idempotency key is longer than {MAX_IDEMPOTENCY_KEY_BYTES} bytes; shorten it")]
    KeyTooLong,
    #[error(
        "it stands in place of a request that says something else or is not its author's; ask again"
    )]
    OtherContent,
    #[error("it stands in place of a request that was not withdrawn before it; ask again")]
    NotWithdrawn,
    #[error("another request stands in place of the same one already; look at that one")]
    AskedTwice,
    #[error("the same was asked again more than {MAX_ASKED_AGAIN} times; ask for it anew")]
    AskedTooOften,
}

/// One member's word on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Decision {
    /// Who.
    pub party: PartyId,
    /// When, by that member's clock.
    pub at: Time,
    /// Why, for a rejection.
    pub reason: Option<String>,
}

/// A note on a request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoteView {
    /// Who.
    pub party: PartyId,
    /// When, by that member's clock.
    pub at: Time,
    /// The words.
    pub text: String,
}

/// A request as it stands now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// Its name.
    pub id: RequestId,
    /// Who asked.
    pub author: PartyId,
    /// When, by the author's clock.
    pub asked: Time,
    /// As asked.
    pub request: Request,
    /// The slot that its intent names.
    pub slot: SlotKey,
    /// Digest of its intent: what is approved.
    pub digest: [u8; 32],
    /// Where it stands.
    pub state: RequestState,
    /// How many approvals it needs.
    pub needed: u8,
    /// Those that count, in committee order.
    pub approvals: Vec<Decision>,
    /// Rejections, in committee order.
    pub rejections: Vec<Decision>,
    /// When its author withdrew it.
    pub cancelled: Option<Time>,
    /// Notes, by time.
    pub notes: Vec<NoteView>,
}
