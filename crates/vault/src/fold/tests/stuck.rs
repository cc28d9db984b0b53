//! What one member could do to hold up everybody behind a slot, or to have people read what is not so.

use crate::entry::{Entry, Purpose};
use crate::fold::{GIVE_WAY_MS, RequestState};
use crate::ids::RequestId;
use crate::testing::World;

/// Threat: one member writes a record for a twin of a request that is paid, and the paid one reads as lost: "ask again".
#[test]
fn a_liars_record_does_not_take_a_payment_away_from_its_request() {
    let mut world = World::active(2, 3);
    let paid = world.request(0, 0);
    world.approve(&[0, 1], paid);
    let session = world.sign(&[0, 1], paid, Purpose::Payment);
    world.mine(0, paid, 0, session);
    let state = |world: &World| world.state(0).request_state(&paid, world.now).unwrap();
    let mined = RequestState::Mined {
        success: true,
        finalised: true,
    };
    assert_eq!(state(&world), mined);
    // Carol, alone: the same content in the same slot, a nonce that gives a lower id, and a record of the same bytes.
    let mut twin = world.request(2, 0);
    while twin > paid {
        twin = world.request(2, 0);
    }
    assert_eq!(state(&world), mined);
    let bytes = world.bytes(paid, Purpose::Payment, 1);
    world.open_with(&[2], twin, Purpose::Payment, 1, bytes);
    let sentence = world.state(0).explain(&paid, world.now).unwrap().sentence;
    assert_eq!(state(&world), mined, "people read: {sentence}");
    assert_ne!(world.state(0).request_state(&twin, world.now), Some(mined));
}

/// Whoever entered the fill refuses the payment, and nobody fills any more, because the payment "stands".
#[test]
fn a_failed_fill_and_a_late_approval_do_not_stop_the_slot() {
    let mut world = World::active(2, 3);
    let low = world.request(2, 0);
    let high = world.request(0, 1);
    world.approve(&[0, 1], high);
    world.now = world.now.plus_ms(GIVE_WAY_MS);
    let fill = Purpose::Fill { slot: 0 };
    assert_eq!(world.state(0).fill_needed(&high, world.now), Some(0));
    let session = world.open(&[0, 1], high, fill);
    world.failed(&[0, 1], session);
    world.approve(&[0, 1, 2], low);
    for days in 0..1 {
        let now = world.now.plus_ms(days * 24 * 3_600_000 + 60_000);
        let goes_on = |i: usize| {
            let state = world.state(i);
            state.may_sign(&low, Purpose::Payment, now).is_ok()
                || state.may_sign(&high, fill, now).is_ok()
        };
        let why = |i: usize| {
            let state = world.state(i);
            (
                state.may_sign(&low, Purpose::Payment, now).err(),
                state.may_sign(&high, fill, now).err(),
                state.explain(&low, now).unwrap().sentence,
            )
        };
        assert!(goes_on(0) && goes_on(1), "{:?} {:?}", why(0), why(1));
    }
}

/// two honest ones any more.
#[test]
fn two_entered_requests_do_not_hold_two_honest_members_off_each_other() {
    let mut world = World::active(2, 3);
    let (a, b) = (world.request(0, 0), world.request(1, 0));
    world.approve(&[0, 1, 2], a);
    world.approve(&[0, 1, 2], b);
    let s = world.open(&[0, 2], a, Purpose::Payment);
    world.failed(&[0, 2], s);
    let s = world.open(&[1, 2], b, Purpose::Payment);
    world.failed(&[1, 2], s);
    let may = |id: RequestId| {
        (0..2).all(|i| {
            world
                .state(i)
                .may_sign(&id, Purpose::Payment, world.now)
                .is_ok()
        })
    };
    let why: Vec<_> = (0..2)
        .flat_map(|i| [a, b].map(|id| world.state(i).may_sign(&id, Purpose::Payment, world.now)))
        .collect();
    assert!(may(a) || may(b), "{why:?}");
}

