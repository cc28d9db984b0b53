//! The daemon: sockets, disk, the system's randomness and clock, chain RPC, the local API. It takes no decisions:
//! what a vault does is decided in `quorate_vault`, and carried out in order by `quorate_driver`.

#![allow(
    clippy::disallowed_methods,
    clippy::disallowed_types,
    reason = "this crate carries out I/O"
)]

pub mod peers;
pub mod rpc;

mod process;
mod record;
mod shared;
