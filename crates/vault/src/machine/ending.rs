//! How sessions end without a signature: somebody is out, nobody answers, or this member was restarted or put back.
//!
//! Whose fault it was is often not to be known: a member that is silent to one signer makes an honest one look silent to
//! the others. So a session that came to nothing is a *strike* against every other member of its quorum, and a second
//! one against who was seen to be out. Who has fewest strikes is asked first. A member that sabotages every session it is
//! in gathers a strike with each; no honest one is in all of them, since those without the saboteur succeed. So after a
//! few sessions an honest quorum is asked, whichever it is.

use super::Vault;
use super::interrupted::RESTARTED;
use super::sessions::{Live, Stage};
use crate::entry::{Entry, SessionResult};
use crate::ids::{PartyId, SessionId};
use crate::message::{Decline, Message};

/// How long a session goes on without any message that helps.
const PROGRESS_MS: u64 = 15_000;

/// Whose fault it is that a session came to nothing, as far as can be known.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// It was silent, went away, or sent what fails a check.
    Of(PartyId),
    /// It declined, with a reason of its own.
    Declined(PartyId),
    /// Somebody was in another session.
    Busy,
    /// Nobody knows.
    Unclear,
}

impl Fault {
    fn out(self) -> Option<PartyId> {
        match self {
            Self::Of(party) | Self::Declined(party) => Some(party),
            Self::Busy | Self::Unclear => None,
        }
    }

    /// Whose proposals have to wait. Declining costs nobody a record but the opener, and being declined would otherwise
    /// hold two honest members off each other for ever.
    fn pauses(self, opener: PartyId) -> Option<PartyId> {
        match self {
            Self::Of(party) => Some(party),
            Self::Unclear => Some(opener),
            Self::Declined(_) | Self::Busy => None,
        }
    }
}

impl Vault {
    /// Ends a session without a signature. Somebody else of the quorum may hold one: the slot excludes a second payment.
    pub(super) fn fail(&mut self, id: SessionId, reason: String) {
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

    /// Ends a session that came to nothing: a strike against everybody in it, and one more against who was out.
    pub(super) fn fail_by(&mut self, id: SessionId, whose: Fault, reason: String) {
        let now = self.now;
        if let Some(live) = self.sessions.live.get(&id) {
            let out = whose.out();
            let paused = whose.pauses(live.record.opener);
            for party in &live.record.quorum {
                if let Some(peer) = self.peers.get_mut(party) {
                    peer.strike(1 + u32::from(out == Some(*party)), now);
                    if paused == Some(*party) {
                        peer.pause(now);
                    }
                }
            }
        }
        self.fail(id, reason);
    }

    /// A channel is gone: sessions with that member come to nothing, and others wait for their slots.
    pub(super) fn end_sessions_with(&mut self, party: PartyId) {
        let with_it =
            |(id, live): (&SessionId, &Live)| live.record.quorum.contains(&party).then_some(*id);
        let ended: Vec<_> = self.sessions.live.iter().filter_map(with_it).collect();
        let name = self.charter.name_of(&party);
        for id in ended {
            self.fail_by(
                id,
                Fault::Of(party),
                format!("the connection to {name} was lost"),
            );
        }
    }

    /// A member of the quorum is out, so the session can come to nothing here.
    pub(super) fn on_decline(&mut self, from: PartyId, id: SessionId, reason: &Decline) {
        let in_quorum = |live: &Live| live.record.quorum.contains(&from);
        if !self.sessions.live.get(&id).is_some_and(in_quorum) {
            return;
        }
        let name = self.charter.name_of(&from);
        let (whose, why) = match reason {
            Decline::NotAllowed(why) => (
                Fault::Declined(from),
                format!("{name} does not allow it: {}", cut(why)),
            ),
            Decline::Busy => (
                Fault::Busy,
                format!("{name} is in another session for this slot"),
            ),
            Decline::Banned(party) => {
                let other = self.charter.name_of(party);
                let why = format!("{name} does not sign with {other}");
                if *party != from && self.is_in_quorum(id, party) {
                    self.openings.incompatible.insert((from, *party));
                    return self.fail(id, why);
                }
                (Fault::Of(from), why)
            }
            Decline::CatchingUp => (
                Fault::Declined(from),
                format!("{name} has not caught up since its start"),
            ),
            Decline::Mismatch(why) => (
                Fault::Declined(from),
                format!("{name} finds the final bytes wrong: {}", cut(why)),
            ),
            Decline::Ended(why) => (Fault::Unclear, format!("it ended for {name}: {}", cut(why))),
        };
        // Who opens a session and then declines it costs the others a record.
        let own = self.sessions.live.get(&id).map(|live| live.record.opener) == Some(from);
        let backs_out = own && !matches!(reason, Decline::Ended(_));
        self.fail_by(id, if backs_out { Fault::Of(from) } else { whose }, why);
    }

    fn is_in_quorum(&self, id: SessionId, party: &PartyId) -> bool {
        let live = self.sessions.live.get(&id);
        live.is_some_and(|live| live.record.quorum.contains(party))
    }

    /// Ends sessions that nobody helps on, and forgets envelopes of sessions that never began.
    pub(super) fn end_stale_sessions(&mut self) {
        let now = self.now;
        self.sessions.forget_early(now);
        let running = |(id, live): (&SessionId, &Live)| match &live.stage {
            Stage::Running(running) => Some((*id, running.progress, running.session.waiting_for())),
            Stage::Recording(_) => None,
        };
        let running: Vec<_> = self.sessions.live.iter().filter_map(running).collect();
        for (id, progress, silent) in running {
            let deadline = progress.plus_ms(PROGRESS_MS);
            if now < deadline {
                self.wake_by(deadline);
                continue;
            }
            let whose = self.silence(id);
            let names = self.names(silent);
            self.fail_by(id, whose, format!("nothing came from {names}"));
        }
    }

    /// Whose fault it is that nothing came: one who is silent here may wait for a third who is not.
    fn silence(&self, id: SessionId) -> Fault {
        let quorum = self.sessions.live.get(&id).map(|live| &live.record.quorum);
        let mut others = quorum.into_iter().flatten().filter(|p| **p != self.me);
        match (others.next(), others.next()) {
            (Some(only), None) => Fault::Of(*only),
            _ => Fault::Unclear,
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