/// then on nobody can sign anything else for that slot: every later payment waits behind it for ever.
#[test]
fn a_slot_signed_too_cheaply_can_still_be_freed_after_its_request_expired() {
    let mut world = World::active(2, 3);
    let cheap = world.request(2, 0);
    world.approve(&[0, 1, 2], cheap);
    let fees = quorate_chain::evm::Fees {
        max_fee_per_gas: 0,
        max_priority_fee_per_gas: 0,
    };
    let unsigned = world
        .state(0)
        .intent_for(&cheap, Purpose::Payment)
        .unwrap()
        .build(fees)
        .unwrap();
    let session = world.open_with(&[2, 1], cheap, Purpose::Payment, 1, unsigned);
    world.signed(&[1, 2], session);
    world.now = world.now.plus_ms(25 * 3_600_000);
    let next = world.request(0, 1);
    world.approve(&[0, 1], next);
    world.now = world.now.plus_ms(GIVE_WAY_MS);
    let state = world.state(0);
    let replace = state.may_replace(&cheap, world.now);
    let fill = state.may_sign(&next, Purpose::Fill { slot: 0 }, world.now);
    let payment = state.may_sign(&next, Purpose::Payment, world.now);
    assert!(
        replace.is_ok() || fill.is_ok(),
        "replace {replace:?}, fill {fill:?}, the next payment, behind it: {payment:?}; {}",
        state.explain(&cheap, world.now).unwrap().sentence
    );
}

/// has to outbid, is taken from whoever stands first in the charter.
#[test]
fn what_was_signed_is_what_the_signature_signs() {
    let mut world = World::active(2, 3);
    let id = world.request(1, 0);
    world.approve(&[0, 1], id);
    let intent = world.state(0).intent_for(&id, Purpose::Payment).unwrap();
    let at = |fee: u128| {
        let fees = quorate_chain::evm::Fees {
            max_fee_per_gas: fee,
            max_priority_fee_per_gas: 0,
        };
        let bytes = intent.build(fees).unwrap();
        let digest = intent.check(&bytes).unwrap().digest();
        (bytes, digest)
    };
    let (true_bytes, true_digest) = at(7);
    let (lie, lies_digest) = at(1_000_000_000_000);
    let session = world.open_bytes(
        &[1],
        id,
        Purpose::Payment,
        1,
        true_bytes.clone(),
        true_digest,
    );
    let mut record = world.state(0).session(&session).unwrap().records[&world.party(1)]
        .said
        .what
        .clone();
    record.unsigned = lie;
    record.digest = lies_digest;
    world.say(0, Entry::SessionRecord(Box::new(record)));
    let result = crate::entry::SessionResult::Signed(crate::testing::sign(&true_digest));
    world.say(1, Entry::SessionOutcome { session, result });
    let state = world.state(2);
    assert_eq!(state.signature(&session).unwrap().0.unsigned, true_bytes);
    assert_eq!(state.sessions(&id)[0].record.unsigned, true_bytes);
}

/// The same at once, without waiting for the expiry: its author withdraws what it signed at a fee of nothing.
#[test]
fn a_slot_signed_too_cheaply_can_be_freed_after_its_author_withdrew_it() {
    let mut world = World::active(2, 3);
    let cheap = world.request(2, 0);
    world.approve(&[0, 1, 2], cheap);
    let fees = quorate_chain::evm::Fees {
        max_fee_per_gas: 0,
        max_priority_fee_per_gas: 0,
    };
    let unsigned = world
        .state(0)
        .intent_for(&cheap, Purpose::Payment)
        .unwrap()
        .build(fees)
        .unwrap();
    let session = world.open_with(&[2, 1], cheap, Purpose::Payment, 1, unsigned);
    world.signed(&[1, 2], session);
    world.cancel(2, cheap);
    world.ask_to_replace(0, cheap, session);
    let next = world.request(0, 1);
    world.approve(&[0, 1], next);
    world.now = world.now.plus_ms(GIVE_WAY_MS);
    let state = world.state(0);
    let replacement = state.may_sign(&cheap, Purpose::Payment, world.now);
    let fill = state.may_sign(&next, Purpose::Fill { slot: 0 }, world.now);
    assert!(
        replacement.is_ok() || fill.is_ok(),
        "replacement {replacement:?}, fill {fill:?}; {}",
        state.explain(&next, world.now).unwrap().sentence
    );
}
