//! `chain`.

use quorate_api::{AddChain, ErrorCode};

use crate::args::{ChainAddArgs, ChainCommand};
use crate::context::Context;
use crate::failure::Outcome;
use crate::{Failure, render};

pub(super) fn chain(context: &mut Context<'_>, command: ChainCommand) -> Outcome {
    match command {
        ChainCommand::Add(args) => add(context, args),
        ChainCommand::List => list(context),
        ChainCommand::Show(args) => show(context, &args.name),
        ChainCommand::Remove(args) => remove(context, &args.name),
    }
}

fn add(context: &mut Context<'_>, args: ChainAddArgs) -> Outcome {
    let is_http = ["http://", "https://"]
        .iter()
        .any(|it| args.rpc.starts_with(it));
    if !is_http {
        return Err(Failure::usage(
            "the endpoint is no http:// or https:// URL",
            "write it like http://127.0.0.1:8545",
        ));
    }
    let body = AddChain {
        name: args.name,
        rpc_url: args.rpc,
        chain: context.global.chain.clone(),
    };
    let chain = context.client()?.add_chain(&body)?;
    context.console.result("chain", &chain, render::chain)
}

fn list(context: &mut Context<'_>) -> Outcome {
    let chains = context.client()?.chains()?;
    let print = |console: &mut _, chains: &Vec<_>| render::chains(console, chains);
    context.console.result("chains", &chains, print)
}

fn show(context: &mut Context<'_>, name: &str) -> Outcome {
    let chains = context.client()?.chains()?;
    let Some(chain) = chains.into_iter().find(|chain| chain.name == name) else {
        return Err(Failure::new(
            ErrorCode::NotFound,
            format!("no chain is called {name}"),
            "see `quorate chain list`",
        ));
    };
    context.console.result("chain", &chain, render::chain)
}

fn remove(context: &mut Context<'_>, name: &str) -> Outcome {
    let done = context.client()?.remove_chain(name)?;
    let print = |console: &mut crate::Console, _: &_| console.line(&format!("{name} is removed."));
    context.console.result("done", &done, print)
}
