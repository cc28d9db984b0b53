//! What a log bundle proves.

use quorate_offline::{Finding, MemberReport, Report, Severity, SignatureReport};

use super::{Fields, short_id, table, words_list};
use crate::console::{Console, Style};
use crate::failure::Outcome;
use crate::when;

/// Vault, members, every signature, findings. `words_match` is none if no words were given.
pub(crate) fn report(console: &mut Console, report: &Report, words_match: Option<bool>) -> Outcome {
    let head = format!(
        "Vault {}: any {} of {} sign",
        report.name,
        report.threshold,
        report.members.len()
    );
    console.styled(Style::Bold, &head)?;
    let mut fields = Fields::default();
    fields
        .add_some("Address", report.address.as_deref())
        .add("Six words", words_line(report, words_match))
        .add("Id", report.vault.as_str());
    fields.print(console)?;
    console.line("")?;
    members(console, &report.members)?;
    for signature in &report.signatures {
        console.line("")?;
        signature_fields(console, signature)?;
    }
    console.line("")?;
    conclusion(console, report, words_match)
}

fn words_line(report: &Report, words_match: Option<bool>) -> String {
    let words = report.words.join(" ");
    match words_match {
        Some(true) => format!("{words} (as given)"),
        Some(false) => format!("{words} (NOT as given)"),
        None => words,
    }
}

fn members(console: &mut Console, members: &[MemberReport]) -> Outcome {
    let rows = members.iter().map(|member| {
        vec![
            member.name.clone(),
            yes(member.confirmed),
            yes(member.acknowledged),
            member.entries.to_string(),
            member.controller.clone(),
            member.domains.join(", "),
            member.party.chars().take(16).collect(),
        ]
    });
    let header = [
        "MEMBER",
        "CONFIRMED",
        "HAS KEYS",
        "ENTRIES",
        "CONTROLLER",
        "TRUST DOMAIN",
        "PARTY",
    ];
    table::print(console, &header, &[3], rows.collect())
}

fn yes(it: bool) -> String {
    if it { "yes" } else { "no" }.to_owned()
}

fn signature_fields(console: &mut Console, signature: &SignatureReport) -> Outcome {
    let (style, verdict) = if signature.verified {
        (Style::Good, "the signature verifies under the vault's key")
    } else {
        (Style::Bad, "the signature does NOT verify")
    };
    let head = format!(
        "Request {}, {} in slot {}, attempt {}: {verdict}",
        short_id(&signature.request),
        signature.purpose,
        signature.slot,
        signature.attempt
    );
    console.styled(style, &head)?;
    let mut fields = Fields::default();
    for line in &signature.intent {
        fields.add(&line.label, line.value.as_str());
    }
    fields.add(
        "Asked by",
        format!(
            "{}, {}",
            signature.requested_by,
            when::show(signature.requested_at_ms)
        ),
    );
    if !signature.note.is_empty() {
        fields.add("Note", signature.note.as_str());
    }
    let approved = signature.approved.iter().map(|approval| {
        format!(
            "{} ({}, entry {})",
            approval.member,
            when::show(approval.at_ms),
            approval.position
        )
    });
    fields
        .add("Approved by", words_list(&approved.collect::<Vec<_>>()))
        .add(
            "Signed by",
            format!(
                "{}, opened by {}",
                words_list(&signature.quorum),
                signature.opener
            ),
        );
    if !signature.unrecorded.is_empty() {
        fields.add("Not in the log of", words_list(&signature.unrecorded));
    }
    fields.add_some("Transaction", signature.tx_hash.as_deref());
    for receipt in &signature.receipts {
        let verdict = if receipt.success {
            "success"
        } else {
            "reverted"
        };
        let finality = if receipt.finalised { ", final" } else { "" };
        fields.add(
            "Seen in a block",
            format!(
                "{}, {verdict}{finality}, by {}",
                receipt.block, receipt.member
            ),
        );
    }
    fields.print(console)
}

fn conclusion(console: &mut Console, report: &Report, words_match: Option<bool>) -> Outcome {
    report
        .findings
        .iter()
        .try_for_each(|it| finding(console, it))?;
    let count = report.signatures.len();
    if report.is_sound() && report.signatures.iter().all(|it| it.verified) {
        let text = format!(
            "Verified: {count} {}, each asked for, approved and signed as above.",
            if count == 1 {
                "signature"
            } else {
                "signatures"
            }
        );
        console.styled(Style::Good, &text)?;
    }
    if words_match.is_none() {
        console.styled(
            Style::Warn,
            "Compare the six words with a member, or give them with --words: without that, this is the log of somebody's vault.",
        )?;
    }
    Ok(())
}

fn finding(console: &mut Console, finding: &Finding) -> Outcome {
    let (style, mark) = match finding.severity {
        Severity::Wrong => (Style::Bad, "WRONG"),
        Severity::Missing => (Style::Warn, "missing"),
    };
    console.styled(
        style,
        &format!("{mark}: {}: {}", finding.place, finding.what),
    )
}
