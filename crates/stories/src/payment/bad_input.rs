//! What goes wrong at a keyboard: each with its exit code and a hint, and nothing lost.

use anyhow::{Result, bail, ensure};

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

/// What is typed (SHOP stands for the recipient), and the exit code it gets.
const TYPED: &[(&str, &str, i32)] = &[
    ("unknown vault", "--vault nowhere balance", 5),
    ("unknown request", "request show ffffffff", 5),
    ("malformed address", "send 1 ETH --to 0x1234", 2),
    (
        "wrong checksum",
        "send 1 ETH --to 0x70997970C51812dc3A010C7d01b50e0d17dc79c8",
        2,
    ),
    ("negative amount", "send -1 ETH --to SHOP", 2),
    ("amount that is no number", "send one ETH --to SHOP", 2),
    (
        "amount with too many decimals",
        "send 0.0000000000000000001 ETH --to SHOP",
        2,
    ),
    ("amount larger than 2^256", "send 9E80 ETH --to SHOP", 2),
    (
        "amount larger than this balance",
        "send 1000000 ETH --to SHOP",
        6,
    ),
    ("unknown asset", "send 1 DOGE --to SHOP", 2),
    (
        "unknown chain",
        "--chain eip155:999 send 1 ETH --to SHOP",
        5,
    ),
    ("unknown command", "sing", 2),
];

fn at_the_command_line(report: &mut Report, home: &Household) -> Result<()> {
    for (name, typed, code) in TYPED {
        let typed = typed.replace("9E80", &"9".repeat(80)).replace("SHOP", SHOP);
        let args: Vec<&str> = typed.split_whitespace().collect();
        refused(report, name, &home.member(0)?.run(&args)?, *code);
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
    let again = alice.run(&["approve", &id])?;
    refused(report, "second approval by one member", &again, 9);
    let says = ["alice has approved", "1 of 2", "bob", "carol"];
    report.claim(
        "it says whose counts already, and who is still missing",
        says.iter().all(|words| again.stderr.contains(words)),
        || again.stderr.clone(),
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
    let too_many = "vault create weak --threshold 2 --members 4";
    let args: Vec<&str> = too_many.split_whitespace().collect();
    refused(report, "2t <= n", &home.member(0)?.run(&args)?, 2);
    let invitations = home.create(2)?;
    let [(first, at), (second, second_at)] = invitations.as_slice() else {
        bail!("{} invitations instead of 2", invitations.len());
    };
    let (bob, carol) = (home.member(1)?, home.member(2)?);
    let no_word = join(bob, "1234-notaword-piano", at)?;
    refused(report, "a code with a word that is none", &no_word, 2);
    let mistyped = join(bob, &other_digits(first), at)?;
    refused(report, "a mistyped join code", &mistyped, 3);
    let joined = join(bob, first, at)?;
    ensure!(joined.code == 0, "the right code does not join: {joined:?}");
    refused(report, "a reused join code", &join(carol, first, at)?, 3);
    let joined = join(carol, second, second_at)?;
    ensure!(
        joined.code == 0,
        "the second code does not join: {joined:?}"
    );
    wait_for("six words", 30, || {
        let view = bob.json(&["vault", "show"])?;
        Ok(view
            .get("words")
            .filter(|words| words.is_array())
            .map(|_| ()))
    })?;
    let other = "abandon ability able about above absent";
    let differ = bob.run(&["vault", "join", "--words", other])?;
    refused(report, "words that differ", &differ, 11);
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
