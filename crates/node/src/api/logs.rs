//! The members' logs: looked at, and exported for strangers to judge.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use quorate_api::{ErrorCode, LogEntryView, LogHeadView, LogPage, LogQuery};
use quorate_log::Log;
use quorate_vault::audit::Bundle;
use quorate_vault::entry::{Logged, Purpose, Receipt, Seen, SessionRecord, SessionResult};
use quorate_vault::{Charter, Entry, PartyId, RequestId, SessionId, Vault};

use super::Host;
use super::answer::{Answer, Params, Refusal, refuse};
use super::node::broke;
use super::vaults::running;

/// Entries in one answer unless said otherwise.
const DEFAULT_LIMIT: u32 = 100;
/// Entries in one answer at the most.
const MAX_LIMIT: u32 = 10_000;

pub(super) async fn page(
    State(daemon): Host,
    Path(vault): Path<String>,
    Params(query): Params<LogQuery>,
) -> Answer<LogPage> {
    let (_, handle) = running(&daemon, &vault)?;
    let author = match &query.author {
        None => None,
        Some(text) => Some(member(&handle.charter, text)?),
    };
    Ok(Json(
        handle
            .look(move |seen| read(seen.vault, author, &query))
            .await?,
    ))
}

fn member(charter: &Charter, text: &str) -> Result<PartyId, Refusal> {
    let by_id = || charter.parties().find(|party| party.to_string() == text);
    let found = charter
        .member_named(text)
        .map(|member| member.party)
        .or_else(by_id);
    let shown: String = text.chars().filter(|c| !c.is_control()).take(64).collect();
    found.ok_or_else(|| {
        refuse(
            ErrorCode::NotFound,
            format!("no member is called {shown}"),
            "see `quorate vault show`",
        )
    })
}

fn read(vault: &Vault, author: Option<PartyId>, query: &LogQuery) -> LogPage {
    let logs: Vec<(&PartyId, &Log)> = vault
        .logs()
        .filter(|(party, _)| author.is_none_or(|author| author == **party))
        .collect();
    let heads = logs
        .iter()
        .map(|(party, log)| head(vault.charter(), party, log))
        .collect();
    let about = About {
        charter: vault.charter(),
        sessions: sessions(vault),
    };
    let from = query.from.unwrap_or_default();
    let mut entries: Vec<LogEntryView> = logs
        .iter()
        .flat_map(|(party, log)| entries_of(&about, party, log, from))
        .filter(|entry| is_about(entry, query.request.as_deref()))
        .collect();
    entries.sort_by(|a, b| (a.at_ms, &a.author, a.position).cmp(&(b.at_ms, &b.author, b.position)));
    let limit =
        usize::try_from(query.limit.unwrap_or(DEFAULT_LIMIT).min(MAX_LIMIT)).unwrap_or_default();
    let entries = entries.split_off(entries.len().saturating_sub(limit));
    LogPage { heads, entries }
}

fn is_about(entry: &LogEntryView, request: Option<&str>) -> bool {
    let Some(prefix) = request else { return true };
    entry
        .request
        .as_ref()
        .is_some_and(|id| id.starts_with(&prefix.to_lowercase()))
}

fn head(charter: &Charter, party: &PartyId, log: &Log) -> LogHeadView {
    LogHeadView {
        author: charter.name_of(party),
        party: party.to_string(),
        size: log.size(),
        root: hex::encode(log.tree().root()),
        cosigned: Vec::new(),
    }
}

/// What is needed to tell entries.
struct About<'a> {
    charter: &'a Charter,
    /// An outcome names its session only; a record names both.
    sessions: BTreeMap<SessionId, RequestId>,
}

fn sessions(vault: &Vault) -> BTreeMap<SessionId, RequestId> {
    let entries = vault.logs().flat_map(|(_, log)| log.entries());
    let record = |bytes: &Vec<u8>| match Logged::decode(bytes).ok()?.entry {
        Entry::SessionRecord(record) => Some((record.session, record.request)),
        _ => None,
    };
    entries.filter_map(record).collect()
}

fn entries_of<'a>(
    about: &'a About<'a>,
    party: &'a PartyId,
    log: &'a Log,
    from: u64,
) -> impl Iterator<Item = LogEntryView> + 'a {
    let charter = about.charter;
    let all = (0u64..)
        .zip(log.entries())
        .skip(usize::try_from(from).unwrap_or(usize::MAX));
    all.map(move |(position, bytes)| {
        let leaf = log
            .tree()
            .leaf(position)
            .map(hex::encode)
            .unwrap_or_default();
        let decoded = Logged::decode(bytes).ok();
        let request = decoded
            .as_ref()
            .and_then(|logged| request_of(&logged.entry, party, about));
        LogEntryView {
            author: charter.name_of(party),
            position,
            at_ms: decoded
                .as_ref()
                .map(|logged| logged.at.0)
                .unwrap_or_default(),
            kind: decoded
                .as_ref()
                .map_or("unknown", |logged| logged.entry.kind())
                .to_owned(),
            summary: decoded.as_ref().map_or_else(
                || "an entry that this program does not understand".to_owned(),
                |logged| summary(&logged.entry, charter),
            ),
            request: request.map(|id| id.to_string()),
            leaf,
        }
    })
}

