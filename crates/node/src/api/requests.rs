//! Requests: listed, looked at, decided, waited for.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use ed25519_dalek::Signer;
use quorate_api::{
    Approve, ErrorCode, MAX_NOTE_CHARS, MAX_WAIT_MS, Reject, Replace, RequestFilter, RequestQuery,
    RequestView, WaitQuery,
};
use quorate_chain::evm::Wei;
use quorate_vault::entry::Approval;
use quorate_vault::fold::{Denied, approval_hash};
use quorate_vault::machine::Error;
use quorate_vault::{Command, RequestId, Time, Vault, VaultId};
use tokio::time::{Instant, timeout_at};

use super::Host;
use super::answer::{Answer, Body, Params, Refusal, refuse};
use super::node::broke;
use super::vaults::running;
use super::view;
use crate::daemon::Daemon;
use crate::keys::open_credential;
use crate::vaults::{HostError, VaultHandle};

/// How often a wait looks again at what time alone changes.
const GLANCE: Duration = Duration::from_secs(1);

pub(super) async fn list(
    State(daemon): Host,
    Path(vault): Path<String>,
    Params(query): Params<RequestQuery>,
) -> Answer<Vec<RequestView>> {
    let (name, handle) = running(&daemon, &vault)?;
    let mut all = every(&daemon, &name, &handle).await?;
    all.retain(|request| match query.state {
        RequestFilter::Open => !request.state.is_final(),
        RequestFilter::Closed => request.state.is_final(),
        RequestFilter::AwaitsYou => request.awaits_you,
        RequestFilter::All => true,
    });
    Ok(Json(all))
}

pub(super) async fn history(
    State(daemon): Host,
    Path(vault): Path<String>,
) -> Answer<Vec<RequestView>> {
    let (name, handle) = running(&daemon, &vault)?;
    let mut all = every(&daemon, &name, &handle).await?;
    all.retain(|request| !request.tx_hashes.is_empty() || request.receipt.is_some());
    all.reverse();
    Ok(Json(all))
}

async fn every(
    daemon: &Daemon,
    name: &str,
    handle: &VaultHandle,
) -> Result<Vec<RequestView>, Refusal> {
    let (name, names) = (name.to_owned(), view::chain_names(daemon));
    let all = handle.look(move |seen| {
        let all = seen.vault.requests().into_iter();
        all.map(|request| view::request(&seen, &name, &names, request))
            .collect()
    });
    Ok(all.await?)
}

/// One request.
pub(super) async fn one(
    daemon: &Daemon,
    name: &str,
    handle: &VaultHandle,
    id: RequestId,
) -> Result<RequestView, Refusal> {
    let (name, names) = (name.to_owned(), view::chain_names(daemon));
    let found = handle.look(move |seen| {
        let request = seen.vault.request(&id)?;
        Some(view::request(&seen, &name, &names, request))
    });
    found.await?.ok_or_else(|| unknown(&id.to_string()))
}

/// The request that a prefix of an id means.
async fn resolve(handle: &VaultHandle, prefix: &str) -> Result<RequestId, Refusal> {
    let wanted = prefix.to_lowercase();
    let plain = !wanted.is_empty() && wanted.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !plain {
        return Err(unknown(prefix));
    }
    let found: Vec<RequestId> = handle
        .look(move |seen| {
            seen.vault
                .state()
                .requests()
                .filter(|id| id.to_string().starts_with(&wanted))
                .collect()
        })
        .await?;
    match found.as_slice() {
        [one] => Ok(*one),
        [] => Err(unknown(prefix)),
        several => {
            let message = format!("{} requests begin with {prefix}", several.len());
            Err(refuse(ErrorCode::Usage, message, "write more of the id"))
        }
    }
}

fn unknown(id: &str) -> Refusal {
    let shown: String = id.chars().filter(|c| !c.is_control()).take(64).collect();
    let hint = "see `quorate request list --state all`; a request of another member arrives when both are online";
    refuse(
        ErrorCode::NotFound,
        format!("no request {shown} is known here"),
        hint,
    )
}

type Target = Path<(String, String)>;

async fn target(
    daemon: &Daemon,
    path: Target,
) -> Result<(String, VaultHandle, RequestId), Refusal> {
    let Path((vault, prefix)) = path;
    let (name, handle) = running(daemon, &vault)?;
    let id = resolve(&handle, &prefix).await?;
    Ok((name, handle, id))
}

pub(super) async fn show(State(daemon): Host, path: Target) -> Answer<RequestView> {
    let (name, handle, id) = target(&daemon, path).await?;
    Ok(Json(one(&daemon, &name, &handle, id).await?))
}

/// All that an approval is bound to, as this member has it.
struct Bound {
    vault: VaultId,
    charter_version: u32,
    digest: [u8; 32],
    expires: Time,
    nonce: [u8; 32],
}

fn bound(vault: &Vault, id: &RequestId) -> Option<Bound> {
    let standing = vault.state().standing(id, vault.now())?;
    Some(Bound {
        vault: *vault.id(),
        charter_version: vault.charter().version,
        digest: standing.digest,
        expires: standing.request.expires,
        nonce: standing.request.nonce,
    })
}

