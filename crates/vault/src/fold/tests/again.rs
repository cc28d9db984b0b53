//! A request keeps its slot for ever; who lost one asks again, and two requests never become two payments unseen.

use quorate_chain::evm::Wei;
use quorate_chain::{Intent, evm::Transfer};

use crate::entry::{Approval, Entry, Purpose, Receipt, Request, Seen};
use crate::fold::{
    Denied, Invalid, MAX_ASKED_AGAIN, MAX_LIFETIME_MS, MAX_OPEN_PER_AUTHOR, RequestState, SameKey,
    SlotKey, State, request_id,
};
use crate::ids::RequestId;
use crate::io::{Amount, Proposal};
use crate::testing::{CHAIN, World};

const SLOT_0: SlotKey = SlotKey {
    chain: CHAIN,
    slot: 0,
};

/// Alice's request lost slot 0 and was asked again by her machine: the winner, the old one, the new one.
fn clashed(before: impl Fn(&mut World, RequestId)) -> (World, RequestId, RequestId, RequestId) {
    let mut world = World::active(2, 3);
    let lost = world.request(0, 0);
    before(&mut world, lost);
    let mut winner = world.request(1, 0);
    while winner > lost {
        world.cancel(1, winner);
        winner = world.request(1, 0);
    }
    world.approve(&[1], winner);
    let again = world.ask_again(0);
    (world, winner, lost, again[0])
}

fn may_approve(world: &World, i: usize, id: RequestId) -> Result<(), Denied> {
    let approval: Approval = world.approval(i, id);
    world.state(i).may_approve(&approval, world.now)
}

fn state_of(state: &State, world: &World, id: RequestId) -> RequestState {
    state.request_state(&id, world.now).unwrap()
}

fn pending(world: &World, id: RequestId, session: crate::SessionId) -> Entry {
    Entry::Receipt(Box::new(world.mined(id, 0, session, false)))
}

/// The winner is paid by bob and carol.
fn pay(world: &mut World, id: RequestId) -> crate::SessionId {
    world.approve(&[1, 2], id);
    world.sign(&[1, 2], id, Purpose::Payment)
}

type Spoil = fn(&mut Request);

/// Threat: a request that borrows the trust which another one earned.
#[test]
fn only_the_authors_own_withdrawn_request_is_asked_again_and_says_the_same() {
    let spoils: [Spoil; 5] = [
        |request| request.note.push('!'),
        |request| request.expires = request.expires.plus_ms(1),
        |request| request.idempotency_key.push('!'),
        |request| request.intent = request.intent.with_slot(0).unwrap(),
        |request| {
            let Intent::EvmTransfer(transfer) = request.intent;
            let mut terms = *transfer.terms();
            terms.value = Wei::from(1u128);
            request.intent = Intent::EvmTransfer(Transfer::new(terms).unwrap());
        },
    ];
    let judged = |world: &mut World, i: usize, request: Request| {
        let id = world.ask(i, request);
        state_of(&world.state(2), world, id)
    };
    let mut world = World::active(2, 3);
    let old = world.request(0, 0);
    let again = world.state(0).draft_again(&old, 1, [9; 32]).unwrap();
    let early = judged(&mut world, 0, again.clone());
    assert_eq!(early, RequestState::Invalid(Invalid::NotWithdrawn));
    world.cancel(0, old);
    let other = RequestState::Invalid(Invalid::OtherContent);
    assert_eq!(
        judged(&mut world, 1, again.clone()),
        other,
        "another author"
    );
    for spoil in spoils {
        let mut spoilt = again.clone();
        spoil(&mut spoilt);
        assert_eq!(judged(&mut world, 0, spoilt), other);
    }
    let unknown = Request {
        instead_of: Some(RequestId([7; 32])),
        ..again.clone()
    };
    assert_eq!(judged(&mut world, 0, unknown), other);
    let first = Request {
        nonce: [1; 32],
        ..again.clone()
    };
    let second = Request {
        nonce: [2; 32],
        ..again
    };
    assert_eq!(
        judged(&mut world, 0, first),
        RequestState::WaitingForApprovals
    );
    let twice = RequestState::Invalid(Invalid::AskedTwice);
    assert_eq!(judged(&mut world, 0, second.clone()), twice);
    // Nor in place of that one: the fault would be hidden one step further down.
    let second = request_id(world.state(0).vault(), &world.party(0), &second);
    let third = world.state(0).draft_again(&second, 2, [3; 32]).unwrap();
    world.cancel(0, second);
    assert_eq!(judged(&mut world, 0, third), twice);
}

