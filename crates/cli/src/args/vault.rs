//! `vault`, `address`, `log`, `chain`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{examples, parse_name};

#[derive(Debug, Subcommand)]
pub(crate) enum VaultCommand {
    /// Begin a vault and invite its members
    #[command(before_help = examples::VAULT_CREATE)]
    Create(CreateArgs),
    /// Join a vault by code; or go on with one: compare the six words and confirm
    #[command(before_help = examples::VAULT_JOIN)]
    Join(JoinArgs),
    /// List this member's vaults
    #[command(before_help = examples::VAULT_LIST)]
    List,
    /// Show members, threshold, addresses, and who is awaited
    #[command(before_help = examples::VAULT_SHOW)]
    Show {
        /// The vault; the same as --vault
        #[arg(value_name = "NAME", value_parser = parse_name)]
        name: Option<String>,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// Name of the vault
    #[arg(value_name = "NAME", value_parser = parse_name)]
    pub(crate) name: String,
    /// Members that every payment needs
    #[arg(long, value_name = "T", value_parser = clap::value_parser!(u8).range(2..=16))]
    pub(crate) threshold: u8,
    /// Members in all, you included
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(2..=16))]
    pub(crate) members: u8,
    #[command(flatten)]
    pub(crate) seat: SeatArgs,
}

#[derive(Debug, Args)]
pub(crate) struct JoinArgs {
    /// The code you were told; without it: go on with a vault that is being made
    #[arg(value_name = "CODE", requires = "at", conflicts_with = "words")]
    pub(crate) code: Option<String>,
    /// Where the inviting member listens, as HOST:PORT
    #[arg(long, value_name = "HOST:PORT", requires = "code")]
    pub(crate) at: Option<String>,
    /// The six words that every screen shows, when there is no terminal to ask at
    #[arg(long, value_name = "WORDS")]
    pub(crate) words: Option<String>,
    #[command(flatten)]
    pub(crate) seat: SeatArgs,
}

/// What others should know of this member when they judge whom the vault depends on.
#[derive(Debug, Args)]
pub(crate) struct SeatArgs {
    /// Who controls this member [default: owner]
    #[arg(long, value_name = "WHO", value_parser = parse_name)]
    pub(crate) controller: Option<String>,
    /// What could take several members at once: a cloud account, an office [default: this member's name]
    #[arg(long, value_name = "LABEL", value_parser = parse_name)]
    pub(crate) trust_domain: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum AddressCommand {
    /// List the vault's addresses
    #[command(before_help = examples::ADDRESS_LIST)]
    List,
}

#[derive(Debug, Subcommand)]
pub(crate) enum LogCommand {
    /// Show entries and heads of the members' logs
    #[command(before_help = examples::LOG_SHOW)]
    Show(LogShowArgs),
    /// Write one self-contained bundle that strangers can verify
    #[command(before_help = examples::LOG_EXPORT)]
    Export(FileArg),
    /// Verify a bundle; offline, without a daemon
    #[command(before_help = examples::LOG_VERIFY)]
    Verify(VerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LogShowArgs {
    /// Only this member's log
    #[arg(long, value_name = "MEMBER")]
    pub(crate) author: Option<String>,
    /// Only entries at and after this position
    #[arg(long, value_name = "POSITION")]
    pub(crate) from: Option<u64>,
    /// Only entries about this request
    #[arg(long, value_name = "ID", value_parser = super::parse_id)]
    pub(crate) request: Option<String>,
    /// At most so many entries, the newest
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) limit: u32,
}

#[derive(Debug, Args)]
pub(crate) struct FileArg {
    /// The file; it must not exist yet
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct VerifyArgs {
    /// The bundle
    #[arg(value_name = "BUNDLE")]
    pub(crate) bundle: PathBuf,
    /// The vault's six words, as its members read them out; others in the bundle are an error
    #[arg(long, value_name = "WORDS")]
    pub(crate) words: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ChainCommand {
    /// Add a chain by its JSON-RPC endpoint
    #[command(before_help = examples::CHAIN_ADD)]
    Add(ChainAddArgs),
    /// List the chains, and whether they answer
    #[command(before_help = examples::CHAIN_LIST)]
    List,
    /// Show one chain
    #[command(before_help = examples::CHAIN_SHOW)]
    Show(ChainName),
    /// Remove a chain
    #[command(before_help = examples::CHAIN_REMOVE)]
    Remove(ChainName),
}

#[derive(Debug, Args)]
pub(crate) struct ChainAddArgs {
    /// Local name
    #[arg(value_name = "NAME", value_parser = parse_name)]
    pub(crate) name: String,
    /// JSON-RPC endpoint, http:// or https://; it must answer for --chain if that is given
    #[arg(long, value_name = "URL")]
    pub(crate) rpc: String,
}

#[derive(Debug, Args)]
pub(crate) struct ChainName {
    /// Local name
    #[arg(value_name = "NAME", value_parser = parse_name)]
    pub(crate) name: String,
}
