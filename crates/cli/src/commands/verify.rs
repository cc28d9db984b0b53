//! `log verify`: offline, without a daemon.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use quorate_api::{ErrorCode, MAX_BUNDLE_BYTES};
use quorate_offline::{Error, Report, verify_bundle};
use serde::Serialize;

use crate::action::{Action, failed};
use crate::args::VerifyArgs;
use crate::context::Context;
use crate::failure::Outcome;
use crate::{DONE, Failure, render};

/// The report and what follows from it.
#[derive(Serialize)]
struct Verified<'a> {
    sound: bool,
    complete: bool,
    /// Whether the words given are the vault's; none if none were given.
    words_match: Option<bool>,
    report: &'a Report,
}

/// Verifies a bundle, and the vault's words if they are given. What is wrong is exit code 11.
pub(super) fn verify(context: &mut Context<'_>, args: &VerifyArgs) -> Outcome<Action> {
    let bytes = read(&args.bundle).map_err(|error| Failure::file(&args.bundle, &error))?;
    let report = verify_bundle(&bytes).map_err(|error| no_report(&error))?;
    let words_match = args.words.as_deref().map(|words| report.words_match(words));
    let verified = Verified {
        sound: is_sound(&report),
        complete: report.is_complete(),
        words_match,
        report: &report,
    };
    context
        .console
        .result("verified_log", &verified, |console, it| {
            render::report(console, it.report, it.words_match)
        })?;
    match verdict(&report, words_match) {
        None => Ok(Action::Done(DONE)),
        Some(failure) => {
            // The report is printed already: the failure goes to the side only.
            context.console.set_json(false);
            Ok(Action::Done(failed(context.console, &failure)))
        }
    }
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // One byte more than is taken, so that a longer file is found too long and not cut.
    let limit = u64::try_from(MAX_BUNDLE_BYTES)
        .unwrap_or(u64::MAX)
        .saturating_add(1);
    File::open(path)?.take(limit).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn is_sound(report: &Report) -> bool {
    report.is_sound() && report.signatures.iter().all(|it| it.verified)
}

fn no_report(error: &Error) -> Failure {
    let message = match std::error::Error::source(error) {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    };
    Failure::new(ErrorCode::Integrity, message, error.hint())
}

fn verdict(report: &Report, words_match: Option<bool>) -> Option<Failure> {
    if !is_sound(report) {
        return Some(Failure::new(
            ErrorCode::Integrity,
            "the bundle does not hold together",
            "the findings above say where; ask another member for an export of theirs",
        ));
    }
    if words_match == Some(false) {
        return Some(Failure::new(
            ErrorCode::Integrity,
            "the words differ: this is the log of another vault",
            "ask a member to read the six words of `quorate vault show` to you",
        ));
    }
    None
}
