//! What goes wrong at a keyboard: each with its exit code and a hint, and nothing lost.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::SHOP;
use crate::report::Report;
use crate::world::{Anvil, Household, Member, Ran, text, wait_for, write_secret};

/// Everything that one vault's people can mistype.
pub(crate) fn all(report: &mut Report, home: &mut Household) -> Result<()> {
    at_the_command_line(report, home)?;
    approvals(report, home)?;
    rpc(report, home)?;
    passphrase(report, home)?;
    report.piece("after all that a payment goes through", |_| {
        home.pay(0, &[0, 1], "0.001", SHOP).map(|_| ())
    });
    Ok(())
}

/// Counts one refusal: the code, an `error:` line, a `hint:` line.
fn refused(report: &mut Report, name: &str, ran: &Ran, code: i32) {
    let good = ran.code == code && ran.stderr.contains("error:") && ran.stderr.contains("hint:");
    report.claim(&format!("{name}: exit {code} with a hint"), good, || {
        format!(
            "`{}` ended with {}\n{}{}",
            ran.line, ran.code, ran.stdout, ran.stderr
        )
    });
}

fn at_the_command_line(report: &mut Report, home: &Household) -> Result<()> {
    let alice = home.member(0)?;
    let wrong_checksum = SHOP.replace("C8", "c8");
    let cases: &[(&str, &[&str], i32)] = &[
        ("unknown vault", &["--vault", "nowhere", "balance"], 5),
        ("unknown request", &["request", "show", "ffffffff"], 5),
        (
            "malformed address",
            &["send", "1", "ETH", "--to", "0x1234"],
            2,
        ),
        (
            "wrong checksum",
            &["send", "1", "ETH", "--to", &wrong_checksum],
            2,
        ),
        ("negative amount", &["send", "-1", "ETH", "--to", SHOP], 2),
        (
            "amount that is no number",
            &["send", "one", "ETH", "--to", SHOP],
            2,
        ),
        (
            "amount with too many decimals",
            &["send", "0.0000000000000000001", "ETH", "--to", SHOP],
            2,
        ),
        (
            "amount larger than any balance",
            &["send", "9".repeat(80).leak(), "ETH", "--to", SHOP],
            2,
        ),
        (
            "amount larger than this balance",
            &["send", "1000000", "ETH", "--to", SHOP],
            6,
        ),
        ("unknown asset", &["send", "1", "DOGE", "--to", SHOP], 2),
        (
            "unknown chain",
            &["--chain", "eip155:999", "send", "1", "ETH", "--to", SHOP],
            5,
        ),
        ("unknown command", &["sing"], 2),
    ];
    for (name, args, code) in cases {
        let ran = alice.run(args)?;
        let usage_by_parser = ran.code == 2 && ran.stderr.contains("error:");
        if usage_by_parser && *code == 2 {
            report.claim(&format!("{name}: exit 2"), true, String::new);
        } else {
            refused(report, name, &ran, *code);
        }
    }
    Ok(())
}

fn approvals(report: &mut Report, home: &Household) -> Result<()> {
    let id = home.request(0, "0.001", SHOP)?;
    let alice = home.member(0)?;
    let wrong = alice.dir.with_extension("wrong");
    write_secret(&wrong, "111111")?;
    refused(
        report,
        "wrong PIN",
        &alice.run_with(&alice.passphrase, &wrong, &["approve", &id])?,
        3,
    );
    let loose = alice.dir.with_extension("loose");
    std::fs::write(&loose, "493817")?;
    std::process::Command::new("chmod")
        .arg("0644")
        .arg(&loose)
        .status()?;
    let ran = alice.run_with(&alice.passphrase, &loose, &["approve", &id])?;
    report.claim(
        "a PIN file that others can read is refused",
        ran.code != 0,
        || ran.stderr.clone(),
    );
    home.approve(0, &id)?;
    refused(
        report,
        "second approval by one member",
        &alice.run(&["approve", &id])?,
        9,
    );
    home.member(1)?.json(&["request", "list"])?;
    let early = alice.run(&[
        "--expires",
        "2s",
        "--json",
        "send",
        "0.001",
        "ETH",
        "--to",
        SHOP,
    ])?;
    let short = text(&early.data()?, "id")?;
    wait_for("the short request to expire", 20, || {
        let view = alice.json(&["request", "show", &short])?;
        Ok((text(&view, "state")? == "expired").then_some(()))
    })?;
    refused(
        report,
        "expired request",
        &alice.run(&["approve", &short])?,
        6,
    );
    let dead = home.request(0, "0.001", SHOP)?;
    alice.json(&["request", "cancel", &dead])?;
    refused(
        report,
        "approval of a cancelled request",
        &alice.run(&["approve", &dead])?,
        6,
    );
    home.approve(1, &id)?;
    home.await_mined(0, &id, 60).map(|_| ())
}

