//! Malicious members and wrong arguments in signing.

use dkls23_core::protocols::signing::{Broadcast3to4, TransmitPhase2to3};
use k256_dkls::{Scalar, Secp256k1};
use quorate_threshold::envelope::SignedBody;
use quorate_threshold::{
    Committee, EcdsaSignature, Engine, Error, MessageDigest, Offence, PublicKeys, RealEngine,
    SignParams, Subject, Suite, Verdict, Why,
};

use crate::cluster::{
    Mail, Outcomes, Vault, change_direct, convict, digest, faithful, from_to_round, identity,
    index, rng, run,
};

/// An instance point other than the one committed to. ABORT: not an OT check, so no ban; nothing is signed.
#[test]
fn opened_instance_point_differs() {
    let vault = Vault::fixture();
    let outcomes = run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        if from_to_round(&mail) != (1, 2, 2) {
            return vec![mail];
        }
        vec![change_direct::<TransmitPhase2to3<Secp256k1>>(&mail, |m| {
            m.instance_point = m.public_share
        })]
    });
    let verdict = &outcomes[&index(2)].verdict;
    let suspect = Some(index(1));
    assert!(
        matches!(verdict, Some(Verdict::Abort(Why::CheckFailed { suspect: s, .. })) if *s == suspect)
    );
    assert!(outcomes.values().all(|outcome| outcome.done.is_none()));
}

/// Members that mean different messages, quorums' vaults or keys under one session id. ABORT before any check.
#[test]
fn different_views_abort_before_any_check() {
    let changes: [fn(&mut SignParams); 2] = [
        |params| {
            params.subject = Subject::Ecdsa(MessageDigest::derived_from_what_this_signer_decoded(
                [0x43; 32],
            ))
        },
        |params| params.vault = [9; 32],
    ];
    for change in changes {
        let vault = Vault::fixture();
        let started = [1, 2]
            .into_iter()
            .map(|i| {
                let mut params = vault.sign_params(1, &[1, 2], index(i));
                if i == 2 {
                    change(&mut params);
                }
                (
                    index(i),
                    RealEngine
                        .sign_ecdsa(params, &vault.secrets[&index(i)], &mut rng(1))
                        .unwrap(),
                )
            })
            .collect();
        let outcomes = run(started, &mut rng(1), faithful);
        for outcome in outcomes.values() {
            let verdict = &outcome.verdict;
            assert!(
                matches!(
                    verdict,
                    Some(Verdict::Abort(Why::TranscriptMismatch { .. }))
                ),
                "{verdict:?}"
            );
        }
    }
}

/// A wrong part of `s`: no signature leaves, nobody is proven at fault. ABORT.
#[test]
fn wrong_sum_releases_nothing() {
    let vault = Vault::fixture();
    let outcomes = run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        if from_to_round(&mail) != (2, 1, 3) {
            return vec![mail];
        }
        vec![third_round(&mail, |part| part.w += Scalar::ONE)]
    });
    let outcome = &outcomes[&index(1)];
    assert!(outcome.done.is_none());
    assert!(matches!(
        &outcome.verdict,
        Some(Verdict::Abort(Why::CheckFailed { suspect: None, .. }))
    ));
    assert!(
        outcomes[&index(2)].done.is_some(),
        "who got honest parts has the signature"
    );
}

fn third_round(mail: &Mail, change: impl FnOnce(&mut Broadcast3to4<Secp256k1>)) -> Mail {
    mail.resealed(|envelope| {
        let mut part: Broadcast3to4<Secp256k1> =
            postcard::from_bytes(&envelope.broadcast.as_ref().unwrap().body[1..]).unwrap();
        change(&mut part);
        let body = [vec![1], postcard::to_allocvec(&part).unwrap()].concat();
        let header = envelope.header;
        let key = identity(header.sender.get());
        envelope.broadcast = Some(SignedBody::seal(&header.tag, 3, header.sender, body, &key));
    })
}

/// Two versions of the last broadcast: signed twice is proof, also when both come a round early. NAME.
#[test]
fn equivocation_in_the_last_round() {
    let vault = Vault::fixture();
    let params = vault.sign_params(2, &[1, 2], index(1));
    let mut started = vault.start_sign(2, &[1, 2]);
    let mut victim = started.remove(&index(1)).unwrap();
    let mut other = started.remove(&index(2)).unwrap();
    let mut rng = rng(2);
    // Rounds 1 and 2 of the attacker are honest; its round 2 is held back, so the victim stays in round 2.
    other
        .session
        .receive(index(1), &victim.send[0].bytes, &mut rng)
        .unwrap();
    let second = victim
        .session
        .receive(index(2), &other.send[0].bytes, &mut rng)
        .unwrap()
        .send;
    let third = other
        .session
        .receive(index(1), &second[0].bytes, &mut rng)
        .unwrap()
        .send;
    let third = Mail {
        from: index(2),
        to: index(1),
        bytes: third[0].bytes.to_vec(),
    };
    assert!(
        victim
            .session
            .receive(index(2), &third.bytes, &mut rng)
            .is_ok(),
        "kept for later"
    );
    let changed = third_round(&third, |part| part.u += Scalar::ONE);
    let verdict = victim
        .session
        .receive(index(2), &changed.bytes, &mut rng)
        .err();
    let (culprit, offence) = convict(verdict, &vault.committee, &params.context());
    assert_eq!(culprit, index(2));
    assert!(matches!(offence, Offence::Equivocation { round: 3, .. }));
    victim.send.clear();
}

