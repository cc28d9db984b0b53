//! The command tree: nouns, then verbs; only daily acts are top-level.

mod examples;
mod node;
mod vault;

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use quorate_api::{RequestFilter, Until};

use crate::amount::{self, Amount};
use crate::duration;
use crate::secret::SecretSource;

pub(crate) use node::{
    InitArgs, NodeCommand, PassphraseArgs, PinArgs, RunArgs, ServiceArgs, ServiceCommand,
};
pub(crate) use vault::{
    AddressCommand, ChainAddArgs, ChainCommand, CreateArgs, JoinArgs, LogCommand, LogShowArgs,
    VaultCommand, VerifyArgs,
};

/// Quorate: a vault whose keys never exist. People and machines each hold a share; a payment moves
/// when enough of them agreed to it.
#[derive(Debug, Parser)]
#[command(name = "quorate", bin_name = "quorate", version, before_help = examples::ROOT, arg_required_else_help = true,
          subcommand_required = true, disable_help_subcommand = true, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options that every command takes.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The vault; default: the only one
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) vault: Option<String>,
    /// This member's folder [env: QUORATE_DIR] [default: ~/.local/share/quorate]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,
    /// Print one JSON object `{version, kind, data}`
    #[arg(long, global = true)]
    pub(crate) json: bool,
    /// Show what would be done, and do nothing
    #[arg(long, global = true)]
    pub(crate) dry_run: bool,
    /// Do not ask back; never stands for a PIN or for the six words
    #[arg(long, global = true)]
    pub(crate) yes: bool,
    /// Wait until it is done, at most DUR (`90s`, `10m`, `24h`)
    #[arg(long, global = true, value_name = "DUR", num_args = 0..=1, require_equals = true,
          value_parser = duration::parse)]
    pub(crate) wait: Option<Option<Duration>>,
    /// How long approvals are taken [default: 24h]
    #[arg(long, global = true, value_name = "DUR", value_parser = duration::parse)]
    pub(crate) expires: Option<Duration>,
    /// A note, or a reason, for the other members
    #[arg(long, global = true, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Doing the same again with the same key does it once
    #[arg(long, global = true, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
    /// The chain, as CAIP-2 (`eip155:1`) or by its local name; default: the only one
    #[arg(long, global = true, value_name = "CAIP2")]
    pub(crate) chain: Option<String>,
    /// Read the passphrase from this file (mode 0600), or from `fd:N`
    #[arg(long, global = true, value_name = "F", value_parser = SecretSource::parse)]
    pub(crate) passphrase_file: Option<SecretSource>,
    /// Read the PIN from this file (mode 0600), or from `fd:N`
    #[arg(long, global = true, value_name = "F", value_parser = SecretSource::parse)]
    pub(crate) pin_file: Option<SecretSource>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Request a payment
    #[command(before_help = examples::SEND)]
    Send(SendArgs),
    /// Show the address to pay in to
    #[command(before_help = examples::RECEIVE)]
    Receive,
    /// Show what the vault has
    #[command(before_help = examples::BALANCE)]
    Balance,
    /// Show the payments that reached a chain
    #[command(before_help = examples::HISTORY)]
    History,
    /// Approve a request, after showing what it does
    #[command(before_help = examples::APPROVE)]
    Approve(RequestId),
    /// Reject a request
    #[command(before_help = examples::REJECT)]
    Reject(RequestId),
    /// List requests (the same as `request list`)
    #[command(before_help = examples::REQUESTS)]
    Requests(RequestListArgs),
    /// Show what happens, as it happens
    #[command(before_help = examples::WATCH)]
    Watch(WatchArgs),
    /// Requests: list, show, cancel, wait, replace
    #[command(before_help = examples::REQUEST, subcommand_required = true, arg_required_else_help = true)]
    Request {
        #[command(subcommand)]
        command: RequestCommand,
    },
    /// Vaults: create, join, list, show
    #[command(before_help = examples::VAULT, subcommand_required = true, arg_required_else_help = true)]
    Vault {
        #[command(subcommand)]
        command: VaultCommand,
    },
    /// Addresses: list
    #[command(before_help = examples::ADDRESS, subcommand_required = true, arg_required_else_help = true)]
    Address {
        #[command(subcommand)]
        command: AddressCommand,
    },
    /// The members' logs: show, export, verify
    #[command(before_help = examples::LOG, subcommand_required = true, arg_required_else_help = true)]
    Log {
        #[command(subcommand)]
        command: LogCommand,
    },
    /// Chains: add, list, show, remove
    #[command(before_help = examples::CHAIN, subcommand_required = true, arg_required_else_help = true)]
    Chain {
        #[command(subcommand)]
        command: ChainCommand,
    },
    /// This member's daemon: init, run, status, passphrase, pin, service
    #[command(before_help = examples::NODE, subcommand_required = true, arg_required_else_help = true)]
    Node {
        #[command(subcommand)]
        command: NodeCommand,
    },
    /// Three members, one vault and one payment on a development chain, before your eyes
    #[command(before_help = examples::DEMO)]
    Demo(DemoArgs),
    /// Look over folder, daemon, vaults and chains
    #[command(before_help = examples::DOCTOR)]
    Doctor,
    /// Print completions for a shell
    #[command(before_help = examples::COMPLETIONS)]
    Completions(CompletionsArgs),
}

