//! `watch`: what happens, as it happens, and a hook for what waits for this member's decision.

use std::collections::HashSet;
use std::io::Write;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use quorate_api::{
    Client, Envelope, ErrorCode, EventKind, EventQuery, EventView, RequestFilter, RequestQuery,
    RequestView,
};

use crate::console::Style;
use crate::context::{Context, Deadline};
use crate::failure::Outcome;
use crate::{Failure, render, when};

/// Pause before a daemon that went away is looked for again.
const RECONNECT_AFTER: Duration = Duration::from_secs(2);

/// What one run of `watch` has done so far.
struct Watch<'a> {
    hook: Option<&'a str>,
    /// Requests the hook ran for.
    told: HashSet<String>,
}

/// Prints events until `--wait` is over, or for ever. A daemon that restarts is waited for.
pub(super) fn watch(context: &mut Context<'_>, hook: Option<&str>) -> Outcome {
    let mut watch = Watch {
        hook,
        told: HashSet::new(),
    };
    let deadline = context.wait_deadline();
    let mut client = context.client()?;
    loop {
        let failure = match follow(context, &client, &mut watch, deadline) {
            Ok(()) => return Ok(()),
            Err(failure) => failure,
        };
        if failure.code() != ErrorCode::Network {
            return Err(failure);
        }
        context
            .console
            .aside(Style::Warn, "The daemon went away; waiting for it ...");
        client = reconnect(context, deadline)?;
        context.console.note("The daemon is back.");
    }
}

fn reconnect(context: &Context<'_>, deadline: Option<Deadline>) -> Outcome<Client> {
    loop {
        match context.client() {
            Err(failure) if failure.code() == ErrorCode::Network && !is_over(deadline) => {
                thread::sleep(RECONNECT_AFTER);
            }
            other => return other,
        }
    }
}

fn is_over(deadline: Option<Deadline>) -> bool {
    deadline.is_some_and(|deadline| deadline.left().is_zero())
}

/// Prints the events of one daemon run. The first look gives the number to go on from, so that
/// nothing between it and the list of pending requests is missed.
fn follow(
    context: &mut Context<'_>,
    client: &Client,
    watch: &mut Watch<'_>,
    deadline: Option<Deadline>,
) -> Outcome {
    let vault = context.global.vault.clone();
    let first = EventQuery {
        vault: vault.clone(),
        ..EventQuery::default()
    };
    let mut since = client.events(&first)?.next;
    watch.tell_pending(context, client)?;
    while !is_over(deadline) {
        let query = EventQuery {
            since: Some(since),
            vault: vault.clone(),
            timeout_ms: Some(deadline.map_or(quorate_api::MAX_WAIT_MS, Deadline::poll_ms)),
        };
        let page = client.events(&query)?;
        since = page.next;
        for event in &page.events {
            print(context, event)?;
        }
        let news = page
            .events
            .iter()
            .any(|event| event.kind == EventKind::Requested);
        if news || page.gap {
            watch.tell_pending(context, client)?;
        }
    }
    Ok(())
}

fn print(context: &mut Context<'_>, event: &EventView) -> Outcome {
    context.console.result("event", event, |console, event| {
        let vault = event.vault.as_deref().unwrap_or("-");
        let request = event.request.as_deref().map_or("", render::short_id);
        console.line(&format!(
            "{}  {vault}  {request:8}  {}",
            when::show(event.at_ms),
            event.summary
        ))
    })
}

impl Watch<'_> {
    /// Runs the hook once for every request that waits for this member's decision.
    fn tell_pending(&mut self, context: &mut Context<'_>, client: &Client) -> Outcome {
        let Some(hook) = self.hook else {
            return Ok(());
        };
        let vaults = match &context.global.vault {
            Some(vault) => vec![vault.clone()],
            None => client.vaults()?.into_iter().map(|it| it.name).collect(),
        };
        let query = RequestQuery {
            state: RequestFilter::AwaitsYou,
        };
        for vault in vaults {
            for request in client.requests(&vault, &query)? {
                if self.told.insert(request.id.clone()) {
                    run_hook(context, hook, &request);
                }
            }
        }
        Ok(())
    }
}

/// A hook that fails is told, and the watch goes on.
fn run_hook(context: &mut Context<'_>, hook: &str, request: &RequestView) {
    let id = render::short_id(&request.id).to_owned();
    match try_hook(hook, request) {
        Ok(()) => context.console.note(&format!("{id}: hook done")),
        Err(failure) => {
            let text = format!("{id}: {}; {}", failure.message(), failure.hint());
            context.console.aside(Style::Warn, &text);
        }
    }
}

/// What other members wrote reaches the hook by standard input alone, so that no shell reads it.
fn try_hook(hook: &str, request: &RequestView) -> Outcome {
    let failure =
        |message: String| Failure::new(ErrorCode::Internal, message, "check the command of --exec");
    let json = serde_json::to_vec(&Envelope::new("request", request))
        .map_err(|error| failure(error.to_string()))?;
    let mut child = Command::new("/bin/sh")
        .args(["-c", hook, "quorate-watch", &request.id])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .map_err(|error| failure(format!("the hook does not start: {error}")))?;
    if let Some(mut stdin) = child.stdin.take() {
        // A hook need not read what it is told.
        drop(stdin.write_all(&json));
    }
    let status = child
        .wait()
        .map_err(|error| failure(format!("the hook is lost: {error}")))?;
    if status.success() {
        return Ok(());
    }
    Err(failure(format!("the hook ended with {status}")))
}
