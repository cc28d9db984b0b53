use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};

use crate::entry::{Entry, Purpose};
use crate::fold::{Denied, GIVE_WAY_MS, MAX_GAPS, RequestState, SlotKey, Standing};
use crate::ids::{RequestId, Time};
use crate::testing::{CHAIN, World};

fn slot(world: &World, id: RequestId) -> u64 {
    world.state(0).standing(&id, world.now).unwrap().slot.slot
}

/// Every member's machine asks again for what lost its slot, once, before it hears of what the others do.
fn ask_again(world: &mut World) -> usize {
    let mut heard = world.clone();
    let asked: usize = (0..world.charter.members.len())
        .map(|i| {
            let before = world.clone();
            let count = world.ask_again(i).len();
            let said = world.entries.split_off(before.entries.len());
            heard.entries.extend(said);
            count
        })
        .sum();
    world.entries = heard.entries;
    asked
}

fn latest(world: &World, id: RequestId) -> RequestId {
    world.state(0).latest(&id)
}

#[test]
fn new_requests_take_the_next_free_slot() {
    let mut world = World::active(2, 3);
    for expected in 0..3 {
        let next = world.state(0).next_slot(CHAIN, world.now);
        assert_eq!(next, expected);
        world.request(0, next);
    }
}

#[test]
fn who_lost_a_clash_asks_again() {
    let mut world = World::active(2, 3);
    let (a, b) = (world.request(0, 0), world.request(1, 0));
    let lost: Vec<_> = (0..3)
        .map(|i| world.state(i).must_ask_again(world.now))
        .collect();
    let (winner, loser) = if a < b { (a, b) } else { (b, a) };
    assert_eq!(lost.concat(), [(loser, 1)]);
    assert!(lost[2].is_empty());
    ask_again(&mut world);
    assert_eq!(ask_again(&mut world), 0);
    let again = latest(&world, loser);
    assert_eq!(
        (
            slot(&world, winner),
            slot(&world, loser),
            slot(&world, again)
        ),
        (0, 0, 1)
    );
    let state = world.state(2);
    let cancelled = Some(RequestState::Cancelled);
    assert_eq!(state.request_state(&loser, world.now), cancelled);
    let sentence = state.explain(&loser, world.now).unwrap().sentence;
    assert!(
        sentence.contains(&format!("asked again as {}", again.short())),
        "{sentence}"
    );
    assert_eq!(
        state
            .standing(&again, world.now)
            .unwrap()
            .request
            .instead_of,
        Some(loser)
    );
}

#[test]
fn more_approvals_win_a_clash_and_a_session_wins_over_approvals() {
    let mut world = World::active(2, 3);
    let (a, b) = (world.request(0, 0), world.request(1, 0));
    let (winner, loser) = if a < b { (a, b) } else { (b, a) };
    let author = usize::from(loser == b);
    world.approve(&[author], loser);
    let lost = |world: &World| -> Vec<_> {
        (0..3)
            .flat_map(|i| world.state(i).must_ask_again(world.now))
            .collect()
    };
    assert_eq!(lost(&world), [(winner, 1)]);
    world.approve(&[1 - author], winner);
    world.approve(&[2], winner);
    world.open(&[0, 1], winner, Purpose::Payment);
    assert_eq!(
        lost(&world),
        [(loser, 1)],
        "its author's own approval holds no slot"
    );
}

/// What others approved may be under way to a signature: its author's machine leaves it, and people are told.
#[test]
fn a_loser_that_others_approved_stays_until_it_is_lost() {
    let mut world = World::active(2, 3);
    let (a, b) = (world.request(0, 0), world.request(1, 0));
    world.approve(&[2], b);
    world.approve(&[0, 1, 2], a);
    assert_eq!(ask_again(&mut world), 0);
    world.approve(&[1], b);
    let denied = world.state(1).may_sign(&b, Purpose::Payment, world.now);
    assert_eq!(denied, Err(Denied::SlotClaimed { slot: 0, other: a }));
    let session = world.sign(&[0, 2], a, Purpose::Payment);
    world.mine(1, a, 0, session);
    let state = world.state(1);
    assert_eq!(state.request_state(&b, world.now), Some(RequestState::Lost));
    let sentence = state.explain(&b, world.now).unwrap().sentence;
    assert!(sentence.contains("ask again"), "{sentence}");
    assert!(state.must_ask_again(world.now).is_empty());
}

