use crate::entry::{Entry, Purpose};
use crate::fold::{Act0, Denied, RequestState};
use crate::testing::{World, public_keys};

fn abort(world: &mut World, i: usize, attempt: u32) {
    world.say(
        i,
        Entry::Aborted {
            act: 0,
            attempt,
            reason: "bob was silent".to_owned(),
        },
    );
}

#[test]
fn keygen_waits_for_everybodys_confirmation() {
    let mut world = World::silent(2, 3);
    world.found(0);
    world.found(2);
    let missing = vec![world.party(1)];
    assert_eq!(
        world.state(0).act0(),
        Act0::Confirming {
            missing,
            differing: vec![]
        }
    );
    world.found(1);
    assert_eq!(
        world.state(0).act0(),
        Act0::Keygen {
            attempt: 1,
            started: vec![]
        }
    );
}

/// A creator shows one roster to some and another to others; the words might even agree.
#[test]
fn a_member_who_confirmed_another_charter_is_named_and_nothing_starts() {
    let mut world = World::silent(2, 3);
    world.found(0);
    world.found(1);
    let mut other = world.charter.clone();
    other.nonce = [7; 32];
    world.say(2, Entry::Founded(Box::new(other)));
    let carol = vec![world.party(2)];
    assert_eq!(
        world.state(0).act0(),
        Act0::Confirming {
            missing: carol.clone(),
            differing: carol
        }
    );
    world.found(2);
    assert!(
        !world.state(0).has_founded(&world.party(2)),
        "the first word counts"
    );
}

#[test]
fn an_address_is_shown_only_when_everybody_has_acknowledged() {
    let mut world = World::silent(2, 3);
    (0..3).for_each(|i| world.found(i));
    (0..3).for_each(|i| world.say(i, Entry::CeremonyStarted { act: 0, attempt: 1 }));
    world.prepare(0, 1);
    world.prepare(2, 1);
    assert_eq!(
        world.state(0).act0(),
        Act0::Preparing {
            attempt: 1,
            missing: vec![world.party(1)]
        }
    );
    world.prepare(1, 1);
    world.acknowledge(0, 1);
    world.acknowledge(1, 1);
    let state = world.state(0);
    assert!(
        matches!(state.act0(), Act0::Decided { unacknowledged, .. } if unacknowledged == [world.party(2)])
    );
    assert_eq!(
        (state.public(), state.address()),
        (Some(&world.public), None)
    );
    let id = world.request(0, 0);
    let approval = world.approval(2, id);
    let state = world.state(2);
    assert_eq!(
        state.may_approve(&approval, world.now),
        Err(Denied::NotActive)
    );
    assert_eq!(
        state.may_sign(&id, Purpose::Payment, world.now),
        Err(Denied::NotActive),
        "its own acknowledgement is missing"
    );
    world.acknowledge(2, 1);
    assert_eq!(world.state(0).address(), Some(world.address()));
}

/// Threat: a member shows one version of its acknowledgement to alice, whose vault is funded then, and another to bob,
/// who would never sign.
#[test]
fn a_forked_acknowledgement_does_not_stop_the_signing_of_a_funded_vault() {
    let mut world = World::active(2, 3);
    let last = world.entries.last_mut().unwrap();
    last.1.entry = Entry::Acknowledged {
        act: 0,
        attempt: 1,
        public: [1; 32],
    };
    assert_eq!(world.state(1).address(), None, "it is still not shown");
    let id = world.request(1, 0);
    world.approve(&[0, 1], id);
    for i in [0, 1] {
        let may_sign = world.state(i).may_sign(&id, Purpose::Payment, world.now);
        assert_eq!(may_sign, Ok(()));
    }
    let liar = world.state(2).may_sign(&id, Purpose::Payment, world.now);
    assert_eq!(liar, Err(Denied::NotActive));
}

#[test]
fn an_acknowledgement_of_other_keys_does_not_count() {
    let mut world = World::active(2, 3);
    let last = world.entries.pop().unwrap();
    world.say(
        last.0,
        Entry::Acknowledged {
            act: 0,
            attempt: 1,
            public: [1; 32],
        },
    );
    assert_eq!(world.state(0).address(), None);
}

