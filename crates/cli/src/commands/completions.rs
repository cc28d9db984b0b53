//! `completions`.

use clap::CommandFactory;
use clap_complete::{Shell, generate};

use crate::args::Cli;
use crate::context::Context;
use crate::failure::Outcome;

/// Prints the completions of `shell`.
pub(super) fn completions(context: &mut Context<'_>, shell: Shell) -> Outcome {
    let mut script = Vec::new();
    generate(shell, &mut Cli::command(), "quorate", &mut script);
    context.console.raw(&script)
}
