//! Requests: asked, decoded, approved, signed, mined.

use serde::{Deserialize, Serialize};

use crate::Secret;

/// Body of `POST /v1/vault/{vault}/send` and `.../preview`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SendPayment {
    /// Chain (name or CAIP-2); may be left out when the vault knows only one.
    pub chain: Option<String>,
    /// Decimal in whole units of the asset (`0.5`), or `max`: all but the largest fee.
    pub amount: String,
    /// Symbol of the asset: `ETH`.
    pub asset: String,
    /// Recipient.
    pub to: String,
    /// For the people who approve; at most [`crate::MAX_NOTE_CHARS`].
    pub note: Option<String>,
    /// How long approvals are taken, in milliseconds from now; default 24 hours.
    pub expires_in_ms: Option<u64>,
    /// The same key with the same content answers the request it already made;
    /// with other content [`crate::ErrorCode::Duplicate`].
    pub idempotency_key: Option<String>,
    /// Upper bound of the whole fee, in wei; default: a multiple of today's.
    pub max_fee_wei: Option<String>,
}

/// Body of `POST .../approve`.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Approve {
    /// [`IntentView::digest`] that the person was shown; another one is [`crate::ErrorCode::Integrity`].
    pub intent_digest: String,
    /// The PIN that opens this member's device key.
    pub pin: Secret,
}

/// Body of `POST .../reject`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reject {
    /// For the others; at most [`crate::MAX_NOTE_CHARS`].
    pub reason: Option<String>,
}

/// Body of `POST .../replace`: another attempt of the same payment in the same slot, at a higher fee
/// within the bounds that were approved, so that it needs no new approvals. The chain takes at most one.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Replace {
    /// Upper bound of the whole fee, in wei, for callers that want to name it: any other than
    /// [`IntentView::max_fee_wei`] is [`crate::ErrorCode::Denied`].
    pub max_fee_wei: Option<String>,
}

/// Query of `GET /v1/vault/{vault}/requests`.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct RequestQuery {
    /// Which; default open ones.
    #[serde(default)]
    pub state: RequestFilter,
}

/// Which requests to list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestFilter {
    /// Neither finished nor dead.
    #[default]
    Open,
    /// Finished or dead.
    Closed,
    /// Open ones that this member has not decided.
    AwaitsYou,
    /// Every one.
    All,
}

/// Query of `GET .../wait`.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct WaitQuery {
    /// Answer as soon as the request is this far, or is dead.
    pub until: Until,
    /// Answer at the latest after this many milliseconds, at most [`crate::MAX_WAIT_MS`].
    pub timeout_ms: u64,
}

/// How far to wait.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Until {
    /// Enough approvals.
    Ready,
    /// Signed.
    Signed,
    /// An endpoint took it.
    Broadcast,
    /// In a block.
    #[default]
    Mined,
}

/// What a request is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestKind {
    /// A payment.
    Transfer,
    /// A self-transfer of nothing that fills the slot of a dead request.
    SlotFiller,
}

/// Where a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RequestState {
    /// Too few members have approved.
    WaitingForApprovals,
    /// Enough have approved; a session opens when enough of them are online and earlier slots are gone.
    Ready,
    /// A session runs.
    Signing,
    /// There is a verified signature.
    Signed,
    /// An endpoint took the transaction.
    Broadcast,
    /// In a block, and it succeeded.
    Mined,
    /// In a block, and the chain reverted it; the fee is gone, the amount is not.
    Failed,
    /// So many rejected that it cannot be approved any more.
    Rejected,
    /// Its requester took it back.
    Cancelled,
    /// Its time was over before enough had approved.
    Expired,
    /// Another request took its slot on chain: a replacement, or a filler.
    Superseded,
    /// The request that it was asked in place of was paid after all; nothing more is paid.
    PaidBefore,
}

impl RequestState {
    /// Whether nothing more will come.
    pub fn is_final(self) -> bool {
        matches!(
            self,
            Self::Mined
                | Self::Failed
                | Self::Rejected
                | Self::Cancelled
                | Self::Expired
                | Self::Superseded
                | Self::PaidBefore
        )
    }

    /// Whether a request in this state has come as far as `until`.
    pub fn reached(self, until: Until) -> bool {
        let progress = match self {
            Self::Ready | Self::Signing => Some(Until::Ready),
            Self::Signed => Some(Until::Signed),
            Self::Broadcast => Some(Until::Broadcast),
            Self::Mined => Some(Until::Mined),
            _ => None,
        };
        progress.is_some_and(|progress| progress >= until)
    }
}

/// One label and value, as every approver reads it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentLine {
    /// `Pay`, `To`, `From`, `Chain`, `Slot`, `Largest fee`, ...
    pub label: String,
    /// The value.
    pub value: String,
}

