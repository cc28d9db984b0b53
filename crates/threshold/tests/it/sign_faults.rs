//! Malicious members, relays and machines in signing.

use dkls23_core::protocols::signing::{Broadcast3to4, TransmitPhase1to2, TransmitPhase2to3};
use k256_dkls::{Scalar, Secp256k1};
use quorate_threshold::envelope::SignedBody;
use quorate_threshold::{
    Committee, EcdsaSignature, Engine, EpochSecrets, Error, MessageDigest, Offence, OtCheck,
    PublicKeys, RealEngine, SignParams, Suite, Verdict, Why,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::cluster::{
    Mail, Outcomes, Vault, convict, digest, faithful, fixture_secrets, identity, index, rng, run,
};

/// Changes a message of the library inside an envelope.
fn change_direct<T: Serialize + DeserializeOwned>(
    mail: &Mail,
    change: impl FnOnce(&mut T),
) -> Mail {
    mail.resealed(|envelope| {
        let mut message: T = postcard::from_bytes(&envelope.direct[1..]).unwrap();
        change(&mut message);
        envelope.direct = [vec![1], postcard::to_allocvec(&message).unwrap()].concat();
    })
}

fn from_to_round(mail: &Mail) -> (u8, u8, u8) {
    (mail.from.get(), mail.to.get(), mail.open().header.round)
}

fn is_ban(verdict: &Option<Verdict>) -> bool {
    matches!(verdict, Some(Verdict::LocalBan { .. }))
}

/// Lit and Silence audits (High): selective aborts against the OT extension read out key bits one failed check
/// at a time. BAN at the first; the next session over the same state refuses before it sends anything.
#[test]
fn failed_ot_extension_check_bans() {
    let vault = Vault::fixture();
    let outcomes = run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        if from_to_round(&mail) != (2, 1, 1) {
            return vec![mail];
        }
        vec![change_direct::<TransmitPhase1to2>(&mail, |message| {
            message.mul_transmit.u[3][5] ^= 1
        })]
    });
    let victim = &outcomes[&index(1)];
    let Some(Verdict::LocalBan { culprit, check }) = &victim.verdict else {
        panic!("{:?}", victim.verdict)
    };
    assert_eq!((*culprit, *check), (index(2), OtCheck::Multiplication));
    assert!(outcomes.values().all(|outcome| outcome.done.is_none()));
    assert!(!is_ban(&outcomes[&index(2)].verdict));

    let secrets = &vault.secrets[&index(1)];
    assert!(secrets.ot().unwrap().is_banned(index(2)));
    let again = RealEngine.sign_ecdsa(
        vault.sign_params(2, &[1, 2], index(1)),
        secrets,
        &mut rng(1),
    );
    assert_eq!(again.unwrap_err(), Error::Banned { index: index(2) });
    // The others are not affected.
    let others = run(vault.start_sign(3, &[1, 3]), &mut rng(1), faithful);
    assert!(others.values().all(|outcome| outcome.done.is_some()));
}

/// The same attack spread over sessions that run side by side: one check fails, the others never run.
#[test]
fn at_most_one_failed_check_over_parallel_sessions() {
    let vault = Vault::fixture();
    let attack = |mail: Mail| {
        if from_to_round(&mail) != (2, 1, 1) {
            return vec![mail];
        }
        vec![change_direct::<TransmitPhase1to2>(&mail, |message| {
            message.mul_transmit.u[0][0] ^= 1
        })]
    };
    let sessions: Vec<_> = (1..5)
        .map(|session| vault.start_sign(session, &[1, 2]))
        .collect();
    let verdicts: Vec<_> = sessions
        .into_iter()
        .map(|session| {
            run(session, &mut rng(1), attack)
                .remove(&index(1))
                .unwrap()
                .verdict
        })
        .collect();
    assert_eq!(verdicts.iter().filter(|verdict| is_ban(verdict)).count(), 1);
    for verdict in &verdicts[1..] {
        let banned = Error::Banned { index: index(2) };
        assert!(matches!(verdict, Some(Verdict::Abort(Why::Local(error))) if *error == banned));
    }
}

/// A ban that was made durable before a crash holds after it: the caller repeats it, and no session starts.
#[test]
fn repeated_ban_refuses() {
    let vault = Vault::fixture();
    let secrets = EpochSecrets::from_bytes(fixture_secrets(1)).unwrap();
    secrets.ot().unwrap().ban(index(3));
    let started = RealEngine.sign_ecdsa(
        vault.sign_params(1, &[1, 3], index(1)),
        &secrets,
        &mut rng(1),
    );
    assert_eq!(started.unwrap_err(), Error::Banned { index: index(3) });
}

/// A ban wipes the pair's correlations: they are gone from the sealed form too, and the others still sign.
#[test]
fn wiped_pair_stays_wiped() {
    let mut vault = Vault::fixture();
    let secrets = vault.secrets.get_mut(&index(1)).unwrap();
    secrets.wipe_ot_with(index(2)).unwrap();
    let stored = secrets.to_bytes();
    assert!(
        stored.len() < fixture_secrets(1).len() * 6 / 10,
        "half the state is gone"
    );
    vault
        .secrets
        .insert(index(1), EpochSecrets::from_bytes(&stored).unwrap());
    let params = vault.sign_params(1, &[1, 2], index(1));
    let started = RealEngine.sign_ecdsa(params, &vault.secrets[&index(1)], &mut rng(1));
    assert_eq!(started.unwrap_err(), Error::Banned { index: index(2) });
    let others = run(vault.start_sign(2, &[1, 3]), &mut rng(1), faithful);
    assert!(others.values().all(|outcome| outcome.done.is_some()));
}

