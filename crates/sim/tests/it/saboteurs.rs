//! One member makes every session fail that it is in. The honest ones pay all the same, and soon.

use std::sync::Arc;

use quorate_chain::evm::Fees;
use quorate_sim::stub::{Misdeed, StubEngine};
use quorate_vault::entry::Purpose;
use quorate_vault::machine::session_id;
use quorate_vault::message::{Decline, Head, Open};
use quorate_vault::{Message, RequestId, SessionId};

use crate::cluster::{Cluster, GWEI};

fn approved_by_all(cluster: &mut Cluster) -> RequestId {
    let to = cluster.fresh_address();
    let id = cluster.propose(0, to, 5);
    let all: Vec<usize> = (0..cluster.nodes.len()).collect();
    cluster.arrived(id, &all);
    cluster.chain.borrow_mut().down = true;
    all.iter().for_each(|i| cluster.approve(*i, id));
    cluster.arrived(id, &all);
    cluster.run(3_000);
    cluster.chain.borrow_mut().down = false;
    id
}

/// How long it takes until these members know that it is mined, and how many sessions.
fn effort(cluster: &mut Cluster, id: RequestId, honest: &[usize]) -> (u64, usize) {
    let start = cluster.now();
    cluster.mined(id, honest);
    let sessions = cluster.view(honest[0], id).sessions.len();
    (cluster.now().since_ms(start), sessions)
}

/// Threat: a member enters or opens every session first and then says nothing more.
#[test]
fn a_silent_saboteur_costs_two_honest_members_a_minute() {
    for saboteur in 0..3 {
        for round in [1, 2] {
            let honest: Vec<usize> = (0..3).filter(|i| *i != saboteur).collect();
            let mut cluster = Cluster::active(2, 3);
            cluster.nodes[saboteur].engine =
                Arc::new(StubEngine::misbehaving(Misdeed::SilentFrom(round)));
            cluster.restart(saboteur);
            cluster.run(2_000);
            let id = approved_by_all(&mut cluster);
            let (ms, sessions) = effort(&mut cluster, id, &honest);
            assert!(ms < 60_000 && sessions <= 8, "{ms} ms, {sessions} sessions");
        }
    }
}

/// The same in a larger committee, where silence towards one makes an honest member look silent to another.
#[test]
fn a_silent_saboteur_is_left_out_of_larger_quorums_too() {
    for saboteur in 0..4 {
        let honest: Vec<usize> = (0..4).filter(|i| *i != saboteur).collect();
        let mut cluster = Cluster::active(3, 4);
        cluster.nodes[saboteur].engine = Arc::new(StubEngine::misbehaving(Misdeed::SilentFrom(2)));
        cluster.restart(saboteur);
        cluster.run(2_000);
        let id = approved_by_all(&mut cluster);
        let (ms, sessions) = effort(&mut cluster, id, &honest);
        assert!(
            ms < 180_000 && sessions <= 12,
            "{ms} ms, {sessions} sessions"
        );
    }
}

/// Threat: a program in a member's place declines whatever it is asked and opens sessions with everybody as fast as it
/// is let, to keep them busy.
#[test]
fn a_saboteur_that_keeps_everybody_busy_is_waited_out() {
    const ALICE: usize = 0;
    for stagger in [0, 7] {
        let mut cluster = Cluster::active(2, 3);
        let id = approved_by_all_but_down(&mut cluster);
        let honest = [1, 2];
        cluster.switch_off(ALICE);
        for h in honest {
            cluster.pretend_connected(ALICE, h);
            let head = Head {
                author: cluster.party(h),
                incarnation: 0,
                size: 0,
                root: quorate_log::EMPTY_ROOT,
            };
            cluster.inject(ALICE, h, Message::Heads { heads: vec![head] });
        }
        cluster.chain.borrow_mut().down = false;
        let start = cluster.now();
        let mut answered = 0;
        let mut n = 0u32;
        while !honest.iter().all(|h| cluster.is_mined(*h, id)) {
            n += 1;
            assert!(cluster.now().since_ms(start) < 300_000, "five minutes");
            let h = honest[n as usize % 2];
            if stagger == 0 || !n.is_multiple_of(stagger) {
                let open = proposal(&cluster, id, n, h);
                cluster.inject(ALICE, h, Message::Open(Box::new(open)));
            }
            answered = decline_all(&mut cluster, answered);
            cluster.run(50);
        }
        assert!(cluster.view(1, id).sessions.len() < 60);
    }
}

