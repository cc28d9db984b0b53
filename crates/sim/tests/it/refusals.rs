//! What a member does not sign, whoever proposes it.

use quorate_chain::evm::Fees;
use quorate_vault::entry::Purpose;
use quorate_vault::machine::{Phase, session_id};
use quorate_vault::message::{Decline, Open};
use quorate_vault::{Command, Message, Outcome, RequestId, SessionId};

use crate::cluster::Cluster;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;
const FEES: Fees = Fees {
    max_fee_per_gas: 3_000_000_000,
    max_priority_fee_per_gas: 1_000_000_000,
};

/// A session as a dishonest opener could propose it, with a right id.
fn proposed(
    cluster: &Cluster,
    opener: usize,
    quorum: &[usize],
    request: RequestId,
    change: impl FnOnce(&mut Open),
) -> Open {
    let intent = cluster
        .vault(opener)
        .state()
        .intent_for(&request, Purpose::Payment)
        .unwrap();
    let mut open = Open {
        session: SessionId([0; 32]),
        nonce: [3; 32],
        request,
        purpose: Purpose::Payment,
        attempt: 1,
        quorum: quorum.iter().map(|i| cluster.party(*i)).collect(),
        unsigned: intent.build(FEES).unwrap(),
    };
    change(&mut open);
    open.session = session_id(&cluster.charter.vault_id(), cluster.party(opener), &open);
    open
}

/// Tells `to` about a session and gives what it declines with; panics if it enters.
fn declined(cluster: &mut Cluster, from: usize, to: usize, open: Open) -> Decline {
    let session = open.session;
    cluster.inject(from, to, Message::Open(Box::new(open)));
    cluster.run(3_000);
    assert!(!entered(cluster, to, session));
    let (a, b) = (cluster.party(to), cluster.party(from));
    let net = cluster.net.borrow();
    let decline = net
        .sent
        .iter()
        .rev()
        .find_map(|(sender, receiver, message)| match message {
            Message::Decline {
                session: of,
                reason,
            } if *of == session && *sender == a && *receiver == b => Some(reason.clone()),
            _ => None,
        });
    decline.unwrap()
}

fn entered(cluster: &Cluster, i: usize, session: SessionId) -> bool {
    let facts = cluster.vault(i).state().session(&session);
    facts.is_some_and(|facts| facts.records.contains_key(&cluster.party(i)))
}

/// A request that alice and bob approved and that cannot be signed yet, because alice is cut off from everybody.
fn approved_by_alice_and_bob(cluster: &mut Cluster) -> RequestId {
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB, CAROL]);
    cluster.chain.borrow_mut().down = true;
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    cluster.run(3_000);
    id
}

/// Threat: an opener starts a session for a request that too few members approved.
#[test]
fn a_request_without_enough_approvals_is_not_signed() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.approve(ALICE, id);
    cluster.arrived(id, &[BOB]);
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |_| {});
    assert!(matches!(
        declined(&mut cluster, ALICE, BOB, open),
        Decline::NotAllowed(_)
    ));
}

/// Threat: enough others approved, and the opener wants the share of a member whose own person never agreed.
#[test]
fn a_member_whose_own_person_did_not_approve_does_not_sign() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let open = proposed(&cluster, ALICE, &[ALICE, CAROL], id, |_| {});
    assert!(matches!(
        declined(&mut cluster, ALICE, CAROL, open),
        Decline::NotAllowed(_)
    ));
}

/// Threat: the person rejected it, the node is asked all the same.
#[test]
fn a_member_whose_person_rejected_does_not_sign() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    cluster
        .command(
            CAROL,
            Command::Reject {
                request: id,
                reason: "no".to_owned(),
            },
        )
        .unwrap();
    let open = proposed(&cluster, ALICE, &[ALICE, CAROL], id, |_| {});
    assert!(matches!(
        declined(&mut cluster, ALICE, CAROL, open),
        Decline::NotAllowed(_)
    ));
}

/// Threat (Bybit 2025): people approved one payment, the opener sends the bytes of another.
#[test]
fn changed_bytes_are_not_signed() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let thief = cluster.fresh_address();
    let other = cluster.propose(ALICE, thief, 5_000_000);
    let unsigned = cluster
        .vault(ALICE)
        .state()
        .intent_for(&other, Purpose::Payment)
        .unwrap()
        .build(FEES)
        .unwrap();
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |open| {
        open.unsigned = unsigned
    });
    assert!(matches!(
        declined(&mut cluster, ALICE, BOB, open),
        Decline::Mismatch(_)
    ));
}