/// Wrong inputs to the multiplication: every check of protocol 3.6, step 8, bans.
#[test]
fn failed_multiplication_checks_ban() {
    type Message = TransmitPhase2to3<Secp256k1>;
    type Change = fn(&mut Message);
    let changes: [(Change, OtCheck); 3] = [
        (
            |m| m.mul_transmit.verify_u[0] += Scalar::ONE,
            OtCheck::Multiplication,
        ),
        (|m| m.gamma_u = m.gamma_v, OtCheck::Nonce),
        (|m| m.gamma_v = m.gamma_u, OtCheck::Key),
    ];
    for (change, expected) in changes {
        let vault = Vault::fixture();
        let outcomes = run(vault.start_sign(1, &[2, 3]), &mut rng(1), |mail| {
            if from_to_round(&mail) != (3, 2, 2) {
                return vec![mail];
            }
            vec![change_direct::<Message>(&mail, change)]
        });
        let verdict = &outcomes[&index(2)].verdict;
        let Some(Verdict::LocalBan { culprit, check }) = verdict else {
            panic!("{verdict:?}")
        };
        assert_eq!((*culprit, *check), (index(3), expected));
        assert!(outcomes[&index(2)].done.is_none() && outcomes[&index(3)].done.is_none());
    }
}

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

/// Silence audit: a relay that flips bits makes honest members ban each other. It cannot: 0 bans, and the session
/// completes when the real messages arrive.
#[test]
fn flipping_relay_bans_nobody() {
    let vault = Vault::fixture();
    let mut place = 0usize;
    let outcomes = run(vault.start_sign(1, &[1, 3]), &mut rng(1), |mail| {
        let mut out: Vec<Mail> = (0..40)
            .map(|_| {
                let mut broken = mail.clone();
                place = (place * 31 + 977) % broken.bytes.len();
                broken.bytes[place] ^= 0x10;
                broken
            })
            .collect();
        out.push(mail);
        out
    });
    for outcome in outcomes.values() {
        assert!(outcome.done.is_some() && outcome.verdict.is_none());
        assert!(outcome.ignored.len() >= 40 * 3);
    }
}

/// A relay that mixes two sessions' messages of honest members: they are of another session, nothing more.
#[test]
fn relay_mixing_sessions_bans_nobody() {
    let vault = Vault::fixture();
    let mut other = vec![];
    run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        other.push(mail.clone());
        vec![mail]
    });
    let outcomes = run(vault.start_sign(2, &[1, 2]), &mut rng(1), |mail| {
        let stale = other.iter().filter(|old| old.from == mail.from).cloned();
        stale.chain([mail.clone()]).collect()
    });
    for outcome in outcomes.values() {
        assert!(outcome.done.is_some() && outcome.verdict.is_none());
        assert!(outcome.ignored.iter().all(|why| *why == Why::OtherSession));
    }
}

/// An old message of the same pair under this session's id, signed by its author: the library's session binding
/// stops it before any OT check. ABORT, no ban.
#[test]
fn stale_attempt_is_a_mismatch_not_a_ban() {
    let vault = Vault::fixture();
    let mut old = None;
    run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        if from_to_round(&mail) == (2, 1, 2) {
            old = Some(mail.clone());
        }
        vec![mail]
    });
    let outcomes = run(vault.start_sign(2, &[1, 2]), &mut rng(1), |mail| {
        if from_to_round(&mail) != (2, 1, 2) {
            return vec![mail];
        }
        let stale = old.as_ref().unwrap().open().direct;
        vec![mail.resealed(|envelope| envelope.direct = stale)]
    });
    let verdict = &outcomes[&index(1)].verdict;
    assert!(
        matches!(
            verdict,
            Some(Verdict::Abort(Why::TranscriptMismatch { .. }))
        ),
        "{verdict:?}"
    );
}

/// Members that mean different messages, quorums' vaults or keys under one session id. ABORT before any check.
#[test]
fn different_views_abort_before_any_check() {
    let changes: [fn(&mut SignParams); 2] = [
        |params| params.digest = MessageDigest::derived_from_what_this_signer_decoded([0x43; 32]),
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
    let tag = vault.sign_params(2, &[1, 2], index(1)).tag();
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
        bytes: third[0].bytes.clone(),
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
    let (culprit, offence) = convict(verdict, &vault.committee, &tag);
    assert_eq!(culprit, index(2));
    assert!(matches!(offence, Offence::Equivocation { round: 3, .. }));
    victim.send.clear();
}

/// A last broadcast that is none. NAME.
#[test]
fn undecodable_last_broadcast() {
    let vault = Vault::fixture();
    let tag = vault.sign_params(1, &[1, 2], index(1)).tag();
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
        &tag,
    );
    assert_eq!(culprit, index(2));
}

/// A flipped bit in a member's own OT state would make it accuse honest peers, or them it. It is found before a
/// message is sent, and nobody is blamed.
#[test]
fn damaged_own_ot_state_blames_nobody() {
    let vault = Vault::fixture();
    let good = fixture_secrets(1);
    let ot_starts = good.len() - 104_000; // well inside the state, which is all but the first kilobyte
    for place in (ot_starts..good.len())
        .step_by(9_973)
        .chain([good.len() - 1])
    {
        let mut bytes = good.to_vec();
        bytes[place] ^= 1;
        let secrets = EpochSecrets::from_bytes(&bytes).unwrap();
        let started = RealEngine.sign_ecdsa(
            vault.sign_params(1, &[1, 2], index(1)),
            &secrets,
            &mut rng(1),
        );
        assert_eq!(
            started.unwrap_err(),
            Error::OtStateDamaged,
            "bit at {place}"
        );
    }
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
