//! Members that break the protocol, keep a signature to themselves, or lie about their log.

use quorate_sim::stub::{Misdeed, StubEngine};
use quorate_vault::fold::RequestState;
use quorate_vault::machine::{Error, Phase};
use quorate_vault::{Command, Message, Outcome};

use crate::cluster::Cluster;

const ALICE: usize = 0;
const BOB: usize = 1;
const CAROL: usize = 2;

/// A 2-of-3 vault where bob breaks the protocol in this way.
fn with_bob(misdeed: Misdeed) -> Cluster {
    let engines = vec![
        StubEngine::default(),
        StubEngine::misbehaving(misdeed),
        StubEngine::default(),
    ];
    let mut cluster = Cluster::with_engines(2, engines);
    cluster.found();
    cluster
}

fn approved_by_all(
    cluster: &mut Cluster,
    wei: u128,
) -> (quorate_vault::RequestId, quorate_chain::evm::Address) {
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, wei);
    cluster.arrived(id, &[BOB, CAROL]);
    cluster.approve(CAROL, id);
    cluster.approve(BOB, id);
    cluster.approve(ALICE, id);
    (id, to)
}

/// Threat (Lit and Silence audits): a selective abort against OT extension leaks a bit each time it is tried again.
#[test]
fn a_failed_ot_check_bans_the_culprit_for_good_and_the_others_pay() {
    let mut cluster = with_bob(Misdeed::FailsOtCheck);
    let (id, to) = approved_by_all(&mut cluster, 5);
    cluster.mined(id, &[ALICE, CAROL]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    let bob = cluster.party(BOB);
    let banned_by = |cluster: &Cluster, i: usize| {
        cluster.nodes[i]
            .disk
            .borrow()
            .notes
            .keys()
            .any(|name| *name == format!("ban/{bob}"))
    };
    let judge = if banned_by(&cluster, ALICE) {
        ALICE
    } else {
        CAROL
    };
    assert!(banned_by(&cluster, judge));
    let is_distrusted = |c: &Cluster| {
        c.vault(judge)
            .presence()
            .iter()
            .any(|p| p.party == bob && p.distrusted.is_some())
    };
    assert!(is_distrusted(&cluster));
    cluster.restart(judge);
    assert!(is_distrusted(&cluster));
    // At most one failed check: no later session of the two.
    let (next, _) = approved_by_all(&mut cluster, 7);
    cluster.mined(next, &[ALICE, CAROL]);
    let together = cluster.view(judge, next).sessions.iter().any(|session| {
        session.entered.contains(&"bob".to_owned())
            && session
                .entered
                .contains(&cluster.charter.members[judge].name)
    });
    assert!(!together);
}

/// Threat: the ban is sent about, or anything else is, before it is on disk, so that a crash forgets it.
#[test]
fn a_ban_survives_a_crash_at_the_commit_that_holds_it() {
    for kept in [false, true] {
        let mut cluster = with_bob(Misdeed::FailsOtCheck);
        let bob = cluster.party(BOB);
        cluster.switch_off(CAROL);
        let to = cluster.fresh_address();
        let id = cluster.propose(ALICE, to, 5);
        cluster.arrived(id, &[BOB]);
        cluster.approve(BOB, id);
        cluster.approve(ALICE, id);
        let alice = cluster.nodes[ALICE].disk.clone();
        let quiet = |c: &Cluster| c.sent(ALICE, BOB, |m| matches!(m, Message::Decline { .. }));
        alice.borrow_mut().dies_with = Some(("ban/", kept));
        let told = quiet(&cluster);
        cluster.until("alice dies", |c| c.nodes[ALICE].driver.is_none());
        assert_eq!(quiet(&cluster), told, "nothing was said before the commit");
        assert_eq!(
            alice.borrow().notes.contains_key(&format!("ban/{bob}")),
            kept
        );
    }
}

/// Threat: a member opens something else than it committed to, to steer the nonce.
#[test]
fn a_proven_fault_is_kept_as_evidence_and_the_others_pay() {
    let mut cluster = with_bob(Misdeed::OpensOtherwise);
    let (id, to) = approved_by_all(&mut cluster, 5);
    cluster.mined(id, &[ALICE, CAROL]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    let bob = cluster.party(BOB);
    let named = (0..3).any(|i| {
        let accused =
            |o: &Outcome| matches!(o, Outcome::Misbehaved { culprit, .. } if *culprit == bob);
        cluster.nodes[i].outcomes.iter().any(accused)
            && cluster.nodes[i]
                .disk
                .borrow()
                .notes
                .keys()
                .any(|name| name.starts_with(&format!("fault/{bob}")))
    });
    assert!(named);
}

/// Threat: a malicious co-signer finishes the signature alone, hides it, lets the others pay again, and then broadcasts.
#[test]
fn a_hidden_signature_pays_once_all_the_same() {
    let mut cluster = with_bob(Misdeed::SilentFrom(3));
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB, CAROL]);
    cluster.switch_off(CAROL);
    cluster.chain.borrow_mut().halted = true;
    cluster.approve(BOB, id);
    cluster.approve(ALICE, id);
    // Bob holds it and says so to nobody but the chain; alice knows of a failed session.
    cluster.until("bob has a signature", |c| {
        c.chain.borrow().broadcasts > 0 || c.view(BOB, id).tx_hashes.len() == 1
    });
    cluster.cut(ALICE, BOB);
    cluster.cut(CAROL, BOB);
    cluster.start(CAROL);
    cluster.arrived(id, &[CAROL]);
    cluster.approve(CAROL, id);
    cluster.until("alice and carol sign too", |c| {
        c.view(CAROL, id).state == RequestState::Signed
    });
    cluster.run(20_000);
    assert!(
        cluster.chain.borrow().pool[&0].len() == 2,
        "two transactions for one slot"
    );
    cluster.chain.borrow_mut().halted = false;
    cluster.mined(id, &[ALICE, CAROL]);
    cluster.run(30_000);
    assert_eq!(cluster.chain.borrow().received(to), 5);
}

