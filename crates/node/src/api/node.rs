//! The daemon itself: hello, status, checks, events, its secrets.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::State;
use axum::{Extension, Json};
use quorate_api::{
    API_VERSION, ChangeSecret, Check, CheckLevel, Done, ErrorCode, EventPage, EventQuery, Hello,
    HelloQuery, MAX_WAIT_MS, MIN_PASSPHRASE_CHARS, MIN_PIN_CHARS, NodeStatus, PeerView, VaultPhase,
    VaultStatus, VaultView, hello_proof,
};
use rand_core::OsRng;
use tokio::time::{Instant, timeout_at};

use super::answer::{Answer, Body, Params, refuse};
use super::guard::Guard;
use super::{Host, chains, vaults, view};
use crate::daemon::Daemon;
use crate::keys::change_pin;

/// Longest nonce of a hello, characters.
const MAX_NONCE: usize = 128;
/// Free disk space below which `doctor` warns, bytes.
const LITTLE_SPACE: u64 = 64 * 1024 * 1024;
/// What holds for every vault until backups exist.
pub(super) const TEST_FUNDS: &str =
    "test funds only: backups do not exist yet, and this software is unaudited";

pub(super) async fn hello(
    Extension(guard): Extension<Arc<Guard>>,
    Params(query): Params<HelloQuery>,
) -> Answer<Hello> {
    if query.nonce.len() > MAX_NONCE {
        return Err(refuse(
            ErrorCode::Usage,
            "the nonce is too long",
            "send 32 fresh bytes as hexadecimal digits",
        ));
    }
    Ok(Json(Hello {
        api: API_VERSION,
        proof: hello_proof(guard.token(), &query.nonce),
    }))
}

