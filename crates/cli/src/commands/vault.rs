//! `vault`, `address`, `balance`, `receive`.

use quorate_api::{BalanceQuery, ErrorCode};

use super::{done, making};
use crate::action::Action;
use crate::args::VaultCommand;
use crate::console::Style;
use crate::context::Context;
use crate::failure::Outcome;
use crate::{Failure, render};

pub(super) fn vault(context: &mut Context<'_>, command: VaultCommand) -> Outcome<Action> {
    match command {
        VaultCommand::Create(args) => making::create(context, args),
        VaultCommand::Join(args) => making::join(context, args),
        VaultCommand::List => list(context).map(done),
        VaultCommand::Show { name } => show(context, name).map(done),
    }
}

fn list(context: &mut Context<'_>) -> Outcome {
    let vaults = context.client()?.vaults()?;
    let print = |console: &mut _, vaults: &Vec<_>| render::vaults(console, vaults);
    context.console.result("vaults", &vaults, print)
}

fn show(context: &mut Context<'_>, name: Option<String>) -> Outcome {
    let client = context.client()?;
    let name = match name {
        Some(name) => name,
        None => context.vault(&client)?,
    };
    let vault = client.vault(&name)?;
    context.console.result("vault", &vault, render::vault)
}

/// Addresses of the vault.
pub(super) fn addresses(context: &mut Context<'_>) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let addresses = client.addresses(&vault)?;
    let print = |console: &mut _, addresses: &Vec<_>| render::addresses(console, addresses);
    context.console.result("addresses", &addresses, print)
}

/// The address to pay in to, with what the person should know before.
pub(super) fn receive(context: &mut Context<'_>) -> Outcome {
    let client = context.client()?;
    let name = context.vault(&client)?;
    let vault = client.vault(&name)?;
    if vault.addresses.is_empty() {
        return Err(Failure::new(
            ErrorCode::Pending,
            format!("{name} has no address yet: every member has to acknowledge the keys first"),
            format!("see whom it waits for with `quorate vault show {name}`"),
        ));
    }
    for warning in &vault.warnings {
        context
            .console
            .aside(Style::Warn, &format!("Warning: {warning}"));
    }
    let print = |console: &mut crate::Console, addresses: &Vec<quorate_api::AddressView>| {
        addresses
            .iter()
            .try_for_each(|it| console.line(&it.address))
    };
    context.console.result("addresses", &vault.addresses, print)
}

/// What the vault has.
pub(super) fn balance(context: &mut Context<'_>) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let query = BalanceQuery {
        chain: context.global.chain.clone(),
    };
    let balances = client.balance(&vault, &query)?;
    let print = |console: &mut _, balances: &Vec<_>| render::balances(console, balances);
    context.console.result("balances", &balances, print)?;
    match balances.iter().find_map(|it| it.problem.as_ref()) {
        Some(problem) if balances.iter().all(|it| it.balance_wei.is_none()) => Err(Failure::new(
            ErrorCode::Network,
            format!("no chain answers: {problem}"),
            "see `quorate chain list`",
        )),
        _ => Ok(()),
    }
}
