//! `vault create` and `vault join`: from a code to an address.
//!
//! On a terminal one command goes the whole way: it waits for the members, shows the six words, asks
//! the person to compare them, and waits for the keys. Without a terminal every step is a command of
//! its own, and its JSON says which comes next.

use std::thread;
use std::time::Duration;

use quorate_api::{
    Client, ConfirmRoster, CreateVault, CreatedVault, ErrorCode, JoinVault, MemberState, Secret,
    VaultPhase, VaultView,
};
use serde::Serialize;

use crate::action::Action;
use crate::args::{CreateArgs, JoinArgs};
use crate::console::Style;
use crate::context::{Context, Deadline};
use crate::failure::Outcome;
use crate::secret::{self, SecretKind};
use crate::{DONE, Failure, render};

/// Words of a roster fingerprint.
const ROSTER_WORDS: usize = 6;

/// How often a vault in the making is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(400);

/// Begins a vault.
pub(super) fn create(context: &mut Context<'_>, args: CreateArgs) -> Outcome<Action> {
    refuse_unsafe_threshold(args.threshold, args.members)?;
    let body = CreateVault {
        name: args.name,
        threshold: args.threshold,
        members: args.members,
        controller: args.seat.controller,
        trust_domain: args.seat.trust_domain,
    };
    if context.global.dry_run {
        let print = |console: &mut crate::Console, it: &CreateVault| {
            console.line(&format!(
                "{} would be begun: any {} of {} members can pay. Nothing was done.",
                it.name, it.threshold, it.members
            ))
        };
        context.console.result("create_vault", &body, print)?;
        return Ok(Action::Done(DONE));
    }
    let client = context.client()?;
    let created = client.create_vault(&body)?;
    if context.console.json() {
        context
            .console
            .envelope("created_vault", &WithNext::created(&created))?;
    } else {
        context.console.styled(
            Style::Bold,
            &format!("{} is begun. The other members type:", created.vault.name),
        )?;
        render::invitations(context.console, &created.invitations)?;
    }
    go_on(context, &client, created.vault)
}

/// Joins a vault, or goes on with one.
pub(super) fn join(context: &mut Context<'_>, args: JoinArgs) -> Outcome<Action> {
    let client = context.client()?;
    if let (Some(code), Some(address)) = (args.code, args.at) {
        let body = JoinVault {
            code,
            address,
            name: context.global.vault.clone(),
            controller: args.seat.controller,
            trust_domain: args.seat.trust_domain,
        };
        context.console.note("Pairing ...");
        let vault = client.join_vault(&body)?;
        if context.console.json() {
            context
                .console
                .envelope("vault", &WithNext::vault(&vault))?;
        } else {
            render::vault(context.console, &vault)?;
        }
        return go_on(context, &client, vault);
    }
    let vault = unfinished(context, &client)?;
    if let Some(words) = args.words {
        let words = split_words(&words)?;
        let vault = confirm(context, &client, &vault, words)?;
        return finish(context, &client, vault);
    }
    if context.console.interactive() && !context.console.json() {
        return go_on(context, &client, vault);
    }
    Err(Failure::new(
        ErrorCode::NeedsTerminal,
        "the six words are compared on a terminal, and there is none",
        "compare them yourself, then give them with --words \"one two three four five six\"",
    ))
}

/// `2 <= t <= n` and `2t > n`, so that any two quorums share a member.
fn refuse_unsafe_threshold(threshold: u8, members: u8) -> Outcome {
    if threshold <= members && u16::from(threshold) * 2 > u16::from(members) {
        return Ok(());
    }
    let least = (members / 2 + 1).max(2);
    Err(Failure::usage(
        format!("{threshold} of {members} is no safe threshold"),
        format!(
            "of {members} members take at least {least} and at most {members}, so that any two quorums meet"
        ),
    ))
}

