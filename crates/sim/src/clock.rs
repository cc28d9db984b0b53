//! A member's clock: set wrong, put forward or back, standing still, slow or fast, and set right again.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use quorate_driver::Clock;
use quorate_vault::Time;
use rand_core::RngCore;

/// 2026-01-01T00:00:00Z.
const EPOCH_MS: u64 = 1_767_225_600_000;
/// A clock that keeps time, in thousandths.
const TRUE_RATE: u64 = 1_000;

/// What one member takes for the time. Clones are one clock.
#[derive(Clone)]
pub(crate) struct SimClock {
    truth: Rc<Cell<u64>>,
    face: Rc<RefCell<Face>>,
    skew_ms: u64,
}

/// It showed `shown` at `since` and has run at `rate` ever after.
struct Face {
    since: u64,
    shown: u64,
    rate: u64,
}

impl Clock for SimClock {
    fn now(&self) -> Time {
        Time(EPOCH_MS + self.shown())
    }

    fn uptime_ms(&self) -> u64 {
        self.truth.get()
    }
}

impl SimClock {
    /// A clock that is `skew_ms` fast and otherwise keeps time.
    pub(crate) fn new(truth: Rc<Cell<u64>>, skew_ms: u64) -> Self {
        let face = Face {
            since: truth.get(),
            shown: truth.get() + skew_ms,
            rate: TRUE_RATE,
        };
        Self {
            truth,
            face: Rc::new(RefCell::new(face)),
            skew_ms,
        }
    }

    fn shown(&self) -> u64 {
        let face = self.face.borrow();
        face.shown + (self.truth.get() - face.since) * face.rate / TRUE_RATE
    }

    /// Something happens to it: a jump of at most `jump_ms`, a stop, or another speed. Says what.
    pub(crate) fn disturb(&self, jump_ms: u64, rng: &mut dyn RngCore) -> String {
        let jump = rng.next_u64() % jump_ms.max(1);
        let shown = self.shown();
        match rng.next_u32() % 5 {
            0 => self.set(shown + jump, TRUE_RATE, format!("forward by {jump} ms")),
            1 => self.set(
                shown.saturating_sub(jump),
                TRUE_RATE,
                format!("back by {jump} ms"),
            ),
            2 => self.set(shown, 0, "stands".to_owned()),
            3 => self.set(shown, TRUE_RATE / 2, "slow".to_owned()),
            _ => self.set(shown, TRUE_RATE * 3, "fast".to_owned()),
        }
    }

    /// It is set to the time that it should show, and keeps it.
    pub(crate) fn set_right(&self) {
        self.set(self.truth.get() + self.skew_ms, TRUE_RATE, String::new());
    }

    fn set(&self, shown: u64, rate: u64, what: String) -> String {
        *self.face.borrow_mut() = Face {
            since: self.truth.get(),
            shown,
            rate,
        };
        what
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::rc::Rc;

    use quorate_driver::Clock;

    use super::SimClock;

    #[test]
    fn a_clock_stands_runs_and_is_set_right() {
        let truth = Rc::new(Cell::new(0));
        let clock = SimClock::new(truth.clone(), 40);
        let began = clock.now();
        truth.set(1_000);
        assert_eq!(clock.now(), began.plus_ms(1_000));
        clock.set(5_000, 0, String::new());
        truth.set(2_000);
        assert_eq!(clock.now(), began.plus_ms(5_000 - 40));
        clock.set(5_000, 500, String::new());
        truth.set(3_000);
        assert_eq!(clock.now(), began.plus_ms(5_500 - 40));
        clock.set_right();
        assert_eq!(clock.now(), began.plus_ms(3_000));
    }
}
