//! Payments that go well, and what an outsider can see and check of them.

use anyhow::{Context, Result, ensure};
use serde_json::json;

use super::{FUNDS, SHOP};
use crate::report::Report;
use crate::world::{Household, text};

/// Gas of a native transfer, all of it.
const TRANSFER_GAS: u64 = 21_000;

/// One payment of 0.25 ETH, asked for by the first member, approved by the first and the second.
pub(crate) fn first_payment(report: &mut Report, home: &Household) -> Result<()> {
    let before = home.chain.balance(SHOP)?;
    let view = home.pay(0, &[0, 1], "0.25", SHOP)?;
    let receipt = view
        .get("receipt")
        .context("a mined request has a receipt")?;
    let hash = text(receipt, "tx_hash")?;
    let mined = home.chain.mined(&hash)?;
    let paid = home.chain.balance(SHOP)? - before;
    report.claim("0.25 ETH arrived", paid == 250_000_000_000_000_000, || {
        format!("{paid} wei arrived")
    });
    report.claim(
        "the signer recovered from the mined bytes is the vault",
        mined.signer == home.address,
        || format!("{} is not {}", mined.signer, home.address),
    );
    report.claim(
        "it used 21,000 gas and succeeded",
        mined.gas_used == TRANSFER_GAS && mined.success,
        || format!("{mined:?}"),
    );
    let code = home
        .chain
        .rpc("eth_getCode", json!([home.address, "latest"]))?;
    let plain = code == json!("0x") && mined.raw.first() == Some(&2) && mined.raw.len() < 130;
    report.claim(
        "nothing on chain tells threshold or members: no code, one plain signature",
        plain,
        || format!("code {code}, {} raw bytes", mined.raw.len()),
    );
    let seen = home.await_mined(2, &text(&view, "id")?, 20)?;
    report.claim(
        "the third member, who was not asked, sees the same receipt",
        seen.get("receipt") == Some(receipt),
        || seen.to_string(),
    );
    balances(report, home)
}

fn balances(report: &mut Report, home: &Household) -> Result<()> {
    let shown = home.member(0)?.json(&["balance"])?;
    let wei = shown
        .get(0)
        .map(|one| text(one, "balance_wei"))
        .transpose()?
        .unwrap_or_default();
    let real = home.chain.balance(&home.address)?.to_string();
    report.claim("`balance` shows what the chain holds", wei == real, || {
        format!("{wei} and {real}")
    });
    let history = home.member(1)?.json(&["history"])?;
    let entries = history.as_array().map_or(0, Vec::len);
    report.claim(
        "`history` shows the payment at the other member",
        entries == 1,
        || history.to_string(),
    );
    Ok(())
}

/// The log bundle: exported by one, verified offline by anybody, and worthless once touched.
pub(crate) fn proof(report: &mut Report, home: &Household) -> Result<()> {
    let bundle = home.member(0)?.dir.with_extension("bundle.json");
    let path = bundle.to_string_lossy().into_owned();
    home.member(0)?.json(&["log", "export", &path])?;
    let stranger = home.member(0)?.dir.with_extension("nobody");
    let verified = crate::world::run_anywhere(&stranger, &["--json", "log", "verify", &path])?;
    report.claim(
        "`log verify` accepts the bundle without a daemon",
        verified.code == 0,
        || format!("{}{}", verified.stdout, verified.stderr),
    );
    let report_text = verified.stdout.clone();
    for name in ["alice", "bob"] {
        report.claim(
            &format!("the verification names {name}"),
            report_text.contains(name),
            || report_text.clone(),
        );
    }
    let mut bytes = std::fs::read(&bundle)?;
    let middle = bytes.len() / 2;
    let byte = bytes.get_mut(middle).context("a bundle is not empty")?;
    *byte = if *byte == b'A' { b'B' } else { b'A' };
    std::fs::write(&bundle, &bytes)?;
    let touched = crate::world::run_anywhere(&stranger, &["log", "verify", &path])?;
    report.claim(
        "one changed byte in the middle of the bundle is refused with 11",
        touched.code == 11,
        || format!("{}: {}{}", touched.code, touched.stdout, touched.stderr),
    );
    Ok(())
}

/// Every one of the ten quorums of a 3-of-5 vault pays once, the other two members being up but not asked.
pub(crate) fn every_quorum_of_five(report: &mut Report, home: &Household) -> Result<()> {
    let mut paid = 0;
    for a in 0..5 {
        for b in a + 1..5 {
            for c in b + 1..5 {
                let view = home.pay(a, &[a, b, c], "0.01", SHOP)?;
                ensure!(text(&view, "state")? == "mined");
                paid += 1;
            }
        }
    }
    report.claim("each of the 10 quorums of 3-of-5 signs", paid == 10, || {
        paid.to_string()
    });
    Ok(())
}

/// The account's nonce equals the vault's own transactions, each nonce once, and no wei is unaccounted for.
pub(crate) fn chain_is_consistent(report: &mut Report, home: &Household) -> Result<()> {
    let all = home.chain.transactions()?;
    let ours: Vec<_> = all.iter().filter(|tx| tx.signer == home.address).collect();
    let nonces: Vec<u64> = ours.iter().map(|tx| tx.nonce).collect();
    let expected: Vec<u64> = (0..ours.len() as u64).collect();
    report.claim(
        "nonces on chain are 0, 1, 2, ... without gap or repetition",
        nonces == expected,
        || format!("{nonces:?}"),
    );
    let requests = home
        .member(0)?
        .json(&["request", "list", "--state", "all"])?;
    let requests = requests.as_array().cloned().unwrap_or_default();
    let mined = requests
        .iter()
        .filter(|one| one.get("state") == Some(&json!("mined")))
        .count();
    let payments = ours.iter().filter(|tx| tx.to != home.address).count();
    report.claim(
        "as many payments on chain as requests that say mined",
        mined == payments,
        || format!("{mined} requests, {payments} payments"),
    );
    let left = home.chain.balance(&home.address)?;
    report.tell(&format!(
        "{payments} payments, {} fills, {left} of {FUNDS} wei left",
        ours.len() - payments
    ));
    Ok(())
}
