//! `node`: what the daemon answers itself, and what the binary carries out.

use std::fs;

use quorate_api::{ChangeSecret, ClientError, ErrorCode, STORE_FILE, Secret};

use super::done;
use crate::action::{Action, NodeInit, NodePassphrase, NodeRun};
use crate::args::{InitArgs, NodeCommand, PassphraseArgs, PinArgs, RunArgs, ServiceCommand};
use crate::context::Context;
use crate::failure::Outcome;
use crate::secret::{self, SecretKind};
use crate::{Failure, render, service};

pub(super) fn node(context: &mut Context<'_>, command: NodeCommand) -> Outcome<Action> {
    match command {
        NodeCommand::Init(args) => init(context, args),
        NodeCommand::Run(args) => run(context, &args),
        NodeCommand::Status => {
            let status = context.client()?.status()?;
            let shown = context
                .console
                .result("status", &status, render::node_status);
            shown.map(done)
        }
        NodeCommand::Passphrase(args) => passphrase(context, &args),
        NodeCommand::Pin(args) => pin(context, &args).map(done),
        NodeCommand::Service {
            command: ServiceCommand::Install(args),
        } => service::install(context, &args).map(done),
    }
}

fn init(context: &mut Context<'_>, args: InitArgs) -> Outcome<Action> {
    if context.dir.join(STORE_FILE).exists() {
        return Err(Failure::new(
            ErrorCode::Duplicate,
            format!("{} is a member's folder already", context.dir.display()),
            "run it with `quorate node run`, or name another folder with --dir",
        ));
    }
    let name = args.name.unwrap_or_else(machine_name);
    let passphrase = secret::chosen(
        context.console,
        SecretKind::PASSPHRASE,
        context.global.passphrase_file.as_ref(),
    )?;
    let pin = secret::chosen(
        context.console,
        SecretKind::PIN,
        context.global.pin_file.as_ref(),
    )?;
    Ok(Action::NodeInit(NodeInit {
        dir: context.dir.clone(),
        name,
        passphrase,
        pin,
    }))
}

/// This machine's name, as far as it is a name here; else `member`.
fn machine_name() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname")
        .or_else(|_| fs::read_to_string("/etc/hostname"))
        .unwrap_or_default()
        .to_ascii_lowercase();
    let label = host.trim().split('.').next().unwrap_or_default();
    if quorate_api::is_name(label) {
        label.to_owned()
    } else {
        "member".to_owned()
    }
}

fn run(context: &mut Context<'_>, args: &RunArgs) -> Outcome<Action> {
    refuse_uninitialised(context)?;
    if args.api.is_some_and(|api| !api.ip().is_loopback()) {
        return Err(Failure::usage(
            "the local API listens on this machine only",
            "use --api 127.0.0.1:PORT, or leave it away",
        ));
    }
    let passphrase = secret::existing(
        context.console,
        SecretKind::PASSPHRASE,
        context.global.passphrase_file.as_ref(),
    )?;
    Ok(Action::NodeRun(NodeRun {
        dir: context.dir.clone(),
        passphrase,
        listen: args.listen,
        pairing: args.pairing,
        api: args.api,
    }))
}

fn refuse_uninitialised(context: &Context<'_>) -> Outcome {
    if context.dir.join(STORE_FILE).exists() {
        return Ok(());
    }
    Err(Failure::from(ClientError::NotInitialised {
        dir: context.dir.clone(),
    }))
}

/// Through the daemon if one runs, else by the binary itself.
fn passphrase(context: &mut Context<'_>, args: &PassphraseArgs) -> Outcome<Action> {
    refuse_uninitialised(context)?;
    let client = match context.client() {
        Ok(client) => Some(client),
        Err(failure) if failure.code() == ErrorCode::Network => None,
        Err(failure) => return Err(failure),
    };
    let old = secret::existing(
        context.console,
        SecretKind::PASSPHRASE,
        context.global.passphrase_file.as_ref(),
    )?;
    let new = secret::chosen(
        context.console,
        SecretKind::NEW_PASSPHRASE,
        args.new_passphrase_file.as_ref(),
    )?;
    let Some(client) = client else {
        let dir = context.dir.clone();
        return Ok(Action::NodePassphrase(NodePassphrase { dir, old, new }));
    };
    client.change_passphrase(&ChangeSecret {
        old: Secret::new(old),
        new: Secret::new(new),
    })?;
    Ok(Action::Done(crate::passphrase_done(context.console)))
}

fn pin(context: &mut Context<'_>, args: &PinArgs) -> Outcome {
    let client = context.client()?;
    let old = secret::existing(
        context.console,
        SecretKind::PIN,
        context.global.pin_file.as_ref(),
    )?;
    let new = secret::chosen(
        context.console,
        SecretKind::NEW_PIN,
        args.new_pin_file.as_ref(),
    )?;
    let done = client.change_pin(&ChangeSecret {
        old: Secret::new(old),
        new: Secret::new(new),
    })?;
    let print = |console: &mut crate::Console, _: &_| console.line("The PIN is changed.");
    context.console.result("done", &done, print)
}
