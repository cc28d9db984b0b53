//! Everybody honest: keys come out, any quorum signs.

use k256::ecdsa::signature::hazmat::PrehashVerifier;
use quorate_threshold::Suite;

use crate::cluster::{Vault, digest, faithful, index, rng, run};

fn assert_signs(vault: &Vault, session: u8, quorum: &[u8]) {
    let outcomes = run(vault.start_sign(session, quorum), &mut rng(1), faithful);
    let key = vault.public.group_key(Suite::EcdsaSecp256k1);
    let mut first = None;
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
        assert_eq!(plain.normalize_s(), None);
        assert_eq!(outcome.waiting_for, []);
    }
    let _ = index(1);
}

#[test]
fn two_of_two() {
    let vault = Vault::generate(2, 2);
    assert_signs(&vault, 1, &[1, 2]);
}

#[test]
fn two_of_three_every_quorum() {
    let vault = Vault::generate(2, 3);
    for (session, quorum) in [[1, 2], [1, 3], [2, 3]].iter().enumerate() {
        assert_signs(&vault, session as u8, quorum);
    }
}
