//! A request as people see it.

use quorate_chain::evm::Wei;
use quorate_chain::{Intent, Line};
use serde::Serialize;

use super::super::Vault;
use crate::entry::Purpose;
use crate::fold::{self, RequestState, SessionEnd, Standing, intent_digest};
use crate::ids::{PartyId, RequestId, Time};

/// A request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RequestView {
    /// Hex.
    pub id: String,
    /// Where it stands.
    pub state: RequestState,
    /// That in one sentence.
    pub sentence: String,
    /// Whether this member's person could approve it now.
    pub awaits_you: bool,
    /// What it will do.
    pub intent: IntentView,
    /// Name of who asked.
    pub requester: String,
    /// Words of the requester; may be empty.
    pub note: String,
    /// The requester's own key; may be empty.
    pub idempotency_key: String,
    /// 32 bytes that its approvals bind, hex.
    pub nonce: String,
    /// The request that this one is asked in place of, hex: its slot went to another.
    pub in_place_of: Option<String>,
    /// The newest request that is asked in place of this one, hex.
    pub asked_again_as: Option<String>,
    /// When it was asked, by the requester's clock.
    pub created: Time,
    /// Until when it can be signed.
    pub expires: Time,
    /// Approvals it needs.
    pub needed: u8,
    /// Approvals that count.
    pub approvals: Vec<DecisionView>,
    /// Rejections.
    pub rejections: Vec<DecisionView>,
    /// Names of those who decided neither way.
    pub undecided: Vec<String>,
    /// Words of people on it.
    pub notes: Vec<NoteView>,
    /// Every attempt to sign, for the request itself or to fill a slot before it; oldest first.
    pub sessions: Vec<SessionView>,
    /// Hashes (`0x`) of the transactions that were signed for it; the chain takes at most one.
    pub tx_hashes: Vec<String>,
    /// What the chain took, as this member saw.
    pub receipt: Option<ReceiptView>,
}

/// What a request will do.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IntentView {
    /// What approvals are bound to, hex.
    pub digest: String,
    /// In words.
    pub lines: Vec<Line>,
    /// CAIP-2.
    pub chain: String,
    /// The vault's address, EIP-55.
    pub from: String,
    /// Recipient, EIP-55.
    pub to: String,
    /// Symbol.
    pub asset: String,
    /// Wei.
    pub value: Wei,
    /// The slot.
    pub nonce: u64,
    /// Units of gas.
    pub gas_limit: u64,
    /// Upper bound, wei a unit of gas.
    pub max_fee_per_gas: Wei,
    /// Upper bound, wei a unit of gas.
    pub max_priority_fee_per_gas: Wei,
    /// Upper bound of the whole fee, wei.
    pub largest_fee: Wei,
    /// Amount and largest fee, wei; without what fills may cost.
    pub largest_total: Wei,
}

/// A member's approval or rejection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DecisionView {
    /// Name.
    pub member: String,
    /// When, by that member's clock.
    pub at: Time,
    /// Why, for a rejection.
    pub reason: Option<String>,
}

/// A member's words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct NoteView {
    /// Name.
    pub member: String,
    /// When, by that member's clock.
    pub at: Time,
    /// The words.
    pub text: String,
}

/// One run of the signing protocol.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SessionView {
    /// Hex.
    pub id: String,
    /// From 1.
    pub attempt: u32,
    /// The slot that it filled for the request, if it did not sign the request itself.
    pub fills_slot: Option<u64>,
    /// Name.
    pub opener: String,
    /// Names of those who were to sign.
    pub quorum: Vec<String>,
    /// Names of those who entered it, as far as their logs have come.
    pub entered: Vec<String>,
    /// When, by the clock of the first of them.
    pub at: Time,
    /// `running`, `signed` or `failed`.
    pub outcome: &'static str,
    /// Why it ended without a signature.
    pub reason: Option<String>,
}

/// What the chain took.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptView {
    /// `0x` and hex.
    pub tx_hash: String,
    /// Height.
    pub block: u64,
    /// `0x` and hex.
    pub block_hash: String,
    /// Whether it succeeded.
    pub success: bool,
    /// Units of gas.
    pub gas_used: u64,
    /// Wei a unit of gas, as paid.
    pub effective_gas_price: Wei,
    /// The whole fee, wei.
    pub fee: Option<Wei>,
    /// Whether the chain calls the block final.
    pub finalised: bool,
}