/// Threat: the chain takes a transaction that nobody here knows a signature of.
#[test]
fn what_the_chain_took_is_learned_from_the_chain() {
    let mut cluster = with_bob(Misdeed::SilentFrom(3));
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.switch_off(CAROL);
    cluster.approve(BOB, id);
    cluster.approve(ALICE, id);
    cluster.until("bob broadcasts", |c| c.chain.borrow().broadcasts > 0);
    cluster.cut(ALICE, BOB);
    cluster.mined(id, &[ALICE]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    cluster.start(CAROL);
    cluster.mined(id, &[CAROL]);
}

/// Threat: a member never answers in a session.
#[test]
fn a_silent_signer_is_left_out_of_the_next_quorum() {
    let mut cluster = with_bob(Misdeed::SilentFrom(1));
    let (id, to) = approved_by_all(&mut cluster, 5);
    cluster.mined(id, &[ALICE, CAROL]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    let view = cluster.view(CAROL, id);
    assert!(
        view.sessions
            .iter()
            .any(|session| session.outcome == "failed")
    );
    assert_eq!(view.sessions.last().unwrap().quorum, ["alice", "carol"]);
}

/// Threat: a keygen that hangs for ever because one member stops in the middle.
#[test]
fn a_keygen_that_stops_is_given_up_and_tried_again() {
    let engines = vec![
        StubEngine::default(),
        StubEngine::misbehaving(Misdeed::SilentInKeygenFrom(3)),
        StubEngine::default(),
    ];
    let mut cluster = Cluster::with_engines(2, engines);
    for i in 0..3 {
        let words = cluster.words();
        cluster.command(i, Command::Confirm { words }).unwrap();
    }
    cluster.until("two attempts are given up", |c| {
        c.vault(ALICE)
            .state()
            .aborts()
            .iter()
            .any(|(attempt, ..)| *attempt == 2)
    });
    assert!((0..3).all(|i| cluster.vault(i).view().address.is_none()));
    cluster.nodes[BOB].engine = std::sync::Arc::new(StubEngine::default());
    cluster.restart(BOB);
    cluster.until("the vault is active", |c| {
        (0..3).all(|i| c.vault(i).phase() == Phase::Active)
    });
}

/// Threat: an address is shown and paid to before every member has durable shares.
#[test]
fn no_address_is_shown_before_everybody_acknowledged() {
    let mut cluster = Cluster::new(2, 3);
    for i in 0..3 {
        let words = cluster.words();
        cluster.command(i, Command::Confirm { words }).unwrap();
    }
    cluster.until("carol is prepared", |c| {
        c.nodes[CAROL].disk.borrow().secrets.len() == 1
    });
    cluster.switch_off(CAROL);
    cluster.run(300_000);
    assert!((0..2).all(|i| cluster.vault(i).view().address.is_none()));
    assert!(
        cluster
            .vault(ALICE)
            .awaited()
            .iter()
            .any(|awaited| awaited.name == "carol")
    );
    cluster.start(CAROL);
    cluster.until("the vault is active", |c| {
        (0..3).all(|i| c.vault(i).phase() == Phase::Active)
    });
}

/// Threat: a member is restored from a backup of its folder and signs what it has signed before, or forks its log.
#[test]
fn a_restored_member_notices_and_says_nothing_more() {
    let mut cluster = Cluster::active(2, 3);
    let old = cluster.nodes[BOB].disk.borrow().copy();
    let (id, _) = approved_by_all(&mut cluster, 5);
    cluster.mined(id, &[ALICE, BOB, CAROL]);
    cluster.switch_off(BOB);
    *cluster.nodes[BOB].disk.borrow_mut() = old;
    cluster.start(BOB);
    cluster.until("bob notices", |c| {
        c.nodes[BOB].outcomes.contains(&Outcome::RolledBack)
    });
    let size = cluster.nodes[BOB].disk.borrow().own.len();
    let to = cluster.fresh_address();
    let proposal = cluster.proposal(to, 1);
    assert!(matches!(
        cluster.command(BOB, Command::Propose(Box::new(proposal))),
        Err(Error::RolledBack)
    ));
    let next = cluster.propose(ALICE, to, 6);
    cluster.arrived(next, &[CAROL]);
    cluster.approve(ALICE, next);
    cluster.approve(CAROL, next);
    cluster.mined(next, &[ALICE, CAROL]);
    assert_eq!(cluster.nodes[BOB].disk.borrow().own.len(), size);
    assert!(cluster.vault(BOB).read_only().is_some());
}

/// Threat: one liar says that it holds more of a member's log, to freeze that member.
#[test]
fn a_lie_about_a_members_own_log_freezes_nobody() {
    let mut cluster = Cluster::active(2, 3);
    let head = quorate_vault::message::Head {
        author: cluster.party(ALICE),
        incarnation: 0,
        size: 1_000_000,
        root: [0; 32],
    };
    let (id, to) = approved_by_all(&mut cluster, 5);
    for _ in 0..20 {
        cluster.inject(BOB, ALICE, Message::Heads { heads: vec![head] });
        cluster.run(500);
    }
    cluster.mined(id, &[ALICE, CAROL]);
    assert_eq!(cluster.chain.borrow().received(to), 5);
    assert!(cluster.vault(ALICE).read_only().is_none());
}

/// Threat: a member tells one half of the others this and the other half that.
#[test]
fn a_forked_log_is_proven_and_its_author_no_longer_signed_with() {
    let mut cluster = Cluster::active(2, 3);
    cluster.run(3_000);
    let to = cluster.fresh_address();
    // Carol lives twice: once for alice, once for bob.
    let twin = cluster.nodes[CAROL].disk.borrow().copy();
    cluster.cut(CAROL, BOB);
    cluster.cut(ALICE, BOB);
    cluster.propose(CAROL, to, 1);
    cluster.run(2_000);
    cluster.switch_off(CAROL);
    *cluster.nodes[CAROL].disk.borrow_mut() = twin;
    cluster.cut(CAROL, ALICE);
    cluster.heal(CAROL, BOB);
    cluster.start(CAROL);
    cluster.propose(CAROL, to, 2);
    cluster.run(2_000);
    cluster.heal(ALICE, BOB);
    let carol = cluster.party(CAROL);
    let proven = |c: &Cluster, i: usize| {
        c.nodes[i]
            .disk
            .borrow()
            .notes
            .contains_key(&format!("fork/{carol}"))
    };
    cluster.until("somebody can prove it", |c| {
        proven(c, ALICE) || proven(c, BOB)
    });
    let judge = if proven(&cluster, ALICE) { ALICE } else { BOB };
    assert!(
        cluster
            .vault(judge)
            .presence()
            .iter()
            .any(|p| p.party == carol && p.distrusted.is_some())
    );
}

/// Threat: a member records sessions that never were, to make the others wait for them.
#[test]
fn recorded_sessions_that_never_were_hold_nobody_up() {
    use quorate_vault::entry::{Entry, Logged, SessionRecord};

    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB, CAROL]);
    cluster.run(2_000);
    // Carol's node is replaced by a program that writes what it likes into her log.
    cluster.switch_off(CAROL);
    let carol = cluster.party(CAROL);
    let mut log = cluster.vault(ALICE).log(&carol).unwrap().clone();
    let intent = cluster
        .vault(ALICE)
        .state()
        .intent_for(&id, quorate_vault::entry::Purpose::Payment)
        .unwrap();
    let fees = quorate_chain::evm::Fees {
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
    };
    let unsigned = intent.build(fees).unwrap();
    let digest = intent.check(&unsigned).unwrap().digest();
    let fake = |n: u8, now| {
        let record = SessionRecord {
            session: quorate_vault::SessionId([n; 32]),
            request: id,
            purpose: quorate_vault::entry::Purpose::Payment,
            attempt: u32::from(n),
            opener: carol,
            quorum: vec![cluster.charter.members[BOB].party, carol],
            unsigned: unsigned.clone(),
            digest,
        };
        Logged {
            at: now,
            entry: Entry::SessionRecord(Box::new(record)),
        }
        .encode()
    };
    let now = cluster.now();
    let fakes: Vec<Vec<u8>> = (1..=40).map(|n| fake(n, now)).collect();
    let key = cluster.nodes[CAROL].identity.clone();
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    for entry in fakes {
        let from = log.append(entry.clone()).unwrap();
        let note = log.sign_checkpoint(&key).unwrap().to_string();
        for to in [ALICE, BOB] {
            let entries = vec![entry.clone()];
            cluster.inject(
                CAROL,
                to,
                Message::Entries {
                    author: carol,
                    incarnation: 0,
                    from,
                    entries,
                    note: note.clone(),
                },
            );
        }
        cluster.run(500);
    }
    assert!(cluster.is_mined(ALICE, id));
    assert_eq!(cluster.chain.borrow().received(to), 5);
}

