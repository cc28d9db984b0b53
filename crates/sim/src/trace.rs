//! What a run did, event by event: two runs of one seed have equal traces.
//!
//! The real suite draws randomness of its own, so a trace holds schedule, kinds and outcomes, never message bytes.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// How many of the newest events a failure prints.
const TAIL: usize = 60;

/// The events so far, as a running hash and a tail to read.
#[derive(Default)]
pub struct Trace {
    hash: Sha256,
    tail: std::collections::VecDeque<String>,
    events: u64,
}

impl Trace {
    /// Adds one event.
    pub fn say(&mut self, at_ms: u64, event: &str) {
        let mut line = String::new();
        write!(line, "{at_ms:>8} {event}").ok();
        self.hash.update(line.as_bytes());
        self.hash.update(b"\n");
        self.events += 1;
        self.tail.push_back(line);
        if self.tail.len() > TAIL {
            self.tail.pop_front();
        }
    }

    /// Hash over every event so far.
    pub fn digest(&self) -> [u8; 32] {
        self.hash.clone().finalize().into()
    }

    /// How many events there were.
    pub fn events(&self) -> u64 {
        self.events
    }

    /// The newest events, for a failure's message.
    pub fn tail(&self) -> String {
        self.tail.iter().fold(String::new(), |mut all, line| {
            all.push_str(line);
            all.push('\n');
            all
        })
    }
}
