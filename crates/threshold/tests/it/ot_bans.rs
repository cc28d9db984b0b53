//! Failed OT checks, and what must not be taken for one: bans of cheats, no bans of the honest.

use dkls23_core::protocols::signing::{TransmitPhase1to2, TransmitPhase2to3};
use k256_dkls::{Scalar, Secp256k1};
use quorate_threshold::{Engine, EpochSecrets, Error, OtCheck, RealEngine, Verdict, Why};

use crate::cluster::{
    Mail, Vault, change_direct, faithful, fixture_secrets, from_to_round, index, rng, run,
};

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