pub(super) async fn status(State(daemon): Host) -> Answer<NodeStatus> {
    let all = vaults::every(&daemon).await;
    let mut read_only = None;
    for (name, handle) in daemon.vaults.all() {
        let why = match handle.look(|seen| seen.vault.read_only()).await {
            Ok(why) => why.map(str::to_owned),
            Err(error) => Some(error.to_string()),
        };
        read_only = read_only.or_else(|| why.map(|why| format!("{name}: {why}")));
    }
    let mut lines = Vec::new();
    for vault in &all {
        lines.push(vault_line(&daemon, vault).await);
    }
    Ok(Json(NodeStatus {
        party: daemon.me.party.to_string(),
        name: daemon.me.name.clone(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        protocol: u32::from(quorate_wire::PROTOCOL_VERSION),
        listen: daemon
            .peers
            .reachable()
            .iter()
            .map(ToString::to_string)
            .collect(),
        pairing: daemon.making.pairing().map(|address| address.to_string()),
        started_ms: daemon.started_ms,
        locked: false,
        read_only,
        vaults: lines,
        peers: daemon.peers.status().into_iter().map(peer_view).collect(),
        chains: chains::every(&daemon).await,
        warnings: if all.is_empty() {
            Vec::new()
        } else {
            vec![TEST_FUNDS.to_owned()]
        },
    }))
}

async fn vault_line(daemon: &Daemon, vault: &VaultView) -> VaultStatus {
    let online = vault.members.iter().filter(|member| member.online).count();
    let missing = vault
        .members
        .iter()
        .filter(|member| !member.online)
        .map(|member| member.name.clone())
        .collect();
    let open = match daemon.vaults.named(&vault.name) {
        Some(handle) => handle
            .look(|seen| view::open_requests(seen.vault))
            .await
            .unwrap_or_default(),
        None => 0,
    };
    VaultStatus {
        name: vault.name.clone(),
        phase: vault.phase,
        threshold: vault.threshold,
        members: vault.size,
        online: u8::try_from(online).unwrap_or(u8::MAX),
        missing,
        open_requests: open,
    }
}

fn peer_view(status: crate::peers::PeerStatus) -> PeerView {
    PeerView {
        party: status.party.to_string(),
        name: status.name,
        online: status.online,
        last_seen_ms: status.last_heard_ms,
        problem: status.problem,
    }
}

pub(super) async fn doctor(State(daemon): Host) -> Answer<Vec<Check>> {
    let mut checks = vec![store_check(&daemon).await, disk_check(&daemon)];
    for chain in chains::every(&daemon).await {
        let name = format!("chain {}", chain.name);
        checks.push(match chain.problem {
            None => ok(
                &name,
                format!(
                    "{} answers at block {}",
                    chain.rpc,
                    chain.block.unwrap_or_default()
                ),
            ),
            Some(problem) => bad(
                CheckLevel::Fail,
                &name,
                problem,
                "check the endpoint, or remove the chain and add it again",
            ),
        });
    }
    for peer in daemon
        .peers
        .status()
        .into_iter()
        .filter(|peer| !peer.online)
    {
        let name = format!("peer {}", peer.name);
        let detail = peer
            .problem
            .unwrap_or_else(|| "has not been heard yet".to_owned());
        checks.push(bad(
            CheckLevel::Warn,
            &name,
            detail,
            "check that its daemon runs and that its address can be reached",
        ));
    }
    for vault in vaults::every(&daemon).await {
        checks.push(vault_check(&vault));
    }
    Ok(Json(checks))
}

async fn store_check(daemon: &Daemon) -> Check {
    match daemon.shelf.apart(|store| store.vaults()).await {
        Ok(_) => ok(
            "store",
            "opens, and every value in it was found whole at the start".to_owned(),
        ),
        Err(error) => bad(
            CheckLevel::Fail,
            "store",
            error.to_string(),
            "stop the daemon and look at its folder",
        ),
    }
}

fn disk_check(daemon: &Daemon) -> Check {
    match rustix::fs::statvfs(&daemon.dir) {
        Ok(found) => {
            let free = found.f_bavail.saturating_mul(found.f_frsize);
            let detail = format!("{} MiB free", free / (1024 * 1024));
            if free < LITTLE_SPACE {
                bad(
                    CheckLevel::Warn,
                    "disk",
                    detail,
                    "free some space: a full disk stops signing",
                )
            } else {
                ok("disk", detail)
            }
        }
        Err(error) => bad(
            CheckLevel::Warn,
            "disk",
            error.to_string(),
            "look at the folder's file system",
        ),
    }
}

fn vault_check(vault: &VaultView) -> Check {
    let name = format!("vault {}", vault.name);
    let missing: Vec<&str> = vault
        .members
        .iter()
        .filter(|member| !member.online)
        .map(|member| member.name.as_str())
        .collect();
    match vault.phase {
        VaultPhase::Active if missing.is_empty() => bad(
            CheckLevel::Warn,
            &name,
            "all members are online".to_owned(),
            TEST_FUNDS,
        ),
        VaultPhase::Active => bad(
            CheckLevel::Warn,
            &name,
            format!("{} not online", missing.join(", ")),
            TEST_FUNDS,
        ),
        VaultPhase::Failed => bad(
            CheckLevel::Fail,
            &name,
            "the members confirmed different rosters".to_owned(),
            "begin it again",
        ),
        _ => bad(
            CheckLevel::Warn,
            &name,
            "is not active yet".to_owned(),
            "see whom it waits for with `quorate vault show`",
        ),
    }
}

fn ok(name: &str, detail: String) -> Check {
    Check {
        name: name.to_owned(),
        level: CheckLevel::Ok,
        detail,
        hint: None,
    }
}

fn bad(level: CheckLevel, name: &str, detail: String, hint: &str) -> Check {
    Check {
        name: name.to_owned(),
        level,
        detail,
        hint: Some(hint.to_owned()),
    }
}

pub(super) async fn events(
    State(daemon): Host,
    Params(query): Params<EventQuery>,
) -> Answer<EventPage> {
    let mut newest = daemon.events.subscribe();
    let Some(since) = query.since else {
        let next = *newest.borrow();
        return Ok(Json(EventPage {
            next,
            gap: false,
            events: Vec::new(),
        }));
    };
    let wait = Duration::from_millis(query.timeout_ms.unwrap_or(0).min(MAX_WAIT_MS));
    let deadline = Instant::now() + wait;
    loop {
        newest.borrow_and_update();
        let page = daemon.events.page(since, query.vault.as_deref());
        let over = page.gap || !page.events.is_empty() || Instant::now() >= deadline;
        if over || timeout_at(deadline, newest.changed()).await.is_err() {
            return Ok(Json(page));
        }
    }
}

pub(super) async fn pin(State(daemon): Host, Body(body): Body<ChangeSecret>) -> Answer<Done> {
    if body.new.expose().chars().count() < MIN_PIN_CHARS {
        let message = format!("the new PIN has fewer than {MIN_PIN_CHARS} characters");
        return Err(refuse(ErrorCode::Usage, message, "choose a longer one"));
    }
    let shelf = daemon.shelf.clone();
    let changing = tokio::task::spawn_blocking(move || {
        change_pin(
            &shelf,
            body.old.expose().as_bytes(),
            body.new.expose().as_bytes(),
        )
    });
    changing.await.map_err(|_| broke())??;
    Ok(Json(Done::OK))
}

pub(super) async fn passphrase(
    State(daemon): Host,
    Body(body): Body<ChangeSecret>,
) -> Answer<Done> {
    if body.new.expose().chars().count() < MIN_PASSPHRASE_CHARS {
        let message =
            format!("the new passphrase has fewer than {MIN_PASSPHRASE_CHARS} characters");
        return Err(refuse(
            ErrorCode::Usage,
            message,
            "choose a longer one, for example four or five words",
        ));
    }
    let change = move |store: &mut quorate_store::Store| {
        store.change_passphrase(
            body.old.expose().as_bytes(),
            body.new.expose().as_bytes(),
            &mut OsRng,
        )
    };
    daemon.shelf.apart(change).await?;
    Ok(Json(Done::OK))
}

/// The answer when a task of the daemon's own panicked.
pub(super) fn broke() -> super::Refusal {
    refuse(
        ErrorCode::Internal,
        "the daemon failed at this",
        "look at its log, and please report it",
    )
}
