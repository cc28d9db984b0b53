//! Malicious members in key generation: packages that are none.

use quorate_threshold::keygen::messages::{PointBytes, Round2Broadcast};
use quorate_threshold::{KeygenOutput, Offence, Point, Suite, Why};

use crate::cluster::{Outcomes, committee, convict, index, rng, run, start_keygen};
use crate::rushing::{Rushing, all_name_bad_broadcast, context, with_package};

/// Trail of Bits 2024: a polynomial of another degree makes a key that `t` cannot use, or fewer can. NAME.
#[test]
fn commitment_vector_of_another_length() {
    for length in [0, 1, 3, 200] {
        for suite in 0..3 {
            let outcomes = with_package(2, 3, 2, |package| {
                let vector = &mut package.suites[suite].commitment;
                let filler = vector[1].clone();
                vector.resize(length, filler);
            });
            all_name_bad_broadcast(outcomes, 2, 3, 2, 2);
        }
    }
}

/// Two dealers add a term each, and the terms cancel in the sum: the group key looks right. NAME, each alone.
#[test]
fn excess_terms_that_cancel() {
    let mut one = [0; 32];
    one[31] = 1;
    let term = Point::of_secret(Suite::EcdsaSecp256k1, &one)
        .unwrap()
        .as_bytes()
        .to_vec();
    let mut negated = term.clone();
    negated[0] ^= 1; // SEC1: the parity of y
    let mut rushing = Rushing::new(&[1, 2], |from, _, package: &mut Round2Broadcast| {
        let extra = if from == index(1) { &term } else { &negated };
        package.suites[0].commitment.push(PointBytes(extra.clone()));
    });
    let mut rng = rng(6);
    let outcomes = run(start_keygen(3, 5, &mut rng), &mut rng, |mail| {
        rushing.carry(mail)
    });
    for (member, outcome) in outcomes {
        assert!(outcome.done.is_none());
        if member > index(2) {
            let (culprit, offence) = convict(outcome.verdict, &committee(3, 5), &context());
            assert!(culprit <= index(2));
            assert!(matches!(offence, Offence::BadBroadcast { round: 2, .. }));
        }
    }
}

/// Fresco, Drand: a rogue constant term without its discrete logarithm. NAME.
#[test]
fn rogue_key_without_proof() {
    for suite in 0..3 {
        let outcomes = with_package(2, 3, 3, |package| {
            let rogue = package.suites[suite].commitment[1].clone();
            package.suites[suite].commitment[0] = rogue;
        });
        all_name_bad_broadcast(outcomes, 2, 3, 3, 2);
    }
}

/// Identity, torsion components, non-canonical and off-curve encodings where points should be. NAME, no panic.
#[test]
fn points_that_are_none() {
    let bad_secp = [
        vec![0; 33],
        [vec![5], vec![1; 32]].concat(),
        vec![],
        vec![2; 65],
    ];
    let ed_identity = [vec![1], vec![0; 31]].concat();
    let ed_order_2 = [vec![0xec], vec![0xff; 30], vec![0x7f]].concat();
    let ed_not_canonical = [vec![0xee], vec![0xff; 30], vec![0x7f]].concat();
    let bad_ed = [ed_identity, ed_order_2, ed_not_canonical, vec![0; 33]];
    for (suite, bad) in [(0, &bad_secp), (2, &bad_ed)] {
        for point in bad {
            for place in 0..2 {
                let outcomes = with_package(2, 3, 1, |package| {
                    package.suites[suite].commitment[place] = PointBytes(point.clone());
                });
                all_name_bad_broadcast(outcomes, 2, 3, 1, 2);
            }
        }
    }
}

/// Member 2 opens bytes of its own making in round 2, and committed to them.
fn with_opening(change: impl Fn(&mut Vec<u8>)) -> Outcomes<KeygenOutput> {
    let mut rng = rng(8);
    let mut rushing = Rushing::new(&[2], |_, _, _: &mut Round2Broadcast| {});
    run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
        let envelope = mail.open();
        if mail.from != index(2) || envelope.header.round != 2 {
            return rushing.carry(mail);
        }
        let mut opening = envelope.broadcast.unwrap().body.clone();
        change(&mut opening);
        rushing.open_as(&mail, opening)
    })
}

/// A package that does not decode at all, with trailing bytes, cut off, or empty. NAME.
#[test]
fn package_that_does_not_decode() {
    for change in [
        |b: &mut Vec<u8>| b.push(0),
        |b: &mut Vec<u8>| b.truncate(40),
        |b: &mut Vec<u8>| b.clear(),
    ] {
        all_name_bad_broadcast(with_opening(change), 2, 3, 2, 2);
    }
}

/// A package of another release's version: ignored and named as that, no fault.
#[test]
fn package_of_another_version() {
    let outcomes = with_opening(|b| b[0] = 2);
    for member in [1, 3] {
        let outcome = &outcomes[&index(member)];
        assert!(outcome.verdict.is_none(), "{:?}", outcome.verdict);
        assert_eq!(outcome.ignored, [Why::Version { version: 2 }]);
    }
}