#[derive(Debug, Args)]
pub(crate) struct SendArgs {
    /// How much, in whole units (`0.5`), or `max`: all but the largest fee
    #[arg(value_name = "AMOUNT", value_parser = amount::parse, allow_negative_numbers = true)]
    pub(crate) amount: Amount,
    /// What: `ETH`
    #[arg(value_name = "ASSET")]
    pub(crate) asset: String,
    /// To whom: an address
    #[arg(long, value_name = "WHO")]
    pub(crate) to: String,
    /// Upper bound of the whole fee, in the same unit [default: a multiple of today's]
    #[arg(long, value_name = "AMOUNT", value_parser = amount::parse_wei)]
    pub(crate) max_fee: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RequestId {
    /// The request; a unique beginning of its id is enough
    #[arg(value_name = "ID", value_parser = parse_id)]
    pub(crate) id: String,
}

#[derive(Debug, Args)]
pub(crate) struct RequestListArgs {
    /// Which requests
    #[arg(long, value_name = "STATE", value_enum, default_value_t = ListState::Open)]
    pub(crate) state: ListState,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum ListState {
    /// Neither finished nor dead
    Open,
    /// Open, and you have not decided
    Mine,
    /// Finished or dead
    Closed,
    /// Every one
    All,
}

impl From<ListState> for RequestFilter {
    fn from(state: ListState) -> Self {
        match state {
            ListState::Open => Self::Open,
            ListState::Mine => Self::AwaitsYou,
            ListState::Closed => Self::Closed,
            ListState::All => Self::All,
        }
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum RequestCommand {
    /// List requests
    #[command(before_help = examples::REQUESTS)]
    List(RequestListArgs),
    /// Show one request: what it does, who approved, why it waits
    #[command(before_help = examples::REQUEST_SHOW)]
    Show(RequestId),
    /// Take back a request of your own
    #[command(before_help = examples::REQUEST_CANCEL)]
    Cancel(RequestId),
    /// Wait until a request is mined, or dead
    #[command(before_help = examples::REQUEST_WAIT)]
    Wait(RequestWaitArgs),
    /// Sign a payment that the chain does not take again, at a higher fee within what was approved
    #[command(before_help = examples::REQUEST_REPLACE)]
    Replace(RequestId),
}

#[derive(Debug, Args)]
pub(crate) struct RequestWaitArgs {
    #[command(flatten)]
    pub(crate) id: RequestId,
    /// How far
    #[arg(long, value_name = "STATE", value_enum, default_value_t = WaitUntil::Mined)]
    pub(crate) until: WaitUntil,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum WaitUntil {
    /// Enough approvals
    Ready,
    /// Signed
    Signed,
    /// An endpoint took it
    Broadcast,
    /// In a block
    Mined,
}

impl From<WaitUntil> for Until {
    fn from(until: WaitUntil) -> Self {
        match until {
            WaitUntil::Ready => Self::Ready,
            WaitUntil::Signed => Self::Signed,
            WaitUntil::Broadcast => Self::Broadcast,
            WaitUntil::Mined => Self::Mined,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct WatchArgs {
    /// Run this shell command for every request that waits for your decision: `$1` is its id,
    /// standard input its JSON
    #[arg(long, value_name = "CMD")]
    pub(crate) exec: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArgs {
    /// A development node with an unlocked, funded account (anvil, geth --dev)
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: String,
}

#[derive(Debug, Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub(crate) shell: clap_complete::Shell,
}

impl Command {
    /// Whether `--dry-run` keeps its promise: the command knows how, or changes nothing anyway.
    pub(crate) fn knows_dry_run(&self) -> bool {
        match self {
            Self::Request { command } => !matches!(command, RequestCommand::Replace(_)),
            Self::Vault { command } => !matches!(command, VaultCommand::Join(_)),
            Self::Log { command } => !matches!(command, LogCommand::Export(_)),
            Self::Chain { command } => {
                !matches!(command, ChainCommand::Add(_) | ChainCommand::Remove(_))
            }
            Self::Node { command } => {
                matches!(command, NodeCommand::Status | NodeCommand::Service { .. })
            }
            Self::Demo(_) => false,
            _ => true,
        }
    }
}

/// An id or its beginning: hex, lower-cased, with or without `0x`.
fn parse_id(text: &str) -> Result<String, String> {
    let id = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
    if id.is_empty() || id.len() > 64 || !id.bytes().all(|b| b.is_ascii_hexdigit()) {
        return Err("an id is up to 64 hexadecimal digits; see `quorate requests`".to_owned());
    }
    Ok(id)
}

/// A name of a vault, chain or member.
pub(crate) fn parse_name(text: &str) -> Result<String, String> {
    if quorate_api::is_name(text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "a name is 1 to {} of a-z, 0-9, - and _, and begins with a letter or a digit",
        quorate_api::MAX_NAME_CHARS
    ))
}

#[cfg(test)]
mod tests;