#[test]
fn an_aborted_attempt_is_dead_and_the_next_one_counts() {
    let mut world = World::silent(2, 3);
    (0..3).for_each(|i| world.found(i));
    world.say(0, Entry::CeremonyStarted { act: 0, attempt: 1 });
    assert_eq!(world.state(0).unfinished_attempts(&world.party(0)), [1]);
    abort(&mut world, 0, 1);
    let state = world.state(1);
    assert_eq!(
        state.act0(),
        Act0::Keygen {
            attempt: 2,
            started: vec![]
        }
    );
    assert!(state.unfinished_attempts(&world.party(0)).is_empty());
    // Shares of a dead attempt never become the vault's, whoever prepares them afterwards.
    (0..3).for_each(|i| world.prepare(i, 1));
    assert_eq!(
        world.state(1).act0(),
        Act0::Keygen {
            attempt: 2,
            started: vec![]
        }
    );
    (0..3).for_each(|i| world.prepare(i, 2));
    assert!(matches!(
        world.state(1).act0(),
        Act0::Decided { attempt: 2, .. }
    ));
}

#[test]
fn who_prepared_cannot_abort_any_more() {
    let mut world = World::silent(2, 3);
    (0..3).for_each(|i| world.found(i));
    (0..3).for_each(|i| world.prepare(i, 1));
    abort(&mut world, 0, 1);
    assert!(matches!(
        world.state(1).act0(),
        Act0::Decided { attempt: 1, .. }
    ));
}

/// Members that came out of keygen with different keys must not activate either.
#[test]
fn members_who_prepared_different_keys_decide_nothing() {
    let mut world = World::silent(2, 3);
    (0..3).for_each(|i| world.found(i));
    world.prepare(0, 1);
    world.prepare(1, 1);
    let other = world.prepared(2, 1, public_keys(&world.charter, 6));
    world.say(2, Entry::Prepared(Box::new(other)));
    let state = world.state(0);
    assert_eq!(
        (state.act0(), state.public()),
        (
            Act0::Keygen {
                attempt: 2,
                started: vec![]
            },
            None
        )
    );
}

/// A PREPARED under another member's key, for another attempt, or of another committee is none.
#[test]
fn a_prepared_that_does_not_hold_spoils_its_attempt() {
    let mut small = World::silent(2, 3);
    small.charter.members.swap(0, 1);
    let foreign = public_keys(&small.charter, 5);
    let world = World::silent(2, 3);
    let mut bad = vec![
        world.prepared(1, 1, world.public.clone()),
        world.prepared(2, 2, world.public.clone()),
        world.prepared(2, 1, foreign),
        world.prepared(2, 1, world.public.clone()),
    ];
    bad[1].attempt = 1;
    bad[3].signature.pop();
    for prepared in bad {
        let mut world = World::silent(2, 3);
        (0..3).for_each(|i| world.found(i));
        world.prepare(0, 1);
        world.prepare(1, 1);
        world.say(2, Entry::Prepared(Box::new(prepared)));
        let state = world.state(0);
        assert_eq!(state.public(), None);
        assert!(state.attempt_is_dead(1));
        assert_eq!(state.aborts().len(), 1);
    }
}

#[test]
fn later_acts_say_nothing_yet() {
    let mut world = World::active(2, 3);
    let before = world.state(0);
    world.say(0, Entry::CeremonyStarted { act: 1, attempt: 1 });
    world.say(
        0,
        Entry::Aborted {
            act: 1,
            attempt: 1,
            reason: String::new(),
        },
    );
    world.say(
        0,
        Entry::Acknowledged {
            act: 1,
            attempt: 1,
            public: [0; 32],
        },
    );
    assert_eq!(world.state(0), before);
}

#[test]
fn strangers_say_nothing() {
    let mut world = World::active(2, 3);
    let id = world.request(0, 0);
    let mut state = world.state(0);
    let before = state.clone();
    let (_, cancel) = {
        world.cancel(0, id);
        world.entries.pop().unwrap()
    };
    assert_eq!(state.absorb(crate::PartyId([9; 32]), 0, 0, &cancel), None);
    assert_eq!(state, before);
    assert_eq!(
        state.request_state(&id, world.now),
        Some(RequestState::WaitingForApprovals)
    );
}
