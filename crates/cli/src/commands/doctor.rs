//! `doctor`: what this side can see without the daemon, then what the daemon finds.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use quorate_api::{Check, CheckLevel, ErrorCode, STORE_FILE};

use crate::action::{Action, failed};
use crate::context::Context;
use crate::failure::Outcome;
use crate::{DONE, Failure, render};

/// Looks everything over; the exit code is the first failure's.
pub(super) fn doctor(context: &mut Context<'_>) -> Outcome<Action> {
    let mut checks = vec![folder(context)];
    let mut first_failure = None;
    if !context.dir.join(STORE_FILE).exists() {
        first_failure = Some(ErrorCode::NotFound);
    } else {
        match context.client().and_then(|client| Ok(client.doctor()?)) {
            Ok(found) => {
                checks.push(check("daemon", CheckLevel::Ok, "it runs and answers", None));
                checks.extend(found);
            }
            Err(failure) => {
                first_failure = Some(failure.code());
                checks.push(unwell("daemon", &failure));
            }
        }
    }
    checks.push(check(
        "backups",
        CheckLevel::Warn,
        "this version has no backups yet: a lost folder is a lost share",
        Some("use test funds only"),
    ));
    let print = |console: &mut _, checks: &Vec<_>| render::checks(console, checks);
    context.console.result("checks", &checks, print)?;
    conclude(context, &checks, first_failure)
}

fn conclude(
    context: &mut Context<'_>,
    checks: &[Check],
    first_failure: Option<ErrorCode>,
) -> Outcome<Action> {
    let Some(check) = checks.iter().find(|it| it.level == CheckLevel::Fail) else {
        return Ok(Action::Done(DONE));
    };
    let failure = Failure::new(
        first_failure.unwrap_or(ErrorCode::Internal),
        format!("{}: {}", check.name, check.detail),
        check.hint.clone().unwrap_or_default(),
    );
    // The checks are printed already: the failure goes to the side only.
    context.console.set_json(false);
    Ok(Action::Done(failed(context.console, &failure)))
}

fn folder(context: &Context<'_>) -> Check {
    let dir = &context.dir;
    let shown = dir.display().to_string();
    let Ok(metadata) = fs::metadata(dir.join(STORE_FILE)).and_then(|_| fs::metadata(dir)) else {
        let detail = format!("{shown} is no member's folder");
        let hint = "make it one with `quorate node init`, or name another with --dir";
        return check("folder", CheckLevel::Fail, &detail, Some(hint));
    };
    let mode = metadata.permissions().mode() & 0o777;
    if mode & 0o077 != 0 {
        let detail = format!("{shown} has mode {mode:o}: other users can look into it");
        let hint = format!("run: chmod 700 {shown}");
        return check("folder", CheckLevel::Fail, &detail, Some(&hint));
    }
    check(
        "folder",
        CheckLevel::Ok,
        &format!("{shown} is private"),
        None,
    )
}

fn unwell(name: &str, failure: &Failure) -> Check {
    check(
        name,
        CheckLevel::Fail,
        failure.message(),
        Some(failure.hint()),
    )
}

fn check(name: &str, level: CheckLevel, detail: &str, hint: Option<&str>) -> Check {
    Check {
        name: name.to_owned(),
        level,
        detail: detail.to_owned(),
        hint: hint.map(str::to_owned),
    }
}
