//! Plans drawn from a seed: every run of many seeds has weather of its own.

use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

use crate::{ChainFaults, NetFaults, Plan};

/// When the faults of a drawn plan stop.
const HEAL_MS: u64 = 25_000;
/// Largest jump of a clock: six hours, so that requests made for a day survive two.
const CLOCK_JUMP_MS: u32 = 6 * 3_600_000;
/// How long members then have to finish everything: request deadlines, backoffs and chain polls fit in many times.
const AFTER_HEAL_MS: u64 = 180_000;

impl Plan {
    /// Two-of-three, one payment by each of two people, no faults at all.
    pub fn calm(seed: u64) -> Self {
        Self {
            seed,
            threshold: 2,
            members: 3,
            payments: 1,
            net: NetFaults::NONE,
            chain: ChainFaults::default(),
            deaths_per_mille: 0,
            deaths: Vec::new(),
            partitions: false,
            skew_ms: 0,
            clock_jump_ms: 0,
            heal_ms: 1_000,
            end_ms: 1_000 + AFTER_HEAL_MS,
        }
    }

    /// Faults of every kind, how many of each being drawn from `seed`.
    pub fn stormy(seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed ^ 0x5707);
        let mut upto = |limit: u32| rng.next_u32() % (limit + 1);
        let (threshold, members) = match upto(3) {
            0 => (2, 2),
            1 => (3, 4),
            2 => (3, 5),
            _ => (2, 3),
        };
        Self {
            threshold,
            members,
            payments: usize::try_from(1 + upto(2)).unwrap_or(1),
            net: NetFaults {
                drop_per_mille: upto(250),
                twice_per_mille: upto(250),
                delay_ms: u64::from(5 + upto(400)),
            },
            chain: ChainFaults {
                lies_per_mille: upto(200),
                reorgs_per_mille: upto(200),
                lost_per_mille: upto(200),
            },
            deaths_per_mille: upto(15),
            partitions: upto(1) == 1,
            skew_ms: u64::from(upto(60_000)),
            clock_jump_ms: u64::from(upto(CLOCK_JUMP_MS)),
            heal_ms: HEAL_MS,
            end_ms: HEAL_MS + AFTER_HEAL_MS,
            ..Self::calm(seed)
        }
    }
}
