//! What an audit comes to.

use serde::Serialize;

use super::logs::Sound;
use crate::charter::Words;
use crate::fold::State;

/// Everything that a bundle shows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Report {
    /// The vault's id, hex.
    pub vault: String,
    /// What people call it.
    pub name: String,
    /// The six words of its founding charter. They must be the ones that members read out, or this is another vault.
    pub words: Vec<String>,
    /// Signers that a signature needs.
    pub threshold: u8,
    /// Approvals that a request needs.
    pub needed: u8,
    /// The vault's EVM account (EIP-55), if the bundle shows that it is active.
    pub address: Option<String>,
    /// The members, in committee order.
    pub members: Vec<MemberReport>,
    /// Every signature, by slot and attempt.
    pub signatures: Vec<SignatureReport>,
    /// How many sessions came to no signature in the bundle.
    pub sessions_without_signature: usize,
    /// Everything that is wrong or missing.
    pub findings: Vec<Finding>,
    #[serde(skip)]
    fingerprint: Words,
}

/// One member and its log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberReport {
    /// Name.
    pub name: String,
    /// Party id, hex.
    pub party: String,
    /// Who controls it.
    pub controller: String,
    /// What could take it together with others.
    pub domains: Vec<String>,
    /// How many entries its signed logs in the bundle have.
    pub entries: u64,
    /// Whether it confirmed this charter.
    pub confirmed: bool,
    /// Whether it acknowledged the vault's keys.
    pub acknowledged: bool,
}

/// One line of what was approved.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LineReport {
    /// What the value is.
    pub label: String,
    /// The value.
    pub value: String,
}

/// One signature under the vault's key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SignatureReport {
    /// The session that made it, hex.
    pub session: String,
    /// The request that it serves, hex.
    pub request: String,
    /// `payment`, or `fill` for a self-transfer in a slot that nobody needs.
    pub purpose: String,
    /// The slot (EVM: account nonce).
    pub slot: u64,
    /// Counts up from 1 within a request and purpose.
    pub attempt: u32,
    /// What was signed, in words.
    pub intent: Vec<LineReport>,
    /// Who asked.
    pub requested_by: String,
    /// When, milliseconds since 1970 by that member's clock.
    pub requested_at_ms: u64,
    /// The note of who asked.
    pub note: String,
    /// Who approved it, each signature checked.
    pub approved: Vec<ApprovalReport>,
    /// Who opened the session.
    pub opener: String,
    /// Who signed.
    pub quorum: Vec<String>,
    /// Of these, whose own log has no record of the session in the bundle.
    pub unrecorded: Vec<String>,
    /// Whether the signature verifies under the vault's key over the bytes that were approved.
    pub verified: bool,
    /// The digest that is signed, derived from the final bytes, hex.
    pub digest: String,
    /// `r`, `s` and recovery id, 65 bytes hex.
    pub signature: String,
    /// Hash of the signed transaction, `0x` and hex.
    pub tx_hash: Option<String>,
    /// What members saw on the chain.
    pub receipts: Vec<ReceiptReport>,
}

/// One approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ApprovalReport {
    /// Who.
    pub member: String,
    /// When, milliseconds since 1970 by that member's clock.
    pub at_ms: u64,
    /// Its position in that member's log.
    pub position: u64,
}

/// What one member saw on the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ReceiptReport {
    /// Who.
    pub member: String,
    /// Block height.
    pub block: u64,
    /// Block hash, `0x` and hex.
    pub block_hash: String,
    /// Whether the EVM call succeeded.
    pub success: bool,
    /// Whether the chain called the block final.
    pub finalised: bool,
}

/// How bad a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// The evidence contradicts itself, or a rule was broken.
    Wrong,
    /// Evidence that should be there is not in the bundle. A later export can have it.
    Missing,
}

/// Something wrong or missing.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Finding {
    /// How bad.
    pub severity: Severity,
    /// Where: `bob's log, entry 12`.
    pub place: String,
    /// What.
    pub what: String,
}

impl Finding {
    pub(super) fn wrong(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Wrong,
            place: place.into(),
            what: what.into(),
        }
    }

    pub(super) fn missing(place: impl Into<String>, what: impl Into<String>) -> Self {
        Self {
            severity: Severity::Missing,
            place: place.into(),
            what: what.into(),
        }
    }
}

impl Report {
    /// Whether nothing in the bundle is wrong. Something may still be missing.
    pub fn is_sound(&self) -> bool {
        self.findings
            .iter()
            .all(|finding| finding.severity != Severity::Wrong)
    }

    /// Whether nothing is wrong and nothing missing.
    pub fn is_complete(&self) -> bool {
        self.findings.is_empty()
    }

    /// Whether a person typed the words of this vault; forgiving as [`Words::matches`] is.
    pub fn words_match(&self, typed: &str) -> bool {
        self.fingerprint.matches(typed)
    }
}

/// Puts the report together.
pub(super) fn assemble(
    state: &State,
    logs: &[Sound],
    signatures: Vec<SignatureReport>,
    mut findings: Vec<Finding>,
) -> Report {
    let charter = state.charter();
    let fingerprint = charter.fingerprint();
    findings.sort();
    findings.dedup();
    let members = charter.members.iter().map(|member| MemberReport {
        name: member.name.clone(),
        party: member.party.to_string(),
        controller: member.controller.clone(),
        domains: member.domains.clone(),
        entries: logs
            .iter()
            .filter(|log| log.author == member.party)
            .map(|log| log.size)
            .sum(),
        confirmed: state.has_founded(&member.party),
        acknowledged: state.has_acknowledged(&member.party),
    });
    let sessions: usize = state.requests().map(|id| state.sessions(&id).len()).sum();
    Report {
        vault: state.vault().to_string(),
        name: charter.name.clone(),
        words: fingerprint
            .as_array()
            .iter()
            .map(|word| (*word).to_owned())
            .collect(),
        threshold: charter.threshold,
        needed: charter.needed(),
        address: state.address().map(|address| address.to_string()),
        members: members.collect(),
        sessions_without_signature: sessions.saturating_sub(signatures.len()),
        signatures,
        findings,
        fingerprint,
    }
}