/// An author that has not heard of the session must not pay twice by asking again.
#[test]
fn a_request_that_anybody_entered_is_not_asked_again() {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    world.approve(&[1, 2], id);
    world.open(&[1, 2], id, Purpose::Payment);
    world.request(1, 0);
    assert!(world.state(0).must_ask_again(world.now).is_empty());
    assert_eq!(
        world.state(1).may_sign(&id, Purpose::Payment, world.now),
        Ok(()),
        "retry in the same slot"
    );
}

/// A member records sessions that never were, in every slot, to have the others pay for fills.
#[test]
fn records_that_no_approvals_cover_hold_no_slots() {
    let mut world = World::active(2, 3);
    for slot in 0..3 {
        let id = world.request(2, slot);
        world.open(&[2], id, Purpose::Payment);
        world.cancel(2, id);
    }
    assert_eq!(world.state(0).next_slot(CHAIN, world.now), 0);
    assert!(world.state(0).watched_slots().is_empty());
    assert_eq!(
        world.state(2).next_slot(CHAIN, world.now),
        3,
        "its own word binds it"
    );
}

#[test]
fn a_fill_that_is_too_cheap_is_replaced_for_who_waits() {
    let mut world = World::active(2, 3);
    let waiting = world.request(0, 1);
    world.approve(&[0, 1], waiting);
    let fill = Purpose::Fill { slot: 0 };
    let first = world.sign(&[0, 1], waiting, fill);
    assert_eq!(world.state(0).fill_needed(&waiting, world.now), None);
    world.sign(&[0, 1], waiting, Purpose::Payment);
    assert_eq!(
        world.state(0).may_sign(&waiting, fill, world.now),
        Err(Denied::NoFill { slot: 0 })
    );
    assert_eq!(world.state(0).may_replace(&waiting, world.now), Ok(first));
    world.say(
        0,
        Entry::Replacement {
            request: waiting,
            supersedes: first,
        },
    );
    assert_eq!(world.state(1).fill_needed(&waiting, world.now), Some(0));
    assert_eq!(world.state(1).may_sign(&waiting, fill, world.now), Ok(()));
    let second = world.sign(&[0, 1], waiting, fill);
    assert_eq!(world.state(1).fill_needed(&waiting, world.now), None);
    assert_eq!(world.state(1).may_replace(&waiting, world.now), Ok(second));
    world.mine(1, waiting, 0, first);
    let payment = world
        .state(1)
        .newest_signed(&waiting, Purpose::Payment)
        .unwrap();
    assert_eq!(world.state(1).may_replace(&waiting, world.now), Ok(payment));
}

#[test]
fn a_dead_request_frees_its_slot_for_the_next() {
    let mut world = World::active(2, 3);
    let ids: Vec<_> = (0..4).map(|s| world.request(0, s)).collect();
    world.cancel(0, ids[1]);
    assert_eq!(world.state(0).next_slot(CHAIN, world.now), 1);
    assert!(world.state(0).must_ask_again(world.now).is_empty());
    let next = world.request(0, 1);
    assert_eq!(slot(&world, next), 1);
}

#[test]
fn a_slot_that_was_entered_is_never_handed_out_again() {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    world.approve(&[0, 1], id);
    world.open(&[0, 1], id, Purpose::Payment);
    world.cancel(0, id);
    let state = world.state(0);
    assert_eq!(
        state.request_state(&id, world.now),
        Some(RequestState::Cancelled)
    );
    assert_eq!(state.next_slot(CHAIN, world.now), 1);
    let far = world.now.plus_ms(100 * 24 * 3_600_000);
    assert_eq!(state.next_slot(CHAIN, far), 1, "no timeout releases it");
    assert_eq!(state.watched_slots().len(), 1);
}

#[test]
fn a_dead_requests_slot_is_filled_for_who_waits() {
    let mut world = World::active(2, 3);
    let (dead, waiting) = (world.request(0, 0), world.request(1, 1));
    world.approve(&[0, 1], dead);
    world.approve(&[0, 1], waiting);
    world.open(&[0, 1], dead, Purpose::Payment);
    let fill = Purpose::Fill { slot: 0 };
    assert_eq!(world.state(0).fill_needed(&waiting, world.now), None);
    assert_eq!(
        world
            .state(0)
            .may_sign(&waiting, Purpose::Payment, world.now),
        Err(Denied::LowerSlotOpen { slot: 0 })
    );
    assert_eq!(
        world.state(0).may_sign(&waiting, fill, world.now),
        Err(Denied::NoFill { slot: 0 })
    );
    world.cancel(0, dead);
    assert_eq!(world.state(0).fill_needed(&waiting, world.now), Some(0));
    // Both have a record for the dead request in that slot: the chain takes one of the two.
    assert_eq!(world.state(0).may_sign(&waiting, fill, world.now), Ok(()));
    assert_eq!(
        world.state(2).may_sign(&waiting, fill, world.now),
        Err(Denied::NotApprovedHere)
    );
    let session = world.sign(&[0, 1], waiting, fill);
    let state = world.state(0);
    assert!(state.is_slot_signed(&SlotKey {
        chain: CHAIN,
        slot: 0
    }));
    assert_eq!(state.fill_needed(&waiting, world.now), None);
    assert_eq!(
        state.may_sign(&waiting, Purpose::Payment, world.now),
        Ok(())
    );
    world.mine(0, waiting, 0, session);
    let key = SlotKey {
        chain: CHAIN,
        slot: 0,
    };
    assert_eq!(world.state(0).consumer(&key), Some((waiting, fill)));
}

