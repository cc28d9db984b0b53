//! User stories through the public command line, on real daemons and a real Ethereum node.
//!
//! `quorate-stories NAME [--quick]` runs one; `--list` names them. The last line is `N passed, N failed`.
//! `QUORATE` names the binary under test (default: `quorate` beside this program); `anvil` is found in `PATH`.
#![allow(
    clippy::disallowed_methods,
    reason = "a story is a user: it reads files and the clock"
)]

use std::process::ExitCode;

use anyhow::{Result, bail};

mod bench;
mod docs;
mod payment;
mod report;
mod world;

use self::report::Report;

/// Runs one story; `true` asks for its short form.
type Story = fn(&mut Report, bool) -> Result<()>;

/// Every story: its name and what runs it.
const STORIES: &[(&str, Story)] = &[
    ("bench", bench::run),
    ("docs", docs::run),
    ("payment", payment::run),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match story(&args) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

/// Runs what the arguments name; whether everything passed.
fn story(args: &[String]) -> Result<bool> {
    let quick = args.iter().any(|arg| arg == "--quick");
    let names: Vec<&String> = args.iter().filter(|arg| *arg != "--quick").collect();
    let [name] = names.as_slice() else {
        bail!("usage: quorate-stories NAME [--quick] | --list")
    };
    if *name == "--list" {
        STORIES.iter().for_each(|(name, _)| println!("{name}"));
        return Ok(true);
    }
    let Some((_, run)) = STORIES.iter().find(|(known, _)| known == name) else {
        bail!("no story is called `{name}`; `--list` names them");
    };
    let mut report = Report::default();
    if let Err(error) = run(&mut report, quick) {
        report.fail("the story itself", &format!("{error:#}"));
    }
    Ok(report.close())
}
