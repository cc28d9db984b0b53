//! The daemon: sockets, disk, the system's randomness and clock, chain RPC, the local API. It takes no decisions:
//! what a vault does is decided in `quorate_vault`, and carried out in order by `quorate_driver`.
//!
//! - [`init`] makes a member, [`run`] is the daemon, [`start`] one inside another process;
//! - [`peers`]: the channels to other members; [`rpc`]: what the chains say;
//! - `making`: vaults until their roster is complete; `vaults`: each on a thread of its own from then on;
//! - `api`: the local API; `keys`: the member's own keys; `daemon`: all of it put together.
//!
//! **Invariant:** who sent a message is what the channel proved, never what the message says.
//!
//! **Invariant:** the credential key that approves is open only between a right PIN and one signature.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate carries out I/O"
)]

pub mod peers;
pub mod rpc;

mod api;
mod chains;
mod daemon;
mod error;
mod events;
mod init;
mod keys;
mod making;
mod process;
mod record;
mod router;
mod run;
mod shared;
mod shelf;
mod vaults;

pub use self::error::NodeError;
pub use self::init::{InitOptions, InitReport, change_passphrase, init};
pub use self::run::{LOG_VARIABLE, RunOptions, Running, run, start};