/// One person on holiday must not hold up everybody else's payments.
#[test]
fn a_request_without_approvals_gives_way_after_a_while() {
    let mut world = World::active(2, 3);
    let (idle, waiting) = (world.request(0, 0), world.request(1, 1));
    world.approve(&[1, 2], waiting);
    let later = world.now.plus_ms(GIVE_WAY_MS);
    assert_eq!(
        world.state(1).fill_needed(&waiting, Time(later.0 - 1)),
        None
    );
    assert_eq!(world.state(1).fill_needed(&waiting, later), Some(0));
    world.now = later;
    world.sign(&[1, 2], waiting, Purpose::Fill { slot: 0 });
    assert_eq!(world.state(0).must_ask_again(world.now), [(idle, 2)]);
}

#[test]
fn nobody_new_gets_in_the_way_of_an_approved_request() {
    let mut world = World::active(2, 3);
    let waiting = world.request(1, 3);
    let idle = world.request(0, 4);
    world.approve(&[1, 2], waiting);
    let state = world.state(0);
    assert_eq!(state.next_slot(CHAIN, world.now), 5);
    assert!(state.must_ask_again(world.now).is_empty());
    assert_eq!(state.fill_needed(&waiting, world.now), Some(0));
    world.cancel(1, waiting);
    assert_eq!(world.state(0).next_slot(CHAIN, world.now), 0);
    assert!(world.state(0).must_ask_again(world.now).is_empty());
    assert_eq!(slot(&world, idle), 4);
}

/// Threat: an author asks for a slot far ahead, and its approvals have the vault pay for one fill after the other.
#[test]
fn a_request_far_ahead_is_neither_approved_nor_signed() {
    let mut world = World::active(2, 3);
    let near = world.request(1, MAX_GAPS);
    let far = world.request(1, MAX_GAPS + 2);
    let may_approve = |world: &World, id| {
        let approval = world.approval(0, id);
        world.state(0).may_approve(&approval, world.now)
    };
    assert_eq!(may_approve(&world, near), Ok(()));
    let denied = Err(Denied::SlotTooFar {
        slot: MAX_GAPS + 2,
        gaps: MAX_GAPS + 1,
    });
    assert_eq!(may_approve(&world, far), denied);
    let lower = world.request(2, 0);
    assert_eq!(may_approve(&world, far), Ok(()));
    world.approve(&[0, 1], far);
    world.cancel(2, lower);
    let fill = Purpose::Fill { slot: 0 };
    assert_eq!(world.state(0).may_sign(&far, fill, world.now), denied);
    let sentence = world.state(0).explain(&far, world.now).unwrap().sentence;
    assert!(sentence.contains("9 slots below it"), "{sentence}");
    // And nobody waits for it: new requests take the slots below, until it is near enough.
    assert_eq!(world.state(0).next_slot(CHAIN, world.now), 0);
    world.request(2, 0);
    assert_eq!(world.state(0).next_slot(CHAIN, world.now), MAX_GAPS + 3);
}

#[test]
fn slots_are_counted_for_each_chain() {
    let mut world = World::active(2, 3);
    world.request(0, 0);
    let other = quorate_chain::ChainId::Eip155(1);
    assert_eq!(world.state(0).next_slot(other, world.now), 0);
    assert_eq!(world.state(0).next_slot(CHAIN, world.now), 1);
}

