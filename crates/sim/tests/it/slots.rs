//! At most one payment a request, in order, without gaps.

use quorate_vault::fold::{GIVE_WAY_MS, RequestState};
use quorate_vault::machine::Error;
use quorate_vault::{Command, Message, Outcome};

use crate::cluster::{Cluster, GWEI};

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

#[test]
fn twenty_requests_at_once_are_all_paid_without_a_gap() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let ids: Vec<_> = (0..20)
        .map(|i| cluster.propose(i % 2, to, 1 << i))
        .collect();
    for id in &ids {
        cluster.arrived(*id, &[ALICE, BOB]);
    }
    cluster.run(3_000);
    let ids: Vec<_> = ids.iter().map(|id| cluster.latest(*id)).collect();
    for id in &ids {
        cluster.approve(ALICE, *id);
        cluster.approve(BOB, *id);
    }
    for id in &ids {
        cluster.mined(*id, &[ALICE, BOB, CAROL]);
    }
    assert_eq!(cluster.chain.borrow().received(to), (1 << 20) - 1);
    assert_eq!(cluster.chain.borrow().mined.len(), 20);
}

#[test]
fn two_members_who_ask_at_once_do_not_share_a_slot() {
    let mut cluster = Cluster::active(2, 3);
    cluster.cut(ALICE, BOB);
    cluster.cut(ALICE, CAROL);
    let (to_a, to_b) = (cluster.fresh_address(), cluster.fresh_address());
    let a = cluster.propose(ALICE, to_a, 1);
    let b = cluster.propose(BOB, to_b, 2);
    assert_eq!(
        cluster.view(ALICE, a).intent.nonce,
        cluster.view(BOB, b).intent.nonce
    );
    cluster.heal(ALICE, BOB);
    cluster.heal(ALICE, CAROL);
    cluster.arrived(a, &[BOB]);
    cluster.arrived(b, &[ALICE]);
    cluster.run(3_000);
    let ids = [a, b].map(|id| cluster.latest(id));
    assert!(ids != [a, b], "one of them was asked again");
    for id in ids {
        cluster.approve(ALICE, id);
        cluster.approve(BOB, id);
    }
    for id in ids {
        cluster.mined(id, &[ALICE]);
    }
    let mut slots = ids.map(|id| cluster.view(ALICE, id).intent.nonce);
    slots.sort_unstable();
    assert_eq!(slots, [0, 1]);
    assert_eq!(
        cluster.chain.borrow().received(to_a) + cluster.chain.borrow().received(to_b),
        3
    );
}

#[test]
fn a_dead_slot_below_is_filled_by_a_harmless_transfer() {
    let mut cluster = Cluster::active(2, 3);
    let (first, second) = (cluster.fresh_address(), cluster.fresh_address());
    let dead = cluster.propose(ALICE, first, 1);
    let waiting = cluster.propose(ALICE, second, 2);
    cluster.arrived(waiting, &[BOB]);
    cluster.approve(ALICE, waiting);
    cluster.approve(BOB, waiting);
    cluster.run(5_000);
    let view = cluster.view(ALICE, waiting);
    assert_eq!((view.intent.nonce, view.receipt), (1, None));
    let lines = view.intent.lines.iter();
    let total = lines
        .map(|line| &line.value)
        .find(|value| value.contains("should slot 0"));
    assert!(total.is_some(), "people see what a fill may cost");
    cluster
        .command(ALICE, Command::Cancel { request: dead })
        .unwrap();
    cluster.mined(waiting, &[ALICE, BOB, CAROL]);
    assert_eq!(cluster.chain.borrow().received(first), 0);
    assert_eq!(cluster.chain.borrow().received(second), 2);
    assert_eq!(cluster.chain.borrow().mined.len(), 2);
    assert!(
        cluster
            .view(BOB, waiting)
            .sessions
            .iter()
            .any(|session| session.fills_slot == Some(0))
    );
    assert_eq!(cluster.view(BOB, dead).state, RequestState::Cancelled);
}

