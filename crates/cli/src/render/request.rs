//! Requests.

use quorate_api::{
    DecisionView, IntentView, Preview, ReceiptView, RequestKind, RequestState, RequestView,
    SessionOutcome, SessionView,
};

use super::{Fields, short_id, table, words_list};
use crate::console::{Console, Style};
use crate::failure::Outcome;
use crate::{amount, when};

/// One request, whole.
pub(crate) fn request(console: &mut Console, request: &RequestView) -> Outcome {
    let head = format!("Request {}: {}", short_id(&request.id), state_line(request));
    console.styled(style(request.state), &head)?;
    let mut fields = Fields::default();
    intent_fields(&mut fields, &request.intent);
    fields.add(
        "Asked by",
        format!("{}, {}", request.requester, when::show(request.created_ms)),
    );
    fields.add_some("Note", request.note.as_deref());
    if request.kind == RequestKind::SlotFiller {
        fields.add(
            "Fills",
            "the slot of a dead request, so that nothing behind it waits",
        );
    }
    fields.add_some("In place of", request.in_place_of.as_deref().map(short_id));
    fields.add_some(
        "Asked again as",
        request.asked_again_as.as_deref().map(short_id),
    );
    if !request.state.is_final() {
        fields.add("Approve until", when::show(request.expires_ms));
    }
    decisions(&mut fields, request);
    for session in &request.sessions {
        fields.add("Session", session_line(session));
    }
    for hash in &request.tx_hashes {
        fields.add("Transaction", hash.as_str());
    }
    if let Some(receipt) = &request.receipt {
        receipt_fields(&mut fields, receipt, &request.intent.asset);
    }
    fields.add("Id", request.id.as_str());
    fields.print(console)?;
    if let Some(blocked) = &request.blocked {
        console.styled(
            Style::Warn,
            &format!("Waits: {}.", blocked.trim_end_matches('.')),
        )?;
    }
    Ok(())
}

/// What a request will do: the intent's own lines, as every approver reads them.
fn intent_fields(fields: &mut Fields, intent: &IntentView) {
    for line in &intent.lines {
        fields.add(&line.label, line.value.as_str());
    }
}

fn decisions(fields: &mut Fields, request: &RequestView) {
    let approved: Vec<String> = request.approvals.iter().map(decision).collect();
    fields.add(
        "Approved",
        format!(
            "{} of {}: {}",
            request.approvals.len(),
            request.needed,
            words_list(&approved)
        ),
    );
    for rejection in &request.rejections {
        fields.add("Rejected", decision(rejection));
    }
    if request.state == RequestState::WaitingForApprovals {
        fields.add("Not decided", words_list(&request.undecided));
    }
}

fn decision(decision: &DecisionView) -> String {
    let said = format!(
        "{} ({})",
        decision.member,
        when::time_of_day(decision.at_ms)
    );
    match &decision.reason {
        Some(reason) => format!("{said}: {reason}"),
        None => said,
    }
}

fn session_line(session: &SessionView) -> String {
    let outcome = match session.outcome {
        SessionOutcome::Running => "running",
        SessionOutcome::Signed => "signed",
        SessionOutcome::Aborted => "ended without a signature",
    };
    let reason = session.reason.as_deref();
    let reason = reason.map_or_else(String::new, |reason| format!(": {reason}"));
    format!(
        "{}, opened by {} with {}, {outcome}{reason}",
        session.attempt,
        session.opener,
        words_list(&session.quorum)
    )
}

fn receipt_fields(fields: &mut Fields, receipt: &ReceiptView, asset: &str) {
    let verdict = if receipt.success {
        "success"
    } else {
        "reverted"
    };
    fields.add("Receipt", format!("block {}, {verdict}", receipt.block));
    fields.add(
        "Fee paid",
        format!(
            "{} ({} gas at {})",
            amount::show(&receipt.fee_wei, asset),
            receipt.gas_used,
            amount::show_gwei(&receipt.effective_gas_price_wei)
        ),
    );
}

