//! The signing sessions of this run: in memory only, moved by value, gone with the process.

use std::collections::BTreeMap;

use quorate_chain::Signable;
use quorate_threshold::{EcdsaSignature, Session};

use crate::entry::SessionRecord;
use crate::fold::SlotKey;
use crate::ids::{PartyId, SessionId, Time};
use crate::message::Open;

/// Most envelopes of one member kept for sessions that have not begun here.
const MAX_EARLY: usize = 8;
/// How long they are kept.
const EARLY_MS: u64 = 15_000;

/// The sessions of this run.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) live: BTreeMap<SessionId, Live>,
    pub(super) early: Vec<Early>,
    /// What an earlier run left open has been closed in this one.
    pub(super) left_open_closed: bool,
}

/// A session that this member entered and that has not ended.
pub(super) struct Live {
    pub(super) record: SessionRecord,
    pub(super) signable: Signable,
    pub(super) slot: SlotKey,
    pub(super) stage: Stage,
}

/// How far a live session is.
pub(super) enum Stage {
    /// The record is on the way to disk; the opener keeps its proposal until then.
    Recording(Option<Box<Open>>),
    /// Messages go to and fro.
    Running(Running),
}

/// A session whose messages go to and fro.
pub(super) struct Running {
    pub(super) session: Box<dyn Session<EcdsaSignature>>,
    pub(super) progress: Time,
}

/// An envelope of a session that has not begun here.
pub(super) struct Early {
    pub(super) from: PartyId,
    pub(super) session: SessionId,
    pub(super) bytes: Vec<u8>,
    pub(super) at: Time,
}

impl Sessions {
    /// Forgets envelopes of sessions that never began.
    pub(super) fn forget_early(&mut self, now: Time) {
        self.early.retain(|early| now.since_ms(early.at) < EARLY_MS);
    }

    /// Whether a session runs for this slot.
    pub(super) fn occupies(&self, slot: &SlotKey) -> bool {
        self.live.values().any(|live| live.slot == *slot)
    }

    /// Whether this session was entered in this run and goes on.
    pub(super) fn is_live(&self, session: &SessionId) -> bool {
        self.live.contains_key(session)
    }

    /// Keeps an envelope for a session that has not begun here, a few a member.
    pub(super) fn keep_early(&mut self, early: Early) {
        let from_same = self
            .early
            .iter()
            .filter(|other| other.from == early.from)
            .count();
        if from_same < MAX_EARLY {
            self.early.push(early);
        }
    }

    /// What was kept for a session.
    pub(super) fn take_early(&mut self, session: &SessionId) -> Vec<Early> {
        let (of_it, rest) = std::mem::take(&mut self.early)
            .into_iter()
            .partition(|early| early.session == *session);
        self.early = rest;
        of_it
    }
}
