//! What is known of another member at present. Nothing of it is durable.

use std::collections::{BTreeMap, BTreeSet};

use crate::ids::{PartyId, Time};

/// How long entries under way to a member are not sent again.
pub(super) const RESEND_MS: u64 = 2_000;

/// How soon a member is shown a whole log again.
const WHOLE_EVERY_MS: u64 = 60_000;
/// How long sessions that a member opens are not entered after the first that it made fail; doubles with each. Always
/// longer than an honest opener's own pause after as many failures, so that the honest ones come first.
const FIRST_PAUSE_MS: u64 = 700;
const MAX_PAUSE_MS: u64 = 30_000;
/// How long it takes until one failure is forgotten.
const FORGOTTEN_MS: u64 = 300_000;
/// Most failures that are remembered.
const MAX_TALLY: u32 = 16;

/// A count that time takes back, one by one.
#[derive(Clone, Copy, Default)]
struct Tally {
    count: u32,
    at: Time,
}

impl Tally {
    fn add(&mut self, n: u32, now: Time) {
        self.count = self.of_late(now).saturating_add(n).min(MAX_TALLY);
        self.at = now;
    }

    fn of_late(&self, now: Time) -> u32 {
        let forgotten = now.since_ms(self.at) / FORGOTTEN_MS;
        self.count
            .saturating_sub(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }

    fn halve(&mut self, now: Time) {
        self.count = self.of_late(now) / 2;
    }
}

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
    /// It did once in this run; whatever it says later, this run has added to the right log.
    pub(super) was_caught_up: bool,
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
    /// Sessions with it that came to nothing: who has most is asked last.
    strikes: Tally,
    /// Sessions that it made fail, as far as is known: what it opens has to wait.
    wasted: Tally,
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

    /// A session with it came to nothing.
    pub(super) fn strike(&mut self, weight: u32, now: Time) {
        self.strikes.add(weight, now);
    }

    /// A session came to nothing because of it.
    pub(super) fn pause(&mut self, now: Time) {
        self.wasted.add(1, now);
    }

    /// A session with it came to a signature.
    pub(super) fn signed(&mut self, now: Time) {
        self.strikes.halve(now);
        self.wasted.halve(now);
    }

    /// How often sessions with it came to nothing of late.
    pub(super) fn strikes(&self, now: Time) -> u32 {
        self.strikes.of_late(now)
    }

    /// Whether no session that it opens is entered now: each one costs a durable record here.
    pub(super) fn is_paused(&self, now: Time) -> bool {
        let Some(doublings) = self.wasted.count.checked_sub(1) else {
            return false;
        };
        let pause = (FIRST_PAUSE_MS << doublings.min(MAX_TALLY)).min(MAX_PAUSE_MS);
        now.since_ms(self.wasted.at) < pause
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
    use super::{FORGOTTEN_MS, MAX_PAUSE_MS, MAX_TALLY, Peer, RESEND_MS};
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
    fn a_suspect_waits_longer_each_time_and_not_for_ever() {
        let mut peer = Peer::default();
        assert!(!peer.is_paused(Time(0)));
        let mut now = Time(1_000_000);
        let mut pauses = Vec::new();
        for _ in 0..70 {
            peer.pause(now);
            let paused = |ms: &u64| peer.is_paused(now.plus_ms(*ms));
            pauses.push((0..).step_by(100).take_while(paused).last().unwrap() + 100);
            now = now.plus_ms(1_000);
        }
        assert_eq!(pauses.get(..4), Some([700, 1_400, 2_800, 5_600].as_slice()));
        assert_eq!(pauses.last(), Some(&MAX_PAUSE_MS));
    }

    #[test]
    fn strikes_are_forgotten_one_by_one_and_sooner_after_a_signature() {
        let mut peer = Peer::default();
        peer.strike(5, Time(0));
        assert_eq!(peer.strikes(Time(FORGOTTEN_MS - 1)), 5);
        assert_eq!(peer.strikes(Time(2 * FORGOTTEN_MS)), 3);
        peer.signed(Time(0));
        assert_eq!(peer.strikes(Time(0)), 2);
        peer.strike(100, Time(0));
        assert_eq!(peer.strikes(Time(0)), MAX_TALLY);
        assert_eq!(peer.strikes(Time(100 * FORGOTTEN_MS)), 0);
    }
}
