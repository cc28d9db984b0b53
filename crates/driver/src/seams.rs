//! The four things a vault touches the world through.

use quorate_vault::io::{ChainId, Query};
use quorate_vault::{Message, Mutation, PartyId, Time};

/// One thing to make durable.
pub enum Write {
    /// The next entry of the vault's own log.
    Append {
        /// Position in the own log; rises by one from entry to entry.
        position: u64,
        /// The encoded entry.
        entry: Vec<u8>,
    },
    /// Anything else.
    Mutate(Mutation),
}

impl std::fmt::Debug for Write {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Append { position, .. } => write!(f, "Append({position})"),
            Self::Mutate(mutation) => write!(f, "Mutate({mutation:?})"),
        }
    }
}

/// What keeps things.
pub trait Journal {
    /// Why nothing could be kept.
    type Error: std::error::Error;

    /// Makes all of `writes` durable, in this order, or none of them; they are durable when this returns `Ok`.
    ///
    /// # Errors
    /// After an error the driver stops for good, because its vault knows more than the journal does.
    fn commit(&mut self, writes: Vec<Write>) -> Result<(), Self::Error>;
}

/// The channels to the other members.
pub trait Peers {
    /// Hands a message to the channel to `to`. It may be lost; the vault says again what must arrive.
    fn send(&mut self, to: PartyId, message: Message);
}

/// The time.
pub trait Clock {
    /// Now, by this machine's clock.
    fn now(&self) -> Time;

    /// What has passed since some moment before the vault's start, milliseconds; never goes back, whatever happens to
    /// [`Clock::now`].
    fn uptime_ms(&self) -> u64;
}

/// The chains; what they answer comes back as [`Input::Observed`](quorate_vault::Input).
pub trait Chain {
    /// Asks something. An answer may never come; the vault asks again.
    fn ask(&mut self, query: Query);
    /// Hands over a signed transaction.
    fn broadcast(&mut self, chain: ChainId, raw: Vec<u8>, hash: [u8; 32]);
}