/// The vault of `--vault`, or the only one whose words this member has not confirmed.
fn unfinished(context: &Context<'_>, client: &Client) -> Outcome<VaultView> {
    if let Some(name) = &context.global.vault {
        return Ok(client.vault(name)?);
    }
    let mut open = client.vaults()?;
    open.retain(|vault| {
        matches!(
            vault.phase,
            VaultPhase::Inviting | VaultPhase::Confirming | VaultPhase::Keygen
        )
    });
    let names: Vec<String> = open.iter().map(|vault| vault.name.clone()).collect();
    match (open.pop(), open.is_empty()) {
        (Some(only), true) => Ok(only),
        (None, _) => Err(Failure::new(
            ErrorCode::NotFound,
            "no vault of this member is in the making",
            "join one with `quorate vault join CODE --at HOST:PORT`, or begin one with `quorate vault create`",
        )),
        _ => Err(Failure::usage(
            "several vaults are in the making",
            format!("name one with --vault: {}", names.join(", ")),
        )),
    }
}

/// Goes as far as this console can: all the way on a terminal, to a full roster with `--wait`.
fn go_on(context: &mut Context<'_>, client: &Client, vault: VaultView) -> Outcome<Action> {
    let interactive = context.console.interactive() && !context.console.json();
    let deadline = context.wait_deadline();
    if !interactive && deadline.is_none() {
        return Ok(Action::Done(DONE));
    }
    let deadline = deadline.unwrap_or_else(Deadline::far);
    if interactive && vault.phase == VaultPhase::Inviting {
        context.console.note(&format!(
            "You can leave with Ctrl-C and go on with `quorate vault join --vault {}`.",
            vault.name
        ));
    }
    let joined = |vault: &VaultView| vault.phase != VaultPhase::Inviting;
    let vault = wait_until(context, client, vault, deadline, joined)?;
    show_words(context, &vault)?;
    if !interactive {
        return Ok(Action::Done(DONE));
    }
    let vault = match (vault.phase, &vault.words) {
        (VaultPhase::Confirming, Some(words)) if !confirmed_here(&vault) => {
            let words = words.clone();
            ask_to_compare(context, client, &vault)?;
            confirm(context, client, &vault, words)?
        }
        _ => vault,
    };
    let active = |vault: &VaultView| vault.phase == VaultPhase::Active;
    let vault = wait_until(context, client, vault, deadline, active)?;
    render::vault(context.console, &vault)?;
    Ok(Action::Done(DONE))
}

fn confirmed_here(vault: &VaultView) -> bool {
    let you = vault.members.iter().find(|member| member.you);
    you.is_some_and(|you| you.state >= MemberState::Confirmed)
}

fn show_words(context: &mut Context<'_>, vault: &VaultView) -> Outcome {
    let (Some(words), VaultPhase::Confirming) = (&vault.words, vault.phase) else {
        return Ok(());
    };
    if context.console.json() {
        return context.console.envelope("vault", &WithNext::vault(vault));
    }
    let members: Vec<String> = vault.members.iter().map(|it| it.name.clone()).collect();
    context.console.line(&format!(
        "{}: {} of {}, members {}. The six words:",
        vault.name,
        vault.threshold,
        vault.size,
        render::words_list(&members)
    ))?;
    context.console.line("")?;
    context
        .console
        .styled(Style::Bold, &format!("    {}", words.join(" ")))?;
    context.console.line("")
}

/// Only the person can know what the other screens show; `--yes` does not answer this.
fn ask_to_compare(context: &mut Context<'_>, client: &Client, vault: &VaultView) -> Outcome {
    context.console.aside(
        Style::Plain,
        "Read them to every other member, over the phone or in person. Every screen must show the same six, and the same members.",
    );
    if context
        .console
        .ask_yes("Are they the same on every screen?")?
    {
        return Ok(());
    }
    client.abandon(&vault.name)?;
    Err(Failure::new(
        ErrorCode::Integrity,
        "the words differ: somebody stands between the members, or another member joined",
        "the vault is given up on this member; begin it again, and tell the codes by another way",
    ))
}

fn confirm(
    context: &mut Context<'_>,
    client: &Client,
    vault: &VaultView,
    words: Vec<String>,
) -> Outcome<VaultView> {
    let pin = secret::existing(
        context.console,
        SecretKind::PIN,
        context.global.pin_file.as_ref(),
    )?;
    let body = ConfirmRoster {
        words,
        pin: Secret::new(pin),
    };
    Ok(client.confirm(&vault.name, &body)?)
}

