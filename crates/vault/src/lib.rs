//! Charter, policy, requests, approvals, sessions, succession: decides everything, does nothing.
//!
//! A [`Vault`] is one member's view of one vault. It takes [`Input`]s, holds the members' logs, folds them into a
//! [`State`], and answers with [`Output`]s that somebody else (the crate `driver`) carries out. It owns no socket,
//! no file, no clock and no randomness.
//!
//! Where things are:
//!
//! - [`charter`]: the vault's constitution and its fingerprint in six words;
//! - [`entry`]: what a log says; [`message`]: what members say to each other;
//! - [`io`]: the seam (`Input`, `Output`, `Mutation`, `Query`, `ChainFact`);
//! - [`fold`]: logs to [`State`]: requests, approvals, slots, acts;
//! - [`machine`]: [`Vault`] itself: replication, keygen as act 0, signing sessions, the chain's answers;
//! - [`audit`]: judges a bundle of logs as an outsider.
//!
//! Marked places for what comes later: a charter's `rule` grows into the policy language ([`charter::Rule`]);
//! acts after act 0 are further [`entry::Entry`] kinds decided by the same log; guardians and observers are
//! further [`charter::Role`]s.

pub mod audit;
pub mod charter;
pub mod entry;
pub mod fold;
pub mod ids;
pub mod io;
pub mod machine;
pub mod message;

mod codec;
#[cfg(test)]
mod golden;
#[cfg(test)]
mod testing;

pub use self::charter::{Charter, Member};
pub use self::codec::CodecError;
pub use self::entry::Entry;
pub use self::fold::State;
pub use self::ids::{PartyId, RequestId, SessionId, Ticket, Time, VaultId};
pub use self::io::{ChainFact, Command, Input, Mutation, Outcome, Output, Query, Snapshot};
pub use self::machine::Vault;
pub use self::message::Message;
