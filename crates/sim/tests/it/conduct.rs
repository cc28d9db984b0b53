//! Members that decline to sign, restored folders and branches of a log: nobody honest is held up, convicted, or loses a
//! share.

use quorate_vault::message::{Decline, Head};
use quorate_vault::{Message, PartyId, RequestId};

use crate::cluster::Cluster;

fn approved_by_all_but_down(cluster: &mut Cluster) -> RequestId {
    let to = cluster.fresh_address();
    let id = cluster.propose(0, to, 5);
    let all: Vec<usize> = (0..cluster.nodes.len()).collect();
    cluster.arrived(id, &all);
    cluster.chain.borrow_mut().down = true;
    all.iter().for_each(|i| cluster.approve(*i, id));
    cluster.arrived(id, &all);
    cluster.run(3_000);
    id
}

/// A program takes a member's place.
fn seize(cluster: &mut Cluster, saboteurs: &[usize], honest: &[usize]) {
    saboteurs.iter().for_each(|m| cluster.switch_off(*m));
    for m in saboteurs {
        for h in honest {
            cluster.pretend_connected(*m, *h);
            let head = Head {
                author: cluster.party(*h),
                incarnation: 0,
                size: 0,
                root: quorate_log::EMPTY_ROOT,
            };
            cluster.inject(*m, *h, Message::Heads { heads: vec![head] });
        }
    }
}

/// Answers every proposal to a saboteur.
fn answer(
    cluster: &mut Cluster,
    saboteurs: &[usize],
    done: usize,
    with: fn(usize, [PartyId; 2], &[PartyId]) -> Decline,
) -> usize {
    let opens: Vec<_> = cluster
        .net
        .borrow()
        .sent
        .iter()
        .filter_map(|(from, to, message)| match message {
            Message::Open(open) => Some((*from, *to, open.session, open.quorum.clone())),
            _ => None,
        })
        .collect();
    for (n, (from, to, session, quorum)) in opens.iter().enumerate().skip(done) {
        let who = |party| (0..5).find(|i| cluster.party(*i) == party).unwrap();
        let (from_i, to_i) = (who(*from), who(*to));
        if saboteurs.contains(&to_i) {
            let reason = with(n, [*from, *to], quorum);
            let session = *session;
            cluster.inject(to_i, from_i, Message::Decline { session, reason });
        }
    }
    opens.len()
}

fn three_of_five(with: fn(usize, [PartyId; 2], &[PartyId]) -> Decline, limit_ms: u64) {
    let mut cluster = Cluster::active(3, 5);
    let id = approved_by_all_but_down(&mut cluster);
    let (saboteurs, honest) = ([1, 3], [0, 2, 4]);
    seize(&mut cluster, &saboteurs, &honest);
    cluster.chain.borrow_mut().down = false;
    let mut done = 0;
    let start = cluster.now();
    while !honest.iter().all(|h| cluster.is_mined(*h, id)) {
        done = answer(&mut cluster, &saboteurs, done, with);
        cluster.run(50);
        if cluster.now().since_ms(start) > 3_600_000 {
            panic!(
                "an hour: {} sessions; {}",
                cluster.view(0, id).sessions.len(),
                cluster.view(0, id).sentence
            );
        }
    }
    let (ms, sessions) = (
        cluster.now().since_ms(start),
        cluster.view(0, id).sessions.len(),
    );
    assert!(ms < limit_ms, "{ms} ms, {sessions} sessions");
}

/// Threat: two saboteurs in three of five decline everything with "I banned a stranger": no strike, so they are always
/// asked first.
#[test]
fn who_declines_with_a_ban_of_a_stranger_is_asked_last() {
    three_of_five(|_, _, _| Decline::Banned(PartyId([9; 32])), 300_000);
}

/// Threat: they say that they banned each other member of the quorum in turn, and the greedy choice finds no quorum.
#[test]
fn who_declines_with_a_ban_of_each_is_left_out() {
    three_of_five(
        |n, from, quorum| {
            let others: Vec<_> = quorum.iter().filter(|p| !from.contains(p)).collect();
            Decline::Banned(*others[n % others.len()])
        },
        300_000,
    );
}

