//! One slot a request: at once, in parallel, dead, too cheap.

use std::collections::BTreeSet;
use std::thread;

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};

use super::SHOP;
use crate::report::Report;
use crate::world::{Household, text, wait_for};

/// All of it; `parallel` requests are made at the same time.
pub(crate) fn all(report: &mut Report, home: &Household, parallel: usize) -> Result<()> {
    report.piece(
        "two members ask at the same moment: both are paid, in two slots",
        |_| at_once(home),
    );
    report.piece(
        &format!("{parallel} requests in parallel take {parallel} slots without a gap"),
        |_| in_parallel(home, parallel),
    );
    report.piece(
        "a request with the same idempotency key is not made twice",
        |_| same_key(home),
    );
    report.piece(
        "a cancelled request's slot does not hold up the one behind it",
        |_| dead_slot(home),
    );
    report.piece(
        "a transaction that is too cheap is replaced in its slot, and paid once",
        |_| replacement(home),
    );
    Ok(())
}

fn at_once(home: &Household) -> Result<()> {
    let ids = thread::scope(|scope| -> Result<Vec<String>> {
        let asked: Vec<_> = [0, 1]
            .map(|by| scope.spawn(move || home.request(by, "0.01", SHOP)))
            .into_iter()
            .collect();
        asked
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| bail!("a request panicked")))
            .collect()
    })?;
    let ids = settle(home, &ids)?;
    approve_all(home, &[0, 1], &ids)?;
    mined_slots(home, &ids).map(|_| ())
}

fn in_parallel(home: &Household, count: usize) -> Result<()> {
    let before = u64::try_from(home.chain.nonce(&home.address)?)?;
    let ids = thread::scope(|scope| -> Result<Vec<String>> {
        let asked: Vec<_> = (0..count)
            .map(|i| scope.spawn(move || home.request(i % 3, "0.001", SHOP)))
            .collect();
        asked
            .into_iter()
            .map(|one| one.join().unwrap_or_else(|_| bail!("a request panicked")))
            .collect()
    })?;
    let ids = settle(home, &ids)?;
    approve_all(home, &[1, 2], &ids)?;
    let slots = mined_slots(home, &ids)?;
    let expected: BTreeSet<u64> = (before..before + count as u64).collect();
    ensure!(slots == expected, "slots {slots:?} instead of {expected:?}");
    Ok(())
}

/// Waits until every member sees every request, or the one that is asked in its place, each in a slot of its own; those
/// that stand now.
fn settle(home: &Household, ids: &[String]) -> Result<Vec<String>> {
    wait_for("the slots to settle", 30, || {
        let mut views = Vec::new();
        for member in &home.members {
            let list = member.json(&["request", "list", "--state", "all"])?;
            views.push(ids.iter().map(|id| stands(&list, id)).collect::<Vec<_>>());
        }
        let first = views.first().cloned().unwrap_or_default();
        let slots: BTreeSet<u64> = first.iter().flatten().map(|(_, slot)| *slot).collect();
        let settled = slots.len() == ids.len() && views.iter().all(|view| *view == first);
        Ok(settled.then(|| first.into_iter().flatten().map(|(id, _)| id).collect()))
    })
}

/// Id and slot of the request that stands for `id` in a list.
fn stands(list: &Value, id: &str) -> Option<(String, u64)> {
    let all = list.as_array()?;
    let named = |id: &str| {
        all.iter()
            .find(|view| view.get("id").and_then(Value::as_str) == Some(id))
    };
    let asked = named(id)?;
    let later = asked.get("asked_again_as").and_then(Value::as_str);
    let view = later.map_or(Some(asked), named)?;
    let slot = view.get("intent")?.get("nonce")?.as_u64()?;
    Some((view.get("id")?.as_str()?.to_owned(), slot))
}

fn approve_all(home: &Household, approvers: &[usize], ids: &[String]) -> Result<()> {
    thread::scope(|scope| {
        let people: Vec<_> = approvers
            .iter()
            .map(|by| {
                scope.spawn(move || {
                    ids.iter()
                        .try_for_each(|id| home.approve(*by, id).map(|_| ()))
                })
            })
            .collect();
        people
            .into_iter()
            .try_for_each(|one| one.join().unwrap_or_else(|_| bail!("an approval panicked")))
    })
}

fn mined_slots(home: &Household, ids: &[String]) -> Result<BTreeSet<u64>> {
    let mut slots = BTreeSet::new();
    for id in ids {
        let view = home.await_mined(0, id, 120)?;
        let slot = view
            .get("intent")
            .and_then(|intent| intent.get("nonce"))
            .and_then(Value::as_u64);
        ensure!(
            slots.insert(slot.context("no slot")?),
            "slot {slot:?} twice"
        );
    }
    Ok(slots)
}

fn same_key(home: &Household) -> Result<()> {
    let ask = [
        "--idempotency-key",
        "rent-2026-11",
        "send",
        "0.001",
        "ETH",
        "--to",
        SHOP,
    ];
    let first = text(&home.member(0)?.json(&ask)?, "id")?;
    let again = home.member(0)?.json(&ask)?;
    ensure!(text(&again, "id")? == first, "a second request: {again}");
    let other = home.member(0)?.run(&[
        "--idempotency-key",
        "rent-2026-11",
        "send",
        "0.002",
        "ETH",
        "--to",
        SHOP,
    ])?;
    ensure!(
        other.code == 9,
        "another amount under the same key ended with {}: {}",
        other.code,
        other.stderr
    );
    home.approve(0, &first)?;
    home.approve(1, &first)?;
    home.await_mined(0, &first, 60).map(|_| ())
}

/// The first of two requests is cancelled when the second is approved already: a self-transfer fills its slot.
fn dead_slot(home: &Household) -> Result<()> {
    let first = home.request(0, "0.001", SHOP)?;
    let second = home.request(0, "0.001", SHOP)?;
    home.approve(0, &second)?;
    home.approve(1, &second)?;
    home.member(0)?.json(&["request", "cancel", &first])?;
    home.await_mined(0, &second, 60)?;
    let cancelled = home.member(1)?.json(&["request", "show", &first])?;
    ensure!(text(&cancelled, "state")? == "cancelled", "{cancelled}");
    Ok(())
}

fn replacement(home: &Household) -> Result<()> {
    home.chain.rpc("evm_setAutomine", json!([false]))?;
    let before = home.chain.balance(SHOP)?;
    let paid = stuck_then_replaced(home);
    home.chain.rpc("evm_setAutomine", json!([true]))?;
    let id = paid?;
    home.chain.rpc("evm_mine", json!([]))?;
    home.await_mined(0, &id, 60)?;
    let arrived = home.chain.balance(SHOP)? - before;
    ensure!(arrived == 1_000_000_000_000_000, "{arrived} wei arrived");
    Ok(())
}

fn stuck_then_replaced(home: &Household) -> Result<String> {
    let id = home.request(0, "0.001", SHOP)?;
    home.approve(0, &id)?;
    home.approve(1, &id)?;
    wait_for("a first signature", 60, || {
        Ok((hashes(home, &id)? == 1).then_some(()))
    })?;
    home.member(0)?.json(&["request", "replace", &id])?;
    wait_for("a second signature", 60, || {
        Ok((hashes(home, &id)? == 2).then_some(()))
    })?;
    Ok(id)
}

fn hashes(home: &Household, id: &str) -> Result<usize> {
    let view = home.member(0)?.json(&["request", "show", id])?;
    Ok(view
        .get("tx_hashes")
        .and_then(Value::as_array)
        .map_or(0, Vec::len))
}
