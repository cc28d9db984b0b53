//! Deterministic cluster with fault injection.
//!
//! A [`World`] runs the real `driver` around the real vaults of all members, in one thread and in simulated time. One
//! seed decides everything: who dies at which commit, which messages vanish or come twice, when the network parts, whose
//! clock jumps or stands, what the chain forgets and lies about. [`Watch`] holds what was promised; a failure prints its seed.
//!
//! [`stub`] stands in for the threshold protocols with the same message shape, so that thousands of seeds are cheap.

pub mod cast;
pub mod chain;
mod clock;
pub mod disk;
pub mod net;
mod once;
pub mod person;
pub mod plan;
mod seat;
pub mod stub;
pub mod trace;
pub mod watch;
pub mod world;

pub use self::cast::Cast;
pub use self::chain::ChainFaults;
pub use self::disk::Death;
pub use self::net::NetFaults;
pub use self::watch::Watch;
pub use self::world::{Plan, World};
