//! Every signature, and what stands behind it.

use std::collections::BTreeSet;

use quorate_chain::SignedTx;
use quorate_threshold::EcdsaSignature;

use super::logs::Sound;
use super::report::{ApprovalReport, Finding, LineReport, ReceiptReport, SignatureReport};
use crate::entry::{Entry, Purpose, Seen};
use crate::fold::{Consent, Recorded, SessionFacts, State};
use crate::ids::{PartyId, RequestId, SessionId};

/// Reports every signature that any log states, and names what is wrong or missing behind each.
pub(super) fn examine(
    logs: &[Sound],
    state: &State,
    findings: &mut Vec<Finding>,
) -> Vec<SignatureReport> {
    let (mut reports, mut paid) = (Vec::new(), BTreeSet::new());
    for id in stated(logs) {
        let Some(made) = Made::of(&id, state) else {
            continue;
        };
        made.check(state, findings);
        let report = made.report(logs, state);
        let record = &made.recorded.said.what;
        if record.purpose == Purpose::Payment && !report.receipts.is_empty() {
            paid.insert(record.request);
        }
        reports.push(report);
    }
    findings.extend(paid.iter().filter_map(|id| paid_twice(id, &paid, state)));
    reports.sort_by_key(|report| (report.slot, report.attempt));
    reports
}

/// What one request asked for was paid, and so was what it stands in place of.
fn paid_twice(id: &RequestId, paid: &BTreeSet<RequestId>, state: &State) -> Option<Finding> {
    let earlier = state.stands_for(id);
    let earlier = earlier.iter().find(|earlier| paid.contains(earlier))?;
    let what = format!(
        "it was paid, and so was {}, in whose place it was asked",
        earlier.short()
    );
    Some(Finding::wrong(format!("request {}", id.short()), what))
}