/// Threat: an opener proposes and drops sessions as fast as it can, each a durable record at its victim.
#[test]
fn an_opener_whose_sessions_come_to_nothing_has_to_wait() {
    use quorate_vault::entry::Purpose;
    use quorate_vault::machine::session_id;
    use quorate_vault::message::{Decline, Open};

    let mut cluster = Cluster::active(2, 3);
    let to = cluster.fresh_address();
    let id = cluster.propose(ALICE, to, 5);
    cluster.arrived(id, &[BOB]);
    cluster.chain.borrow_mut().down = true;
    cluster.approve(ALICE, id);
    cluster.approve(BOB, id);
    cluster.run(3_000);
    let fees = quorate_chain::evm::Fees {
        max_fee_per_gas: 2_000_000_000,
        max_priority_fee_per_gas: 1_000_000_000,
    };
    let unsigned = cluster
        .vault(ALICE)
        .state()
        .intent_for(&id, Purpose::Payment)
        .unwrap()
        .build(fees)
        .unwrap();
    let before = cluster.nodes[BOB].disk.borrow().own.len();
    for n in 0..100 {
        let mut open = Open {
            session: quorate_vault::SessionId([0; 32]),
            nonce: [n; 32],
            request: id,
            purpose: Purpose::Payment,
            attempt: 1,
            quorum: vec![cluster.party(ALICE), cluster.party(BOB)],
            unsigned: unsigned.clone(),
        };
        open.session = session_id(&cluster.charter.vault_id(), cluster.party(ALICE), &open);
        let session = open.session;
        cluster.inject(ALICE, BOB, Message::Open(Box::new(open)));
        cluster.inject(
            ALICE,
            BOB,
            Message::Decline {
                session,
                reason: Decline::Ended(String::new()),
            },
        );
        cluster.run(100);
    }
    // In a hundred seconds or less some fifteen records and their outcomes, not a hundred.
    let grown = cluster.nodes[BOB].disk.borrow().own.len() - before;
    assert!((6..40).contains(&grown), "{grown} entries");
}