/// Threat: trailing or damaged bytes that another decoder might read differently.
#[test]
fn bytes_that_are_not_the_one_encoding_are_not_signed() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |open| {
        open.unsigned.push(0)
    });
    assert!(matches!(
        declined(&mut cluster, ALICE, BOB, open),
        Decline::Mismatch(_)
    ));
}

/// Threat: the opener burns the vault's money as fees above what people approved.
#[test]
fn fees_out_of_bounds_are_not_signed() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let dear = Fees {
        max_fee_per_gas: 101_000_000_000,
        max_priority_fee_per_gas: 1,
    };
    let mut transfer = match cluster
        .vault(ALICE)
        .state()
        .intent_for(&id, Purpose::Payment)
        .unwrap()
    {
        quorate_chain::Intent::EvmTransfer(transfer) => *transfer.terms(),
    };
    transfer.bounds = dear;
    let richer =
        quorate_chain::Intent::EvmTransfer(quorate_chain::evm::Transfer::new(transfer).unwrap());
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |open| {
        open.unsigned = richer.build(dear).unwrap()
    });
    assert!(matches!(
        declined(&mut cluster, ALICE, BOB, open),
        Decline::Mismatch(_)
    ));
}

/// Threat: a quorum that is too small, too large, out of order, or without the receiver changes who must agree.
#[test]
fn a_wrong_quorum_is_not_joined() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    for quorum in [
        &[BOB][..],
        &[ALICE],
        &[ALICE, BOB, CAROL],
        &[BOB, ALICE],
        &[ALICE, CAROL],
        &[ALICE, ALICE],
    ] {
        let open = proposed(&cluster, ALICE, quorum, id, |_| {});
        assert!(
            matches!(
                declined(&mut cluster, ALICE, BOB, open),
                Decline::Mismatch(_)
            ),
            "{quorum:?}"
        );
    }
}

/// Threat: one session id for two different proposals, or somebody else's proposal passed on as one's own.
#[test]
fn a_session_id_that_is_not_the_hash_of_the_proposal_is_refused() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let mut forged = proposed(&cluster, ALICE, &[ALICE, BOB], id, |_| {});
    forged.nonce = [4; 32];
    assert!(matches!(
        declined(&mut cluster, ALICE, BOB, forged),
        Decline::Mismatch(_)
    ));
    let of_alice = proposed(&cluster, ALICE, &[BOB, CAROL], id, |_| {});
    assert!(matches!(
        declined(&mut cluster, CAROL, BOB, of_alice),
        Decline::Mismatch(_)
    ));
}

/// Threat: a proposal is sent twice, or again after the session ended, to make a member start it a second time.
#[test]
fn a_repeated_proposal_starts_nothing_again() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |_| {});
    let session = open.session;
    let sign = |m: &Message| matches!(m, Message::Sign { session: of, .. } if *of == session);
    for _ in 0..3 {
        cluster.inject(ALICE, BOB, Message::Open(Box::new(open.clone())));
    }
    assert!(entered(&cluster, BOB, session));
    assert_eq!(cluster.sent(BOB, ALICE, sign), 1);
    // Alice's node knows nothing of it, so it ends by silence; after that and after a restart it stays ended.
    cluster.run(20_000);
    cluster.inject(ALICE, BOB, Message::Open(Box::new(open.clone())));
    cluster.restart(BOB);
    cluster.run(2_000);
    cluster.inject(ALICE, BOB, Message::Open(Box::new(open)));
    cluster.run(5_000);
    assert_eq!(cluster.sent(BOB, ALICE, sign), 1);
}

/// Threat: two sessions at once for one slot, so that one of them is lost from sight.
#[test]
fn a_second_session_for_a_slot_waits_for_the_first() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    let first = proposed(&cluster, ALICE, &[ALICE, BOB], id, |_| {});
    cluster.inject(ALICE, BOB, Message::Open(Box::new(first)));
    let second = proposed(&cluster, ALICE, &[ALICE, BOB], id, |open| {
        open.nonce = [5; 32]
    });
    assert_eq!(declined(&mut cluster, ALICE, BOB, second), Decline::Busy);
}

/// Threat: a stale node that does not know what it said before signs again.
#[test]
fn a_member_that_is_not_caught_up_does_not_sign() {
    let mut cluster = Cluster::active(2, 3);
    let id = approved_by_alice_and_bob(&mut cluster);
    cluster.cut(BOB, CAROL);
    cluster.cut(BOB, ALICE);
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |_| {});
    assert_eq!(
        declined(&mut cluster, ALICE, BOB, open),
        Decline::CatchingUp
    );
}

