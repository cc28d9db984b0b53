//! `node`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{examples, parse_name};
use crate::secret::SecretSource;

#[derive(Debug, Subcommand)]
pub(crate) enum NodeCommand {
    /// Make this folder a member's: identity, device key, store
    #[command(before_help = examples::NODE_INIT)]
    Init(InitArgs),
    /// Run the daemon
    #[command(before_help = examples::NODE_RUN)]
    Run(RunArgs),
    /// Show the daemon, its vaults, peers and chains
    #[command(before_help = examples::NODE_STATUS)]
    Status,
    /// Change the passphrase of the store
    #[command(before_help = examples::NODE_PASSPHRASE)]
    Passphrase(PassphraseArgs),
    /// Change the PIN that approves
    #[command(before_help = examples::NODE_PIN)]
    Pin(PinArgs),
    /// Run the daemon as a service of the system
    #[command(before_help = examples::NODE_SERVICE, subcommand_required = true, arg_required_else_help = true)]
    Service {
        #[command(subcommand)]
        command: ServiceCommand,
    },
}

#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Name this member goes by on everybody's screen [default: this machine's name]
    #[arg(long, value_name = "NAME", value_parser = parse_name)]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct RunArgs {
    /// Where peers reach this member [default: any free UDP port]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where an invited member dials to pair [default: any free port of the same address]
    #[arg(long, value_name = "ADDR")]
    pub(crate) pairing: Option<SocketAddr>,
    /// Where the local API listens; 127.0.0.1 only [default: any free port]
    #[arg(long, value_name = "ADDR")]
    pub(crate) api: Option<SocketAddr>,
}

#[derive(Debug, Args)]
pub(crate) struct PassphraseArgs {
    /// Read the next passphrase from this file (mode 0600), or from `fd:N`
    #[arg(long, value_name = "F", value_parser = SecretSource::parse)]
    pub(crate) new_passphrase_file: Option<SecretSource>,
}

#[derive(Debug, Args)]
pub(crate) struct PinArgs {
    /// Read the next PIN from this file (mode 0600), or from `fd:N`
    #[arg(long, value_name = "F", value_parser = SecretSource::parse)]
    pub(crate) new_pin_file: Option<SecretSource>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum ServiceCommand {
    /// Write a hardened systemd unit
    #[command(before_help = examples::NODE_SERVICE)]
    Install(ServiceArgs),
}

#[derive(Debug, Args)]
pub(crate) struct ServiceArgs {
    /// Print the unit instead of writing it
    #[arg(long)]
    pub(crate) print: bool,
    /// Where peers reach this member
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
    /// Where an invited member dials to pair
    #[arg(long, value_name = "ADDR")]
    pub(crate) pairing: Option<SocketAddr>,
    /// System account to run as (root only) [default: the user who installs it]
    #[arg(long, value_name = "USER", value_parser = parse_name)]
    pub(crate) user: Option<String>,
    /// Write the unit to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) unit_file: Option<PathBuf>,
}