fn approved_by_all_but_down(cluster: &mut Cluster) -> RequestId {
    let id = approved_by_all(cluster);
    cluster.chain.borrow_mut().down = true;
    id
}

/// Answers every proposal to alice with *busy*.
fn decline_all(cluster: &mut Cluster, answered: usize) -> usize {
    let alice = cluster.party(0);
    let opens: Vec<_> = cluster
        .net
        .borrow()
        .sent
        .iter()
        .filter_map(|(from, to, message)| match message {
            Message::Open(open) if *to == alice => Some((*from, open.session)),
            _ => None,
        })
        .collect();
    for (from, session) in opens.iter().skip(answered) {
        let reason = Decline::Busy;
        let i = (0..3).find(|i| cluster.party(*i) == *from).unwrap();
        let session = *session;
        cluster.inject(0, i, Message::Decline { session, reason });
    }
    opens.len()
}

/// A proposal of alice that `h` would enter.
fn proposal(cluster: &Cluster, request: RequestId, n: u32, h: usize) -> Open {
    let fees = Fees {
        max_fee_per_gas: 2 * GWEI,
        max_priority_fee_per_gas: GWEI,
    };
    let intent = cluster
        .vault(h)
        .state()
        .intent_for(&request, Purpose::Payment)
        .unwrap();
    let mut nonce = [0; 32];
    nonce[..4].copy_from_slice(&n.to_be_bytes());
    let mut open = Open {
        session: SessionId([0; 32]),
        nonce,
        request,
        purpose: Purpose::Payment,
        attempt: 1,
        quorum: vec![cluster.party(0), cluster.party(h)],
        unsigned: intent.build(fees).unwrap(),
    };
    open.session = session_id(&cluster.charter.vault_id(), cluster.party(0), &open);
    open
}

/// A member that goes away in the middle of a session is not waited for: the others sign within seconds.
#[test]
fn a_session_ends_at_once_when_one_of_its_members_is_gone() {
    let mut cluster = Cluster::active(2, 3);
    cluster.nodes[1].engine = Arc::new(StubEngine::misbehaving(Misdeed::SilentFrom(2)));
    cluster.restart(1);
    cluster.run(2_000);
    let to = cluster.fresh_address();
    let id = cluster.propose(0, to, 5);
    cluster.arrived(id, &[1, 2]);
    cluster.approve(0, id);
    cluster.approve(1, id);
    cluster.until("alice is in a session with bob", |c| {
        c.view(0, id).sessions.iter().any(|s| s.entered.len() == 2)
    });
    cluster.approve(2, id);
    cluster.switch_off(1);
    let left = cluster.now();
    cluster.mined(id, &[0, 2]);
    let ms = cluster.now().since_ms(left);
    assert!(ms < 12_000, "{ms} ms");
    let first = cluster.view(0, id).sessions[0].clone();
    assert!(first.reason.unwrap().contains("connection to bob was lost"));
}

/// Threat: a member fills the disks of the others with its own log. They take it at a rate; what waits is not lost, and
/// people hear who it is.
#[test]
fn a_log_that_grows_too_fast_is_taken_bit_by_bit() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let request = cluster.propose(0, to, 5);
    cluster.arrived(request, &[1, 2]);
    let alice = cluster.party(0);
    let held = |c: &Cluster, i: usize| -> usize {
        let disk = c.nodes[i].disk.borrow();
        disk.replicas[&alice].iter().map(Vec::len).sum()
    };
    let text = "x".repeat(500);
    for _ in 0..6_000 {
        let text = text.clone();
        let note = quorate_vault::Command::Note { request, text };
        cluster.command(0, note).unwrap();
    }
    let seconds = 10;
    cluster.run(seconds * 1_000);
    let most = 1024 * 1024 + usize::try_from(seconds + 1).unwrap() * 64 * 1024;
    for i in [1, 2] {
        assert!(
            (500_000..=most).contains(&held(&cluster, i)),
            "{}",
            held(&cluster, i)
        );
        let told = |o: &quorate_vault::Outcome| matches!(o, quorate_vault::Outcome::Misbehaved { culprit, .. } if *culprit == alice);
        assert!(cluster.nodes[i].outcomes.iter().any(told));
    }
    let whole = cluster.vault(0).log(&alice).unwrap().size();
    cluster.until("all of it has arrived", |c| {
        [1, 2]
            .iter()
            .all(|i| c.vault(*i).log(&alice).unwrap().size() == whole)
    });
    cluster.approve(1, request);
    cluster.approve(2, request);
    cluster.mined(request, &[0, 1, 2]);
}
