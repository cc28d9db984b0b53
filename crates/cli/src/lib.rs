//! Commands, prompts, tables, progress.
//!
//! [`run`] parses arguments and carries the command out over the daemon's local API. Three commands
//! need what only the daemon's crate has, the store itself: `node init`, `node run`, and
//! `node passphrase` while no daemon runs. For these, [`run`] asks every question and returns an
//! [`Action`] that the binary carries out and reports with [`init_done`], [`passphrase_done`] and [`failed`].
//!
//! Results go to standard output, progress, prompts and errors to standard error. `--json` prints one
//! [`quorate_api::Envelope`] (for `watch`, one a line). Exit codes are those of
//! [`quorate_api::ErrorCode`].

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate carries out I/O"
)]

mod action;
mod amount;
mod args;
mod commands;
mod console;
mod context;
mod demo;
mod duration;
mod failure;
mod render;
mod secret;
mod service;
mod when;

use std::ffi::OsString;

use clap::Parser;
use clap::error::ErrorKind;
use quorate_api::ErrorCode;

use crate::args::Cli;
use crate::context::Context;

pub use action::{Action, NodeInit, NodePassphrase, NodeRun, failed, init_done, passphrase_done};
pub use console::Console;
pub use failure::Failure;

/// Exit code of a command that did what it was asked.
pub const DONE: u8 = 0;

/// Parses `args` (the program's name first) and carries the command out.
pub fn run(args: impl IntoIterator<Item = OsString>, console: &mut Console) -> Action {
    let args: Vec<OsString> = args.into_iter().collect();
    console.set_json(args.iter().any(|arg| arg == "--json"));
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return Action::Done(refused(&error, console)),
    };
    let outcome = Context::new(cli.global, console)
        .and_then(|mut context| commands::carry_out(&mut context, cli.command));
    outcome.unwrap_or_else(|failure| Action::Done(failed(console, &failure)))
}

/// Prints help and version as results, and all else as an error with a hint.
fn refused(error: &clap::Error, console: &mut Console) -> u8 {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => match console.raw(text.as_bytes()) {
            Ok(()) => DONE,
            Err(failure) => failed(console, &failure),
        },
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            console.aside(console::Style::Plain, text.trim_end());
            ErrorCode::Usage.exit_code()
        }
        _ => {
            let text = text.strip_prefix("error: ").unwrap_or(&text);
            let text = text.replace("\n\nFor more information, try '--help'.", "");
            let hint = "the same command with --help begins with examples";
            failed(console, &Failure::usage(text.trim_end(), hint))
        }
    }
}