#[test]
fn a_transaction_that_is_too_cheap_is_replaced_in_its_slot() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    cluster.chain.borrow_mut().halted = true;
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.approve(ALICE, id);
    assert!(matches!(
        cluster.command(ALICE, Command::Replace { request: id }),
        Err(Error::Denied(_))
    ));
    cluster.approve(BOB, id);
    cluster.until("it is signed", |c| {
        c.view(ALICE, id).state == RequestState::Signed
    });
    cluster
        .command(ALICE, Command::Replace { request: id })
        .unwrap();
    cluster.until("it is signed again", |c| {
        c.view(ALICE, id).tx_hashes.len() == 2
    });
    cluster.run(10_000);
    assert_eq!(cluster.view(ALICE, id).tx_hashes.len(), 2);
    cluster.chain.borrow_mut().halted = false;
    cluster.mined(id, &[ALICE, BOB, CAROL]);
    let receipt = cluster.view(CAROL, id).receipt.unwrap();
    assert_eq!(
        Some(&receipt.tx_hash),
        cluster.view(CAROL, id).tx_hashes.last()
    );
    assert_eq!(cluster.chain.borrow().received(to), 5);
}

/// A payment that is signed and then too cheap for good, because its request expired before anybody raised its fee: the
/// next one frees the slot by a fill, and is paid.
#[test]
fn a_slot_that_nobody_can_raise_any_more_is_filled() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    cluster.chain.borrow_mut().halted = true;
    let mut short = cluster.proposal(to, 5);
    short.expires = cluster.now().plus_ms(60_000);
    let done = cluster.command(ALICE, Command::Propose(Box::new(short)));
    let Some(Outcome::Requested(cheap)) = done.unwrap().first().cloned() else {
        panic!("not asked for");
    };
    cluster.arrived(cheap, &[BOB]);
    cluster.approve(ALICE, cheap);
    cluster.approve(BOB, cheap);
    cluster.until("it is signed", |c| {
        c.view(ALICE, cheap).state == RequestState::Signed
    });
    cluster.chain.borrow_mut().spike = 50 * GWEI;
    cluster.chain.borrow_mut().halted = false;
    cluster.run(61_000);
    let next = cluster.fresh_address();
    let id = cluster.propose(BOB, next, 7);
    cluster.arrived(id, &[ALICE]);
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    cluster.run(GIVE_WAY_MS);
    cluster.mined(id, &[ALICE, BOB, CAROL]);
    assert_eq!(cluster.chain.borrow().received(next), 7);
    assert_eq!(cluster.chain.borrow().received(to), 0);
}

#[test]
fn replacements_end_at_the_approved_bounds() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    cluster.chain.borrow_mut().halted = true;
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    let mut signed = 1;
    loop {
        cluster.until("it is signed", |c| {
            c.view(ALICE, id).tx_hashes.len() == signed
        });
        match cluster.command(ALICE, Command::Replace { request: id }) {
            Ok(_) => signed += 1,
            Err(Error::NoRoom(_)) => break,
            Err(other) => panic!("{other}"),
        }
    }
    assert!(signed > 5);
}

#[test]
fn a_reorganised_payment_is_unmined_and_mined_again() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    cluster.mined(id, &[ALICE]);
    let before = cluster.view(ALICE, id).receipt.unwrap();
    cluster.chain.borrow_mut().halted = true;
    cluster.chain.borrow_mut().reorganise();
    cluster.until("it is seen to be gone", |c| {
        c.view(ALICE, id).receipt.is_none()
    });
    assert_eq!(cluster.view(ALICE, id).state, RequestState::Signed);
    cluster.chain.borrow_mut().halted = false;
    cluster.mined(id, &[ALICE]);
    assert_ne!(
        cluster.view(ALICE, id).receipt.unwrap().block_hash,
        before.block_hash
    );
    assert_eq!(cluster.chain.borrow().received(to), 5);
}

#[test]
fn a_final_block_ends_the_watch() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    let done = RequestState::Mined {
        success: true,
        finalised: true,
    };
    cluster.until("it is final", |c| {
        (0..3).all(|i| c.view(i, id).state == done)
    });
    let entries = cluster
        .vault(ALICE)
        .log(&cluster.party(ALICE))
        .unwrap()
        .size();
    cluster.run(120_000);
    assert_eq!(
        cluster
            .vault(ALICE)
            .log(&cluster.party(ALICE))
            .unwrap()
            .size(),
        entries
    );
}

