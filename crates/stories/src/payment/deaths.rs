//! Members die by SIGKILL: before a session, at each durable step of signing and keygen, and in between.

use anyhow::{Result, ensure};

use super::{FUNDS, SHOP};
use crate::report::Report;
use crate::world::{Household, wait_for};

/// Names of the durable steps of a signature, as the daemon logs them once they are on disk.
const SIGNING_STEPS: &[&str] = &[
    "durable: session record",
    "durable: session outcome",
    "durable: receipt",
];
/// Names of the durable steps of keygen.
const KEYGEN_STEPS: &[&str] = &[
    "durable: founded",
    "durable: ceremony started",
    "durable: secret",
    "durable: prepared",
    "durable: acknowledged",
];

/// Signing goes on whoever dies and whenever, as long as `t` members are up; nothing is paid twice.
pub(crate) fn signing(report: &mut Report, home: &mut Household) -> Result<()> {
    report.piece(
        "with one of three dead all the while, the other two pay",
        |_| one_dead(home),
    );
    report.piece(
        "approvals given while the others were off still count",
        |_| alone_in_turn(home),
    );
    for step in SIGNING_STEPS {
        for victim in [0, 1] {
            let name = format!(
                "member {} killed at `{step}`: paid once after its restart",
                victim + 1
            );
            report.piece(&name, |report| dies_at(report, home, victim, step));
        }
    }
    Ok(())
}

fn one_dead(home: &mut Household) -> Result<()> {
    home.member_mut(2)?.kill();
    let paid = home.pay(0, &[0, 1], "0.002", SHOP);
    home.member_mut(2)?.start()?;
    paid.map(|_| ())
}

/// Nobody is online together until both have approved.
fn alone_in_turn(home: &mut Household) -> Result<()> {
    let id = home.request(0, "0.002", SHOP)?;
    home.approve(0, &id)?;
    wait_for("bob to have the request", 20, || {
        Ok((home.member(1)?.run(&["request", "show", &id])?.code == 0).then_some(()))
    })?;
    home.member_mut(0)?.stop()?;
    home.member_mut(2)?.stop()?;
    let approved = home.approve(1, &id);
    home.member_mut(0)?.start()?;
    home.member_mut(2)?.start()?;
    approved?;
    home.await_mined(0, &id, 60).map(|_| ())
}

fn dies_at(report: &Report, home: &mut Household, victim: usize, step: &str) -> Result<()> {
    let before = home.chain.balance(SHOP)?;
    let from = home.member(victim)?.log_length();
    let id = home.request(0, "0.002", SHOP)?;
    home.approve(0, &id)?;
    home.approve(1, &id)?;
    let died = home.member_mut(victim)?.kill_when_it_says(step, from, 30)?;
    report.tell(if died {
        "died there"
    } else {
        "the step never came; it lives"
    });
    if !home.member(victim)?.is_up() {
        home.member_mut(victim)?.start()?;
    }
    ensure!(died, "`{step}` was not logged within 30 s");
    home.await_mined(0, &id, 90)?;
    let paid = home.chain.balance(SHOP)? - before;
    ensure!(
        paid == 2_000_000_000_000_000,
        "{paid} wei arrived instead of 0.002 ETH"
    );
    Ok(())
}

/// A member dies at each durable step of keygen; after its restart the vault comes to be, and pays.
pub(crate) fn keygen(report: &mut Report) -> Result<()> {
    for step in KEYGEN_STEPS {
        report.piece(
            &format!("a member killed at `{step}`: the vault comes to be, and pays"),
            |report| keygen_death(report, step),
        );
    }
    Ok(())
}

fn keygen_death(report: &Report, step: &str) -> Result<()> {
    let mut home = Household::strangers(3)?;
    home.pair(2)?;
    let from = home.member(1)?.log_length();
    home.confirm()?;
    let died = home.member_mut(1)?.kill_when_it_says(step, from, 60)?;
    ensure!(died, "`{step}` was not logged within 60 s");
    report.tell("bob died there");
    home.member_mut(1)?.start()?;
    home.await_address()?;
    home.chain.fund(&home.address, FUNDS)?;
    home.pay(0, &[0, 1], "0.01", SHOP)?;
    home.pay(2, &[1, 2], "0.01", SHOP).map(|_| ())
}
