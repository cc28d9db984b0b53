//! What happens, as it happens.

use serde::{Deserialize, Serialize};

/// Query of `GET /v1/events`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct EventQuery {
    /// Events after this number; without it only the present number is answered, at once.
    pub since: Option<u64>,
    /// Only this vault's.
    pub vault: Option<String>,
    /// Answer at the latest after this many milliseconds, at most [`crate::MAX_WAIT_MS`].
    pub timeout_ms: Option<u64>,
}

/// Events, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventPage {
    /// What to ask for as `since` next.
    pub next: u64,
    /// True when events after `since` were forgotten: look at the state itself, too.
    pub gap: bool,
    /// The events.
    pub events: Vec<EventView>,
}

/// One event. Events are kept in memory only; their numbers start anew with the daemon.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventView {
    /// Number; rises by one.
    pub seq: u64,
    /// When, by this daemon's clock.
    pub at_ms: u64,
    /// What.
    pub kind: EventKind,
    /// Vault it is about.
    pub vault: Option<String>,
    /// Request it is about.
    pub request: Option<String>,
    /// One sentence.
    pub summary: String,
}

/// What an [`EventView`] tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventKind {
    /// A vault entered another phase.
    VaultPhase,
    /// A member came online.
    MemberOnline,
    /// A member went offline.
    MemberOffline,
    /// A request is new here.
    Requested,
    /// A member approved.
    Approved,
    /// A member rejected.
    Rejected,
    /// A requester took a request back.
    Cancelled,
    /// A request's time is over.
    Expired,
    /// A session began.
    SessionStarted,
    /// A session ended without a signature.
    SessionAborted,
    /// A request is signed.
    Signed,
    /// An endpoint took a transaction.
    Broadcast,
    /// A transaction is in a block.
    Mined,
    /// A transaction was reverted.
    Failed,
    /// A chain's endpoint came back or went away.
    Chain,
    /// Evidence against a member.
    Fault,
    /// One that this program does not know yet.
    #[serde(other)]
    Other,
}
