//! What is known of another member at present. Nothing of it is durable.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{PartyId, Time};

/// How long a member that was silent or declined is asked last.
pub(super) const PENALTY_MS: u64 = 30_000;
/// How long entries under way to a member are not sent again.
pub(super) const RESEND_MS: u64 = 2_000;

/// How soon a member is shown a whole log again.
const WHOLE_EVERY_MS: u64 = 60_000;
/// How long the next session of a member whose session came to nothing is not entered; doubles with each. Shorter
/// than an honest opener's own pause.
const FIRST_OPENER_PAUSE_MS: u64 = 200;
const MAX_OPENER_PAUSE_MS: u64 = 10_000;

/// One other member, as seen since this vault's start.
#[derive(Default)]
pub(super) struct Peer {
    /// The channel stands.
    pub(super) connected: bool,
    /// Its heads arrived over the channel that stands.
    pub(super) heard: bool,
    /// The last time anything arrived.
    pub(super) last_heard: Option<Time>,
    /// It reported no more of this member's own log than is held here, in this run.
    pub(super) caught_up: bool,
    /// How much it holds of each log, as it said itself or confirmed by extending us.
    pub(super) holds: BTreeMap<PartyId, u64>,
    /// How far each log was sent, and when.
    pub(super) sent: BTreeMap<PartyId, (u64, Time)>,
    /// When heads were last sent to it.
    pub(super) heads_sent: Option<Time>,
    /// When it was last shown a log from the beginning.
    shown_whole: BTreeMap<PartyId, Time>,
    /// Logs that it was asked for from the beginning, over this channel.
    pub(super) asked_whole: BTreeSet<PartyId>,
    /// Asked last until then.
    pub(super) penalised_until: Time,
    /// Sessions that it opened and that came to nothing, since one came to something.
    failed_opens: u32,
    /// No session of its opening is entered before: each one costs a durable record here.
    pub(super) opens_not_before: Time,
}

impl Peer {
    /// The channel stands anew: what was under way is lost.
    pub(super) fn connect(&mut self) {
        self.connected = true;
        self.forget_channel();
    }

    /// The channel is gone.
    pub(super) fn disconnect(&mut self) {
        self.connected = false;
        self.forget_channel();
    }

    fn forget_channel(&mut self) {
        self.heard = false;
        self.sent.clear();
        self.heads_sent = None;
        self.asked_whole.clear();
    }

    /// Whether it may be shown a whole log now, which is much to send; counts as shown from then on.
    pub(super) fn may_see_whole(&mut self, author: PartyId, now: Time) -> bool {
        let shown = self.shown_whole.get(&author);
        let may = shown.is_none_or(|at| now.since_ms(*at) >= WHOLE_EVERY_MS);
        if may {
            self.shown_whole.insert(author, now);
        }
        may
    }

    /// A session that it opened has ended.
    pub(super) fn opened(&mut self, signed: bool, now: Time) {
        self.failed_opens = if signed {
            0
        } else {
            self.failed_opens.saturating_add(1)
        };
        if !signed {
            let pause = FIRST_OPENER_PAUSE_MS << (self.failed_opens - 1).min(16);
            self.opens_not_before = now.plus_ms(pause.min(MAX_OPENER_PAUSE_MS));
        }
    }

    /// Whether it can take part in a session now.
    pub(super) fn is_ready(&self) -> bool {
        self.connected && self.heard && self.caught_up
    }

    /// From where on it lacks entries of `author`'s log, counting what is under way.
    pub(super) fn lacks_from(&self, author: &PartyId, now: Time) -> u64 {
        let holds = self.holds.get(author).copied().unwrap_or(0);
        match self.sent.get(author) {
            Some((upto, at)) if now.since_ms(*at) < RESEND_MS => holds.max(*upto),
            _ => holds,
        }
    }

    /// Whether `t` has come for another report of what we hold.
    pub(super) fn heads_due(&self, now: Time, every_ms: u64) -> bool {
        self.heads_sent
            .is_none_or(|at| now.since_ms(at) >= every_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::{MAX_OPENER_PAUSE_MS, Peer, RESEND_MS};
    use crate::ids::{PartyId, Time};

    const AUTHOR: PartyId = PartyId([1; 32]);

    #[test]
    fn entries_under_way_are_not_sent_again_until_they_are_overdue() {
        let mut peer = Peer::default();
        peer.holds.insert(AUTHOR, 3);
        peer.sent.insert(AUTHOR, (10, Time(1_000)));
        assert_eq!(peer.lacks_from(&AUTHOR, Time(1_000)), 10);
        assert_eq!(peer.lacks_from(&AUTHOR, Time(1_000 + RESEND_MS)), 3);
    }

    #[test]
    fn a_new_channel_starts_from_what_the_peer_says() {
        let mut peer = Peer {
            heard: true,
            caught_up: true,
            ..Peer::default()
        };
        peer.sent.insert(AUTHOR, (10, Time(1_000)));
        peer.connect();
        assert!(!peer.is_ready());
        assert_eq!(peer.lacks_from(&AUTHOR, Time(1_000)), 0);
        peer.heard = true;
        assert!(peer.is_ready());
    }

    #[test]
    fn an_opener_waits_longer_each_time_and_not_for_ever() {
        let mut peer = Peer::default();
        let mut waits = Vec::new();
        for _ in 0..70 {
            peer.opened(false, Time(0));
            waits.push(peer.opens_not_before.0);
        }
        assert_eq!(waits.get(..3), Some([200, 400, 800].as_slice()));
        assert_eq!(waits.last(), Some(&MAX_OPENER_PAUSE_MS));
        peer.opened(true, Time(0));
        peer.opened(false, Time(0));
        assert_eq!(peer.opens_not_before, Time(200));
    }
}
