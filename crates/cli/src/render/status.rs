//! The daemon, and what `doctor` found.

use quorate_api::{Check, CheckLevel, NodeStatus, PeerView, VaultStatus};

use super::request::warnings;
use super::{Fields, chains, table};
use crate::console::{Console, Style};
use crate::failure::Outcome;
use crate::when;

/// The daemon, its vaults, peers and chains.
pub(crate) fn node_status(console: &mut Console, status: &NodeStatus) -> Outcome {
    let state = if status.locked { "locked" } else { "running" };
    console.styled(Style::Bold, &format!("{}: {state}", status.name))?;
    let mut fields = Fields::default();
    fields
        .add("Party", status.party.as_str())
        .add("Peers reach it at", status.listen.join(", "))
        .add_some("Pairing at", status.pairing.as_deref())
        .add(
            "Version",
            format!("{}, protocol {}", status.version, status.protocol),
        )
        .add("Running since", when::show(status.started_ms))
        .add_some("Signs nothing", status.read_only.as_deref());
    fields.print(console)?;
    if !status.vaults.is_empty() {
        console.line("")?;
        vault_lines(console, &status.vaults)?;
    }
    if !status.peers.is_empty() {
        console.line("")?;
        peer_lines(console, &status.peers)?;
    }
    if !status.chains.is_empty() {
        console.line("")?;
        chains(console, &status.chains)?;
    }
    warnings(console, &status.warnings)
}

fn vault_lines(console: &mut Console, vaults: &[VaultStatus]) -> Outcome {
    let rows = vaults.iter().map(|vault| {
        vec![
            vault.name.clone(),
            format!("{} of {}", vault.threshold, vault.members),
            format!("{} of {}", vault.online, vault.members),
            vault.missing.join(", "),
            vault.open_requests.to_string(),
        ]
    });
    let header = ["VAULT", "NEEDS", "ONLINE", "MISSING", "OPEN REQUESTS"];
    table::print(console, &header, &[4], rows.collect())
}

fn peer_lines(console: &mut Console, peers: &[PeerView]) -> Outcome {
    let rows = peers.iter().map(|peer| {
        let online = match (&peer.problem, peer.online) {
            (Some(problem), _) => problem.clone(),
            (None, true) => "yes".to_owned(),
            (None, false) => "no".to_owned(),
        };
        vec![
            peer.name.clone(),
            online,
            peer.last_seen_ms
                .map_or_else(|| "never".to_owned(), when::show),
            peer.party.chars().take(16).collect(),
        ]
    });
    table::print(
        console,
        &["PEER", "ONLINE", "LAST SEEN", "PARTY"],
        &[],
        rows.collect(),
    )
}

/// What was looked at, one a line.
pub(crate) fn checks(console: &mut Console, checks: &[Check]) -> Outcome {
    let width = checks.iter().map(|check| check.name.chars().count()).max();
    let width = width.unwrap_or_default();
    for check in checks {
        let (style, mark) = match check.level {
            CheckLevel::Ok => (Style::Good, "ok  "),
            CheckLevel::Warn => (Style::Warn, "warn"),
            CheckLevel::Fail => (Style::Bad, "FAIL"),
        };
        console.styled(
            style,
            &format!("{mark}  {:<width$}  {}", check.name, check.detail),
        )?;
        if let Some(hint) = &check.hint {
            console.line(&format!("      {:<width$}  -> {hint}", ""))?;
        }
    }
    Ok(())
}