/// Which request an entry is about.
fn request_of(entry: &Entry, author: &PartyId, about: &About<'_>) -> Option<RequestId> {
    match entry {
        Entry::Request(request) => Some(quorate_vault::fold::request_id(
            &about.charter.vault_id(),
            author,
            request,
        )),
        Entry::Rejection { request, .. }
        | Entry::Cancellation { request }
        | Entry::Replacement { request, .. }
        | Entry::Note { request, .. } => Some(*request),
        Entry::Approval(approval) => Some(approval.request),
        Entry::SessionRecord(record) => Some(record.request),
        Entry::Receipt(receipt) => Some(receipt.request),
        Entry::SessionOutcome { session, .. } => about.sessions.get(session).copied(),
        Entry::Founded(_)
        | Entry::CeremonyStarted { .. }
        | Entry::Prepared(_)
        | Entry::Aborted { .. }
        | Entry::Acknowledged { .. } => None,
    }
}

/// An entry in one sentence.
fn summary(entry: &Entry, charter: &Charter) -> String {
    match entry {
        Entry::Founded(founded) => {
            format!(
                "confirmed the six words of {}, {} of {}",
                founded.name,
                founded.threshold,
                founded.members.len()
            )
        }
        Entry::CeremonyStarted { attempt, .. } => format!("entered key generation {attempt}"),
        Entry::Prepared(prepared) => {
            format!("stored its shares of key generation {}", prepared.attempt)
        }
        Entry::Aborted {
            attempt, reason, ..
        } => format!("gave key generation {attempt} up: {reason}"),
        Entry::Acknowledged { attempt, .. } => {
            format!("acknowledged the keys of key generation {attempt}")
        }
        Entry::Request(request) => {
            let lines = request.intent.display();
            let told = lines
                .iter()
                .filter(|line| ["Action", "Amount", "To"].contains(&line.label));
            let words = told
                .map(|line| line.value.clone())
                .collect::<Vec<_>>()
                .join(", ");
            match &request.instead_of {
                Some(earlier) => format!("asked again, in place of {}: {words}", earlier.short()),
                None => format!("asked: {words}"),
            }
        }
        Entry::Approval(_) => "approved".to_owned(),
        Entry::Rejection { reason, .. } if reason.is_empty() => "rejected".to_owned(),
        Entry::Rejection { reason, .. } => format!("rejected: {reason}"),
        Entry::Cancellation { .. } => "withdrew its request".to_owned(),
        Entry::Replacement { .. } => "asked for a higher fee".to_owned(),
        Entry::SessionRecord(record) => record_summary(record, charter),
        Entry::SessionOutcome { session, result } => match result {
            SessionResult::Signed(_) => format!("session {} signed", session.short()),
            SessionResult::Failed { reason } => {
                format!("session {} failed: {reason}", session.short())
            }
        },
        Entry::Receipt(receipt) => receipt_summary(receipt),
        Entry::Note { text, .. } => format!("said: {text}"),
    }
}

fn record_summary(record: &SessionRecord, charter: &Charter) -> String {
    let quorum: Vec<String> = record
        .quorum
        .iter()
        .map(|party| charter.name_of(party))
        .collect();
    let what = match record.purpose {
        Purpose::Payment => "to sign".to_owned(),
        Purpose::Fill { slot } => format!("to fill slot {slot}"),
    };
    format!(
        "entered session {} {what}, with {}",
        record.session.short(),
        quorum.join(", ")
    )
}

fn receipt_summary(receipt: &Receipt) -> String {
    match &receipt.seen {
        Seen::Mined {
            hash,
            block_number,
            finalised,
            ..
        } => {
            let sure = if *finalised { ", final" } else { "" };
            format!(
                "saw 0x{} take slot {} in block {block_number}{sure}",
                hex::encode(hash),
                receipt.slot
            )
        }
        Seen::Unmined => format!("saw what took slot {} vanish again", receipt.slot),
    }
}

pub(super) async fn export(
    State(daemon): Host,
    Path(vault): Path<String>,
) -> Result<Response, Refusal> {
    let (_, handle) = running(&daemon, &vault)?;
    let bundle = handle
        .look(|seen| Bundle::of(seen.vault.id(), seen.vault.logs().map(|(_, log)| log)))
        .await?;
    let bytes = serde_json::to_vec_pretty(&bundle).map_err(|_| broke())?;
    Ok(([(CONTENT_TYPE, "application/json")], bytes).into_response())
}
