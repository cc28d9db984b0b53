use quorate_chain::evm::Wei;

use crate::entry::{Entry, Purpose, Receipt, Seen, SessionResult};
use crate::fold::{Denied, RequestState, SameKey, SessionEnd, SlotKey};
use crate::ids::RequestId;
use crate::io::{Amount, Proposal};
use crate::testing::{CHAIN, START, World, sign};

fn approved() -> (World, RequestId) {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    world.approve(&[0, 1], id);
    (world, id)
}

fn state(world: &World, id: RequestId) -> RequestState {
    world.state(0).request_state(&id, world.now).unwrap()
}

#[test]
fn a_request_goes_from_ready_to_final() {
    let (mut world, id) = approved();
    assert_eq!(state(&world, id), RequestState::Ready);
    let session = world.open(&[0, 1], id, Purpose::Payment);
    assert_eq!(state(&world, id), RequestState::Signing);
    world.signed(&[1], session);
    assert_eq!(state(&world, id), RequestState::Signed);
    let pending = world.mined(id, 0, session, false);
    world.say(0, Entry::Receipt(Box::new(pending)));
    assert_eq!(
        state(&world, id),
        RequestState::Mined {
            success: true,
            finalised: false
        }
    );
    world.mine(0, id, 0, session);
    assert_eq!(
        state(&world, id),
        RequestState::Mined {
            success: true,
            finalised: true
        }
    );
    let watched = world.state(0).watched_slots();
    assert!(
        watched
            .iter()
            .all(|slot| slot.seen.as_ref().unwrap().finalised)
    );
}

/// G4: my node lends its share only to what my own person approved.
#[test]
fn others_approvals_do_not_make_my_node_sign() {
    let (world, id) = approved();
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Ok(())
    );
    assert_eq!(
        world.state(2).may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::NotApprovedHere)
    );
}

#[test]
fn outsiders_and_unknown_requests_are_refused() {
    let (world, id) = approved();
    let mut outsider = crate::State::new(world.charter.clone(), crate::PartyId([1; 32])).unwrap();
    let mut heads = [0; 3];
    for (i, logged) in &world.entries {
        outsider.absorb(world.party(*i), 0, heads[*i], logged);
        heads[*i] += 1;
    }
    assert_eq!(
        outsider.may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::NotASigner)
    );
    let unknown = RequestId([1; 32]);
    assert_eq!(
        world
            .state(0)
            .may_sign(&unknown, Purpose::Payment, world.now),
        Err(Denied::UnknownRequest)
    );
}

#[test]
fn a_session_that_failed_is_retried_in_the_same_slot() {
    let (mut world, id) = approved();
    let first = world.open(&[0, 1], id, Purpose::Payment);
    assert_eq!(world.state(0).unfinished_sessions(&world.party(0)), [first]);
    world.failed(&[0, 1], first);
    assert_eq!(state(&world, id), RequestState::Ready);
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Ok(())
    );
    assert_eq!(world.state(0).attempts(&id, Purpose::Payment), 1);
    let sessions = world.state(0).sessions(&id);
    assert!(matches!(&sessions[0].end, SessionEnd::Failed(reasons) if reasons.len() == 2));
    world.sign(&[0, 1], id, Purpose::Payment);
    assert_eq!(world.state(0).attempts(&id, Purpose::Payment), 2);
    assert_eq!(state(&world, id), RequestState::Signed);
}

/// A member that says "signed" without a signature that verifies must not make others wait for the chain.
#[test]
fn a_signature_counts_only_where_it_verifies() {
    let (mut world, id) = approved();
    let session = world.open(&[0, 1], id, Purpose::Payment);
    let digest = world
        .state(0)
        .session(&session)
        .unwrap()
        .records
        .values()
        .next()
        .unwrap()
        .said
        .what
        .digest;
    let mut wrong = sign(&digest);
    wrong.r[5] ^= 1;
    world.say(
        1,
        Entry::SessionOutcome {
            session,
            result: SessionResult::Signed(wrong),
        },
    );
    world.say(
        2,
        Entry::SessionOutcome {
            session,
            result: SessionResult::Signed(sign(&digest)),
        },
    );
    assert_eq!(
        state(&world, id),
        RequestState::Signing,
        "carol has no record of it"
    );
    assert!(!world.state(0).is_slot_signed(&SlotKey {
        chain: CHAIN,
        slot: 0
    }));
}

