//! What members say to each other. Everything that must last is a log entry and travels as [`Message::Entries`].

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::codec::{self, CodecError};
use crate::entry::Purpose;
use crate::ids::{PartyId, RequestId, SessionId};

/// Longest encoded message, bytes: what a frame of 1 MiB has room for. A full batch of log entries
/// ([`quorate_log::MAX_BATCH_BYTES`]) with their lengths and the signed note stays below.
pub const MAX_MESSAGE_BYTES: usize = 1024 * 1024 - 64;

/// How much of one log somebody holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// Whose log.
    pub author: PartyId,
    /// Which incarnation of it; 0 until a proven rollback opens another.
    pub incarnation: u32,
    /// How many entries.
    pub size: u64,
    /// RFC 6962 root over them, so that two members who hold different branches notice.
    pub root: [u8; 32],
}

/// One message between two members of one vault.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Message {
    /// What the sender holds of every member's log. Sent at connection, after growth, and every second.
    Heads {
        /// One a log.
        heads: Vec<Head>,
    },
    /// Asks for a whole log from position 0: entries that arrived contradict those held, and only all of them show
    /// who signed what. Answered at most once a minute.
    AskLog {
        /// Whose log.
        author: PartyId,
    },
    /// Consecutive entries of one log, with the author's checkpoint over all up to their end.
    Entries {
        /// Whose log.
        author: PartyId,
        /// Which incarnation.
        incarnation: u32,
        /// Position of the first.
        from: u64,
        /// Encoded [`Logged`](crate::entry::Logged) values.
        entries: Vec<Vec<u8>>,
        /// The signed checkpoint (C2SP signed note) of size `from + entries.len()`.
        note: String,
    },
    /// A keygen envelope of one attempt.
    Keygen {
        /// The attempt.
        attempt: u32,
        /// `threshold`'s signed envelope.
        bytes: Vec<u8>,
    },
    /// The opener proposes a session and its final bytes.
    Open(Box<Open>),
    /// The asked member does not enter the session.
    Decline {
        /// Which.
        session: SessionId,
        /// Why, for people and for the opener's next choice.
        reason: Decline,
    },
    /// A signing envelope.
    Sign {
        /// Which session.
        session: SessionId,
        /// `threshold`'s signed envelope.
        bytes: Vec<u8>,
    },
}

impl Message {
    /// What kind of message it is, in a word: for traces and logs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Heads { .. } => "heads",
            Self::Entries { .. } => "entries",
            Self::AskLog { .. } => "ask log",
            Self::Keygen { .. } => "keygen",
            Self::Open(_) => "open",
            Self::Decline { .. } => "decline",
            Self::Sign { .. } => "sign",
        }
    }

    /// The one encoding: a version byte and postcard.
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// The message whose one encoding this is.
    ///
    /// # Errors
    /// [`CodecError`]: longer than [`MAX_MESSAGE_BYTES`], of another version, malformed, or with trailing bytes.
    pub fn decode(bytes: &[u8]) -> Result<Self, CodecError> {
        codec::decode(bytes, MAX_MESSAGE_BYTES)
    }
}

impl fmt::Debug for Message {
    /// Kinds, places and sizes: envelopes can hold secrets, and entries are the members' own affair.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Heads { heads } => write!(f, "Heads({})", heads.len()),
            Self::AskLog { author } => write!(f, "AskLog({author:?})"),
            Self::Entries {
                author,
                from,
                entries,
                ..
            } => write!(f, "Entries({author:?} from {from}: {})", entries.len()),
            Self::Keygen { attempt, bytes } => {
                write!(f, "Keygen({attempt}: {} bytes)", bytes.len())
            }
            Self::Open(open) => write!(f, "Open({:?})", open.session),
            Self::Decline { session, reason } => write!(f, "Decline({session:?}: {reason:?})"),
            Self::Sign { session, bytes } => {
                write!(f, "Sign({session:?}: {} bytes)", bytes.len())
            }
        }
    }
}

/// A proposed session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Open {
    /// Hash over all that follows; every member recomputes it.
    pub session: SessionId,
    /// 32 fresh bytes of the opener.
    pub nonce: [u8; 32],
    /// The request whose approvals carry it.
    pub request: RequestId,
    /// What it signs.
    pub purpose: Purpose,
    /// Counts up from 1.
    pub attempt: u32,
    /// Who signs, in committee order; contains opener and receiver.
    pub quorum: Vec<PartyId>,
    /// The final bytes.
    pub unsigned: Vec<u8>,
}

/// Why a member does not enter a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Decline {
    /// My own log fold does not allow it (yet).
    NotAllowed(String),
    /// I am in another session for the same slot.
    Busy,
    /// I have banned one of the quorum.
    Banned(PartyId),
    /// I have not caught up since I started.
    CatchingUp,
    /// The final bytes are not within the approved intent.
    Mismatch(String),
    /// The session was entered and is over for the sender, without a signature.
    Ended(String),
}

#[cfg(test)]
mod tests;
