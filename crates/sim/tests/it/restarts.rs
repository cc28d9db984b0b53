//! Death at every durable step, before it and after it.

use quorate_vault::Command;
use quorate_vault::machine::Phase;

use crate::cluster::Cluster;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// How many commits a member makes in the whole of [`story`].
const MOST_COMMITS: u64 = 60;

/// From three strangers to a mined payment, with `victim` dying at its `commit`th commit. Says whether it died.
fn story(victim: usize, commit: u64, kept: bool) -> bool {
    let mut cluster = Cluster::new(2, 3);
    cluster.nodes[victim].disk.borrow_mut().dies_at = Some((commit, kept));
    for i in 0..3 {
        cluster.until("everybody is up", |c| {
            (0..3).all(|j| c.nodes[j].driver.is_some())
        });
        let words = cluster.words();
        cluster
            .command(
                i,
                Command::Confirm {
                    words: words.clone(),
                },
            )
            .unwrap();
        cluster.until("everybody is up", |c| {
            (0..3).all(|j| c.nodes[j].driver.is_some())
        });
        cluster.command(i, Command::Confirm { words }).unwrap();
    }
    let up = |c: &Cluster| (0..3).all(|i| c.nodes[i].driver.is_some());
    cluster.until("the vault is active", |c| {
        up(c) && (0..3).all(|i| c.vault(i).phase() == Phase::Active)
    });
    let to = cluster.fresh_address();
    let id = loop {
        cluster.until("everybody is up", up);
        let mut proposal = cluster.proposal(to, 5);
        proposal.idempotency_key = "once".to_owned();
        proposal.note = String::new();
        drop(cluster.command(ALICE, Command::Propose(Box::new(proposal))));
        cluster.until("everybody is up", up);
        if let Some(id) = cluster.vault(ALICE).state().requests().next() {
            break id;
        }
        // It may have just started, and says nothing before it has heard of the others.
        cluster.run(100);
    };
    for i in [ALICE, BOB] {
        cluster.until("the request is here", |c| {
            up(c) && c.vault(i).state().request_state(&id, c.now()).is_some()
        });
        while !cluster
            .vault(i)
            .state()
            .approvers(&id)
            .contains(&cluster.party(i))
        {
            let approval = cluster.approval(i, id);
            drop(cluster.command(i, Command::Approve(approval)));
            cluster.run(100);
            cluster.until("everybody is up", up);
        }
    }
    cluster.until("it is mined", |c| {
        up(c) && (0..3).all(|i| c.is_mined(i, id))
    });
    cluster.run(10_000);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    assert_eq!(cluster.chain.borrow().mined.len(), 1);
    let commits = cluster.nodes[victim].disk.borrow().commits;
    commits >= commit
}

/// Dies at each of its commits in turn, until there are no more.
fn dies_everywhere(victim: usize, kept: bool) {
    let deaths = (1..=MOST_COMMITS)
        .take_while(|commit| story(victim, *commit, kept))
        .count();
    assert!(deaths > 10, "only {deaths} commits were made");
}

/// Threat: power fails right before something is durable; G7, G8, G9.
#[test]
fn an_opener_that_dies_before_any_commit_costs_nothing() {
    dies_everywhere(ALICE, false);
}

/// Threat: power fails right after something is durable and before it is sent.
#[test]
fn a_signer_that_dies_after_any_commit_costs_nothing() {
    dies_everywhere(BOB, true);
}

/// State is a fold over the logs: all that a vault shows comes back from logs, sealed secrets and notes.
#[test]
fn a_restarted_vault_shows_the_same() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let paid = cluster.propose(ALICE, to, 5);
    let open = cluster.propose(ALICE, to, 6);
    cluster.arrived(open, &[BOB]);
    cluster.approve(ALICE, paid);
    cluster.approve(BOB, paid);
    cluster.approve(BOB, open);
    cluster
        .command(
            BOB,
            Command::Note {
                request: open,
                text: "what is this?".to_owned(),
            },
        )
        .unwrap();
    cluster.mined(paid, &[ALICE, BOB]);
    cluster.run(10_000);
    for i in 0..3 {
        let before = (cluster.vault(i).view(), cluster.vault(i).requests());
        cluster.kill(i);
        cluster.start(i);
        assert_eq!(
            before,
            (cluster.vault(i).view(), cluster.vault(i).requests())
        );
    }
}

/// Any `n - t` members may be dead.
#[test]
fn three_of_five_pay_while_two_are_dead() {
    let mut cluster = Cluster::active(3, 5);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[1, 2, 3, 4]);
    for i in 0..5 {
        cluster.approve(i, id);
        if i == 0 {
            cluster.switch_off(1);
            cluster.start(1);
        }
    }
    cluster.mined(id, &[0, 1, 2, 3, 4]);
    cluster.switch_off(0);
    cluster.switch_off(3);
    let next = cluster.propose(1, to, 6);
    cluster.arrived(next, &[2, 4]);
    for i in [1, 2, 4] {
        cluster.approve(i, next);
    }
    cluster.mined(next, &[1, 2, 4]);
    cluster.start(0);
    cluster.start(3);
    cluster.mined(next, &[0, 3]);
    assert_eq!(cluster.chain.borrow().received(to), 11);
}

/// People approve when they can: nobody has to be online together until the session.
#[test]
fn approvals_travel_through_whoever_is_online() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    cluster.switch_off(BOB);
    let id = cluster.propose(ALICE, to, 5);
    cluster.approve(ALICE, id);
    cluster.arrived(id, &[CAROL]);
    cluster.run(2_000);
    cluster.switch_off(ALICE);
    cluster.start(BOB);
    cluster.arrived(id, &[BOB]);
    cluster.approve(BOB, id);
    cluster.run(5_000);
    assert_eq!(cluster.chain.borrow().received(to), 0);
    cluster.start(ALICE);
    cluster.mined(id, &[ALICE, BOB, CAROL]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
}

/// A log longer than one batch comes back from disk whole, and reaches a member who was away all the time.
#[test]
fn a_long_log_survives_a_restart_and_reaches_who_was_away() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.switch_off(CAROL);
    for n in 0..2_500 {
        let text = format!("note {n}");
        cluster
            .command(ALICE, Command::Note { request: id, text })
            .unwrap();
    }
    cluster.run(3_000);
    cluster.restart(ALICE);
    cluster.switch_off(BOB);
    cluster.start(CAROL);
    let alice = cluster.party(ALICE);
    let size = cluster.vault(ALICE).log(&alice).unwrap().size();
    assert!(size > 2_500);
    cluster.until("carol has all of it", |c| {
        c.vault(CAROL).log(&alice).unwrap().size() == size
    });
    cluster.restart(CAROL);
    cluster.start(BOB);
    cluster.until("bob has it from carol or alice", |c| {
        c.vault(BOB).log(&alice).unwrap().size() == size
    });
}
