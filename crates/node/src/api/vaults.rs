//! Vaults: begun, joined, confirmed, looked at.

use axum::Json;
use axum::extract::{Path, State};
use quorate_api::{
    AddressView, BalanceQuery, BalanceView, ConfirmRoster, CreateVault, CreatedVault, Done,
    ErrorCode, Invitation, JoinVault, VaultView,
};
use quorate_chain::evm::{Address, Wei};
use quorate_vault::Command;

use super::Host;
use super::answer::{Answer, Body, Params, Refusal, refuse};
use super::node::broke;
use super::{chains, view};
use crate::daemon::Daemon;
use crate::keys::open_credential;
use crate::making::{Invited, Labels, Stage};
use crate::vaults::VaultHandle;

/// Every vault, by local name; one that cannot be looked at says so in a warning.
pub(super) async fn every(daemon: &Daemon) -> Vec<VaultView> {
    let mut views = Vec::new();
    for (name, record) in daemon.making.all() {
        let view = view::vault(daemon, &name, &record).await;
        views.push(view.unwrap_or_else(|refusal| view::broken(&name, refusal.0.message)));
    }
    views
}

async fn one(daemon: &Daemon, name: &str) -> Result<VaultView, Refusal> {
    let record = daemon.making.record(name)?;
    view::vault(daemon, name, &record).await
}

/// The local name of the vault that a path means: its name, or its id.
pub(super) fn local_name(daemon: &Daemon, text: &str) -> Result<String, Refusal> {
    let by_id = daemon
        .vaults
        .all()
        .into_iter()
        .find(|(_, handle)| handle.id.to_string() == text);
    let name = by_id.map_or_else(|| text.to_owned(), |(name, _)| name);
    daemon.making.record(&name)?;
    Ok(name)
}

/// The running vault that a path means.
pub(super) fn running(daemon: &Daemon, text: &str) -> Result<(String, VaultHandle), Refusal> {
    let name = local_name(daemon, text)?;
    match daemon.vaults.named(&name) {
        Some(handle) => Ok((name, handle)),
        None => Err(refuse(
            ErrorCode::Denied,
            format!("{name} is still being made: not everybody has joined"),
            format!("see whom it waits for with `quorate vault show {name}`"),
        )),
    }
}

pub(super) async fn list(State(daemon): Host) -> Answer<Vec<VaultView>> {
    Ok(Json(every(&daemon).await))
}

pub(super) async fn create(
    State(daemon): Host,
    Body(body): Body<CreateVault>,
) -> Answer<CreatedVault> {
    let labels = Labels::or_card(body.controller, body.trust_domain, daemon.me.card().card());
    let invited = daemon
        .making
        .create(&body.name, body.threshold, body.members, labels)
        .await?;
    let vault = one(&daemon, &body.name).await?;
    Ok(Json(CreatedVault {
        vault,
        invitations: invited.into_iter().map(invitation).collect(),
    }))
}

fn invitation(invited: Invited) -> Invitation {
    Invitation {
        code: invited.code,
        address: invited.address.to_string(),
        expires_ms: invited.expires_ms,
    }
}

pub(super) async fn join(State(daemon): Host, Body(body): Body<JoinVault>) -> Answer<VaultView> {
    let labels = Labels::or_card(body.controller, body.trust_domain, daemon.me.card().card());
    let name = daemon
        .making
        .join(&body.code, &body.address, body.name, labels)
        .await?;
    Ok(Json(one(&daemon, &name).await?))
}

pub(super) async fn show(State(daemon): Host, Path(vault): Path<String>) -> Answer<VaultView> {
    let name = local_name(&daemon, &vault)?;
    Ok(Json(one(&daemon, &name).await?))
}

pub(super) async fn invite(State(daemon): Host, Path(vault): Path<String>) -> Answer<Invitation> {
    let name = local_name(&daemon, &vault)?;
    Ok(Json(invitation(daemon.making.invite(&name).await?)))
}

pub(super) async fn confirm(
    State(daemon): Host,
    Path(vault): Path<String>,
    Body(body): Body<ConfirmRoster>,
) -> Answer<VaultView> {
    let name = local_name(&daemon, &vault)?;
    if !matches!(daemon.making.record(&name)?.stage, Stage::Founded(_)) {
        let message = format!("{name} has no six words yet: not everybody has joined");
        return Err(refuse(
            ErrorCode::Denied,
            message,
            format!("see whom it waits for with `quorate vault show {name}`"),
        ));
    }
    let (name, handle) = running(&daemon, &name)?;
    let words = body.words.join(" ");
    let shelf = daemon.shelf.clone();
    let opening = tokio::task::spawn_blocking(move || {
        open_credential(&shelf, body.pin.expose().as_bytes()).map(drop)
    });
    opening.await.map_err(|_| broke())??;
    handle.command(Command::Confirm { words }).await?;
    Ok(Json(one(&daemon, &name).await?))
}

pub(super) async fn abandon(State(daemon): Host, Path(vault): Path<String>) -> Answer<Done> {
    let name = local_name(&daemon, &vault)?;
    daemon.making.abandon(&name).await?;
    Ok(Json(Done::OK))
}

pub(super) async fn addresses(
    State(daemon): Host,
    Path(vault): Path<String>,
) -> Answer<Vec<AddressView>> {
    let name = local_name(&daemon, &vault)?;
    Ok(Json(one(&daemon, &name).await?.addresses))
}

pub(super) async fn balance(
    State(daemon): Host,
    Path(vault): Path<String>,
    Params(query): Params<BalanceQuery>,
) -> Answer<Vec<BalanceView>> {
    let (name, handle) = running(&daemon, &vault)?;
    let found = handle
        .look(|seen| (seen.vault.state().address(), view::reserved(seen.vault)))
        .await?;
    let (Some(address), reserved) = found else {
        return Err(not_active(&name));
    };
    let chosen = match query.chain.as_deref() {
        Some(text) => vec![chains::chosen(&daemon, Some(text))?],
        None => daemon.chains.all(),
    };
    let asked: Vec<_> = chosen
        .into_iter()
        .map(|known| {
            let reserved = reserved.get(&known.chain).copied().unwrap_or_default();
            tokio::spawn(balance_on(known, address, reserved))
        })
        .collect();
    let mut views = Vec::new();
    for one in asked {
        views.push(one.await.map_err(|_| broke())?);
    }
    Ok(Json(views))
}

async fn balance_on(known: crate::chains::Known, address: Address, reserved: Wei) -> BalanceView {
    let mut view = BalanceView {
        chain: known.chain.to_string(),
        chain_name: known.name.clone(),
        address: address.to_string(),
        asset: known.chain.coin().to_owned(),
        balance_wei: None,
        reserved_wei: reserved.to_string(),
        block: None,
        problem: None,
    };
    match known.evm.balance(address).await {
        Ok(balance) => {
            view.balance_wei = Some(balance.amount.to_string());
            view.block = Some(balance.block);
        }
        Err(error) => view.problem = Some(error.to_string()),
    }
    view
}

/// The refusal of what needs an address.
pub(super) fn not_active(name: &str) -> Refusal {
    refuse(
        ErrorCode::Denied,
        format!(
            "{name} has no address yet: every member has to confirm, store and acknowledge its keys first"
        ),
        format!("see whom it waits for with `quorate vault show {name}`"),
    )
}