#[test]
fn one_payment_is_asked_again_only_so_often() {
    let mut world = World::active(2, 3);
    let first = world.request(0, 0);
    let mut newest = first;
    for slot in 1..=MAX_ASKED_AGAIN as u64 + 1 {
        let again = world.state(0).draft_again(&newest, slot, [9; 32]).unwrap();
        world.cancel(0, newest);
        newest = world.ask(0, again);
    }
    let state = world.state(1);
    let too_often = RequestState::Invalid(Invalid::AskedTooOften);
    assert_eq!(state_of(&state, &world, newest), too_often);
    let last = state
        .standing(&newest, world.now)
        .unwrap()
        .request
        .instead_of
        .unwrap();
    assert_eq!(state.latest(&first), last);
    // Nor does its author's machine go on: the last one stays where it lost.
    let mut world = World::active(2, 3);
    let mut newest = world.request(0, 0);
    for slot in 1..=MAX_ASKED_AGAIN as u64 {
        let again = world.state(0).draft_again(&newest, slot, [9; 32]).unwrap();
        world.cancel(0, newest);
        newest = world.ask(0, again);
    }
    let winner = world.request(1, MAX_ASKED_AGAIN as u64);
    world.approve(&[1, 2], winner);
    assert!(world.state(0).must_ask_again(world.now).is_empty());
}

/// Threat: the chain's word on a slot comes too early, and both requests are paid.
#[test]
fn who_approved_the_old_request_waits_until_the_chain_finally_gave_its_slot_away() {
    let (mut world, winner, lost, again) = clashed(|_, _| ());
    // Carol had approved it before she heard; her log says so only now.
    let approval = world.approval(2, lost);
    world.say(2, Entry::Approval(approval));
    let denied = Err(Denied::MayBePaid {
        earlier: lost,
        slot: 0,
    });
    world.approve(&[0, 2], again);
    let may_sign = |world: &World, i: usize| {
        let state = world.state(i);
        state.may_sign(&again, Purpose::Payment, world.now)
    };
    let session = pay(&mut world, winner);
    world.say(2, pending(&world, winner, session));
    world.say(0, pending(&world, winner, session));
    assert_eq!(may_sign(&world, 2), denied, "not final");
    let sentence = world.state(2).explain(&again, world.now).unwrap().sentence;
    assert!(sentence.contains("may have been signed"), "{sentence}");
    assert_eq!(may_sign(&world, 0), Ok(()), "alice withdrew it herself");
    world.mine(2, winner, 0, session);
    assert_eq!(may_sign(&world, 2), Ok(()));
    world.say(
        2,
        Entry::Receipt(Box::new(Receipt {
            request: winner,
            slot: 0,
            seen: Seen::Unmined,
        })),
    );
    assert_eq!(may_sign(&world, 2), denied, "it was not final");
}

/// Whoever approved the old request before it heard of the withdrawal can still approve the new one. Else nobody would
/// ever fill the old one's slot when nobody else uses it, and the new one would wait for that till it expires.
#[test]
fn who_approved_the_old_request_can_approve_the_new_one_and_fill_the_old_slot() {
    let mut world = World::active(2, 2);
    let lost = world.request(0, 0);
    let approval = world.approval(1, lost);
    let winner = world.request(1, 0);
    world.approve(&[1], winner);
    let again = world.ask_again(0);
    world.say(1, Entry::Approval(approval));
    world.cancel(1, winner);
    for i in [0, 1] {
        assert_eq!(may_approve(&world, i, again[0]), Ok(()));
    }
    world.approve(&[0, 1], again[0]);
    world.now = world.now.plus_ms(crate::fold::GIVE_WAY_MS);
    let fill = Purpose::Fill { slot: 0 };
    for i in [0, 1] {
        assert_eq!(world.state(i).may_sign(&again[0], fill, world.now), Ok(()));
    }
    let session = world.sign(&[0, 1], again[0], fill);
    for i in [0, 1] {
        world.mine(i, again[0], 0, session);
        let state = world.state(i);
        assert_eq!(
            state.may_sign(&again[0], Purpose::Payment, world.now),
            Ok(())
        );
    }
}

