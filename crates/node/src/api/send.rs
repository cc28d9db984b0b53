//! Asking for a payment, and what it would be.

use axum::Json;
use axum::extract::{Path, State};
use quorate_api::{ErrorCode, MAX_NOTE_CHARS, Preview, RequestView, SendPayment};
use quorate_chain::evm::{Address, Checksum, FeeQuote, Fees, TRANSFER_GAS, Wei};
use quorate_vault::entry::Request;
use quorate_vault::io::{Amount, Proposal};
use quorate_vault::machine::{Error, IntentView};
use quorate_vault::{Command, Outcome, Time};

use super::Host;
use super::answer::{Answer, Body, Refusal, refuse};
use super::vaults::{not_active, running};
use super::{chains, requests, view};
use crate::chains::Known;
use crate::daemon::Daemon;
use crate::process::now_ms;
use crate::vaults::{HostError, VaultHandle};

/// How long approvals are taken unless said otherwise.
const DEFAULT_LIFETIME_MS: u64 = 24 * 60 * 60 * 1000;

/// A payment as it would be proposed.
struct Plan {
    name: String,
    handle: VaultHandle,
    proposal: Proposal,
    quote: FeeQuote,
    balance: Wei,
    warnings: Vec<String>,
}

pub(super) async fn preview(
    State(daemon): Host,
    Path(vault): Path<String>,
    Body(body): Body<SendPayment>,
) -> Answer<Preview> {
    let plan = plan(&daemon, &vault, body).await?;
    let Draft {
        request,
        needed,
        intent,
    } = draft(&plan).await?;
    check_cover(&plan, intent.largest_total)?;
    let fees = Fees::for_quote(plan.quote, plan.proposal.bounds);
    let likely = plan
        .quote
        .base_fee_per_gas
        .saturating_add(fees.max_priority_fee_per_gas)
        .min(fees.max_fee_per_gas);
    let estimated = Wei::from(likely)
        .checked_mul(TRANSFER_GAS)
        .unwrap_or_default();
    Ok(Json(Preview {
        vault: plan.name,
        intent: view::intent(&intent, &view::chain_names(&daemon)),
        needed,
        expires_ms: request.expires.0,
        estimated_fee_wei: estimated.to_string(),
        warnings: plan.warnings,
    }))
}

pub(super) async fn send(
    State(daemon): Host,
    Path(vault): Path<String>,
    Body(body): Body<SendPayment>,
) -> Answer<RequestView> {
    let plan = plan(&daemon, &vault, body).await?;
    // Who asks again under the same key gets what it asked for, whatever the balance is by now.
    if plan.proposal.idempotency_key.is_empty() {
        check_cover(&plan, draft(&plan).await?.intent.largest_total)?;
    }
    let Plan {
        name,
        handle,
        proposal,
        ..
    } = plan;
    let outcome = handle.command(Command::Propose(Box::new(proposal))).await?;
    match outcome {
        Outcome::Requested(id) | Outcome::Duplicate(id) => {
            Ok(Json(requests::one(&daemon, &name, &handle, id).await?))
        }
        _ => Err(super::node::broke()),
    }
}

async fn plan(daemon: &Daemon, vault: &str, body: SendPayment) -> Result<Plan, Refusal> {
    let (name, handle) = running(daemon, vault)?;
    let known = chains::chosen(daemon, body.chain.as_deref())?;
    check_asset(&known, &body.asset)?;
    let to = recipient(&body.to)?;
    check_note(body.note.as_deref())?;
    let exact = exact_amount(&body.amount)?;
    let chain = known.chain;
    let look = handle.look(move |seen| {
        let reserved = view::reserved(seen.vault).get(&chain).copied();
        Some((seen.vault.state().account()?, reserved.unwrap_or_default()))
    });
    let (from, reserved) = look.await?.ok_or_else(|| not_active(&name))?;
    let quote = known.evm.fees().await?;
    let balance = known.evm.balance(from).await?.amount;
    let bounds = bounds(quote, body.max_fee_wei.as_deref())?;
    let mut warnings = vec![super::node::TEST_FUNDS.to_owned()];
    if to.1 == Checksum::Absent {
        warnings.push("the address was typed without capital letters, so a typing mistake in it cannot be seen".to_owned());
    }
    if bounds.max_fee_per_gas < quote.base_fee_per_gas {
        warnings.push(
            "the fee bound is below today's fee; the payment waits until fees fall".to_owned(),
        );
    }
    // What open requests may still take is not there to be sent.
    let free = balance.checked_sub(reserved).unwrap_or_default();
    if let Some(amount) = exact.filter(|amount| *amount > free && *amount <= balance) {
        warnings.push(format!(
            "other open requests can take so much that {} ETH are not left; this one then waits for funds",
            amount.format_eth()
        ));
    }
    let proposal = Proposal {
        chain: known.chain,
        to: to.0,
        amount: exact.map_or(Amount::Max { balance: free }, Amount::Exact),
        bounds,
        expires: Time(now_ms().saturating_add(body.expires_in_ms.unwrap_or(DEFAULT_LIFETIME_MS))),
        note: body.note.unwrap_or_default(),
        idempotency_key: body.idempotency_key.unwrap_or_default(),
    };
    Ok(Plan {
        name,
        handle,
        proposal,
        quote,
        balance,
        warnings,
    })
}