/// A member's folder is put back to an earlier copy. One of the others is behind or lies; with three of five a person's
/// command waits for two of the others, but what the machine says unasked waits for one: it convicts its owner.
#[test]
fn a_restored_copy_says_nothing_unasked_before_a_quorum_was_heard() {
    let mut cluster = Cluster::active(3, 5);
    let to = cluster.fresh_address();
    let id = cluster.propose(1, to, 5);
    cluster.arrived(id, &[0, 1, 2, 3, 4]);
    cluster.chain.borrow_mut().down = true;
    for i in [0, 1, 2] {
        cluster.approve(i, id);
    }
    cluster.run(3_000);
    // Erin is away while alice enters a session with bob and carol.
    cluster.switch_off(4);
    cluster.chain.borrow_mut().down = false;
    cluster.until("alice is in a session", |c| {
        c.view(0, id)
            .sessions
            .iter()
            .any(|s| s.entered.contains(&"alice".to_owned()))
    });
    let old = cluster.nodes[0].disk.borrow().copy();
    cluster.mined(id, &[0, 1, 2, 3]);
    cluster.run(5_000);
    // Alice's folder is put back, and only erin, who knows no better, is reachable.
    cluster.switch_off(0);
    *cluster.nodes[0].disk.borrow_mut() = old;
    let said = |c: &Cluster| c.vault(0).log(&c.party(0)).unwrap().size();
    for j in [1, 2, 3] {
        cluster.switch_off(j);
    }
    cluster.start(4);
    cluster.start(0);
    let before = said(&cluster);
    cluster.run(60_000);
    println!(
        "{before} entries, then {}; unheard: {:?}",
        said(&cluster),
        cluster.vault(0).unheard().is_some()
    );
    for j in [1, 2, 3] {
        cluster.start(j);
    }
    cluster.run(60_000);
    let alice = cluster.party(0);
    let convicted = (1..5)
        .filter(|j| {
            cluster.nodes[*j]
                .disk
                .borrow()
                .notes
                .keys()
                .any(|name| name.starts_with(&format!("fork/{alice}")))
        })
        .count();
    assert_eq!(convicted, 0, "honest, and convicted by {convicted}");
}

/// A folder is put back to a copy from between its own PREPARED and the decision. A liar shows another branch of its log,
/// in which it gave the attempt up: the shares of the keys that hold the funds are deleted, before anybody else was heard.
#[test]
fn shares_are_not_forgotten_on_one_members_word_before_the_own_log_is_whole() {
    use quorate_log::{Log, Origin};
    use quorate_vault::entry::{Entry, Logged};
    let mut cluster = Cluster::new(2, 3);
    for i in 0..3 {
        let words = cluster.words();
        cluster
            .command(i, quorate_vault::Command::Confirm { words })
            .unwrap();
    }
    cluster.until("alice has shares", |c| {
        c.nodes[0].disk.borrow().secrets.len() == 1
    });
    let old = cluster.nodes[0].disk.borrow().copy();
    cluster.until("active", |c| {
        (0..3).all(|i| c.vault(i).phase() == quorate_vault::machine::Phase::Active)
    });
    let (carol, key) = (cluster.party(2), cluster.nodes[2].identity.clone());
    let held = old.replicas[&carol].clone();
    for i in [0, 1, 2] {
        cluster.switch_off(i);
    }
    *cluster.nodes[0].disk.borrow_mut() = old;
    cluster.start(0);
    assert_eq!(cluster.nodes[0].disk.borrow().secrets.len(), 1);
    let origin = Origin {
        vault: cluster.charter.vault_id().0,
        author: carol.0,
        incarnation: 0,
    };
    let mut log = Log::new(origin, key.verifying_key());
    for entry in held {
        log.append(entry).unwrap();
    }
    let aborted = Entry::Aborted {
        act: 0,
        attempt: 1,
        reason: "I did not".to_owned(),
    };
    log.append(
        Logged {
            at: cluster.now(),
            entry: aborted,
        }
        .encode(),
    )
    .unwrap();
    let note = log.sign_checkpoint(&key).unwrap().to_string();
    let message = Message::Entries {
        author: carol,
        incarnation: 0,
        from: 0,
        entries: log.entries().to_vec(),
        note,
    };
    cluster.pretend_connected(2, 0);
    cluster.inject(2, 0, message);
    cluster.run(1_000);
    cluster.start(1);
    cluster.run(10_000);
    assert_eq!(
        cluster.nodes[0].disk.borrow().secrets.len(),
        1,
        "the shares of the active keys are gone"
    );
}
