//! `bench`: figures of whole daemons, read off the vault's own log; it claims nothing about speed and fails only when
//! a payment does.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::payment::{FUNDS, SHOP};
use crate::report::Report;
use crate::world::{Household, text};

/// Payments one after the other, for the latency.
const SINGLE: usize = 10;
/// Payments that wait for one approval, for the throughput.
const QUEUED: usize = 20;

/// Measures a 2-of-3 vault of three daemons on this machine.
pub(crate) fn run(report: &mut Report, quick: bool) -> Result<()> {
    report.chapter("2-of-3 on loopback");
    let home = Household::with_vault(2, 3)?;
    home.chain.fund(&home.address, FUNDS)?;
    let (single, queued) = if quick { (2, 4) } else { (SINGLE, QUEUED) };
    report.piece("latency", |report| latency(report, &home, single));
    report.piece("throughput", |report| throughput(report, &home, queued));
    Ok(())
}

/// Milliseconds from the last approval's entry to the first signature's.
fn latency(report: &Report, home: &Household, count: usize) -> Result<()> {
    let mut all = Vec::new();
    for _ in 0..count {
        let view = home.pay(0, &[0, 1], "0.001", SHOP)?;
        let log = home
            .member(0)?
            .json(&["log", "show", "--request", &text(&view, "id")?])?;
        all.push(first(&log, "session outcome")? - last(&log, "approval")?);
    }
    all.sort_unstable();
    let (low, middle, high) = (all.first(), all.get(all.len() / 2), all.last());
    report.tell(&format!(
        "last approval to signed, ms over {count} payments: lowest {}, median {}, highest {}",
        low.context("none")?,
        middle.context("none")?,
        high.context("none")?
    ));
    Ok(())
}

/// All but the lowest slot are approved; the last approval lets all of them go.
fn throughput(report: &Report, home: &Household, count: usize) -> Result<()> {
    let mut ids = Vec::new();
    for _ in 0..count {
        ids.push(home.request(0, "0.001", SHOP)?);
    }
    for id in ids.iter().skip(1) {
        home.approve(0, id)?;
        home.approve(1, id)?;
    }
    let gate = ids.first().context("none")?;
    home.approve(0, gate)?;
    home.approve(1, gate)?;
    let (mut begun, mut ended) = (0, 0);
    for id in &ids {
        home.await_mined(0, id, 120)?;
        let log = home.member(0)?.json(&["log", "show", "--request", id])?;
        if id == gate {
            begun = last(&log, "approval")?;
        }
        ended = ended.max(first(&log, "session outcome")?);
    }
    ensure!(ended > begun, "no time passed");
    let seconds = (ended - begun) as f64 / 1000.0;
    let rate = count as f64 / seconds;
    report.tell(&format!(
        "{count} signatures through three daemons in {seconds:.2} s: {rate:.1} a second"
    ));
    Ok(())
}

fn times(log: &Value, kind: &str) -> Vec<i64> {
    let entries = log.get("entries").and_then(Value::as_array);
    let of_kind = entries
        .into_iter()
        .flatten()
        .filter(|entry| entry.get("kind").and_then(Value::as_str) == Some(kind));
    of_kind
        .filter_map(|entry| entry.get("at_ms").and_then(Value::as_i64))
        .collect()
}

fn first(log: &Value, kind: &str) -> Result<i64> {
    times(log, kind)
        .into_iter()
        .min()
        .with_context(|| format!("no {kind} in {log}"))
}

fn last(log: &Value, kind: &str) -> Result<i64> {
    times(log, kind)
        .into_iter()
        .max()
        .with_context(|| format!("no {kind} in {log}"))
}