/// Threat: an expired request is signed late.
#[test]
fn an_expired_request_is_not_signed() {
    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let mut proposal = cluster.proposal(to, 5);
    proposal.expires = cluster.now().plus_ms(60_000);
    let done = cluster
        .command(ALICE, Command::Propose(Box::new(proposal)))
        .unwrap();
    let Some(Outcome::Requested(id)) = done.first().cloned() else {
        panic!("{done:?}")
    };
    cluster.arrived(id, &[BOB]);
    cluster.chain.borrow_mut().down = true;
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    cluster.run(61_000);
    let open = proposed(&cluster, ALICE, &[ALICE, BOB], id, |_| {});
    assert!(matches!(
        declined(&mut cluster, ALICE, BOB, open),
        Decline::NotAllowed(_)
    ));
    cluster.chain.borrow_mut().down = false;
    cluster.run(60_000);
    assert_eq!(cluster.chain.borrow().received(to), 0);
}

/// Threat: a stranger, or a member on another's channel, says things.
#[test]
fn what_strangers_say_changes_nothing() {
    let mut cluster = Cluster::active(2, 3);
    let before = cluster.vault(BOB).state().clone();
    let stranger = quorate_vault::PartyId([1; 32]);
    let entries = Message::Entries {
        author: stranger,
        incarnation: 0,
        from: 0,
        entries: vec![vec![1; 100]],
        note: "x".to_owned(),
    };
    cluster.inject(ALICE, BOB, entries);
    cluster.inject(
        ALICE,
        BOB,
        Message::Sign {
            session: SessionId([2; 32]),
            bytes: vec![0; 1000],
        },
    );
    cluster.inject(
        ALICE,
        BOB,
        Message::Keygen {
            attempt: 1,
            bytes: vec![0; 1000],
        },
    );
    cluster.inject(
        ALICE,
        BOB,
        Message::Decline {
            session: SessionId([2; 32]),
            reason: Decline::Busy,
        },
    );
    assert_eq!(*cluster.vault(BOB).state(), before);
}

/// Threat: a member is started from an old copy of its folder, and its eager person approves before anybody has told it
/// what it said since: two versions of its log, which convict it.
#[test]
fn a_restarted_member_says_nothing_new_before_it_has_heard_of_its_own_log() {
    let mut cluster = Cluster::active(2, 3);
    let old = cluster.nodes[BOB].disk.borrow().copy();
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    let text = "said once".to_owned();
    let note = Command::Note { request: id, text };
    cluster.command(BOB, note).unwrap();
    cluster.run(3_000);
    cluster.switch_off(ALICE);
    cluster.switch_off(CAROL);
    cluster.switch_off(BOB);
    *cluster.nodes[BOB].disk.borrow_mut() = old;
    cluster.start(BOB);
    cluster.run(3_000);
    let size = cluster.nodes[BOB].disk.borrow().own.len();
    let proposal = cluster.proposal(to, 1);
    let refused = cluster.command(BOB, Command::Propose(Box::new(proposal)));
    let words = refused.unwrap_err().to_string();
    assert!(
        words.contains("bring 1 of these online") && words.contains("alice, carol"),
        "{words}"
    );
    assert_eq!(cluster.nodes[BOB].disk.borrow().own.len(), size);
    // Reading works, and so does everything once somebody who knows has said so.
    assert_eq!(cluster.vault(BOB).phase(), Phase::Active);
    cluster.start(CAROL);
    cluster.until("bob learns that it was put back", |c| {
        c.nodes[BOB].outcomes.contains(&Outcome::RolledBack)
    });
    let forked = |c: &Cluster| {
        let disk = c.nodes[CAROL].disk.borrow();
        disk.notes.keys().any(|name| name.starts_with("fork/"))
    };
    assert!(!forked(&cluster));
}

/// A member that was heard once since its start may propose and approve alone, for as long as it runs.
#[test]
fn a_member_that_stays_up_speaks_alone() {
    let mut cluster = Cluster::active(2, 3);
    cluster.restart(ALICE);
    cluster.run(3_000);
    cluster.switch_off(BOB);
    cluster.switch_off(CAROL);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.approve(ALICE, id);
    cluster.run(60_000);
    cluster.start(CAROL);
    cluster.arrived(id, &[CAROL]);
    cluster.approve(CAROL, id);
    cluster.mined(id, &[ALICE, CAROL]);
}
