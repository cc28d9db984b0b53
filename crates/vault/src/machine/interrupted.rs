//! What a crash can hide: sessions of earlier runs that nobody knows the end of.
//!
//! A failed OT check tells its culprit something about this member's OT state, so it bans (`conduct`). The ban is
//! durable before anything is sent; a member that is killed between the check and that commit forgets it. What is
//! left is the record of the session, durable since before round one, and no outcome of it but the one that the next
//! run writes. So a run that ended in the middle of sessions *may* have hidden one failed check with each of their
//! members, and no more than one, because within a run the first failure ends all checks with that member.
//!
//! Almost always it hid nothing but a power cut. Such runs are counted for each member: a few are harmless (the
//! reckoning is in `quorate_threshold::sign`), so that no power cut costs a vault its quorum, and beyond
//! [`MAX_INTERRUPTED`] the member is not signed with until the next sharing. Signatures in between do not set the
//! count back: an attacker could have as many of those as it likes.

use std::collections::{BTreeMap, BTreeSet};

use crate::entry::{Entry, SessionResult};
use crate::ids::{PartyId, SessionId};

/// How many runs may end in the middle of a session with one member before it is not signed with any more.
pub(super) const MAX_INTERRUPTED: usize = 8;

/// Why a session failed that an earlier run left open. No other session has this reason.
pub(super) const RESTARTED: &str = "restarted";

/// The own log, read from its beginning.
#[derive(Default)]
pub(super) struct Interrupted {
    /// Entered, without an outcome so far.
    open: BTreeMap<SessionId, Vec<PartyId>>,
    /// Members of the sessions that the present run closed for the one before it.
    closed: BTreeSet<PartyId>,
    /// Runs that ended in the middle of a session with this member.
    runs: BTreeMap<PartyId, usize>,
}

impl Interrupted {
    /// Reads the next entry of the own log.
    pub(super) fn read(&mut self, entry: &Entry) {
        match entry {
            Entry::SessionRecord(record) => {
                // A run closes what the one before it left open before it enters a session of its own.
                self.count();
                self.open.insert(record.session, record.quorum.clone());
            }
            Entry::SessionOutcome { session, result } => {
                let quorum = self.open.remove(session).unwrap_or_default();
                if matches!(result, SessionResult::Failed { reason } if reason == RESTARTED) {
                    self.closed.extend(quorum);
                }
            }
            _ => {}
        }
    }

    fn count(&mut self) {
        for party in std::mem::take(&mut self.closed) {
            *self.runs.entry(party).or_default() += 1;
        }
    }

    /// The members that too many runs ended in the middle of a session with.
    pub(super) fn too_often(mut self, me: &PartyId) -> BTreeSet<PartyId> {
        self.closed
            .extend(std::mem::take(&mut self.open).into_values().flatten());
        self.count();
        let often = |(party, runs): (PartyId, usize)| {
            (party != *me && runs >= MAX_INTERRUPTED).then_some(party)
        };
        self.runs.into_iter().filter_map(often).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Interrupted, MAX_INTERRUPTED, RESTARTED};
    use crate::entry::{Entry, Purpose, SessionRecord, SessionResult};
    use crate::ids::{PartyId, RequestId, SessionId};

    const ME: PartyId = PartyId([1; 32]);
    const BOB: PartyId = PartyId([2; 32]);
    const CAROL: PartyId = PartyId([3; 32]);

    fn entered(n: usize, with: PartyId) -> Entry {
        Entry::SessionRecord(Box::new(SessionRecord {
            session: session(n),
            request: RequestId([0; 32]),
            purpose: Purpose::Payment,
            attempt: 1,
            opener: ME,
            quorum: vec![ME, with],
            unsigned: Vec::new(),
            digest: [0; 32],
        }))
    }

    fn session(n: usize) -> SessionId {
        SessionId([u8::try_from(n).unwrap(); 32])
    }

    fn failed(n: usize, reason: &str) -> Entry {
        Entry::SessionOutcome {
            session: session(n),
            result: SessionResult::Failed {
                reason: reason.to_owned(),
            },
        }
    }

    fn too_often(log: &[Entry]) -> BTreeSet<PartyId> {
        let mut interrupted = Interrupted::default();
        log.iter().for_each(|entry| interrupted.read(entry));
        interrupted.too_often(&ME)
    }

    /// Threat: a member has another's machine killed after each failed check, for one bit of its secrets a time.
    #[test]
    fn runs_that_ended_in_the_middle_of_a_session_are_counted_to_the_bound() {
        let mut log = Vec::new();
        for n in 0..MAX_INTERRUPTED {
            assert!(too_often(&log).is_empty(), "after {n} of them");
            log.push(entered(n, BOB));
            if n % 2 == 0 {
                log.push(failed(n, RESTARTED));
            }
            if n % 2 == 1 {
                // Not closed yet, or never: the same.
                assert_eq!(too_often(&log).contains(&BOB), n + 1 == MAX_INTERRUPTED);
                log.push(failed(n, RESTARTED));
            }
        }
        assert_eq!(too_often(&log), BTreeSet::from([BOB]));
    }

    /// Threat: one power cut in the middle of twenty payments costs a vault its quorum.
    #[test]
    fn one_power_cut_counts_once_however_many_sessions_it_ended() {
        let many = 20;
        let mut log: Vec<_> = (0..many).map(|n| entered(n, BOB)).collect();
        assert!(too_often(&log).is_empty());
        log.extend((0..many).map(|n| failed(n, RESTARTED)));
        assert!(too_often(&log).is_empty());
    }

    /// Sessions that failed for a reason, or with somebody else, are no check that could be hidden.
    #[test]
    fn sessions_with_a_known_end_count_for_nobody() {
        let mut log = Vec::new();
        for n in 0..3 * MAX_INTERRUPTED {
            let with = if n % 2 == 0 { BOB } else { CAROL };
            log.push(entered(n, with));
            log.push(failed(n, "nothing came from bob"));
        }
        assert!(too_often(&log).is_empty());
    }
}