pub(super) fn view(vault: &Vault, id: &RequestId) -> Option<RequestView> {
    let standing = vault.state.standing(id, vault.now)?;
    let explain = vault.state.explain(id, vault.now)?;
    let name = |party: &PartyId| vault.charter.name_of(party);
    let decisions = |all: &[fold::Decision]| {
        all.iter()
            .map(|one| DecisionView {
                member: name(&one.party),
                at: one.at,
                reason: one.reason.clone(),
            })
            .collect::<Vec<_>>()
    };
    let sessions = vault.state.sessions(id);
    let signed = sessions
        .iter()
        .filter(|session| session.record.purpose == Purpose::Payment);
    let tx_hashes = signed
        .filter_map(|session| Some(hex0x(&vault.state.signed_tx(&session.session)?.hash)))
        .collect();
    Some(RequestView {
        id: id.to_string(),
        awaits_you: awaits(vault, &standing),
        state: explain.state,
        sentence: explain.sentence,
        intent: intent_view(vault, &standing),
        requester: name(&standing.author),
        note: standing.request.note.clone(),
        idempotency_key: standing.request.idempotency_key.clone(),
        nonce: hex::encode(standing.request.nonce),
        in_place_of: standing.request.instead_of.map(|id| id.to_string()),
        asked_again_as: Some(vault.state.latest(id))
            .filter(|latest| latest != id)
            .map(|latest| latest.to_string()),
        created: standing.asked,
        expires: standing.request.expires,
        needed: standing.needed,
        approvals: decisions(&standing.approvals),
        rejections: decisions(&standing.rejections),
        undecided: explain.missing.iter().map(name).collect(),
        notes: standing
            .notes
            .iter()
            .map(|note| NoteView {
                member: name(&note.party),
                at: note.at,
                text: note.text.clone(),
            })
            .collect(),
        sessions: sessions
            .iter()
            .map(|session| session_view(vault, session))
            .collect(),
        tx_hashes,
        receipt: receipt_view(vault, &standing),
    })
}

fn awaits(vault: &Vault, standing: &Standing) -> bool {
    let open = matches!(
        standing.state,
        RequestState::WaitingForApprovals | RequestState::Ready
    );
    let mine = |all: &[fold::Decision]| all.iter().any(|one| one.party == vault.me);
    open && !mine(&standing.approvals)
        && !mine(&standing.rejections)
        && vault
            .state
            .not_approvable(&standing.id, vault.now)
            .is_none()
}

fn intent_view(vault: &Vault, standing: &Standing) -> IntentView {
    let fills = match standing.state {
        RequestState::WaitingForApprovals | RequestState::Ready | RequestState::Signing => {
            vault.state.fills_before(&standing.request.intent)
        }
        _ => 0,
    };
    IntentView::of(&standing.request.intent, fills)
}

impl IntentView {
    /// An intent as people see it, where so many lower slots may have to be filled first, each for the largest fee.
    pub fn of(intent: &Intent, fills: u64) -> Self {
        let Intent::EvmTransfer(transfer) = intent;
        let terms = transfer.terms();
        Self {
            digest: hex::encode(intent_digest(intent)),
            lines: intent.display_with_fills(fills),
            chain: terms.chain.to_string(),
            from: terms.from.to_string(),
            to: terms.to.to_string(),
            asset: terms.chain.coin().to_owned(),
            value: terms.value,
            nonce: terms.nonce,
            gas_limit: terms.gas_limit,
            max_fee_per_gas: Wei::from(terms.bounds.max_fee_per_gas),
            max_priority_fee_per_gas: Wei::from(terms.bounds.max_priority_fee_per_gas),
            largest_fee: transfer.largest_fee(),
            largest_total: transfer.largest_total(),
        }
    }
}
fn session_view(vault: &Vault, session: &fold::SessionView) -> SessionView {
    let name = |party: &PartyId| vault.charter.name_of(party);
    let (outcome, reason) = match &session.end {
        SessionEnd::Running => ("running", None),
        SessionEnd::Signed => ("signed", None),
        SessionEnd::Failed(reasons) => {
            let said = reasons
                .iter()
                .map(|(party, why)| format!("{}: {why}", name(party)));
            ("failed", Some(said.collect::<Vec<_>>().join("; ")))
        }
    };
    SessionView {
        id: session.session.to_string(),
        attempt: session.record.attempt,
        fills_slot: match session.record.purpose {
            Purpose::Payment => None,
            Purpose::Fill { slot } => Some(slot),
        },
        opener: name(&session.record.opener),
        quorum: session.record.quorum.iter().map(name).collect(),
        entered: session.recorded.iter().map(name).collect(),
        at: session.at,
        outcome,
        reason,
    }
}

fn receipt_view(vault: &Vault, standing: &Standing) -> Option<ReceiptView> {
    if !matches!(standing.state, RequestState::Mined { .. }) {
        return None;
    }
    let seen = vault.state.consumed(&standing.slot)?;
    Some(ReceiptView {
        tx_hash: hex0x(&seen.mined.hash),
        block: seen.mined.block_number,
        block_hash: hex0x(&seen.mined.block_hash),
        success: seen.mined.success,
        gas_used: seen.mined.gas_used,
        effective_gas_price: Wei::from(seen.mined.effective_gas_price),
        fee: seen.mined.fee(),
        finalised: seen.finalised,
    })
}

fn hex0x(bytes: &[u8; 32]) -> String {
    format!("0x{}", hex::encode(bytes))
}
