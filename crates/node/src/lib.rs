//! The daemon: sockets, disk, the system's randomness and clock, chain RPC, the local API. It takes no decisions:
//! what a vault does is decided in `quorate_vault`, and carried out in order by `quorate_driver`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate carries out I/O"
)]

pub mod peers;
pub mod rpc;

mod chains;
mod error;
mod events;
mod keys;
mod making;
mod process;
mod record;
mod router;
mod shared;
mod shelf;
mod vaults;

pub use self::error::{MIN_PASSPHRASE_CHARS, MIN_PIN_CHARS, NodeError};
