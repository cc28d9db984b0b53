//! One module a noun.

mod approve;
mod chain;
mod completions;
mod doctor;
mod follow;
mod log;
mod making;
mod node;
mod request;
mod send;
mod vault;
mod verify;
mod watch;

use crate::Failure;
use crate::action::Action;
use crate::args::Command;
use crate::context::Context;
use crate::failure::Outcome;

/// Carries `command` out.
pub(crate) fn carry_out(context: &mut Context<'_>, command: Command) -> Outcome<Action> {
    if context.global.dry_run && !command.knows_dry_run() {
        return Err(Failure::usage(
            "this command has no dry run",
            "leave --dry-run away to really do it; nothing was done",
        ));
    }
    match command {
        Command::Send(args) => send::send(context, &args),
        Command::Receive => vault::receive(context).map(done),
        Command::Balance => vault::balance(context).map(done),
        Command::History => request::history(context).map(done),
        Command::Approve(id) => approve::approve(context, &id.id),
        Command::Reject(id) => approve::reject(context, &id.id).map(done),
        Command::Requests(args) => request::list(context, args.state.into()).map(done),
        Command::Watch(args) => watch::watch(context, args.exec.as_deref()).map(done),
        Command::Request { command } => request::request(context, command),
        Command::Vault { command } => vault::vault(context, command),
        Command::Address { .. } => vault::addresses(context).map(done),
        Command::Log { command } => log::log(context, command),
        Command::Chain { command } => chain::chain(context, command).map(done),
        Command::Node { command } => node::node(context, command),
        Command::Demo(args) => crate::demo::demo(context, &args.rpc).map(done),
        Command::Doctor => doctor::doctor(context),
        Command::Completions(args) => completions::completions(context, args.shell).map(done),
    }
}

fn done((): ()) -> Action {
    Action::Done(crate::DONE)
}