/// A last broadcast that is none. NAME.
#[test]
fn undecodable_last_broadcast() {
    let vault = Vault::fixture();
    let params = vault.sign_params(1, &[1, 2], index(1));
    let mut outcomes = run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        if from_to_round(&mail) != (2, 1, 3) {
            return vec![mail];
        }
        let key = identity(2);
        vec![mail.resealed(|envelope| {
            let header = envelope.header;
            envelope.broadcast = Some(SignedBody::seal(
                &header.tag,
                3,
                header.sender,
                vec![1, 2, 3],
                &key,
            ));
        })]
    });
    let (culprit, _) = convict(
        outcomes.remove(&index(1)).unwrap().verdict,
        &vault.committee,
        &params.context(),
    );
    assert_eq!(culprit, index(2));
}

/// Another member's OT state, or one of another key, under this member's share. Refused, nobody blamed.
#[test]
fn foreign_ot_state_is_refused() {
    let vault = Vault::fixture();
    let params = vault.sign_params(1, &[1, 2], index(1));
    let started = RealEngine.sign_ecdsa(params, &vault.secrets[&index(2)], &mut rng(1));
    assert_eq!(started.unwrap_err(), Error::WrongSecrets { what: "member" });
}

/// Quorums of another size, order or membership, and secrets of another epoch or committee, start nothing.
#[test]
fn wrong_arguments_start_nothing() {
    let vault = Vault::fixture();
    let start = |params: SignParams| {
        RealEngine
            .sign_ecdsa(params, &vault.secrets[&index(1)], &mut rng(1))
            .map(drop)
            .unwrap_err()
    };
    let quorums: [&[u8]; 7] = [&[], &[1], &[1, 2, 3], &[2, 1], &[1, 1], &[2, 3], &[1, 4]];
    for quorum in quorums {
        assert_eq!(
            start(vault.sign_params(1, quorum, index(1))),
            Error::Quorum,
            "{quorum:?}"
        );
    }
    let mut params = vault.sign_params(1, &[1, 2], index(1));
    params.epoch = 2;
    assert_eq!(start(params), Error::WrongSecrets { what: "epoch" });
    let mut params = vault.sign_params(1, &[1, 2], index(1));
    let keys = (4..7).map(|i| identity(i).verifying_key()).collect();
    params.committee = Committee::new(params.committee.parameters(), keys).unwrap();
    assert_eq!(start(params), Error::WrongSecrets { what: "committee" });
}

/// A signature is only ever released verified; the check refuses high `s`, another key, another digest, a wrong
/// recovery id.
#[test]
fn verification_is_strict() {
    let vault = Vault::fixture();
    let outcomes: Outcomes<EcdsaSignature> =
        run(vault.start_sign(1, &[2, 3]), &mut rng(1), faithful);
    let good = outcomes[&index(2)].done.unwrap();
    let key = vault.public.group_key(Suite::EcdsaSecp256k1);
    assert!(good.verify(key, &digest()));
    let s = k256::Scalar::from(k256::elliptic_curve::ScalarPrimitive::from_slice(&good.s).unwrap());
    let high = EcdsaSignature {
        s: (-s).to_bytes().into(),
        recovery_id: good.recovery_id ^ 1,
        ..good
    };
    assert!(!high.verify(key, &digest()));
    let other_digest = MessageDigest::derived_from_what_this_signer_decoded([1; 32]);
    assert!(!good.verify(key, &other_digest));
    assert!(!good.verify(vault.public.group_key(Suite::SchnorrSecp256k1), &digest()));
    for recovery_id in (0..=255).filter(|id| *id != good.recovery_id) {
        assert!(
            !EcdsaSignature {
                recovery_id,
                ..good
            }
            .verify(key, &digest())
        );
    }
    assert!(!EcdsaSignature { r: [0; 32], ..good }.verify(key, &digest()));
    assert!(
        !EcdsaSignature {
            s: [0xff; 32],
            ..good
        }
        .verify(key, &digest())
    );
    let _: &PublicKeys = &vault.public;
}