/// Threat: an endpoint lied about finality, or the chain broke its word, and a payment that is gone is shown as paid for
/// ever.
#[test]
fn a_final_payment_that_is_gone_is_noticed_and_told() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    let done = RequestState::Mined {
        success: true,
        finalised: true,
    };
    cluster.until("it is final", |c| c.view(ALICE, id).state == done);
    cluster.chain.borrow_mut().halted = true;
    cluster.chain.borrow_mut().reorganise();
    cluster.run(700_000);
    assert_eq!(cluster.view(ALICE, id).state, RequestState::Signed);
    let why = cluster.vault(ALICE).blocked(&id).unwrap();
    assert!(why.contains("final and said otherwise"), "{why}");
    let next = cluster.propose(ALICE, to, 6);
    assert_eq!(
        cluster.view(ALICE, next).intent.nonce,
        1,
        "its slot is not free"
    );
    cluster.chain.borrow_mut().halted = false;
    cluster.mined(id, &[ALICE]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    assert!(cluster.view(ALICE, id).sentence.contains("said otherwise"));
}

/// Threat: a script retries a request whose answer was lost, and pays twice.
#[test]
fn the_same_idempotency_key_asks_once() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let mut proposal = cluster.proposal(to, 5);
    proposal.idempotency_key = "invoice 7".to_owned();
    let first = cluster
        .command(ALICE, Command::Propose(Box::new(proposal.clone())))
        .unwrap();
    let Some(Outcome::Requested(id)) = first.first() else {
        panic!("{first:?}")
    };
    let again = cluster
        .command(ALICE, Command::Propose(Box::new(proposal.clone())))
        .unwrap();
    assert_eq!(again, [Outcome::Duplicate(*id)]);
    proposal.note = "another".to_owned();
    let other = cluster.command(ALICE, Command::Propose(Box::new(proposal)));
    assert!(matches!(other, Err(Error::IdempotencyKey(of)) if of == *id));
}

#[test]
fn a_second_decision_of_one_person_is_refused() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.approve(ALICE, id);
    let approval = cluster.approval(ALICE, id);
    assert!(matches!(
        cluster.command(ALICE, Command::Approve(approval)),
        Err(Error::Denied(_))
    ));
    cluster.arrived(id, &[BOB, CAROL]);
    cluster
        .command(
            CAROL,
            Command::Reject {
                request: id,
                reason: String::new(),
            },
        )
        .unwrap();
    let approval = cluster.approval(CAROL, id);
    assert!(matches!(
        cluster.command(CAROL, Command::Approve(approval)),
        Err(Error::Denied(_))
    ));
    assert!(matches!(
        cluster.command(BOB, Command::Cancel { request: id }),
        Err(Error::Denied(_))
    ));
}

/// Threat: the opener's proposal or any later message of the session is lost, and others open sessions of their own.
#[test]
fn a_lost_message_delays_a_payment_and_doubles_none() {
    let lost: [fn(&Message) -> bool; 3] = [
        |message| matches!(message, Message::Open(_)),
        |message| matches!(message, Message::Sign { .. }),
        |message| matches!(message, Message::Entries { .. }),
    ];
    for loses in lost {
        let mut cluster = Cluster::active(2, 3);
        let to = cluster.fresh_address();
        let id = cluster.propose(ALICE, to, 5);
        cluster.arrived(id, &[BOB, CAROL]);
        for i in [ALICE, CAROL, BOB] {
            cluster.approve(i, id);
            cluster.net.borrow_mut().loses = Some(loses);
        }
        cluster.mined(id, &[ALICE, BOB, CAROL]);
        cluster.run(60_000);
        assert_eq!(cluster.chain.borrow().received(to), 5);
        assert_eq!(cluster.chain.borrow().mined.len(), 1);
    }
}

#[test]
fn people_are_told_why_a_request_does_not_go_on() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    assert_eq!(cluster.vault(ALICE).blocked(&id), None);
    cluster.chain.borrow_mut().down = true;
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    cluster.run(5_000);
    let why = cluster.vault(ALICE).blocked(&id).unwrap();
    assert!(why.contains("nobody answers"), "{why}");
    cluster.switch_off(BOB);
    let why = cluster.vault(ALICE).blocked(&id).unwrap();
    assert!(why.contains("offline: bob"), "{why}");
    cluster.start(BOB);
    cluster.chain.borrow_mut().down = false;
    cluster.mined(id, &[ALICE]);
    assert_eq!(cluster.vault(ALICE).blocked(&id), None);
}