fn check_asset(known: &Known, asset: &str) -> Result<(), Refusal> {
    let coin = known.chain.coin();
    // A chain whose coin is not known to be ether still is paid in its own coin, which people call ETH here.
    if asset.eq_ignore_ascii_case("ETH") || asset.eq_ignore_ascii_case(coin) {
        return Ok(());
    }
    let shown: String = asset.chars().filter(|c| !c.is_control()).take(16).collect();
    let message = format!("{shown} cannot be sent on {}", known.name);
    Err(refuse(
        ErrorCode::Usage,
        message,
        format!("only the chain's own coin can be sent: {coin}"),
    ))
}

fn recipient(text: &str) -> Result<(Address, Checksum), Refusal> {
    Address::parse(text).map_err(|error| {
        let (message, hint) = crate::error::split_remedy(&error.to_string());
        refuse(ErrorCode::Usage, message, hint)
    })
}

fn check_note(note: Option<&str>) -> Result<(), Refusal> {
    if note.is_some_and(|note| note.chars().count() > MAX_NOTE_CHARS) {
        let message = format!("the note has more than {MAX_NOTE_CHARS} characters");
        return Err(refuse(ErrorCode::Usage, message, "shorten it"));
    }
    Ok(())
}

/// The amount, or none for `max`.
fn exact_amount(text: &str) -> Result<Option<Wei>, Refusal> {
    if text.eq_ignore_ascii_case("max") {
        return Ok(None);
    }
    let amount = Wei::parse_eth(text).map_err(|error| {
        let (message, hint) = crate::error::split_remedy(&error.to_string());
        refuse(ErrorCode::Usage, message, hint)
    })?;
    if amount.is_zero() {
        return Err(refuse(
            ErrorCode::Usage,
            "the amount is zero",
            "write how much to send, such as 0.5",
        ));
    }
    Ok(Some(amount))
}

/// Bounds for the fee fields: the usual ones, or what the whole fee may come to.
fn bounds(quote: FeeQuote, max_fee_wei: Option<&str>) -> Result<Fees, Refusal> {
    let usual = Fees::default_bounds(quote);
    let Some(text) = max_fee_wei else {
        return Ok(usual);
    };
    let malformed = |message: String| {
        refuse(
            ErrorCode::Usage,
            message,
            "write the largest whole fee in wei",
        )
    };
    let whole = Wei::parse_wei(text).map_err(|error| malformed(error.to_string()))?;
    let whole = u128::try_from(whole).map_err(|error| malformed(error.to_string()))?;
    let max_fee_per_gas = whole / u128::from(TRANSFER_GAS);
    if max_fee_per_gas == 0 {
        return Err(malformed(format!(
            "a fee of {whole} wei is less than one wei for each of {TRANSFER_GAS} gas"
        )));
    }
    Ok(Fees {
        max_fee_per_gas,
        max_priority_fee_per_gas: usual.max_priority_fee_per_gas.min(max_fee_per_gas),
    })
}

/// The request that a proposal would become now.
struct Draft {
    request: Request,
    needed: u8,
    intent: IntentView,
}

async fn draft(plan: &Plan) -> Result<Draft, Refusal> {
    let proposal = plan.proposal.clone();
    let drafted = plan.handle.look(move |seen| {
        let (vault, state) = (seen.vault, seen.vault.state());
        let request = state.draft(&proposal, [0; 32], vault.now())?;
        Ok(Draft {
            needed: vault.charter().needed(),
            intent: IntentView::of(&request.intent, state.fills_before(&request.intent)),
            request,
        })
    });
    drafted
        .await?
        .map_err(|error| Refusal::from(HostError::Refused(Error::Propose(error))))
}

/// Amount and largest fee must be there, or the chain would never take it.
fn check_cover(plan: &Plan, total: Wei) -> Result<(), Refusal> {
    if plan.balance >= total {
        return Ok(());
    }
    let message = format!(
        "the vault holds {} ETH, and this takes up to {} ETH with its fee",
        plan.balance.format_eth(),
        total.format_eth()
    );
    Err(refuse(
        ErrorCode::Denied,
        message,
        "send less, send `max`, or fund the vault first",
    ))
}
