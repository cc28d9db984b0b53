//! `demo`: the product, driven through its own command line.
//!
//! Three member daemons in three folders, as three people would run them. Every command is printed as a
//! person would type it, in a folder that holds the three, and nothing here does what a person could
//! not do by hand. Funds come from an unlocked account of a development node, because on a real chain
//! they would have to come from somebody.

mod development_node;
mod member;
mod stage;

use std::time::{Duration, Instant};

use quorate_api::ErrorCode;
use serde::Serialize;

use crate::Failure;
use crate::context::Context;
use crate::failure::Outcome;

use development_node::DevelopmentNode;
use stage::{Said, Stage};

/// The people.
const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Longest wait for members to see each other's steps.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Serialize)]
struct Shown {
    dir: String,
    address: String,
    request: String,
    transaction: String,
    seconds: u64,
}

/// Runs the demo against the development node at `rpc`.
pub(crate) fn demo(context: &mut Context<'_>, rpc: &str) -> Outcome {
    let begun = Instant::now();
    let dir = context.global.dir.clone();
    let chain = DevelopmentNode::connect(rpc)?;
    let mut stage = Stage::set_up(context.console, dir)?;
    start_members(&mut stage)?;
    let words = make_vault(&mut stage)?;
    let address = show_address(&mut stage)?;
    fund(&mut stage, &chain, rpc, &address)?;
    let (request, transaction) = pay(&mut stage, &chain)?;
    prove(&mut stage, &request, &words)?;
    let shown = Shown {
        dir: stage.root().display().to_string(),
        address,
        request,
        transaction,
        seconds: begun.elapsed().as_secs(),
    };
    stage.stop_daemons();
    drop(stage);
    context.console.result("demo", &shown, |console, it| {
        console.line("")?;
        console.line(&format!(
            "Done in {} seconds. A key that never existed has paid. Everything is in {}.",
            it.seconds, it.dir
        ))
    })
}

fn start_members(stage: &mut Stage<'_>) -> Outcome {
    stage.chapter("Three people, three machines: here three folders and three daemons")?;
    for who in 0..NAMES.len() {
        stage.init_member(who)?;
        stage.start_daemon(who)?;
    }
    for who in 0..NAMES.len() {
        stage.wait_for_daemon(who, PATIENCE)?;
    }
    Ok(())
}

/// Returns the six words.
fn make_vault(stage: &mut Stage<'_>) -> Outcome<String> {
    stage
        .chapter("Alice begins a vault that any two of three can pay from, and tells two codes")?;
    let said = stage.quorate(0, "vault create family --threshold 2 --members 3")?;
    let joins = said.lines_after("quorate ", "vault join ");
    for (who, join) in (1..NAMES.len()).zip(joins) {
        stage.quorate(who, &join)?;
    }
    stage.chapter("Everybody reads the six words to the others: the same on three screens")?;
    let mut words: Option<String> = None;
    for who in 0..NAMES.len() {
        stage.wait_for_phase(who, "confirming", PATIENCE)?;
        let seen = stage.quorate(who, "vault show")?.field("Six words")?;
        if words.as_ref().is_some_and(|words| *words != seen) {
            return Err(Failure::new(
                ErrorCode::Integrity,
                format!("{} sees other words: {seen}", stage.name(who)),
                "somebody stands between the members",
            ));
        }
        words = Some(seen);
    }
    let words = words.unwrap_or_default();
    stage.chapter(
        "They are the same, so everybody confirms, and the keys are made between the three",
    )?;
    for who in 0..NAMES.len() {
        let wait = if who + 1 == NAMES.len() {
            " --wait=2m"
        } else {
            ""
        };
        let pin = stage.pin_file(who);
        stage.quorate(
            who,
            &format!("vault join --words \"{words}\" --pin-file {pin}{wait}"),
        )?;
    }
    Ok(words)
}

fn show_address(stage: &mut Stage<'_>) -> Outcome<String> {
    stage.wait_for_phase(0, "active", PATIENCE)?;
    stage.quorate(0, "receive")?.address()
}

fn fund(stage: &mut Stage<'_>, chain: &DevelopmentNode, rpc: &str, address: &str) -> Outcome {
    stage.chapter("Every member says where it reaches the chain")?;
    for who in 0..NAMES.len() {
        stage.quorate(who, &format!("chain add dev --rpc {rpc}"))?;
    }
    stage.chapter("The vault gets 1 ETH from the development node's own account")?;
    let from = chain.fund(address)?;
    stage.say(&format!("  (eth_sendTransaction from {from}, not Quorate)"))?;
    stage.quorate(0, "balance").map(drop)
}

/// Returns the request's id and the transaction's hash.
fn pay(stage: &mut Stage<'_>, chain: &DevelopmentNode) -> Outcome<(String, String)> {
    stage.chapter("Alice requests a payment; two people look at it and approve")?;
    let to = chain.recipient();
    let said = stage.quorate(
        0,
        &format!("send 0.25 ETH --to {to} --note \"for the new roof\""),
    )?;
    let id = said.field("Id")?;
    let short = crate::render::short_id(&id).to_owned();
    stage.wait_for_request(1, &short, PATIENCE)?;
    stage.quorate(1, "requests")?;
    for who in [0, 1] {
        let pin = stage.pin_file(who);
        stage.quorate(who, &format!("approve {short} --pin-file {pin}"))?;
    }
    stage.chapter("Two daemons sign together, by themselves; no machine ever holds the key")?;
    let said = stage.quorate(0, &format!("request wait {short} --wait=2m"))?;
    let transaction = said.field("Transaction")?;
    said.field("Receipt")?;
    stage.quorate(0, "history")?;
    Ok((id, transaction))
}

fn prove(stage: &mut Stage<'_>, id: &str, words: &str) -> Outcome {
    stage.chapter(
        "Who asked, who approved, who signed: the log has it, and a stranger can check it offline",
    )?;
    let short = crate::render::short_id(id);
    stage.quorate(2, &format!("log show --request {short}"))?;
    stage.quorate(2, "log export bundle.json")?;
    let said: Said = stage.quorate(2, &format!("log verify bundle.json --words \"{words}\""))?;
    if said.mentions(short) {
        Ok(())
    } else {
        Err(said.missing("the payment"))
    }
}