/// A signature over bytes outside the approved intent is none of this request's.
#[test]
fn a_signature_counts_only_within_the_intent() {
    let (mut world, id) = approved();
    let mut terms = world.transfer(0);
    terms.value = Wei::from(2_000_000_000_000_000u128);
    let other =
        quorate_chain::Intent::EvmTransfer(quorate_chain::evm::Transfer::new(terms).unwrap());
    let unsigned = other.build(terms.bounds).unwrap();
    let digest = other.check(&unsigned).unwrap().digest();
    let session = world.open_with(&[1], id, Purpose::Payment, 1, unsigned);
    if let Entry::SessionRecord(record) = &mut world.entries.last_mut().unwrap().1.entry {
        record.digest = digest;
    }
    world.say(
        1,
        Entry::SessionOutcome {
            session,
            result: SessionResult::Signed(sign(&digest)),
        },
    );
    assert_eq!(state(&world, id), RequestState::Signing);
}

#[test]
fn what_is_signed_is_signed_again_only_for_a_replacement() {
    let (mut world, id) = approved();
    assert_eq!(
        world.state(0).may_replace(&id, world.now),
        Err(Denied::NothingToReplace)
    );
    let first = world.sign(&[0, 1], id, Purpose::Payment);
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::AlreadySigned)
    );
    assert_eq!(
        world.state(2).may_replace(&id, world.now),
        Err(Denied::NotInvolved)
    );
    world.ask_to_replace(2, id, first);
    assert!(
        !world.state(0).replacement_wanted(&id),
        "carol neither asked nor approved"
    );
    assert_eq!(world.state(1).may_replace(&id, world.now), Ok(first));
    world.ask_to_replace(1, id, first);
    assert_eq!(
        world.state(0).may_replace(&id, world.now),
        Err(Denied::AlreadyReplaced)
    );
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Ok(())
    );
    let expires = world
        .state(0)
        .standing(&id, world.now)
        .unwrap()
        .request
        .expires;
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, expires),
        Err(Denied::Expired)
    );
    let second = world.sign(&[0, 1], id, Purpose::Payment);
    assert_eq!(
        world.state(0).newest_signed(&id, Purpose::Payment),
        Some(second)
    );
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::AlreadySigned)
    );
    assert_eq!(state(&world, id), RequestState::Signed);
    // Either may be mined; it is one payment all the same.
    world.mine(0, id, 0, first);
    assert_eq!(
        state(&world, id),
        RequestState::Mined {
            success: true,
            finalised: true
        }
    );
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::AlreadyMined)
    );
}

#[test]
fn nothing_is_added_to_a_signed_request_that_was_withdrawn() {
    let (mut world, id) = approved();
    let first = world.sign(&[0, 1], id, Purpose::Payment);
    assert_eq!(
        world.state(0).may_cancel(&id, world.now),
        Err(Denied::AlreadySigned)
    );
    assert_eq!(
        world.state(2).may_reject(&id, world.now),
        Err(Denied::AlreadySigned)
    );
    world.cancel(0, id);
    world.say(
        0,
        Entry::Replacement {
            request: id,
            supersedes: first,
        },
    );
    assert_eq!(state(&world, id), RequestState::Signed);
    assert_eq!(
        world.state(0).may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::Cancelled)
    );
}

/// A co-signer finished alone, hid the signature, and let the others retry: the chain shows it, and it is ours.
#[test]
fn a_hidden_signature_is_recognised_when_it_is_mined() {
    let (mut world, id) = approved();
    let session = world.open(&[0, 1], id, Purpose::Payment);
    let mut elsewhere = world.clone();
    elsewhere.signed(&[1], session);
    let receipt = elsewhere.mined(id, 0, session, true);
    world.failed(&[0], session);
    world.say(0, Entry::Receipt(Box::new(receipt)));
    assert_eq!(
        state(&world, id),
        RequestState::Mined {
            success: true,
            finalised: true
        }
    );
}

/// A reorganisation took it out of the chain again.
#[test]
fn what_was_mined_can_be_gone_again() {
    let (mut world, id) = approved();
    let session = world.sign(&[0, 1], id, Purpose::Payment);
    world.mine(0, id, 0, session);
    world.say(
        0,
        Entry::Receipt(Box::new(Receipt {
            request: id,
            slot: 0,
            seen: Seen::Unmined,
        })),
    );
    assert_eq!(state(&world, id), RequestState::Signed);
    assert_eq!(world.state(0).watched_slots().len(), 1);
    world.mine(0, id, 0, session);
    assert_eq!(
        state(&world, id),
        RequestState::Mined {
            success: true,
            finalised: true
        }
    );
}

