//! The driver's promises, seen on a real vault.

use quorate_driver::DriverError;
use quorate_vault::{Command, Input, Message};
use rand_chacha::ChaCha8Rng;
use rand_core::SeedableRng;

use crate::cluster::Cluster;

/// Threat: a process whose disk failed goes on from memory, and tells what nobody will remember.
#[test]
fn a_driver_whose_journal_failed_never_goes_on() {
    let mut cluster = Cluster::active(2, 3);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let to = cluster.fresh_address();
    let proposal = cluster.proposal(to, 5);
    let commits = cluster.nodes[0].disk.borrow().commits;
    cluster.nodes[0].disk.borrow_mut().dies_at = Some((commits + 1, false));
    let before = cluster.net.borrow().sent.len();
    let driver = cluster.nodes[0].driver.as_mut().unwrap();
    let failed = driver.step(
        vec![Input::Request(Command::Propose(Box::new(proposal)))],
        &mut rng,
    );
    assert!(matches!(failed, Err(DriverError::Journal(_))));
    assert!(matches!(
        driver.step(Vec::new(), &mut rng),
        Err(DriverError::Stopped)
    ));
    assert_eq!(cluster.net.borrow().sent.len(), before);
}

/// Group commit: a batch of commands costs one write to disk, and each gets its own answer.
#[test]
fn a_batch_is_one_commit_and_answers_each_input() {
    let mut cluster = Cluster::active(2, 3);
    let mut rng = ChaCha8Rng::seed_from_u64(1);
    let to = cluster.fresh_address();
    let mut inputs: Vec<Input> = Vec::new();
    for wei in 1..=10 {
        let proposal = cluster.proposal(to, wei);
        inputs.push(Input::Request(Command::Propose(Box::new(proposal))));
    }
    let unknown = quorate_vault::RequestId([1; 32]);
    inputs.push(Input::Request(Command::Cancel { request: unknown }));
    let commits = cluster.nodes[0].disk.borrow().commits;
    let stepped = cluster.nodes[0]
        .driver
        .as_mut()
        .unwrap()
        .step(inputs, &mut rng)
        .unwrap();
    assert_eq!(cluster.nodes[0].disk.borrow().commits, commits + 1);
    for i in 0..10 {
        let requested = |answer: &&quorate_driver::Answer| {
            answer.input == Some(i)
                && matches!(answer.outcome, quorate_vault::Outcome::Requested(_))
        };
        assert_eq!(stepped.done.iter().filter(requested).count(), 1);
    }
    assert_eq!(stepped.refused.len(), 1);
    assert_eq!(stepped.refused[0].input, Some(10));
}

/// Threat: a clock that is far ahead for a moment, or is put back by a day, and every timer of that member stands still
/// until the clock is where it was.
#[test]
fn timers_go_on_whatever_the_clock_does() {
    const YEAR_MS: i64 = 365 * 24 * 3_600_000;
    let mut cluster = Cluster::active(2, 3);
    for (while_it_lasts, afterwards) in [(10 * YEAR_MS, 0), (0, -YEAR_MS)] {
        let clock = cluster.nodes[0].clock_off.clone();
        clock.set(while_it_lasts);
        cluster.run(1_500);
        clock.set(afterwards);
        cluster.run(1_500);
        let reports = |c: &Cluster| c.sent(0, 1, |m| matches!(m, Message::Heads { .. }));
        let before = reports(&cluster);
        cluster.run(10_000);
        let told = reports(&cluster) - before;
        assert!((8..30).contains(&told), "{told} reports in ten seconds");
    }
}
