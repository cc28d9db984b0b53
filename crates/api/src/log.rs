//! The members' logs.

use serde::{Deserialize, Serialize};

/// Query of `GET /v1/vault/{vault}/log`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct LogQuery {
    /// Only this member's log: name or party id.
    pub author: Option<String>,
    /// Only entries at and after this position; with several authors, of each.
    pub from: Option<u64>,
    /// Only entries about this request (prefix of its id).
    pub request: Option<String>,
    /// At most so many entries, the newest; default 100.
    pub limit: Option<u32>,
}

/// Logs and entries, as this member has them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogPage {
    /// One head a member.
    pub heads: Vec<LogHeadView>,
    /// Entries, by time then author then position.
    pub entries: Vec<LogEntryView>,
}

/// How far one member's log has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHeadView {
    /// Member's name.
    pub author: String,
    /// Party id, hex.
    pub party: String,
    /// Entries.
    pub size: u64,
    /// Merkle root (RFC 6962), hex.
    pub root: String,
    /// Who cosigned its checkpoints.
    pub cosigned: Vec<CosignatureView>,
}

/// A member's word that it has seen another's log so far.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CosignatureView {
    /// Member that cosigned.
    pub member: String,
    /// Entries under the newest checkpoint it cosigned.
    pub size: u64,
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEntryView {
    /// Member's name.
    pub author: String,
    /// 0-based position in that member's log.
    pub position: u64,
    /// When, by that member's clock.
    pub at_ms: u64,
    /// What it is: `request`, `approval`, `session`, `outcome`, `receipt`, `act`, ...
    pub kind: String,
    /// One sentence.
    pub summary: String,
    /// Request it is about.
    pub request: Option<String>,
    /// Leaf hash (RFC 6962), hex.
    pub leaf: String,
}