/// Sessions of which some log states a signature.
fn stated(logs: &[Sound]) -> Vec<SessionId> {
    let mut ids: Vec<SessionId> = logs
        .iter()
        .flat_map(|log| &log.entries)
        .filter_map(|(_, logged)| match &logged.entry {
            Entry::SessionOutcome {
                session,
                result: crate::entry::SessionResult::Signed(_),
            } => Some(*session),
            _ => None,
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

/// A signature with the record that says the most about it.
struct Made<'a> {
    id: SessionId,
    facts: &'a SessionFacts,
    recorded: &'a Recorded,
    signature: EcdsaSignature,
    verified: bool,
    tx: Option<SignedTx>,
    consents: Vec<Consent>,
}

impl<'a> Made<'a> {
    /// `None` if no record of whoever states the signature is there; the entry is named already.
    fn of(id: &SessionId, state: &'a State) -> Option<Self> {
        let facts = state.session(id)?;
        let author = facts
            .verified
            .iter()
            .chain(facts.signed.keys())
            .find(|p| facts.records.contains_key(*p))?;
        let recorded = facts.records.get(author)?;
        Some(Self {
            id: *id,
            facts,
            recorded,
            signature: facts.signed.get(author)?.what,
            verified: facts.verified.contains(author),
            tx: state.signed_tx(id),
            consents: state.consents(recorded),
        })
    }

    fn check(&self, state: &State, findings: &mut Vec<Finding>) {
        if !state.knows(&self.recorded.said.what.request) {
            findings.push(Finding::missing(
                self.place(),
                "the request that it serves is not in the bundle",
            ));
            return;
        }
        self.check_request(state, findings);
        self.check_quorum(state, findings);
        let record = &self.recorded.said.what;
        for (party, other) in &self.facts.records {
            if other.said.what != *record {
                let who = state.charter().name_of(party);
                findings.push(Finding::wrong(
                    self.place(),
                    format!("{who}'s record of it says something else"),
                ));
            }
        }
    }

    /// It was asked for, in time, and enough members approved it.
    fn check_request(&self, state: &State, findings: &mut Vec<Finding>) {
        let Some(standing) =
            state.standing(&self.recorded.said.what.request, self.recorded.said.at)
        else {
            return;
        };
        let needed = usize::from(state.charter().needed());
        if self.consents.len() < needed {
            let what = format!(
                "{} of {needed} approvals are in the bundle",
                self.consents.len()
            );
            findings.push(Finding::missing(self.place(), what));
        }
        for (party, recorded) in &self.facts.records {
            if recorded.said.at >= standing.request.expires {
                let who = state.charter().name_of(party);
                findings.push(Finding::wrong(
                    self.place(),
                    format!("{who} signed it after its expiry"),
                ));
            }
        }
    }

    /// Every signer has a record, and its own person's approval before that.
    fn check_quorum(&self, state: &State, findings: &mut Vec<Finding>) {
        for party in &self.recorded.said.what.quorum {
            let who = state.charter().name_of(party);
            let Some(recorded) = self.facts.records.get(party) else {
                let what =
                    format!("{who} took part, but the bundle has no record of it in {who}'s log");
                findings.push(Finding::missing(self.place(), what));
                continue;
            };
            let consent = self.consents.iter().find(|consent| consent.party == *party);
            if consent.is_none_or(|consent| consent.place > recorded.said.place) {
                let what =
                    format!("{who} signed it without an approval of {who}'s own before that");
                findings.push(Finding::wrong(self.place(), what));
            }
        }
        for party in self
            .facts
            .records
            .keys()
            .filter(|party| !self.recorded.said.what.quorum.contains(party))
        {
            let who = state.charter().name_of(party);
            findings.push(Finding::wrong(
                self.place(),
                format!("{who} has a record of it, but is not in its quorum"),
            ));
        }
    }

    fn place(&self) -> String {
        format!("signature of session {}", self.id.short())
    }

    fn report(&self, logs: &[Sound], state: &State) -> SignatureReport {
        let record = &self.recorded.said.what;
        let name = |party: &PartyId| state.charter().name_of(party);
        let standing = state.standing(&record.request, self.recorded.said.at);
        let intent = state
            .intended(self.recorded)
            .map(|intent| intent.display())
            .unwrap_or_default();
        let asked = standing.as_ref();
        let unrecorded = record
            .quorum
            .iter()
            .filter(|party| !self.facts.records.contains_key(*party));
        SignatureReport {
            session: self.id.to_string(),
            request: record.request.to_string(),
            purpose: purpose(record.purpose).to_owned(),
            slot: self.recorded.transfer.nonce,
            attempt: record.attempt,
            intent: intent
                .into_iter()
                .map(|l| LineReport {
                    label: l.label.to_owned(),
                    value: l.value,
                })
                .collect(),
            requested_by: asked
                .map(|standing| name(&standing.author))
                .unwrap_or_default(),
            requested_at_ms: asked.map(|standing| standing.asked.0).unwrap_or_default(),
            note: asked
                .map(|standing| standing.request.note.clone())
                .unwrap_or_default(),
            approved: self
                .consents
                .iter()
                .map(|consent| approval(consent, state))
                .collect(),
            opener: name(&record.opener),
            quorum: record.quorum.iter().map(name).collect(),
            unrecorded: unrecorded.map(name).collect(),
            verified: self.verified,
            digest: hex::encode(record.digest),
            signature: signature_hex(&self.signature),
            tx_hash: self
                .tx
                .as_ref()
                .map(|tx| format!("0x{}", hex::encode(tx.hash))),
            receipts: self.receipts(logs),
        }
    }

    /// What members last saw of this very transaction.
    fn receipts(&self, logs: &[Sound]) -> Vec<ReceiptReport> {
        let Some(tx) = &self.tx else {
            return Vec::new();
        };
        logs.iter()
            .filter_map(|log| receipt(log, self.recorded.transfer.nonce, tx))
            .collect()
    }
}

fn purpose(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Payment => "payment",
        Purpose::Fill { .. } => "fill",
    }
}

fn approval(consent: &Consent, state: &State) -> ApprovalReport {
    ApprovalReport {
        member: state.charter().name_of(&consent.party),
        at_ms: consent.at.0,
        position: consent.place.position,
    }
}

fn signature_hex(signature: &EcdsaSignature) -> String {
    let recovery_id = [signature.recovery_id];
    hex::encode([signature.r.as_slice(), &signature.s, &recovery_id].concat())
}

/// What a log says last of this very transaction, unless it says after that the transaction is gone again.
fn receipt(log: &Sound, slot: u64, tx: &SignedTx) -> Option<ReceiptReport> {
    let mut newest: Option<(RequestId, &Seen)> = None;
    for (_, logged) in &log.entries {
        let Entry::Receipt(receipt) = &logged.entry else {
            continue;
        };
        match &receipt.seen {
            Seen::Mined { raw, .. } if *raw == tx.raw => {
                newest = Some((receipt.request, &receipt.seen))
            }
            Seen::Unmined if receipt.slot == slot => {
                newest = newest.filter(|(of, _)| *of != receipt.request)
            }
            _ => {}
        }
    }
    match newest {
        Some((
            _,
            Seen::Mined {
                block_number,
                block_hash,
                success,
                finalised,
                ..
            },
        )) => Some(ReceiptReport {
            member: log.name.clone(),
            block: *block_number,
            block_hash: format!("0x{}", hex::encode(block_hash)),
            success: *success,
            finalised: *finalised,
        }),
        _ => None,
    }
}
