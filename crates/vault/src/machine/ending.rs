//! How sessions end without a signature: somebody is out, nobody answers, or this member was restarted or put back.

use quorate_threshold::PartyIndex;

use super::Vault;
use super::interrupted::RESTARTED;
use super::sessions::{Live, Stage};
use crate::entry::{Entry, SessionResult};
use crate::ids::{PartyId, SessionId, Time};
use crate::message::{Decline, Message};

/// How long a session goes on without any message that helps.
const PROGRESS_MS: u64 = 15_000;

impl Vault {
    /// Remembers how a session that somebody opened went, to slow down who opens for nothing.
    pub(super) fn settle_with_opener(&mut self, id: SessionId, signed: bool) {
        let opener = self.sessions.live.get(&id).map(|live| live.record.opener);
        if let Some(peer) = opener.and_then(|party| self.peers.get_mut(&party)) {
            peer.opened(signed, self.now);
        }
    }

    /// Ends a session without a signature. Somebody else of the quorum may hold one: the slot excludes a second payment.
    pub(super) fn fail(&mut self, id: SessionId, reason: String) {
        self.settle_with_opener(id, false);
        let Some(live) = self.sessions.live.remove(&id) else {
            return;
        };
        let ended = Message::Decline {
            session: id,
            reason: Decline::Ended(reason.clone()),
        };
        self.tell_quorum(&live.record.quorum, &ended);
        self.append_unasked(Entry::SessionOutcome {
            session: id,
            result: SessionResult::Failed { reason },
        });
        self.sessions.take_early(&id);
        self.stirred = true;
    }

    /// A member of the quorum is out, so the session can come to nothing here.
    pub(super) fn on_decline(&mut self, from: PartyId, id: SessionId, reason: &Decline) {
        let in_quorum = |live: &Live| live.record.quorum.contains(&from);
        if !self.sessions.live.get(&id).is_some_and(in_quorum) {
            return;
        }
        let name = self.charter.name_of(&from);
        let why = match reason {
            Decline::NotAllowed(why) => {
                self.penalise(from);
                format!("{name} does not allow it: {}", cut(why))
            }
            Decline::Busy => format!("{name} is in another session for this slot"),
            Decline::Banned(party) => {
                self.openings.incompatible.insert((from, *party));
                format!("{name} does not sign with {}", self.charter.name_of(party))
            }
            Decline::CatchingUp => {
                self.penalise(from);
                format!("{name} has not caught up since its start")
            }
            Decline::Mismatch(why) => {
                self.penalise(from);
                format!("{name} finds the final bytes wrong: {}", cut(why))
            }
            Decline::Ended(why) => format!("it ended for {name}: {}", cut(why)),
        };
        self.fail(id, why);
    }

    /// Ends sessions that nobody helps on, and forgets envelopes of sessions that never began.
    pub(super) fn end_stale_sessions(&mut self) {
        let now = self.now;
        self.sessions.forget_early(now);
        let running: Vec<(SessionId, Time, Vec<PartyIndex>)> = self
            .sessions
            .live
            .iter()
            .filter_map(|(id, live)| match &live.stage {
                Stage::Running(running) => {
                    Some((*id, running.progress, running.session.waiting_for()))
                }
                Stage::Recording(_) => None,
            })
            .collect();
        for (id, progress, silent) in running {
            let deadline = progress.plus_ms(PROGRESS_MS);
            if now < deadline {
                self.wake_by(deadline);
                continue;
            }
            for party in silent
                .iter()
                .filter_map(|index| self.charter.member_at(*index).map(|m| m.party))
                .collect::<Vec<_>>()
            {
                self.penalise(party);
            }
            let names = self.names(silent);
            self.fail(id, format!("nothing came from {names}"));
        }
    }

    /// A member that was put back signs nothing: what runs ends here.
    pub(super) fn end_all_if_rolled_back(&mut self) {
        if self.rolled_back {
            let live: Vec<_> = self.sessions.live.keys().copied().collect();
            live.into_iter().for_each(|id| {
                self.fail(id, "this member was put back to an earlier copy".to_owned())
            });
        }
    }

    /// Closes sessions that an earlier run of this member left open.
    pub(super) fn close_left_open(&mut self) {
        if self.sessions.left_open_closed || !self.may_append_unasked() {
            return;
        }
        self.sessions.left_open_closed = true;
        let open: Vec<_> = self
            .state
            .unfinished_sessions(&self.me)
            .into_iter()
            .filter(|id| !self.sessions.is_live(id))
            .collect();
        for session in open {
            let result = SessionResult::Failed {
                reason: RESTARTED.to_owned(),
            };
            self.append_unasked(Entry::SessionOutcome { session, result });
        }
    }

    pub(super) fn penalise(&mut self, party: PartyId) {
        let until = self.now.plus_ms(super::peer::PENALTY_MS);
        if let Some(peer) = self.peers.get_mut(&party) {
            peer.penalised_until = until;
        }
    }
}

/// Words of another member, short enough for a log entry.
fn cut(words: &str) -> String {
    const MAX_CHARS: usize = 120;
    words
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_CHARS)
        .collect()
}