#[test]
fn a_request_whose_slot_was_filled_is_lost() {
    let mut world = World::active(2, 3);
    let (dead, waiting) = (world.request(0, 0), world.request(1, 1));
    world.approve(&[0, 1], dead);
    world.approve(&[0, 1], waiting);
    let hidden = world.open(&[0, 1], dead, Purpose::Payment);
    world.cancel(0, dead);
    let fill = world.sign(&[0, 1], waiting, Purpose::Fill { slot: 0 });
    world.signed(&[1], hidden);
    assert_eq!(state(&world, dead), RequestState::Signed);
    world.mine(0, waiting, 0, fill);
    assert_eq!(state(&world, dead), RequestState::Lost);
    assert_eq!(state(&world, waiting), RequestState::Ready);
}

#[test]
fn a_request_that_nobody_entered_is_asked_again_when_its_slot_is_taken() {
    let mut world = World::active(2, 3);
    let (a, b) = (world.request(0, 0), world.request(1, 0));
    world.approve(&[0, 1], a);
    let session = world.sign(&[0, 1], a, Purpose::Payment);
    world.mine(1, a, 0, session);
    let state = world.state(1);
    assert_eq!(state.request_state(&b, world.now), Some(RequestState::Lost));
    let sentence = state.explain(&b, world.now).unwrap().sentence;
    assert!(sentence.contains("took its slot 0"), "{sentence}");
    assert_eq!(state.must_ask_again(world.now), [(b, 1)]);
}

/// Of two requests in one slot all honest members go on with the same one, whether they entered the other or not.
#[test]
fn a_slot_that_was_entered_is_its_first_requests() {
    let mut world = World::active(2, 3);
    let (a, b) = (world.request(0, 0), world.request(1, 0));
    world.approve(&[0, 1, 2], a);
    world.approve(&[0, 1, 2], b);
    world.open(&[0, 1], a, Purpose::Payment);
    let denied = world.state(0).may_sign(&b, Purpose::Payment, world.now);
    assert_eq!(denied, Err(Denied::SlotClaimed { slot: 0, other: a }));
    let denied = world.state(2).may_sign(&b, Purpose::Payment, world.now);
    assert_eq!(denied, Err(Denied::SlotClaimed { slot: 0, other: a }));
}

#[test]
fn an_idempotency_key_names_one_payment() {
    let mut world = World::active(2, 3);
    let mut request = world.draft(0);
    request.idempotency_key = "invoice-7".to_owned();
    let terms = world.transfer(0);
    let proposal = Proposal {
        chain: CHAIN,
        to: terms.to,
        amount: Amount::Exact(terms.value),
        bounds: terms.bounds,
        expires: START.plus_ms(1),
        note: request.note.clone(),
        idempotency_key: request.idempotency_key.clone(),
    };
    assert_eq!(world.state(0).same_key(&proposal), SameKey::New);
    let id = world.ask(0, request);
    world.cancel(0, id);
    assert_eq!(world.state(0).same_key(&proposal), SameKey::Duplicate(id));
    assert_eq!(
        world.state(1).same_key(&proposal),
        SameKey::New,
        "the key is the author's own"
    );
    let dearer = Proposal {
        amount: Amount::Exact(Wei::from(1u128)),
        ..proposal.clone()
    };
    assert_eq!(world.state(0).same_key(&dearer), SameKey::Conflict(id));
    let keyless = Proposal {
        idempotency_key: String::new(),
        ..proposal
    };
    assert_eq!(world.state(0).same_key(&keyless), SameKey::New);
}

#[test]
fn a_proposal_becomes_a_request_that_holds() {
    let world = World::active(2, 3);
    let terms = world.transfer(0);
    let proposal = Proposal {
        chain: CHAIN,
        to: terms.to,
        amount: Amount::Max {
            balance: Wei::from(500_000_000_000_000_000u128),
        },
        bounds: terms.bounds,
        expires: world.now.plus_ms(60_000),
        note: String::new(),
        idempotency_key: String::new(),
    };
    let request = world.state(0).draft(&proposal, [8; 32], world.now).unwrap();
    let quorate_chain::Intent::EvmTransfer(transfer) = request.intent;
    assert_eq!(
        transfer.largest_total(),
        Wei::from(500_000_000_000_000_000u128)
    );
    assert!(transfer.terms().fills_dead_slots_below);
    let poor = Proposal {
        amount: Amount::Max {
            balance: Wei::from(1u128),
        },
        ..proposal.clone()
    };
    assert!(world.state(0).draft(&poor, [8; 32], world.now).is_err());
    let late = Proposal {
        expires: world.now,
        ..proposal
    };
    assert!(world.state(0).draft(&late, [8; 32], world.now).is_err());
}
