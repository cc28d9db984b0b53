//! `approve` and `reject`.

use quorate_api::{Approve, ErrorCode, Reject, RequestState, RequestView, Secret, Until};

use super::{follow, send};
use crate::action::Action;
use crate::context::Context;
use crate::failure::Outcome;
use crate::secret::{self, SecretKind};
use crate::{DONE, Failure, render};

/// Shows what a request does, asks for the PIN, and approves exactly what was shown.
pub(super) fn approve(context: &mut Context<'_>, id: &str) -> Outcome<Action> {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let shown = follow::find(context, &client, &vault, id)?;
    if context.global.dry_run {
        context.console.result("request", &shown, render::request)?;
        context.console.note("Nothing was approved.");
        return Ok(Action::Done(DONE));
    }
    refuse_decided(&shown)?;
    if context.console.interactive() && !context.console.json() {
        render::request(context.console, &shown)?;
        ask_if_no_pin_will_be(context)?;
    }
    let pin = secret::existing(
        context.console,
        SecretKind::PIN,
        context.global.pin_file.as_ref(),
    )?;
    let body = Approve {
        intent_digest: shown.intent.digest.clone(),
        pin: Secret::new(pin),
    };
    let request = client.approve(&vault, &shown.id, &body)?;
    if let Some(deadline) = context.wait_deadline() {
        return follow::to_the_end(context, &client, &request, Until::Mined, deadline);
    }
    context
        .console
        .result("request", &request, render::request)?;
    follow::say_what_is_next(context, &request);
    Ok(Action::Done(DONE))
}

/// Early word on what the daemon would refuse, before the person is asked for a PIN.
fn refuse_decided(request: &RequestView) -> Outcome {
    let id = render::short_id(&request.id);
    if request.state.is_final() {
        return Err(Failure::new(
            ErrorCode::Denied,
            format!(
                "{id} can no longer be approved: {}",
                render::state_line(request)
            ),
            if request.state == RequestState::PaidBefore {
                "do not request it again"
            } else {
                "request it again if it is still wanted"
            },
        ));
    }
    Ok(())
}

/// With a PIN file nothing else would stop a typing mistake on a terminal.
fn ask_if_no_pin_will_be(context: &mut Context<'_>) -> Outcome {
    if context.global.pin_file.is_none() || context.global.yes {
        return Ok(());
    }
    if context.console.ask_yes("Approve this?")? {
        return Ok(());
    }
    Err(Failure::usage(
        "not approved",
        "reject it with `quorate reject` if it must not happen",
    ))
}

/// Rejects a request.
pub(super) fn reject(context: &mut Context<'_>, id: &str) -> Outcome {
    let reason = send::note(context)?;
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let shown = follow::find(context, &client, &vault, id)?;
    if context.global.dry_run {
        context.console.result("request", &shown, render::request)?;
        context.console.note("Nothing was rejected.");
        return Ok(());
    }
    let request = client.reject(&vault, &shown.id, &Reject { reason })?;
    context.console.result("request", &request, render::request)
}