fn rpc(report: &mut Report, home: &Household) -> Result<()> {
    let alice = home.member(0)?;
    let other = Anvil::start(4242)?;
    let wrong = alice.run(&[
        "chain",
        "add",
        "other",
        "--rpc",
        &other.url(),
        "--chain",
        &home.chain.caip2(),
    ])?;
    refused(report, "RPC on another chain", &wrong, 6);
    alice.json(&["chain", "add", "other", "--rpc", &other.url()])?;
    drop(other);
    let down = alice.run(&["--chain", "other", "send", "0.001", "ETH", "--to", SHOP])?;
    refused(report, "RPC down", &down, 4);
    alice.json(&["chain", "remove", "other"])?;
    Ok(())
}

fn passphrase(report: &mut Report, home: &mut Household) -> Result<()> {
    let carol = home.member_mut(2)?;
    carol.stop()?;
    let wrong = carol.dir.with_extension("wrongpass");
    write_secret(&wrong, "not the passphrase at all")?;
    refused(
        report,
        "wrong passphrase",
        &carol.run_with(&wrong, &carol.pin, &["node", "run"])?,
        3,
    );
    let off = carol.run(&["balance"])?;
    report.claim(
        "a daemon that is not running is said so, with how to start it",
        off.stderr.contains("node run"),
        || off.stderr.clone(),
    );
    refused(
        report,
        "a second `node init` on the same folder",
        &carol.run(&["node", "init", "--name", "x"])?,
        9,
    );
    carol.start()
}

/// Codes mistyped, used twice; words that differ.
pub(crate) fn pairing(report: &mut Report) -> Result<()> {
    let mut home = Household::strangers(3)?;
    let creator = home.member(0)?;
    refused(
        report,
        "2t <= n",
        &creator.run(&[
            "vault",
            "create",
            "weak",
            "--threshold",
            "2",
            "--members",
            "4",
        ])?,
        2,
    );
    let created = creator.json(&[
        "vault",
        "create",
        "family",
        "--threshold",
        "2",
        "--members",
        "3",
    ])?;
    let invitations = created
        .get("invitations")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let (first, second) = (
        invitations.first().context("two invitations")?,
        invitations.get(1).context("two")?,
    );
    let (code, at) = (text(first, "code")?, text(first, "address")?);
    let bob = home.member(1)?;
    refused(
        report,
        "a code with a word that is none",
        &join(bob, "1234-notaword-piano", &at)?,
        2,
    );
    refused(
        report,
        "a mistyped join code",
        &join(bob, &other_digits(&code), &at)?,
        3,
    );
    ensure!(
        join(bob, &code, &at)?.code == 0,
        "the right code does not join"
    );
    refused(
        report,
        "a reused join code",
        &join(home.member(2)?, &code, &at)?,
        3,
    );
    let (code, at) = (text(second, "code")?, text(second, "address")?);
    ensure!(
        join(home.member(2)?, &code, &at)?.code == 0,
        "the second code does not join"
    );
    wait_for("six words", 30, || {
        Ok(home
            .member(1)?
            .json(&["vault", "show"])?
            .get("words")
            .filter(|words| words.is_array())
            .map(|_| ()))
    })?;
    let wrong = "abandon ability able about above absent";
    refused(
        report,
        "words that differ",
        &home.member(1)?.run(&["vault", "join", "--words", wrong])?,
        11,
    );
    home.confirm()?;
    report.piece("after all that the vault comes to be", |_| {
        home.await_address()
    });
    Ok(())
}

fn join(member: &Member, code: &str, at: &str) -> Result<Ran> {
    member.run(&["vault", "join", code, "--at", at])
}

/// The same code with other digits: a real code, and a wrong one.
fn other_digits(code: &str) -> String {
    let (digits, rest) = code.split_once('-').unwrap_or((code, ""));
    let turned: String = digits
        .chars()
        .map(|digit| if digit == '7' { '3' } else { '7' })
        .collect();
    format!("{turned}-{rest}")
}