/// The state in words.
pub(crate) fn state_line(request: &RequestView) -> String {
    match request.state {
        RequestState::WaitingForApprovals => format!(
            "waits for approvals, {} of {}",
            request.approvals.len(),
            request.needed
        ),
        RequestState::Ready => "approved, about to be signed".to_owned(),
        RequestState::Signing => "being signed".to_owned(),
        RequestState::Signed => "signed".to_owned(),
        RequestState::Broadcast => "broadcast".to_owned(),
        RequestState::Mined => "mined".to_owned(),
        RequestState::Failed => "mined, and reverted by the chain".to_owned(),
        RequestState::Rejected => "rejected".to_owned(),
        RequestState::Cancelled => "cancelled".to_owned(),
        RequestState::Expired => "expired".to_owned(),
        RequestState::Superseded => "its slot went to another request".to_owned(),
        RequestState::PaidBefore => "the request before it was paid after all".to_owned(),
    }
}

fn style(state: RequestState) -> Style {
    match state {
        RequestState::Mined => Style::Good,
        RequestState::Failed
        | RequestState::Rejected
        | RequestState::Cancelled
        | RequestState::Expired
        | RequestState::Superseded
        | RequestState::PaidBefore => Style::Bad,
        _ => Style::Bold,
    }
}

/// Requests, one a line.
pub(crate) fn requests(console: &mut Console, requests: &[RequestView]) -> Outcome {
    if requests.is_empty() {
        console.note("No requests.");
        return Ok(());
    }
    let rows = requests.iter().map(|request| {
        vec![
            short_id(&request.id).to_owned(),
            amount::show(&request.intent.value_wei, &request.intent.asset),
            request.intent.to.clone(),
            chain_name(&request.intent),
            request.requester.clone(),
            state_line(request),
            if request.awaits_you { "yes" } else { "" }.to_owned(),
        ]
    });
    let header = [
        "ID",
        "AMOUNT",
        "TO",
        "CHAIN",
        "ASKED BY",
        "STATE",
        "YOURS TO DECIDE",
    ];
    table::print(console, &header, &[1], rows.collect())
}

/// Payments that reached a chain, one a line.
pub(crate) fn history(console: &mut Console, requests: &[RequestView]) -> Outcome {
    if requests.is_empty() {
        console.note("No payment has reached a chain yet.");
        return Ok(());
    }
    let rows = requests.iter().map(|request| {
        let receipt = request.receipt.as_ref();
        let hash = receipt
            .map(|receipt| receipt.tx_hash.clone())
            .or_else(|| request.tx_hashes.last().cloned());
        vec![
            when::show(request.created_ms),
            short_id(&request.id).to_owned(),
            amount::show(&request.intent.value_wei, &request.intent.asset),
            request.intent.to.clone(),
            chain_name(&request.intent),
            state_line(request),
            receipt.map_or_else(String::new, |receipt| receipt.block.to_string()),
            hash.unwrap_or_default(),
        ]
    });
    let header = [
        "ASKED",
        "ID",
        "AMOUNT",
        "TO",
        "CHAIN",
        "STATE",
        "BLOCK",
        "TRANSACTION",
    ];
    table::print(console, &header, &[2, 6], rows.collect())
}

fn chain_name(intent: &IntentView) -> String {
    intent
        .chain_name
        .clone()
        .unwrap_or_else(|| intent.chain.clone())
}

/// What `send` would ask for.
pub(crate) fn preview(console: &mut Console, preview: &Preview) -> Outcome {
    console.styled(Style::Bold, "This would be requested; nothing was:")?;
    let mut fields = Fields::default();
    intent_fields(&mut fields, &preview.intent);
    fields.add(
        "Fee at today's price",
        amount::show(&preview.estimated_fee_wei, &preview.intent.asset),
    );
    fields.add("Approvals needed", preview.needed.to_string());
    fields.add("Approve until", when::show(preview.expires_ms));
    fields.print(console)?;
    warnings(console, &preview.warnings)
}

pub(super) fn warnings(console: &mut Console, warnings: &[String]) -> Outcome {
    for warning in warnings {
        console.styled(Style::Warn, &format!("Warning: {warning}"))?;
    }
    Ok(())
}
