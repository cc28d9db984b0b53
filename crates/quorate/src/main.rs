//! The one binary: what opens the store itself goes to `quorate_node`, all else to `quorate_cli`.

#![allow(
    clippy::disallowed_methods,
    reason = "main reads its arguments and sets the exit code"
)]

use std::env;
use std::process::ExitCode;

use quorate_cli::{Action, Console, Failure, NodeInit, NodePassphrase, NodeRun};
use quorate_node::{InitOptions, NodeError, RunOptions};

fn main() -> ExitCode {
    let mut console = Console::system();
    let action = quorate_cli::run(env::args_os(), &mut console);
    ExitCode::from(carry_out(action, &mut console))
}

fn carry_out(action: Action, console: &mut Console) -> u8 {
    match action {
        Action::Done(code) => code,
        Action::NodeInit(asked) => init(asked, console),
        Action::NodeRun(asked) => run(asked, console),
        Action::NodePassphrase(asked) => passphrase(&asked, console),
    }
}

fn init(asked: NodeInit, console: &mut Console) -> u8 {
    let options = InitOptions {
        dir: asked.dir,
        name: asked.name,
        passphrase: asked.passphrase,
        pin: asked.pin,
    };
    match quorate_node::init(options) {
        Ok(made) => {
            let party = made.party.to_string();
            quorate_cli::init_done(console, &made.dir, &made.name, &party)
        }
        Err(error) => failed(&error, console),
    }
}

fn run(asked: NodeRun, console: &mut Console) -> u8 {
    let options = RunOptions {
        dir: asked.dir,
        passphrase: asked.passphrase,
        listen: asked.listen,
        pairing: asked.pairing,
        api: asked.api,
    };
    match quorate_node::run(options) {
        Ok(()) => quorate_cli::DONE,
        Err(error) => failed(&error, console),
    }
}

fn passphrase(asked: &NodePassphrase, console: &mut Console) -> u8 {
    match quorate_node::change_passphrase(&asked.dir, &asked.old, &asked.new) {
        Ok(()) => quorate_cli::passphrase_done(console),
        Err(error) => failed(&error, console),
    }
}

fn failed(error: &NodeError, console: &mut Console) -> u8 {
    let failure = Failure::with_exit_code(error.exit_code(), error.sentence(), error.hint());
    quorate_cli::failed(console, &failure)
}
