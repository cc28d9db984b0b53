//! `send`.

use quorate_api::{MAX_NOTE_CHARS, SendPayment, Until};

use super::follow;
use crate::action::Action;
use crate::args::SendArgs;
use crate::context::Context;
use crate::failure::Outcome;
use crate::{DONE, Failure, duration, render};

/// Requests a payment, or shows what would be requested.
pub(super) fn send(context: &mut Context<'_>, args: &SendArgs) -> Outcome<Action> {
    let payment = payment(context, args)?;
    let client = context.client()?;
    let vault = context.vault(&client)?;
    if context.global.dry_run {
        let preview = client.preview(&vault, &payment)?;
        context
            .console
            .result("preview", &preview, render::preview)?;
        return Ok(Action::Done(DONE));
    }
    let request = client.send(&vault, &payment)?;
    if let Some(deadline) = context.wait_deadline() {
        let id = render::short_id(&request.id).to_owned();
        context.console.note(&format!("Requested as {id}."));
        return follow::to_the_end(context, &client, &request, Until::Mined, deadline);
    }
    context
        .console
        .result("request", &request, render::request)?;
    follow::say_what_is_next(context, &request);
    Ok(Action::Done(DONE))
}

fn payment(context: &Context<'_>, args: &SendArgs) -> Outcome<SendPayment> {
    Ok(SendPayment {
        chain: context.global.chain.clone(),
        amount: args.amount.as_text().to_owned(),
        asset: args.asset.clone(),
        to: args.to.clone(),
        note: note(context)?,
        expires_in_ms: context.global.expires.map(duration::as_ms),
        idempotency_key: context.global.idempotency_key.clone(),
        max_fee_wei: args.max_fee.clone(),
    })
}

/// `--note`, not too long.
pub(super) fn note(context: &Context<'_>) -> Outcome<Option<String>> {
    let note = context.global.note.clone();
    let chars = note.as_deref().map_or(0, |note| note.chars().count());
    if chars > MAX_NOTE_CHARS {
        return Err(Failure::usage(
            format!("the note has {chars} characters"),
            format!("say it in {MAX_NOTE_CHARS}"),
        ));
    }
    Ok(note)
}