pub(super) async fn approve(
    State(daemon): Host,
    path: Target,
    Body(body): Body<Approve>,
) -> Answer<RequestView> {
    let (name, handle, id) = target(&daemon, path).await?;
    let bound = handle.look(move |seen| bound(seen.vault, &id)).await?;
    let bound = bound.ok_or_else(|| unknown(&id.to_string()))?;
    if hex::encode(bound.digest) != body.intent_digest {
        let message =
            "the request is not what was shown: the daemon shows something else than it holds";
        return Err(refuse(
            ErrorCode::Integrity,
            message,
            format!("look at it again: `quorate request show {}`", id.short()),
        ));
    }
    let shelf = daemon.shelf.clone();
    let signing = tokio::task::spawn_blocking(move || {
        let Bound {
            vault,
            charter_version,
            digest,
            expires,
            nonce,
        } = &bound;
        let hash = approval_hash(vault, *charter_version, digest, *expires, nonce);
        let credential = open_credential(&shelf, body.pin.expose().as_bytes())?;
        let signature = credential.sign(&hash).to_bytes().to_vec();
        Ok::<_, crate::keys::PinError>(Approval {
            request: id,
            charter_version: *charter_version,
            intent_digest: *digest,
            expires: *expires,
            nonce: *nonce,
            signature,
        })
    });
    let approval = signing.await.map_err(|_| broke())??;
    let approved = handle.command(Command::Approve(approval)).await;
    let request = one(&daemon, &name, &handle, id).await?;
    match approved {
        Err(HostError::Refused(Error::Denied(Denied::AlreadyApproved))) => {
            let have = request.approvals.len();
            let missing = usize::from(request.needed).saturating_sub(have);
            let (me, id) = (&daemon.me.name, id.short());
            Err(approved_already(me, &id, have, missing, &request.undecided))
        }
        other => other.map(|_| Json(request)).map_err(Refusal::from),
    }
}

/// Says whose approval counts already, and what is still missing.
fn approved_already(
    me: &str,
    id: &str,
    have: usize,
    missing: usize,
    undecided: &[String],
) -> Refusal {
    let needed = have + missing;
    let message = format!("{me} has approved {id} already, and it counts: {have} of {needed}");
    let hint = match missing {
        0 => format!("no approval is missing; see how it goes on: `quorate request show {id}`"),
        _ => format!("{missing} more must approve: {}", undecided.join(" or ")),
    };
    refuse(ErrorCode::Duplicate, message, hint)
}

pub(super) async fn reject(
    State(daemon): Host,
    path: Target,
    Body(body): Body<Reject>,
) -> Answer<RequestView> {
    let (name, handle, request) = target(&daemon, path).await?;
    let reason = body.reason.unwrap_or_default();
    if reason.chars().count() > MAX_NOTE_CHARS {
        let message = format!("the reason has more than {MAX_NOTE_CHARS} characters");
        return Err(refuse(ErrorCode::Usage, message, "shorten it"));
    }
    handle.command(Command::Reject { request, reason }).await?;
    Ok(Json(one(&daemon, &name, &handle, request).await?))
}

pub(super) async fn cancel(State(daemon): Host, path: Target) -> Answer<RequestView> {
    let (name, handle, request) = target(&daemon, path).await?;
    handle.command(Command::Cancel { request }).await?;
    Ok(Json(one(&daemon, &name, &handle, request).await?))
}

/// Signs the same payment again at a higher fee, within what was approved.
pub(super) async fn replace(
    State(daemon): Host,
    path: Target,
    Body(body): Body<Replace>,
) -> Answer<RequestView> {
    let (name, handle, request) = target(&daemon, path).await?;
    if let Some(text) = &body.max_fee_wei {
        let wanted = Wei::parse_wei(text)
            .map_err(|error| refuse(ErrorCode::Usage, error.to_string(), "write it in wei"))?;
        let shown = one(&daemon, &name, &handle, request).await?;
        if wanted.to_string() != shown.intent.max_fee_wei {
            let message = format!(
                "a replacement is signed within the fee that was approved, {} wei at the most",
                shown.intent.max_fee_wei
            );
            let hint = "leave the fee out; for a higher one, ask for a new payment once this one is mined or cancelled";
            return Err(refuse(ErrorCode::Denied, message, hint));
        }
    }
    handle.command(Command::Replace { request }).await?;
    Ok(Json(one(&daemon, &name, &handle, request).await?))
}

pub(super) async fn wait(
    State(daemon): Host,
    path: Target,
    Params(query): Params<WaitQuery>,
) -> Answer<RequestView> {
    let (name, handle, id) = target(&daemon, path).await?;
    let deadline = Instant::now() + Duration::from_millis(query.timeout_ms.min(MAX_WAIT_MS));
    let mut changes = handle.changes();
    loop {
        changes.borrow_and_update();
        let request = one(&daemon, &name, &handle, id).await?;
        let over = request.state.reached(query.until)
            || request.state.is_final()
            || Instant::now() >= deadline;
        if over {
            return Ok(Json(request));
        }
        // A change or a glance; which one does not matter.
        timeout_at(deadline.min(Instant::now() + GLANCE), changes.changed())
            .await
            .ok();
    }
}

#[cfg(test)]
mod tests {
    use quorate_api::ErrorCode;

    use super::approved_already;

    /// Who approves twice learns that the first counts, and who has yet to approve.
    #[test]
    fn a_second_approval_is_told_what_is_missing() {
        let undecided = ["bob".to_owned(), "carol".to_owned()];
        let told = approved_already("alice", "ab12", 1, 1, &undecided).0;
        assert_eq!(told.code, ErrorCode::Duplicate);
        assert_eq!(
            told.message,
            "alice has approved ab12 already, and it counts: 1 of 2"
        );
        assert_eq!(told.hint, "1 more must approve: bob or carol");
        let told = approved_already("alice", "ab12", 2, 0, &undecided).0;
        assert!(
            told.hint.starts_with("no approval is missing"),
            "{}",
            told.hint
        );
    }
}
