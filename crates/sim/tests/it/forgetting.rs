//! Shares that no key will ever have: deleted when that is proven, and not before.

use std::sync::Arc;

use quorate_sim::stub::{Misdeed, StubEngine};
use quorate_vault::Command;
use quorate_vault::machine::Phase;

use crate::cluster::Cluster;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// Bob arrives at shares in the first attempt and does not tell; the others give it up.
fn with_bobs_dead_attempt(dies: Option<bool>) -> Cluster {
    let engines = vec![
        StubEngine::default(),
        StubEngine::misbehaving(Misdeed::SilentInKeygenFrom(4)),
        StubEngine::default(),
    ];
    let mut cluster = Cluster::with_engines(2, engines);
    for i in 0..3 {
        let words = cluster.words();
        cluster.command(i, Command::Confirm { words }).unwrap();
    }
    cluster.until("bob has shares of attempt 1", |c| {
        c.nodes[BOB].disk.borrow().secrets.len() == 1
    });
    cluster.run(5_000);
    assert_eq!(
        cluster.nodes[BOB].disk.borrow().secrets.len(),
        1,
        "kept while the attempt can still be decided"
    );
    cluster.nodes[BOB].disk.borrow_mut().dies_with = dies.map(|kept| ("act-0-attempt-1", kept));
    cluster
}

/// Threat: a thief of the disk and passphrase finds shares of every attempt that was ever given up. A power cut around
/// the deletion makes no difference.
#[test]
fn shares_of_a_dead_attempt_are_deleted_and_the_vault_is_made_all_the_same() {
    for dies in [None, Some(false), Some(true)] {
        let mut cluster = with_bobs_dead_attempt(dies);
        if dies.is_some() {
            cluster.until("bob dies", |c| c.nodes[BOB].driver.is_none());
        }
        let forgotten = |c: &Cluster| {
            let disk = c.nodes[BOB].disk.borrow();
            !disk.secrets.contains_key("act-0-attempt-1")
        };
        if let Some(kept) = dies {
            assert_eq!(forgotten(&cluster), kept);
        }
        cluster.until("the shares are gone", forgotten);
        cluster.nodes[BOB].engine = Arc::new(StubEngine::default());
        cluster.restart(BOB);
        cluster.until("the vault is active", |c| {
            (0..3).all(|i| {
                c.nodes[i].driver.is_some()
                    && c.vault(i).phase() == Phase::Active
                    && c.nodes[i].disk.borrow().secrets.len() == 1
            })
        });
        (0..3).for_each(|i| cluster.restart(i));
        let to = cluster.fresh_address();
        let id = cluster.propose(ALICE, to, 5);
        cluster.arrived(id, &[BOB, CAROL]);
        cluster.approve(BOB, id);
        cluster.approve(CAROL, id);
        cluster.mined(id, &[ALICE, BOB, CAROL]);
    }
}
