//! The way of a payment when nothing goes wrong.

use std::sync::Arc;

use quorate_threshold::RealEngine;
use quorate_vault::fold::RequestState;
use quorate_vault::{Command, Outcome};

use crate::cluster::Cluster;

#[test]
fn three_members_found_a_vault_and_pay() {
    let mut cluster = Cluster::active(2, 3);
    let addresses: Vec<_> = (0..3)
        .map(|i| cluster.vault(i).view().address.unwrap())
        .collect();
    assert!(addresses.iter().all(|address| *address == addresses[0]));
    assert!((0..3).all(|i| cluster.nodes[i].outcomes.contains(&Outcome::Active)));

    let to = cluster.fresh_address();
    let id = cluster.propose(0, to, 5);
    cluster.approve(0, id);
    cluster.arrived(id, &[1, 2]);
    cluster.run(5_000);
    assert_eq!(cluster.view(1, id).state, RequestState::WaitingForApprovals);
    assert_eq!(cluster.view(1, id).undecided, ["bob", "carol"]);
    cluster.approve(1, id);
    cluster.mined(id, &[0, 1, 2]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    assert_eq!(cluster.view(2, id).sessions.len(), 1);
    assert_eq!(cluster.view(2, id).sessions[0].quorum, ["alice", "bob"]);
}

#[test]
fn other_words_confirm_nothing() {
    let mut cluster = Cluster::new(2, 3);
    let words = "abandon abandon abandon abandon abandon about".to_owned();
    assert!(cluster.command(0, Command::Confirm { words }).is_err());
    assert!(cluster.nodes[0].disk.borrow().own.is_empty());
}

/// The same machine over the real protocols: keygen of three suites, DKLs23 signatures, a restart between two payments.
#[test]
fn three_members_found_a_vault_and_pay_with_the_real_protocols() {
    let mut cluster = Cluster::new(2, 3);
    for i in 0..3 {
        cluster.nodes[i].engine = Arc::new(RealEngine);
        cluster.restart(i);
    }
    cluster.found();
    let to = cluster.fresh_address();
    for second in [1, 2] {
        let id = cluster.propose(0, to, 5);
        cluster.arrived(id, &[1, 2]);
        cluster.approve(0, id);
        cluster.approve(second, id);
        cluster.mined(id, &[0, 1, 2]);
        assert_eq!(cluster.view(0, id).sessions.len(), 1);
        cluster.restart(0);
    }
    assert_eq!(cluster.chain.borrow().received(to), 10);
}
