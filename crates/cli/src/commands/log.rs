//! `log`.

use std::fs::OpenOptions;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use quorate_api::LogQuery;
use serde::Serialize;

use super::{done, verify};
use crate::action::Action;
use crate::args::{LogCommand, LogShowArgs};
use crate::context::Context;
use crate::failure::Outcome;
use crate::{Failure, render};

pub(super) fn log(context: &mut Context<'_>, command: LogCommand) -> Outcome<Action> {
    match command {
        LogCommand::Show(args) => show(context, args).map(done),
        LogCommand::Export(args) => export(context, &args.file).map(done),
        LogCommand::Verify(args) => verify::verify(context, &args),
    }
}

fn show(context: &mut Context<'_>, args: LogShowArgs) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let query = LogQuery {
        author: args.author,
        from: args.from,
        request: args.request,
        limit: Some(args.limit),
    };
    let page = client.log(&vault, &query)?;
    context.console.result("log", &page, render::log_page)
}

#[derive(Serialize)]
struct Exported {
    file: PathBuf,
    bytes: usize,
}

/// Writes the bundle to a file of its own. It tells who paid whom: others have no business in it.
fn export(context: &mut Context<'_>, file: &Path) -> Outcome {
    let client = context.client()?;
    let vault = context.vault(&client)?;
    let bundle = client.export_log(&vault)?;
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .and_then(|mut out| out.write_all(&bundle).and_then(|()| out.sync_all()));
    written.map_err(|error| Failure::file(file, &error))?;
    let exported = Exported {
        file: file.to_owned(),
        bytes: bundle.len(),
    };
    context
        .console
        .result("exported_log", &exported, |console, it| {
            console.line(&format!(
                "{} holds the log of {vault}, {} bytes.",
                it.file.display(),
                it.bytes
            ))?;
            console.note(&format!(
                "Next, anywhere, without a daemon: quorate log verify {}",
                it.file.display()
            ));
            Ok(())
        })
}
