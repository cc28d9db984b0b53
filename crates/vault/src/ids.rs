//! Names of things: 32-byte hashes that mean one thing each, and the author's clock.

use std::fmt;

use quorate_threshold::Transcript;
use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        pub struct $name(pub [u8; 32]);

        impl $name {
            /// The 32 bytes.
            pub fn as_bytes(&self) -> &[u8; 32] {
                &self.0
            }

            /// The first eight hexadecimal digits, for a person to read.
            pub fn short(&self) -> String {
                hex::encode(self.0).chars().take(8).collect()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex::encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.short())
            }
        }
    };
}

id! {
    /// A party for ever: the hash of its first identity key, so that the key itself can be rotated later.
    PartyId
}
id! {
    /// A vault: the hash of its first charter.
    VaultId
}
id! {
    /// A request: the hash of its author and its first entry.
    RequestId
}
id! {
    /// One protocol run: the hash of vault, request, attempt, quorum and 32 fresh bytes of the opener.
    SessionId
}

impl PartyId {
    /// The party whose first identity key (Ed25519, 32 bytes) this is.
    pub fn of_identity(identity: &[u8; 32]) -> Self {
        let mut t = Transcript::new("quorate/party/v1");
        t.append(identity);
        Self(t.finish())
    }
}

/// Names one [`Mutation`](crate::Mutation) until it is durable; counts up from 1 within one run of a vault.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Ticket(pub u64);

/// Milliseconds since 1970-01-01T00:00:00Z by the clock of whoever says it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Time(pub u64);

impl Time {
    /// This instant and `ms` milliseconds; saturates at the far end.
    #[must_use]
    pub fn plus_ms(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// Milliseconds from `earlier` to this instant; 0 if it lies later.
    pub fn since_ms(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}