/// What a transaction will do, decoded by this member itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IntentView {
    /// Digest of the intent, hex: what approvals are bound to.
    pub digest: String,
    /// The intent in words.
    pub lines: Vec<IntentLine>,
    /// CAIP-2 id.
    pub chain: String,
    /// Local name of the chain; none if it was not added here.
    pub chain_name: Option<String>,
    /// The vault's address.
    pub from: String,
    /// Recipient.
    pub to: String,
    /// Symbol of the asset.
    pub asset: String,
    /// Amount.
    pub value_wei: String,
    /// Account nonce: the slot that every attempt of this request competes for.
    pub nonce: u64,
    /// Gas limit.
    pub gas_limit: u64,
    /// Upper bound of the fee per gas.
    pub max_fee_per_gas_wei: String,
    /// Upper bound of the priority fee per gas.
    pub max_priority_fee_per_gas_wei: String,
    /// Upper bound of the whole fee.
    pub max_fee_wei: String,
    /// Amount and the largest fee.
    pub largest_cost_wei: String,
}

/// What `send` would ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Preview {
    /// The vault.
    pub vault: String,
    /// What would be asked. The slot is the one that would be taken now.
    pub intent: IntentView,
    /// Approvals it would need.
    pub needed: u8,
    /// When it would expire.
    pub expires_ms: u64,
    /// Fee at today's price, in wei.
    pub estimated_fee_wei: String,
    /// What the person should know.
    pub warnings: Vec<String>,
}

/// A request as this member's own fold has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RequestView {
    /// Id, hex.
    pub id: String,
    /// Local name of the vault.
    pub vault: String,
    /// What it is for.
    pub kind: RequestKind,
    /// Where it stands.
    pub state: RequestState,
    /// Whether this member could approve or reject it now.
    pub awaits_you: bool,
    /// What it will do.
    pub intent: IntentView,
    /// Member that asked.
    pub requester: String,
    /// Note of the requester.
    pub note: Option<String>,
    /// When it was asked.
    pub created_ms: u64,
    /// Until when approvals are taken.
    pub expires_ms: u64,
    /// Request that this one is asked in place of, because its slot went to another; its content is the same.
    pub in_place_of: Option<String>,
    /// The newest request that is asked in place of this one.
    pub asked_again_as: Option<String>,
    /// Approvals it needs.
    pub needed: u8,
    /// Approvals that count.
    pub approvals: Vec<DecisionView>,
    /// Rejections.
    pub rejections: Vec<DecisionView>,
    /// Members that have not decided.
    pub undecided: Vec<String>,
    /// Why it does not go on at present, one sentence:
    /// `2 members are needed online; carol is offline`. None when it does, or is finished as it should.
    pub blocked: Option<String>,
    /// Every attempt to sign, oldest first.
    pub sessions: Vec<SessionView>,
    /// Hashes (`0x`) of the transactions that were signed; the chain takes at most one.
    pub tx_hashes: Vec<String>,
    /// What the chain says.
    pub receipt: Option<ReceiptView>,
}

/// One member's approval or rejection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionView {
    /// Member.
    pub member: String,
    /// When, by that member's clock.
    pub at_ms: u64,
    /// Reason of a rejection.
    pub reason: Option<String>,
}

/// One run of the signing protocol.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionView {
    /// 1-based attempt.
    pub attempt: u32,
    /// Member that opened it.
    pub opener: String,
    /// Members that took part.
    pub quorum: Vec<String>,
    /// How it ended.
    pub outcome: SessionOutcome,
    /// Why it ended without a signature, one sentence.
    pub reason: Option<String>,
}

/// How a [`SessionView`] ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionOutcome {
    /// Not yet.
    Running,
    /// With a verified signature.
    Signed,
    /// Without one.
    Aborted,
}

/// What the chain says of a transaction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReceiptView {
    /// Transaction hash (`0x`).
    pub tx_hash: String,
    /// Block number.
    pub block: u64,
    /// Block hash (`0x`).
    pub block_hash: String,
    /// Whether it succeeded.
    pub success: bool,
    /// Gas used.
    pub gas_used: u64,
    /// Price paid per gas.
    pub effective_gas_price_wei: String,
    /// Whole fee paid.
    pub fee_wei: String,
}

#[cfg(test)]
mod tests {
    use super::{RequestState, Until};

    #[test]
    fn a_dead_request_has_reached_nothing() {
        for state in [
            RequestState::Rejected,
            RequestState::Cancelled,
            RequestState::Expired,
            RequestState::Failed,
            RequestState::Superseded,
            RequestState::PaidBefore,
            RequestState::WaitingForApprovals,
        ] {
            assert!(!state.reached(Until::Ready), "{state:?}");
        }
    }

    #[test]
    fn later_states_have_reached_earlier_marks() {
        assert!(RequestState::Mined.reached(Until::Signed));
        assert!(RequestState::Broadcast.reached(Until::Broadcast));
        assert!(!RequestState::Signed.reached(Until::Broadcast));
        assert!(RequestState::Signing.reached(Until::Ready));
    }
}
