//! Chains, addresses, balances.

use quorate_api::{AddressView, BalanceView, ChainView};

use super::{Fields, table};
use crate::amount;
use crate::console::{Console, Style};
use crate::failure::Outcome;

/// Chains, one a line.
pub(crate) fn chains(console: &mut Console, chains: &[ChainView]) -> Outcome {
    if chains.is_empty() {
        console.note("No chains. Add one with `quorate chain add NAME --rpc URL`.");
        return Ok(());
    }
    let rows = chains.iter().map(|chain| {
        vec![
            chain.name.clone(),
            chain.chain.clone(),
            chain.rpc.clone(),
            reachable(chain),
            chain
                .block
                .map_or_else(String::new, |block| block.to_string()),
        ]
    });
    table::print(
        console,
        &["CHAIN", "ID", "ENDPOINT", "ANSWERS", "BLOCK"],
        &[4],
        rows.collect(),
    )
}

fn reachable(chain: &ChainView) -> String {
    match (&chain.problem, chain.reachable) {
        (_, true) => "yes".to_owned(),
        (Some(problem), false) => format!("no: {problem}"),
        (None, false) => "no".to_owned(),
    }
}

/// One chain.
pub(crate) fn chain(console: &mut Console, chain: &ChainView) -> Outcome {
    console.styled(Style::Bold, &format!("Chain {}", chain.name))?;
    let mut fields = Fields::default();
    fields
        .add("Id", chain.chain.as_str())
        .add("Endpoint", chain.rpc.as_str())
        .add("Answers", reachable(chain))
        .add_some("Answers as", chain.answered.as_deref())
        .add_some("Newest block", chain.block.map(|block| block.to_string()));
    fields.print(console)
}

/// Balances, one chain a line.
pub(crate) fn balances(console: &mut Console, balances: &[BalanceView]) -> Outcome {
    if balances.is_empty() {
        console.note("No chains. Add one with `quorate chain add NAME --rpc URL`.");
        return Ok(());
    }
    let rows = balances.iter().map(|balance| {
        let shown = match &balance.balance_wei {
            Some(wei) => amount::show(wei, &balance.asset),
            None => "unknown".to_owned(),
        };
        vec![
            balance.chain_name.clone(),
            balance.chain.clone(),
            shown,
            amount::show(&balance.reserved_wei, &balance.asset),
            balance
                .block
                .map_or_else(String::new, |block| block.to_string()),
            balance.address.clone(),
        ]
    });
    let header = [
        "CHAIN",
        "ID",
        "BALANCE",
        "IN OPEN REQUESTS",
        "AT BLOCK",
        "ADDRESS",
    ];
    table::print(console, &header, &[2, 3, 4], rows.collect())?;
    for balance in balances {
        if let Some(problem) = &balance.problem {
            console.styled(Style::Warn, &format!("{}: {problem}", balance.chain_name))?;
        }
    }
    Ok(())
}

/// Addresses, one a line.
pub(crate) fn addresses(console: &mut Console, addresses: &[AddressView]) -> Outcome {
    if addresses.is_empty() {
        console.note("No address yet: every member has to acknowledge the keys first. See `quorate vault show`.");
        return Ok(());
    }
    let rows = addresses.iter().map(|address| {
        vec![
            address.address.clone(),
            address.namespace.clone(),
            address.suite.clone(),
        ]
    });
    table::print(console, &["ADDRESS", "CHAINS", "KEY"], &[], rows.collect())
}
