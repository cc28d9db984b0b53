//! Counts what a story claims, and prints each claim as it is checked.

use std::time::Instant;

use anyhow::Result;

/// The claims of one story.
pub(crate) struct Report {
    passed: usize,
    failed: usize,
    begun: Instant,
}

impl Default for Report {
    fn default() -> Self {
        Self {
            passed: 0,
            failed: 0,
            begun: Instant::now(),
        }
    }
}

impl Report {
    /// Says which part of the story comes now.
    pub(crate) fn chapter(&self, title: &str) {
        println!("\n== {title} ({} s)", self.begun.elapsed().as_secs());
    }

    /// Says a fact that is neither right nor wrong.
    pub(crate) fn tell(&self, fact: &str) {
        println!("   {fact}");
    }

    /// Counts one claim; what it needs to be true is in `holds`.
    pub(crate) fn claim(&mut self, name: &str, holds: bool, otherwise: impl FnOnce() -> String) {
        if holds {
            self.pass(name)
        } else {
            self.fail(name, &otherwise())
        }
    }

    /// Counts a claim that a whole piece of the story stands for; an error fails the claim and not the story.
    pub(crate) fn piece(&mut self, name: &str, run: impl FnOnce(&mut Self) -> Result<()>) {
        match run(self) {
            Ok(()) => self.pass(name),
            Err(error) => self.fail(name, &format!("{error:#}")),
        }
    }

    /// Counts a claim that failed.
    pub(crate) fn fail(&mut self, name: &str, why: &str) {
        self.failed += 1;
        println!("FAILED {name}\n       {}", why.replace('\n', "\n       "));
    }

    fn pass(&mut self, name: &str) {
        self.passed += 1;
        println!("ok     {name}");
    }

    /// Prints the closing line; whether nothing failed.
    pub(crate) fn close(self) -> bool {
        println!("\n{} s", self.begun.elapsed().as_secs());
        println!("{} passed, {} failed", self.passed, self.failed);
        self.failed == 0 && self.passed > 0
    }
}