/// The author's own approval says nothing: its machine withdrew the request and signs it no more.
#[test]
fn an_authors_own_approval_does_not_hold_up_what_it_asks_again() {
    let (mut world, _, _, again) = clashed(|world, id| world.approve(&[0], id));
    assert_eq!(may_approve(&world, 0, again), Ok(()));
    world.approve(&[0, 1], again);
    world.now = world.now.plus_ms(crate::fold::GIVE_WAY_MS);
    let fill = Purpose::Fill { slot: 0 };
    assert_eq!(world.state(0).may_sign(&again, fill, world.now), Ok(()));
}

/// Threat: the old request was signed by a quorum that its author hides from the others (it signs two versions of its
/// log); they sign the new one behind another transaction in the old one's slot, and the chain takes the hidden one.
#[test]
fn what_stands_in_place_of_another_is_not_signed_before_the_chain_gave_that_ones_slot_away() {
    let (mut world, winner, lost, again) = clashed(|_, _| ());
    world.approve(&[0, 1], again);
    let paid = pay(&mut world, winner);
    let may_sign = |world: &World, i: usize| {
        let state = world.state(i);
        state.may_sign(&again, Purpose::Payment, world.now)
    };
    let denied = Err(Denied::MayBePaid {
        earlier: lost,
        slot: 0,
    });
    assert_eq!(
        may_sign(&world, 1),
        denied,
        "its slot is signed for the winner only"
    );
    world.say(1, pending(&world, winner, paid));
    assert_eq!(may_sign(&world, 1), Ok(()));
    // Approvals and a record of the old one come to light.
    for i in [0, 2] {
        let approval = world.approval(i, lost);
        world.say(i, Entry::Approval(approval));
    }
    world.open(&[2], lost, Purpose::Payment);
    assert_eq!(may_sign(&world, 1), denied, "it is not final");
    world.mine(1, winner, 0, paid);
    assert_eq!(may_sign(&world, 1), Ok(()));
    assert_eq!(may_sign(&world, 0), denied, "alice has not seen the chain");
}

/// Threat: the old request is mined after all, and people pay the new one, too.
#[test]
fn when_the_old_request_is_paid_the_new_one_is_dead() {
    let (mut world, _, lost, again) = clashed(|_, _| ());
    for i in [1, 2] {
        let approval = world.approval(i, lost);
        world.say(i, Entry::Approval(approval));
    }
    let session = world.sign(&[1, 2], lost, Purpose::Payment);
    assert_eq!(world.state(0).latest(&lost), lost, "it is signed");
    world.say(0, pending(&world, lost, session));
    let state = world.state(0);
    let paid = RequestState::PaidBefore { earlier: lost };
    assert_eq!(state_of(&state, &world, again), paid);
    assert_eq!(
        may_approve(&world, 0, again),
        Err(Denied::PaidBefore { earlier: lost })
    );
    let sentence = state.explain(&again, world.now).unwrap().sentence;
    assert!(sentence.contains("was paid after all"), "{sentence}");
    let far = world.now.plus_ms(MAX_LIFETIME_MS);
    assert_eq!(
        state.request_state(&again, far),
        Some(paid),
        "and not: ask again"
    );
}

#[test]
fn the_same_idempotency_key_answers_the_newest_request() {
    let mut world = World::active(2, 3);
    let mut request = world.draft(0);
    request.idempotency_key = "invoice-7".to_owned();
    let terms = world.transfer(0);
    let proposal = Proposal {
        chain: CHAIN,
        to: terms.to,
        amount: Amount::Exact(terms.value),
        bounds: terms.bounds,
        expires: world.now,
        note: request.note.clone(),
        idempotency_key: request.idempotency_key.clone(),
    };
    let id = world.ask(0, request);
    let winner = world.request(1, 0);
    world.approve(&[1, 2], winner);
    assert_eq!(world.state(0).same_key(&proposal), SameKey::Duplicate(id));
    let again = world.ask_again(0)[0];
    assert_eq!(
        world.state(0).same_key(&proposal),
        SameKey::Duplicate(again)
    );
}

/// A higher slot's receipt comes first: whoever is told "ask again" then pays twice.
#[test]
fn a_slot_that_the_chain_has_passed_is_lost_only_when_it_is_seen_to_whom() {
    let mut world = World::active(2, 3);
    let (first, second) = (world.request(0, 0), world.request(0, 1));
    world.approve(&[0, 1], first);
    world.approve(&[0, 1], second);
    let paid = world.sign(&[0, 1], first, Purpose::Payment);
    let next = world.sign(&[0, 1], second, Purpose::Payment);
    world.mine(0, second, 1, next);
    assert!(world.state(0).is_consumed(&SLOT_0));
    assert_eq!(
        state_of(&world.state(0), &world, first),
        RequestState::Signed
    );
    world.mine(0, first, 0, paid);
    let mined = RequestState::Mined {
        success: true,
        finalised: true,
    };
    assert_eq!(state_of(&world.state(0), &world, first), mined);
}

