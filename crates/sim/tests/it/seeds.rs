//! Many seeds: whatever fails, no promise is broken, and once faults stop everything that was asked for gets done.

use std::sync::Arc;

use quorate_driver::{MutateNoPersist, Order, PersistFirst};
use quorate_sim::stub::StubEngine;
use quorate_sim::{Cast, Death, Plan, World};
use quorate_threshold::{
    EcdsaSignature, Engine, EpochSecrets, Error, KeygenOutput, KeygenParams, RealEngine,
    SchnorrSignature, SignParams, Started,
};
use rand_chacha::ChaCha8Rng;
use rand_core::{CryptoRngCore, SeedableRng};

/// Seeds over the stub suite; `QUORATE_SIM_SEEDS` asks for another number.
const SEEDS: u64 = 1_000;
/// The same in `./check`.
const SEEDS_QUICK: u64 = 200;
/// Seeds over the real suite, each with a keygen of its own.
const REAL_SEEDS: u64 = 20;
/// The same in `./check`.
const REAL_SEEDS_QUICK: u64 = 6;
/// Of the commits of a run, every how-manieth is a death in `./check`; all of them in `./check --full`.
const QUICK_STRIDE: u64 = 5;

fn full() -> bool {
    std::env::var_os("QUORATE_FULL").is_some()
}

fn run_with<O: Order>(plan: Plan, engine: Arc<dyn Engine>) -> World<O> {
    let cast = Cast::new(plan.seed, plan.threshold, plan.members, engine);
    let mut world = World::new(plan, cast);
    world.run();
    world
}

fn run(plan: Plan) -> World<PersistFirst> {
    run_with(plan, Arc::new(StubEngine::default()))
}

/// Fails with everything that is needed to run it again.
fn expect_promises_kept(plan: &Plan, world: &World<PersistFirst>) {
    let broken = world.watch.broken();
    assert!(
        broken.is_empty(),
        "seed {}: {}\nplan {plan:?}\n{}",
        plan.seed,
        broken.join("\n"),
        world.trace.tail()
    );
}

/// The seeds of one worker, so that both cores have some.
fn seeds(worker: u64, workers: u64) {
    let total = std::env::var("QUORATE_SIM_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(if full() { SEEDS } else { SEEDS_QUICK });
    let mut events = 0;
    for seed in (worker..total).step_by(usize::try_from(workers).unwrap()) {
        let plan = Plan::stormy(seed);
        let world = run(plan.clone());
        events += world.trace.events();
        expect_promises_kept(&plan, &world);
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

/// Seeds above the quick ones that failed once, and why.
#[test]
fn seeds_that_failed_once_break_no_promise() {
    let regressions = [
        (
            204,
            "nobody approved what was asked again, and nobody filled the slot before it",
        ),
        (223, "the same"),
        (
            254,
            "a slot that was called final once was not looked at again for ten minutes",
        ),
    ];
    for (seed, _) in regressions {
        let plan = Plan::stormy(seed);
        expect_promises_kept(&plan, &run(plan.clone()));
    }
}

#[test]
fn real_suite_seeds_break_no_promise() {
    let total = if full() { REAL_SEEDS } else { REAL_SEEDS_QUICK };
    for seed in 0..total {
        let plan = Plan {
            threshold: 2,
            members: 3,
            ..Plan::stormy(seed)
        };
        let world = run_with(plan.clone(), Arc::new(RealEngine));
        expect_promises_kept(&plan, &world);
    }
}

#[test]
fn a_calm_run_pays_what_was_asked_for() {
    let plan = Plan::calm(7);
    expect_promises_kept(&plan, &run(plan.clone()));
}

/// Keygen and signing, every member, every commit, on both sides of it.
#[test]
fn a_death_at_any_commit_of_any_member_breaks_no_promise() {
    let commits = run(Plan::calm(3)).commits();
    let stride = if full() { 1 } else { QUICK_STRIDE };
    let mut runs = 0;
    for (member, last) in commits.iter().enumerate() {
        for commit in (1 + member as u64..=*last).step_by(usize::try_from(stride).unwrap()) {
            for death in [Death::BeforeCommit, Death::AfterCommit] {
                let plan = Plan {
                    deaths: vec![(member, commit, death)],
                    heal_ms: 20_000,
                    ..Plan::calm(3)
                };
                let plan = Plan {
                    end_ms: 240_000,
                    ..plan
                };
                expect_promises_kept(&plan, &run(plan.clone()));
                runs += 1;
            }
        }
    }
    println!("{runs} deaths, commits per member {commits:?}");
    assert!(runs > 20, "{runs} deaths are too few to mean anything");
}

/// The proof that the simulator looks: a driver that tells before it persists is caught.
#[test]
fn telling_before_persisting_turns_the_simulator_red() {
    let caught = (0..5).any(|seed| {
        let world: World<MutateNoPersist> =
            run_with(Plan::stormy(seed), Arc::new(StubEngine::default()));
        world
            .watch
            .broken()
            .iter()
            .any(|what| what.contains("before"))
    });
    assert!(
        caught,
        "the mutated driver broke no promise that the simulator knows"
    );
}

/// The stub with a generator that repeats itself: a machine that was copied, or whose state was put back.
struct RepeatingRandomness;

impl Engine for RepeatingRandomness {
    fn keygen(
        &self,
        params: KeygenParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<KeygenOutput>, Error> {
        StubEngine::default().keygen(params, rng)
    }

    fn sign_ecdsa(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<EcdsaSignature>, Error> {
        let mut repeated = ChaCha8Rng::seed_from_u64(0);
        StubEngine::default().sign_ecdsa(params, secrets, &mut repeated)
    }

    fn sign_schnorr(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<SchnorrSignature>, Error> {
        StubEngine::default().sign_schnorr(params, secrets, rng)
    }
}

/// The proof that the simulator compares one-time values across sessions: records, order and durability are all right
/// here, and only the values repeat.
#[test]
fn a_repeated_one_time_value_turns_the_simulator_red() {
    let world: World<PersistFirst> = run_with(Plan::calm(5), Arc::new(RepeatingRandomness));
    let caught = |what: &String| what.contains("one-time value twice");
    assert!(world.watch.broken().iter().any(caught));
    assert!(!run(Plan::calm(5)).watch.broken().iter().any(caught));
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    let (one, other) = (run(Plan::stormy(11)), run(Plan::stormy(11)));
    assert_eq!(one.trace.events(), other.trace.events());
    assert_eq!(one.trace.digest(), other.trace.digest());
    assert_ne!(one.trace.digest(), run(Plan::stormy(12)).trace.digest());
}
