//! Many seeds: whatever fails, no promise is broken, and once faults stop everything that was asked for gets done.

use std::sync::Arc;

use quorate_driver::PersistFirst;
use quorate_sim::stub::StubEngine;
use quorate_sim::{Cast, Plan, World};

/// Seeds that `./check` runs; `QUORATE_SIM_SEEDS` asks for another number.
const SEEDS: u64 = 1_000;

fn run(plan: Plan) -> World<PersistFirst> {
    let engine = Arc::new(StubEngine::default());
    let cast = Cast::new(plan.seed, plan.threshold, plan.members, engine);
    let mut world = World::new(plan, cast);
    world.run();
    world
}

/// The seeds of one worker, so that all cores have some.
fn seeds(worker: u64, workers: u64) {
    let total = std::env::var("QUORATE_SIM_SEEDS").ok().and_then(|text| text.parse().ok()).unwrap_or(SEEDS);
    let mut events = 0;
    for seed in (worker..total).step_by(usize::try_from(workers).unwrap()) {
        let plan = Plan::stormy(seed);
        let world = run(plan.clone());
        events += world.trace.events();
        assert!(
            world.watch.broken().is_empty(),
            "seed {seed}: {}\nplan {plan:?}\n{}",
            world.watch.broken().join("\n"),
            world.trace.tail()
        );
    }
    println!("worker {worker} of {workers}: seeds below {total}, {events} events");
}

#[test]
fn seeds_with_every_kind_of_fault_break_no_promise_even() {
    seeds(0, 2);
}

#[test]
fn seeds_with_every_kind_of_fault_break_no_promise_odd() {
    seeds(1, 2);
}

#[test]
fn a_calm_run_pays_what_was_asked_for() {
    let world = run(Plan::calm(7));
    assert!(world.watch.broken().is_empty(), "{:?}\n{}", world.watch.broken(), world.trace.tail());
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (one, other) = (run(Plan::stormy(11)), run(Plan::stormy(11)));
    assert_eq!(one.trace.events(), other.trace.events());
    assert_eq!(one.trace.digest(), other.trace.digest());
    assert_ne!(one.trace.digest(), run(Plan::stormy(12)).trace.digest());
}