/// Threat: an endpoint that called a transaction final is believed for ever.
#[test]
fn a_final_word_that_is_taken_back_is_shown_and_frees_no_slot() {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    world.approve(&[0, 1], id);
    let session = world.sign(&[0, 1], id, Purpose::Payment);
    world.mine(0, id, 0, session);
    assert!(!world.state(0).is_contradicted(&SLOT_0));
    let watched = world.state(0).watched_slots();
    assert_eq!(watched.len(), 1, "it is looked at again");
    world.say(
        0,
        Entry::Receipt(Box::new(Receipt {
            request: id,
            slot: 0,
            seen: Seen::Unmined,
        })),
    );
    let state = world.state(0);
    assert!(state.is_contradicted(&SLOT_0));
    assert_eq!(state_of(&state, &world, id), RequestState::Signed);
    assert_eq!(state.next_slot(CHAIN, world.now), 1, "the slot is not free");
    let sentence = state.explain(&id, world.now).unwrap().sentence;
    assert!(sentence.contains("final and said otherwise"), "{sentence}");
    world.mine(0, id, 0, session);
    assert!(
        world.state(0).is_contradicted(&SLOT_0),
        "people are told on"
    );
    // Another transaction in a slot that had its last word is the same.
    let fresh = world.request(0, 1);
    world.approve(&[0, 1], fresh);
    let one = world.sign(&[0, 1], fresh, Purpose::Payment);
    world.ask_to_replace(0, fresh, one);
    let other = world.sign(&[0, 1], fresh, Purpose::Payment);
    world.mine(0, fresh, 1, one);
    world.mine(0, fresh, 1, other);
    assert!(
        world
            .state(0)
            .is_contradicted(&SlotKey { slot: 1, ..SLOT_0 })
    );
}

/// Threat: an author whose clock runs years ahead gets an approval that lives for years.
#[test]
fn an_expiry_is_judged_by_my_own_clock() {
    let mut world = World::active(2, 3);
    let now = world.now;
    let mut request = world.draft(0);
    world.now = now.plus_ms(MAX_LIFETIME_MS);
    request.expires = world.now.plus_ms(MAX_LIFETIME_MS);
    let id = world.ask(1, request);
    assert!(
        !state_of(&world.state(0), &world, id).is_dead(),
        "by its author's clock it is in order"
    );
    let approval = world.approval(0, id);
    let early = world.state(0).may_approve(&approval, now);
    assert_eq!(early, Err(Denied::ExpiresTooLate));
    let sentence = world.state(0).explain(&id, now).unwrap().sentence;
    assert!(sentence.contains("30 days from now"), "{sentence}");
    assert_eq!(world.state(0).may_approve(&approval, world.now), Ok(()));
}

/// Threat: one member asks without end, and nobody else can find a slot or ask at all.
#[test]
fn an_authors_requests_beyond_the_limit_are_not_approved_and_hold_nothing() {
    let mut world = World::active(2, 3);
    let ids: Vec<RequestId> = (0..=MAX_OPEN_PER_AUTHOR as u64)
        .map(|slot| world.request(2, slot))
        .collect();
    let state = world.state(0);
    let last = *ids.last().unwrap();
    let approvable = |id: &RequestId, world: &World| world.state(0).not_approvable(id, world.now);
    assert_eq!(approvable(&last, &world), Some(Denied::TooManyOpen));
    assert_eq!(approvable(&ids[MAX_OPEN_PER_AUTHOR - 1], &world), None);
    let sentence = state.explain(&last, world.now).unwrap().sentence;
    assert!(sentence.contains("older requests open"), "{sentence}");
    assert_eq!(
        state.next_slot(CHAIN, world.now),
        MAX_OPEN_PER_AUTHOR as u64
    );
    assert_eq!(
        state.open_of(&world.party(0), world.now),
        0,
        "bob and alice may ask"
    );
    world.cancel(2, ids[3]);
    assert_eq!(approvable(&last, &world), None);
}
