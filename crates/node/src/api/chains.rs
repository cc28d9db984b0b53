//! Chains: adding, listing, removing.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use quorate_api::{AddChain, ChainView, Done, ErrorCode, is_name};
use quorate_chain::ChainId;
use rand_core::OsRng;

use super::Host;
use super::answer::{Answer, Body, Refusal, refuse};
use crate::chains::{ChainRecord, Known, MAX_CHAINS, forget_chain, keep_chain};
use crate::daemon::Daemon;
use crate::rpc::{Evm, RpcClient, RpcError};

pub(super) async fn list(State(daemon): Host) -> Answer<Vec<ChainView>> {
    Ok(Json(every(&daemon).await))
}

/// Every chain and how its endpoint answers; all are asked at once.
pub(super) async fn every(daemon: &Daemon) -> Vec<ChainView> {
    let asked: Vec<_> = daemon
        .chains
        .all()
        .into_iter()
        .map(|known| tokio::spawn(look(known)))
        .collect();
    let mut views = Vec::new();
    for one in asked {
        views.extend(one.await.ok());
    }
    views
}

async fn look(known: Known) -> ChainView {
    let mut view = ChainView {
        name: known.name.clone(),
        chain: known.chain.to_string(),
        rpc: known.evm.host(),
        reachable: false,
        answered: None,
        block: None,
        problem: None,
    };
    match known.evm.head().await {
        Ok(block) => {
            view.reachable = true;
            view.answered = Some(known.chain.to_string());
            view.block = Some(block);
        }
        Err(error) => {
            if let RpcError::WrongChain { answered, .. } = &error {
                view.answered = Some(answered.clone());
            }
            view.problem = Some(error.to_string());
        }
    }
    view
}

pub(super) async fn add(State(daemon): Host, Body(body): Body<AddChain>) -> Answer<ChainView> {
    check_name(&daemon, &body.name)?;
    let expected = body.chain.as_deref().map(str::parse::<ChainId>).transpose();
    let expected = expected.map_err(|error| {
        refuse(
            ErrorCode::Usage,
            error.to_string(),
            "write it like eip155:1",
        )
    })?;
    let client = RpcClient::new(&body.rpc_url)?;
    let chain = Evm::identify(&client).await?;
    if let Some(expected) = expected.filter(|expected| *expected != chain) {
        let (host, expected, answered) = (client.host(), expected.to_string(), chain.to_string());
        return Err(RpcError::WrongChain {
            host,
            expected,
            answered,
        }
        .into());
    }
    if let Some(known) = daemon.chains.of(chain) {
        let message = format!("{chain} is known here already, as {}", known.name);
        let hint = format!(
            "to use another endpoint, remove it first: `quorate chain remove {}`",
            known.name
        );
        return Err(refuse(ErrorCode::Duplicate, message, hint));
    }
    let known = Known {
        name: body.name.clone(),
        chain,
        evm: Arc::new(Evm::new(chain, &body.rpc_url)?),
    };
    let write = keep_chain(
        &body.name,
        &ChainRecord {
            chain,
            url: body.rpc_url,
        },
    );
    daemon
        .shelf
        .apart(move |store| store.commit(vec![write], &mut OsRng))
        .await?;
    daemon.chains.put(known.clone());
    Ok(Json(look(known).await))
}

fn check_name(daemon: &Daemon, name: &str) -> Result<(), Refusal> {
    if !is_name(name) {
        let message = format!("{name:?} is no name for a chain");
        let hint = "choose 1 to 32 of a-z, 0-9, - and _, beginning with a letter or digit";
        return Err(refuse(ErrorCode::Usage, message, hint));
    }
    let all = daemon.chains.all();
    if all.iter().any(|known| known.name == name) {
        let message = format!("a chain named {name} is known here already");
        return Err(refuse(
            ErrorCode::Duplicate,
            message,
            "choose another name, or remove that one first",
        ));
    }
    if all.len() >= MAX_CHAINS {
        let message = format!("{MAX_CHAINS} chains are known here, which is the limit");
        return Err(refuse(ErrorCode::Denied, message, "remove one first"));
    }
    Ok(())
}

pub(super) async fn remove(State(daemon): Host, Path(name): Path<String>) -> Answer<Done> {
    if !daemon.chains.all().iter().any(|known| known.name == name) {
        return Err(unknown(&name));
    }
    let write = forget_chain(&name);
    daemon
        .shelf
        .apart(move |store| store.commit(vec![write], &mut OsRng))
        .await?;
    daemon.chains.remove(&name);
    Ok(Json(Done::OK))
}

/// The chain of this name or id; without one, the only chain.
pub(super) fn chosen(daemon: &Daemon, chain: Option<&str>) -> Result<Known, Refusal> {
    if let Some(text) = chain {
        return daemon.chains.named(text).ok_or_else(|| unknown(text));
    }
    let all = daemon.chains.all();
    match all.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(refuse(
            ErrorCode::NotFound,
            "no chain is known here",
            "add one with `quorate chain add NAME --rpc URL`",
        )),
        several => {
            let names: Vec<&str> = several.iter().map(|known| known.name.as_str()).collect();
            let message = format!("several chains are known here: {}", names.join(", "));
            Err(refuse(ErrorCode::Usage, message, "name one with --chain"))
        }
    }
}

fn unknown(name: &str) -> Refusal {
    let shown: String = name.chars().filter(|c| !c.is_control()).take(64).collect();
    refuse(
        ErrorCode::NotFound,
        format!("no chain {shown} is known here"),
        "see `quorate chain list`",
    )
}
