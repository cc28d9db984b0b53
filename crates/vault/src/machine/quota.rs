//! How much of another member's log is taken in how much time.
//!
//! Each member's log is kept by all. Without a limit one member could fill every disk with entries that say nothing. So
//! each author has a budget of bytes that fills with time, whoever passes its entries on. What is beyond it is not taken
//! *now*: nothing is acknowledged, so whoever has it sends it again later, and nothing is lost but time.

use crate::ids::Time;

/// What an author may write at once, bytes: the largest batch fits in.
const BURST_BYTES: u64 = 1024 * 1024;
/// What it may write all the time, bytes a second: some fifty payments.
const BYTES_PER_SECOND: u64 = 64 * 1024;
/// What every entry costs besides its bytes: its row, its hash, its place in the fold.
const ENTRY_BYTES: u64 = 256;
/// Most bytes of one log that are kept.
pub(super) const MAX_LOG_BYTES: u64 = 512 * 1024 * 1024;
/// How often people are told that an author is held back.
const TELL_EVERY_MS: u64 = 600_000;

/// One author's budget.
#[derive(Default)]
pub(super) struct Quota {
    /// Bytes of its log that are held.
    held: u64,
    /// Of the burst, what is used and not filled up again, in thousandths of a byte.
    used: u64,
    /// When that was reckoned.
    at: Time,
    /// When people were told last.
    told: Option<Time>,
}

impl Quota {
    /// Counts entries of the log that are held already.
    pub(super) fn hold(&mut self, entries: &[Vec<u8>]) {
        self.held = self.held.saturating_add(bytes_of(entries));
    }

    /// Whether the log has no room for these entries, ever.
    pub(super) fn is_full(&self, entries: &[Vec<u8>]) -> bool {
        self.held.saturating_add(bytes_of(entries)) > MAX_LOG_BYTES
    }

    /// Whether new entries can be taken now.
    pub(super) fn has_room(&self, entries: &[Vec<u8>], now: Time) -> bool {
        self.with(entries, now) <= BURST_BYTES * 1_000 && !self.is_full(entries)
    }

    /// New entries were taken.
    pub(super) fn take(&mut self, entries: &[Vec<u8>], now: Time) {
        self.used = self.with(entries, now);
        self.at = now;
        self.hold(entries);
    }

    /// Whether people ought to hear that entries were not taken.
    pub(super) fn is_to_be_told(&mut self, now: Time) -> bool {
        let recently = |at: Time| now.since_ms(at) < TELL_EVERY_MS;
        if self.told.is_some_and(recently) {
            return false;
        }
        self.told = Some(now);
        true
    }

    /// What would be used with these entries.
    fn with(&self, entries: &[Vec<u8>], now: Time) -> u64 {
        let filled = now.since_ms(self.at).saturating_mul(BYTES_PER_SECOND);
        self.used
            .saturating_sub(filled)
            .saturating_add(cost(entries).saturating_mul(1_000))
    }
}

fn bytes_of(entries: &[Vec<u8>]) -> u64 {
    entries.iter().map(|entry| entry.len() as u64).sum()
}

fn cost(entries: &[Vec<u8>]) -> u64 {
    bytes_of(entries).saturating_add(ENTRY_BYTES.saturating_mul(entries.len() as u64))
}

#[cfg(test)]
mod tests {
    use quorate_log::{MAX_BATCH_BYTES, MAX_BATCH_ENTRIES};

    use super::{BURST_BYTES, BYTES_PER_SECOND, Quota, TELL_EVERY_MS, cost};
    use crate::ids::Time;

    fn offer(quota: &mut Quota, entries: &[Vec<u8>], ms: u64) -> bool {
        let taken = quota.has_room(entries, Time(ms));
        if taken {
            quota.take(entries, Time(ms));
        }
        taken
    }

    #[test]
    fn the_largest_batch_fits_into_the_burst() {
        let largest = vec![vec![0; MAX_BATCH_BYTES / MAX_BATCH_ENTRIES]; MAX_BATCH_ENTRIES];
        assert!(cost(&largest) <= BURST_BYTES);
        assert!(offer(&mut Quota::default(), &largest, 0));
    }

    /// Threat: one member fills the disks of all others.
    #[test]
    fn beyond_the_burst_a_log_grows_no_faster_than_the_rate() {
        let mut quota = Quota::default();
        let entry = [vec![0; 64 * 1024]];
        let seconds = 100;
        let taken = (0..seconds * 1_000)
            .step_by(50)
            .filter(|ms| offer(&mut quota, &entry, *ms));
        let taken = taken.count() as u64 * cost(&entry);
        let fair = BURST_BYTES + seconds * BYTES_PER_SECOND;
        assert!((fair * 9 / 10..=fair).contains(&taken), "{taken} of {fair}");
    }

    /// Threat: entries of one byte, each of which costs a row.
    #[test]
    fn many_small_entries_are_held_back_too() {
        let mut quota = Quota::default();
        let small = vec![vec![1]; 1_024];
        let taken = (0..100).filter(|_| offer(&mut quota, &small, 0));
        assert!(taken.count() < 5);
    }

    /// A clock that is put back fills nothing.
    #[test]
    fn a_clock_that_jumps_back_only_stops_the_filling() {
        let mut quota = Quota::default();
        let large = [vec![0; 700 * 1024]];
        assert!(offer(&mut quota, &large, 1_000_000));
        assert!(!offer(&mut quota, &large, 0));
        assert!(offer(&mut quota, &large, 1_007_000));
    }

    #[test]
    fn people_are_told_now_and_then() {
        let mut quota = Quota::default();
        assert!(quota.is_to_be_told(Time(5)));
        assert!(!quota.is_to_be_told(Time(TELL_EVERY_MS)));
        assert!(quota.is_to_be_told(Time(5 + TELL_EVERY_MS)));
    }
}