#[test]
fn what_the_chain_consumed_frees_nobody_else() {
    let mut world = World::active(2, 3);
    let (paid, next) = (world.request(0, 0), world.request(1, 1));
    world.approve(&[0, 1], paid);
    let session = world.sign(&[0, 1], paid, Purpose::Payment);
    world.mine(2, paid, 0, session);
    // Another member's receipt is shown, but this member waits for its own.
    assert!(!world.state(0).is_consumed(&SlotKey {
        chain: CHAIN,
        slot: 0
    }));
    assert!(world.state(2).is_consumed(&SlotKey {
        chain: CHAIN,
        slot: 0
    }));
    let mined = RequestState::Mined {
        success: true,
        finalised: true,
    };
    assert_eq!(world.state(2).request_state(&paid, world.now), Some(mined));
    assert_eq!(
        world.state(0).request_state(&paid, world.now),
        Some(RequestState::Signed)
    );
    assert_eq!(world.state(2).next_slot(CHAIN, world.now), 2);
    assert_eq!(world.state(0).watched_slots().len(), 1);
    assert_eq!(slot(&world, next), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Ask(usize, u64),
    Approve(usize, usize),
    Cancel(usize),
    Pay(usize),
    Settle,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0usize..3, 0u64..3).prop_map(|(i, ahead)| Step::Ask(i, ahead)),
        3 => (0usize..3, 0usize..8).prop_map(|(i, request)| Step::Approve(i, request)),
        1 => (0usize..8).prop_map(Step::Cancel),
        2 => (0usize..8).prop_map(Step::Pay),
        2 => Just(Step::Settle),
    ]
}

fn carry_out(world: &mut World, asked: &mut Vec<(usize, RequestId)>, step: &Step) {
    match *step {
        Step::Ask(i, ahead) => {
            let slot = world
                .state(i)
                .next_slot(CHAIN, world.now)
                .saturating_sub(ahead);
            let id = world.request(i, slot);
            asked.push((i, id));
        }
        Step::Approve(i, request) => {
            if let Some((_, id)) = asked.get(request) {
                world.approve(&[i], *id);
            }
        }
        Step::Cancel(request) => {
            if let Some((author, id)) = asked.get(request) {
                world.cancel(*author, *id);
            }
        }
        Step::Pay(request) => {
            if let Some((_, id)) = asked.get(request) {
                pay(world, *id);
            }
        }
        Step::Settle => {
            ask_again(world);
        }
    }
}

/// Signs a payment or its fill if two members' judgement allows it.
fn pay(world: &mut World, id: RequestId) {
    let fill = world.state(0).fill_needed(&id, world.now);
    let purpose = fill.map_or(Purpose::Payment, |slot| Purpose::Fill { slot });
    let willing: Vec<usize> = (0..3)
        .filter(|i| world.state(*i).may_sign(&id, purpose, world.now).is_ok())
        .take(2)
        .collect();
    if willing.len() == 2 {
        world.sign(&willing, id, purpose);
    }
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

    /// Whatever happens, once members have asked again no two living requests that nobody else approved share a slot.
    #[test]
    fn slots_have_no_clash(steps in proptest::collection::vec(step(), 1..20)) {
        let mut world = World::active(2, 3);
        let mut asked = Vec::new();
        for step in &steps {
            carry_out(&mut world, &mut asked, step);
        }
        let rounds = (0..20).take_while(|_| ask_again(&mut world) > 0).count();
        prop_assert!(rounds < 20, "asking again must come to an end");
        let state = world.state(0);
        let others = |s: &Standing| s.approvals.iter().any(|decision| decision.party != s.author);
        let alive = state.requests().filter_map(|id| state.standing(&id, world.now));
        let alive = alive.filter(|s| !s.state.is_dead() && !others(s));
        let mut slots: Vec<u64> = alive.map(|standing| standing.slot.slot).collect();
        slots.sort_unstable();
        let mut distinct = slots.clone();
        distinct.dedup();
        prop_assert_eq!(&slots, &distinct);
    }

    /// The records of honest members never name two payments for one slot, over all quorums and retries.
    #[test]
    fn one_slot_is_entered_for_one_payment(steps in proptest::collection::vec(step(), 1..20)) {
        let mut world = World::active(2, 3);
        let mut asked = Vec::new();
        for step in &steps {
            carry_out(&mut world, &mut asked, step);
        }
        let mut payments = std::collections::BTreeMap::new();
        let mut slots_of = std::collections::BTreeMap::new();
        for (_, logged) in &world.entries {
            let Entry::SessionRecord(record) = &logged.entry else { continue };
            if record.purpose != Purpose::Payment {
                continue;
            }
            let nonce = quorate_chain::evm::decode_unsigned(&record.unsigned).unwrap().nonce;
            prop_assert_eq!(*payments.entry(nonce).or_insert(record.request), record.request);
            prop_assert_eq!(*slots_of.entry(record.request).or_insert(nonce), nonce);
        }
    }
}
