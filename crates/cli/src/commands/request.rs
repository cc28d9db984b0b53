//! `request` and `history`.

use quorate_api::{Replace, RequestFilter, RequestQuery, Until};

use super::{done, follow};
use crate::action::Action;
use crate::args::RequestCommand;
use crate::context::{Context, Deadline};
use crate::failure::Outcome;
use crate::{DONE, render};

pub(super) fn request(context: &mut Context<'_>, command: RequestCommand) -> Outcome<Action> {
    match command {
        RequestCommand::List(args) => list(context, args.state.into()).map(done),
        RequestCommand::Show(id) => show(context, &id.id).map(done),
        RequestCommand::Cancel(id) => cancel(context, &id.id).map(done),
        RequestCommand::Wait(args) => {
            let client = context.client()?;
            let vault = context.vault(&client)?;
            let request = follow::find(context, &client, &vault, &args.id.id)?;
            let deadline = context.wait_deadline().unwrap_or_else(Deadline::far);
            follow::to_the_end(context, &client, &request, args.until.into(), deadline)
        }
        RequestCommand::Replace(id) => replace(context, &id.id),
    }
}

/// Requests, oldest first.
pub(super) fn list(context: &mut Context<'_>, state: RequestFilter) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let requests = client.requests(&vault, &RequestQuery { state })?;
    let print = |console: &mut _, requests: &Vec<_>| render::requests(console, requests);
    context.console.result("requests", &requests, print)
}

/// Payments that reached a chain.
pub(super) fn history(context: &mut Context<'_>) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let requests = client.history(&vault)?;
    let print = |console: &mut _, requests: &Vec<_>| render::history(console, requests);
    context.console.result("requests", &requests, print)
}

fn show(context: &mut Context<'_>, id: &str) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let request = follow::find(context, &client, &vault, id)?;
    context.console.result("request", &request, render::request)
}

fn cancel(context: &mut Context<'_>, id: &str) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let shown = follow::find(context, &client, &vault, id)?;
    if context.global.dry_run {
        context.console.result("request", &shown, render::request)?;
        context.console.note("Nothing was cancelled.");
        return Ok(());
    }
    let request = client.cancel(&vault, &shown.id)?;
    context.console.result("request", &request, render::request)
}

/// Another attempt in the same slot. Approvals stay: the fee stays within what they allow.
fn replace(context: &mut Context<'_>, id: &str) -> Outcome<Action> {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let shown = follow::find(context, &client, &vault, id)?;
    let request = client.replace(&vault, &shown.id, &Replace::default())?;
    if let Some(deadline) = context.wait_deadline() {
        return follow::to_the_end(context, &client, &request, Until::Mined, deadline);
    }
    context
        .console
        .result("request", &request, render::request)?;
    follow::say_what_is_next(context, &request);
    Ok(Action::Done(DONE))
}