/// After a confirmation: waits for the keys if asked to, and prints the vault.
fn finish(context: &mut Context<'_>, client: &Client, vault: VaultView) -> Outcome<Action> {
    let vault = match context.wait_deadline() {
        Some(deadline) => {
            let active = |vault: &VaultView| vault.phase == VaultPhase::Active;
            wait_until(context, client, vault, deadline, active)?
        }
        None => vault,
    };
    if context.console.json() {
        context
            .console
            .envelope("vault", &WithNext::vault(&vault))?;
    } else {
        render::vault(context.console, &vault)?;
    }
    Ok(Action::Done(DONE))
}

/// Looks at the vault until `reached`, and tells whom it waits for.
fn wait_until(
    context: &mut Context<'_>,
    client: &Client,
    mut vault: VaultView,
    deadline: Deadline,
    reached: impl Fn(&VaultView) -> bool,
) -> Outcome<VaultView> {
    let mut told = None;
    loop {
        if vault.phase == VaultPhase::Failed {
            return Err(keygen_failed(&vault));
        }
        if reached(&vault) {
            return Ok(vault);
        }
        let waiting = render::waiting_line(&vault);
        if waiting != told {
            context
                .console
                .note(waiting.as_deref().unwrap_or("Keys are being made ..."));
            told = waiting;
        }
        if deadline.left().is_zero() {
            return Err(Failure::new(
                ErrorCode::Pending,
                format!(
                    "{} is not ready yet. {}",
                    vault.name,
                    told.unwrap_or_default()
                ),
                format!(
                    "it goes on by itself; see `quorate vault show {}`",
                    vault.name
                ),
            ));
        }
        thread::sleep(LOOK_EVERY.min(deadline.left()));
        vault = client.vault(&vault.name)?;
    }
}

fn keygen_failed(vault: &VaultView) -> Failure {
    let why = vault
        .warnings
        .first()
        .map_or("no reason is known", String::as_str);
    Failure::new(
        ErrorCode::Network,
        format!("{} got no keys: {why}", vault.name),
        "nothing can have been paid in; begin a new vault with all members online",
    )
}

fn split_words(text: &str) -> Outcome<Vec<String>> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    if words.len() == ROSTER_WORDS {
        return Ok(words);
    }
    Err(Failure::usage(
        format!("{} words were given, and a roster has six", words.len()),
        "give them in order: --words \"one two three four five six\"",
    ))
}

/// A result and what a program does next.
#[derive(Serialize)]
struct WithNext<'a, T: Serialize> {
    #[serde(flatten)]
    value: &'a T,
    next: String,
}

impl<'a> WithNext<'a, CreatedVault> {
    fn created(created: &'a CreatedVault) -> Self {
        Self {
            value: created,
            next: next(&created.vault),
        }
    }
}

impl<'a> WithNext<'a, VaultView> {
    fn vault(vault: &'a VaultView) -> Self {
        Self {
            value: vault,
            next: next(vault),
        }
    }
}

fn next(vault: &VaultView) -> String {
    match vault.phase {
        VaultPhase::Inviting => format!(
            "the others join; when `quorate vault show {}` shows the six words on every member, compare them",
            vault.name
        ),
        VaultPhase::Confirming if !confirmed_here(vault) => format!(
            "compare the six words, then `quorate vault join --vault {} --words \"...\"`",
            vault.name
        ),
        VaultPhase::Confirming => "the other members confirm".to_owned(),
        VaultPhase::Keygen => "the keys are being made".to_owned(),
        VaultPhase::Active => "pay in to the address".to_owned(),
        VaultPhase::Failed => "begin a new vault".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::{refuse_unsafe_threshold, split_words};

    #[test]
    fn any_two_quorums_must_meet() {
        for (t, n) in [(2, 2), (2, 3), (3, 4), (3, 5), (9, 16), (16, 16)] {
            assert!(refuse_unsafe_threshold(t, n).is_ok(), "{t} of {n}");
        }
        for (t, n) in [(2, 4), (8, 16), (4, 3), (2, 5)] {
            let failure = refuse_unsafe_threshold(t, n).expect_err("unsafe");
            assert_eq!(failure.code().exit_code(), 2, "{t} of {n}");
        }
    }

    #[test]
    fn six_words_are_six() {
        assert_eq!(split_words(" A b c d e  f\n").expect("six").len(), 6);
        assert!(split_words("a b c d e").is_err());
        assert!(split_words("").is_err());
    }
}
