use std::sync::LazyLock;

use proptest::prelude::{Strategy, any, prop_assert_eq, proptest};

use crate::entry::{Entry, Purpose, Receipt, Seen};
use crate::testing::World;

/// Built once: writing it means folding it again and again.
static EVENTFUL: LazyLock<World> = LazyLock::new(eventful);

/// Everything that logs can say, with clashes, successors, fills, failures and facts about unknown requests.
fn eventful() -> World {
    let mut world = made_at_the_second_try();
    let ids: Vec<_> = [(0, 0), (1, 0), (2, 1), (0, 3)]
        .into_iter()
        .map(|(i, slot)| world.request(i, slot))
        .collect();
    world.approve(&[0, 1, 2], ids[0]);
    world.approve(&[1], ids[1]);
    let again = world.ask_again(1);
    assert_eq!(
        again.len(),
        1,
        "two clash in slot 0, and others approved the first"
    );
    let twice = world.state(1).draft_again(&ids[1], 5, [77; 32]).unwrap();
    world.ask(1, twice);
    world.approve(&[0, 2], again[0]);
    world.reject(2, ids[2]);
    world.reject(1, ids[2]);
    world.say(
        0,
        Entry::Note {
            request: ids[1],
            text: "is this the new address?".to_owned(),
        },
    );
    let failed = world.open(&[0, 2], ids[0], Purpose::Payment);
    world.failed(&[2], failed);
    let first = world.sign(&[0, 1], ids[0], Purpose::Payment);
    world.say(
        1,
        Entry::Replacement {
            request: ids[0],
            supersedes: first,
        },
    );
    let second = world.sign(&[1, 0], ids[0], Purpose::Payment);
    world.mine(0, ids[0], 0, first);
    world.say(
        0,
        Entry::Receipt(Box::new(Receipt {
            request: ids[0],
            slot: 0,
            seen: Seen::Unmined,
        })),
    );
    world.mine(0, ids[0], 0, second);
    world.mine(2, ids[0], 0, second);
    world.sign(&[0, 2], again[0], Purpose::Fill { slot: 1 });
    world.sign(&[0, 2], again[0], Purpose::Payment);
    world.cancel(0, ids[3]);
    world.approve(&[1], ids[3]);
    world.say(
        2,
        Entry::Cancellation {
            request: crate::RequestId([77; 32]),
        },
    );
    world
}

/// A vault whose first keygen was given up.
fn made_at_the_second_try() -> World {
    let mut world = World::silent(2, 3);
    (0..3).for_each(|i| world.found(i));
    world.say(1, Entry::CeremonyStarted { act: 0, attempt: 1 });
    world.say(
        1,
        Entry::Aborted {
            act: 0,
            attempt: 1,
            reason: "carol was silent".to_owned(),
        },
    );
    (0..3).for_each(|i| world.say(i, Entry::CeremonyStarted { act: 0, attempt: 2 }));
    (0..3).for_each(|i| world.prepare(i, 2));
    (0..3).for_each(|i| world.acknowledge(i, 2));
    world
}

/// Orders in which each author's entries keep theirs: the authors take turns as the numbers say.
fn interleaving(world: &World, turns: &[u8]) -> Vec<usize> {
    let authors = world.charter.members.len();
    let mut queues: Vec<std::collections::VecDeque<usize>> =
        vec![std::collections::VecDeque::new(); authors];
    for (at, (author, _)) in world.entries.iter().enumerate() {
        queues[*author].push_back(at);
    }
    let mut order = Vec::new();
    for turn in turns.iter().cycle() {
        let open: Vec<usize> = (0..authors)
            .filter(|author| !queues[*author].is_empty())
            .collect();
        let Some(author) = open.get(usize::from(*turn) % open.len().max(1)) else {
            break;
        };
        order.extend(queues[*author].pop_front());
    }
    order
}

fn view(state: &crate::State, world: &World) -> Vec<String> {
    let shown = state.requests().map(|id| {
        let standing = state.standing(&id, world.now);
        format!(
            "{standing:?} {:?} {:?}",
            state.explain(&id, world.now),
            state.sessions(&id)
        )
    });
    shown
        .chain([format!(
            "{:?} {:?}",
            state.act0(),
            state.must_ask_again(world.now)
        )])
        .collect()
}

#[test]
fn the_eventful_world_is_eventful() {
    let world = &*EVENTFUL;
    let state = world.state(0);
    let states: std::collections::BTreeSet<String> = state
        .requests()
        .map(|id| format!("{:?}", state.request_state(&id, world.now)))
        .collect();
    assert_eq!(states.len(), 5, "{states:?}");
}

fn turns() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(any::<u8>(), 1..60)
}

proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 24, ..Default::default() })]

    /// Members hear of each other's entries in different orders and must come to the same state.
    #[test]
    fn the_state_does_not_depend_on_the_order_of_arrival(turns in turns(), me in 0usize..3) {
        let world = &*EVENTFUL;
        let straight = world.state(me);
        let mixed = world.state_in(me, &interleaving(world, &turns));
        prop_assert_eq!(view(&mixed, world), view(&straight, world));
        prop_assert_eq!(mixed, straight);
    }

    /// The same at every prefix that can be reached: half a log of one author and all of another's.
    #[test]
    fn nor_does_it_at_any_point_in_between(turns in turns(), cut in 0usize..60) {
        let world = &*EVENTFUL;
        let mut order = interleaving(world, &turns);
        order.truncate(cut);
        let mixed = world.state_in(0, &order);
        order.sort_unstable();
        let sorted = world.state_in(0, &order);
        prop_assert_eq!(view(&mixed, world), view(&sorted, world));
        prop_assert_eq!(mixed, sorted);
    }
}
