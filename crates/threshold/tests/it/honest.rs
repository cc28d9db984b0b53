//! Everybody honest: keys come out, any quorum signs.

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use quorate_threshold::{Engine, EpochSecrets, Error, PublicKeys, RealEngine, Suite};
use rand_core::RngCore;

use crate::cluster::{Mail, Vault, digest, faithful, index, rng, run};

fn assert_signs(vault: &Vault, session: u8, quorum: &[u8]) {
    let outcomes = run(vault.start_sign(session, quorum), &mut rng(1), faithful);
    let key = vault.public.group_key(Suite::EcdsaSecp256k1);
    let mut first = None;
    assert_eq!(outcomes.len(), quorum.len());
    for (member, outcome) in outcomes {
        assert!(outcome.ignored.is_empty());
        let signature = outcome
            .done
            .unwrap_or_else(|| panic!("{member}: {:?}", outcome.verdict));
        assert_eq!(*first.get_or_insert(signature), signature);
        assert!(signature.verify(key, &digest()));
        let plain = k256::ecdsa::Signature::from_scalars(signature.r, signature.s).unwrap();
        let plain_key = k256::ecdsa::VerifyingKey::from_sec1_bytes(key.as_bytes()).unwrap();
        plain_key
            .verify_prehash(digest().as_bytes(), &plain)
            .unwrap();
        assert_eq!(plain.normalize_s(), None, "low s");
        assert_eq!((outcome.rounds, outcome.waiting_for), (3, vec![]));
    }
}

/// Every suite's key is one polynomial's; secrets survive their encoding.
fn assert_sound(vault: &Vault) {
    for secrets in vault.secrets.values() {
        let again = EpochSecrets::from_bytes(&secrets.to_bytes()).unwrap();
        for suite in Suite::ALL {
            assert!(secrets.share(suite).same_secret(again.share(suite)));
            assert!(vault.public.matches(again.share(suite)));
            assert_eq!(
                secrets.share(suite).chain_code(),
                vault.secrets[&index(1)].share(suite).chain_code()
            );
        }
    }
    let [a, b, c] = Suite::ALL.map(|suite| *vault.public.group_key(suite));
    assert!(a != b && b != c, "one key never serves two suites");
    assert_eq!(
        PublicKeys::from_bytes(&vault.public.to_bytes()).unwrap(),
        vault.public
    );
}

#[test]
fn two_of_two() {
    let vault = Vault::generate(2, 2);
    assert_sound(&vault);
    assert_signs(&vault, 1, &[1, 2]);
}

#[test]
fn two_of_three_every_quorum() {
    let vault = Vault::generate(2, 3);
    assert_sound(&vault);
    for (session, quorum) in [[1, 2], [1, 3], [2, 3]].iter().enumerate() {
        assert_signs(&vault, session as u8, quorum);
    }
}

#[test]
fn three_of_five_some_quorums() {
    let vault = Vault::generate(3, 5);
    assert_sound(&vault);
    for (session, quorum) in [[1, 2, 3], [1, 3, 5], [3, 4, 5]].iter().enumerate() {
        assert_signs(&vault, session as u8, quorum);
    }
}

/// The largest committee there is: its messages and secrets fit their limits. Some minutes long, so only
/// `./check --full` runs it.
#[test]
#[allow(clippy::disallowed_methods, reason = "the tier decides how much runs")]
fn nine_of_sixteen() {
    if std::env::var_os("QUORATE_FULL").is_none() {
        return;
    }
    let vault = Vault::generate(9, 16);
    assert_sound(&vault);
    let largest = vault
        .secrets
        .values()
        .map(|secrets| secrets.to_bytes().len());
    println!("{:?} bytes of secrets a member", largest.max());
    assert_signs(&vault, 1, &[1, 2, 4, 5, 7, 10, 12, 15, 16]);
    assert_signs(&vault, 2, &[8, 9, 10, 11, 12, 13, 14, 15, 16]);
}

/// The stored form of an epoch's secrets still signs.
#[test]
fn fixture_signs_with_every_quorum() {
    let vault = Vault::fixture();
    assert_sound(&vault);
    for (session, quorum) in [[1, 2], [1, 3], [2, 3]].iter().enumerate() {
        assert_signs(&vault, session as u8, quorum);
    }
}

/// A network that reorders and duplicates is no fault: the session completes and blames nobody.
#[test]
fn any_order_and_duplicates() {
    let vault = Vault::fixture();
    for seed in 0..10 {
        let (mut held, mut dice) = (Vec::<Mail>::new(), rng(seed));
        let outcomes = run(vault.start_sign(seed as u8, &[1, 3]), &mut rng(1), |mail| {
            // Hold back up to one message, then let all go in random order, twice.
            held.push(mail);
            if held.len() < 2 {
                return vec![];
            }
            if dice.next_u32() % 2 == 0 {
                held.reverse();
            }
            let out = std::mem::take(&mut held);
            out.iter().chain(&out).cloned().collect()
        });
        assert!(
            outcomes
                .values()
                .all(|outcome| outcome.done.is_some() && outcome.verdict.is_none()),
            "seed {seed}"
        );
    }
}

/// A retry, and even a session id used twice against the rules, takes fresh nonces: every `R` differs.
#[test]
fn every_session_has_its_own_nonce() {
    let vault = Vault::fixture();
    let mut seen = std::collections::BTreeSet::new();
    for session in [1, 2, 3, 3, 3] {
        let outcomes = run(vault.start_sign(session, &[1, 2]), &mut rng(1), faithful);
        assert!(
            seen.insert(outcomes[&index(1)].done.unwrap().r),
            "a nonce came twice"
        );
    }
}

/// Without OT state (a restored backup) a member says so instead of sending anything.
#[test]
fn no_ot_state_no_session() {
    let vault = Vault::fixture();
    let [a, b, c] = vault.secrets[&index(1)].shares().each_ref().map(|share| {
        let raw = share.to_raw_parts_exposing_the_secret();
        quorate_threshold::KeyShare::from_raw_parts_holding_a_secret(&raw).unwrap()
    });
    let bare = EpochSecrets::new([a, b, c], None).unwrap();
    let bare = EpochSecrets::from_bytes(&bare.to_bytes()).unwrap();
    let started =
        RealEngine.sign_ecdsa(vault.sign_params(1, &[1, 2], index(1)), &bare, &mut rng(1));
    assert_eq!(started.unwrap_err(), Error::NoOtState);
}
