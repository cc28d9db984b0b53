//! Why a vault refuses what its person, its journal or its caller asks. What peers send is never an error here.

use thiserror::Error as ThisError;

use crate::charter::CharterError;
use crate::fold::{Denied, ProposeError};
use crate::ids::{PartyId, RequestId};

/// A refusal; nothing has changed.
#[derive(Debug, ThisError)]
#[non_exhaustive]
pub enum Error {
    /// The charter breaks a rule.
    #[error(transparent)]
    Charter(#[from] CharterError),
    /// The party or its key is not in the charter.
    #[error(
        "this member's identity is not the one in the charter; start the vault with the right one"
    )]
    NotAMember,
    /// The six words are others.
    #[error(
        "the words differ from this roster's; somebody sees another roster, so confirm nothing and pair again"
    )]
    WordsDiffer,
    /// This member's own log was put back from an earlier copy.
    #[error(
        "this member was put back to an earlier copy and signs nothing: the others hold newer entries of its own log; \
         start it from the newest copy of its folder"
    )]
    RolledBack,
    /// Since the start nobody has said yet whether more of the own log exists than is held here.
    #[error(
        "this member has just started and does not know yet whether the others hold newer entries of its own log; \
         bring {needed} of these online and try again: {missing}"
    )]
    CatchingUp {
        /// How many of them are enough.
        needed: usize,
        /// Their names.
        missing: String,
    },
    /// The fold's judgement.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The proposal is no request.
    #[error(transparent)]
    Propose(#[from] ProposeError),
    /// The same idempotency key stands for something else.
    #[error(
        "the idempotency key was used by request {0}, which says something else; use a new key"
    )]
    IdempotencyKey(RequestId),
    /// Too many bytes of words.
    #[error("{what} has {bytes} bytes, at most {limit} are allowed; shorten it")]
    TooLong {
        /// The note or the reason.
        what: &'static str,
        /// Found.
        bytes: usize,
        /// Allowed.
        limit: usize,
    },
    /// Too many of its own requests wait.
    #[error(
        "{open} of this member's requests are open, which is the limit; let some finish or cancel them"
    )]
    TooManyOpen {
        /// How many.
        open: usize,
    },
    /// The approved bounds leave nothing to raise.
    #[error(
        "the fees of request {0} are at the bounds that were approved; cancel nothing, ask for a new request with higher ones"
    )]
    NoRoom(RequestId),
    /// What the journal kept is not what this vault wrote.
    #[error(
        "the stored {what} is damaged: {why}; start this member from a good copy of its folder"
    )]
    Damaged {
        /// What.
        what: String,
        /// In words.
        why: String,
    },
    /// The journal has entries of a stranger.
    #[error("the journal holds a log of {0:?}, who is not a member; it belongs to another vault")]
    ForeignLog(PartyId),
    /// No log grows for ever.
    #[error("this member's log of the vault is full; move the money to a new vault")]
    LogFull,
    /// The own log refused an entry.
    #[error(transparent)]
    Log(#[from] quorate_log::Error),
}
