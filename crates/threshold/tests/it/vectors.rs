//! Vectors from outside: RFC 9591, RFC 8032 and Wycheproof. Those of BIP-32 are in `children.rs`, of BIP-341 in
//! `frost.rs`, of BIP-340 beside the code.

use std::collections::BTreeMap;

use frost_core::keys::{KeyPackage, SigningShare, VerifyingShare};
use frost_core::round1::{Nonce, NonceCommitment, SigningCommitments, SigningNonces};
use frost_core::{Ciphersuite, Identifier, SigningPackage, VerifyingKey};
use k256::ecdsa::Signature;
use quorate_threshold::{
    EcdsaSignature, Engine, Message, MessageDigest, Point, RealEngine, SchnorrSignature,
    SignParams, Subject, Suite,
};
use rand_core::{CryptoRng, RngCore};
use serde_json::Value;
use sha2::{Digest, Sha256};
use wycheproof::TestResult;

use crate::cluster::{Vault, faithful, identity, index, rng, run};

fn rfc9591(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

/// The entry of one participant in a list of the file.
fn of(list: &Value, participant: u64) -> &Value {
    let all = list.as_array().unwrap();
    all.iter()
        .find(|entry| entry["identifier"] == participant)
        .unwrap()
}

/// RFC 9591, appendix E, with the library that signs here: nonces in, shares out.
fn shares_are_those_of_rfc9591<C: Ciphersuite>(text: &str) {
    let file = rfc9591(text);
    let id =
        |participant: u64| Identifier::<C>::try_from(u16::try_from(participant).unwrap()).unwrap();
    let (one, two) = (
        &file["round_one_outputs"]["outputs"],
        &file["round_two_outputs"]["outputs"],
    );
    let commitment = |participant: u64, name: &str| {
        NonceCommitment::<C>::deserialize(&bytes(&of(one, participant)[name])).unwrap()
    };
    let commitments: BTreeMap<_, _> = [1, 3]
        .map(|participant| {
            let hiding = commitment(participant, "hiding_nonce_commitment");
            let binding = commitment(participant, "binding_nonce_commitment");
            (id(participant), SigningCommitments::new(hiding, binding))
        })
        .into();
    let package = SigningPackage::new(commitments, &bytes(&file["inputs"]["message"]));
    let key = VerifyingKey::<C>::deserialize(&bytes(&file["inputs"]["verifying_key_key"])).unwrap();
    for participant in [1, 3] {
        let secret = &of(&file["inputs"]["participant_shares"], participant)["participant_share"];
        let secret = SigningShare::<C>::deserialize(&bytes(secret)).unwrap();
        let nonce =
            |name: &str| Nonce::<C>::deserialize(&bytes(&of(one, participant)[name])).unwrap();
        let nonces = SigningNonces::from_nonces(nonce("hiding_nonce"), nonce("binding_nonce"));
        let package_of = KeyPackage::new(
            id(participant),
            secret,
            VerifyingShare::from(secret),
            key,
            2,
        );
        let share = frost_core::round2::sign(&package, &nonces, &package_of).unwrap();
        assert_eq!(share.serialize(), bytes(&of(two, participant)["sig_share"]));
    }
}

#[test]
fn rfc9591_ed25519() {
    shares_are_those_of_rfc9591::<frost_ed25519::Ed25519Sha512>(include_str!(
        "../vectors/rfc9591-ed25519.json"
    ));
}

#[test]
fn rfc9591_secp256k1() {
    shares_are_those_of_rfc9591::<frost_secp256k1::Secp256K1Sha256>(include_str!(
        "../vectors/rfc9591-secp256k1.json"
    ));
}

/// Gives the bytes it was given, once.
struct Script(Vec<u8>);

impl RngCore for Script {
    fn next_u32(&mut self) -> u32 {
        rand_core::impls::next_u32_via_fill(self)
    }
    fn next_u64(&mut self) -> u64 {
        rand_core::impls::next_u64_via_fill(self)
    }
    fn fill_bytes(&mut self, to: &mut [u8]) {
        assert!(
            to.len() <= self.0.len(),
            "the vector has no more randomness"
        );
        to.copy_from_slice(&self.0.drain(..to.len()).collect::<Vec<_>>());
    }
    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rand_core::Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

impl CryptoRng for Script {}

/// RFC 9591, appendix E.1, through our own sessions: shares, randomness and message of the vector give its signature.
#[test]
fn rfc9591_ed25519_through_our_sessions() {
    let file = rfc9591(include_str!("../vectors/rfc9591-ed25519.json"));
    let secret = |participant: u64| {
        let share = of(&file["inputs"]["participant_shares"], participant);
        <[u8; 32]>::try_from(bytes(&share["participant_share"])).unwrap()
    };
    let key = bytes(&file["inputs"]["verifying_key_key"]);
    let vault = Vault::dealt_with_ed25519(&key, [1, 2, 3].map(secret));
    let message = Message::derived_from_what_this_signer_decoded(bytes(&file["inputs"]["message"]));
    let subject = Subject::Ed25519(message.unwrap());
    let one = |participant: u8| {
        let me = index(participant);
        let drawn = of(
            &file["round_one_outputs"]["outputs"],
            u64::from(participant),
        );
        let mut script = Script(
            ["hiding_nonce_randomness", "binding_nonce_randomness"]
                .iter()
                .flat_map(|name| bytes(&drawn[name]))
                .collect(),
        );
        let params = SignParams {
            key: Point::decode(Suite::EddsaEd25519, &key).unwrap(),
            subject: subject.clone(),
            identity: identity(participant),
            ..vault.sign_params(1, &[1, 3], me)
        };
        (
            me,
            RealEngine
                .sign_schnorr(params, &vault.secrets[&me], &mut script)
                .unwrap(),
        )
    };
    let outcomes = run([1, 3].map(one).into(), &mut rng(1), faithful);
    for outcome in outcomes.values() {
        let found: SchnorrSignature = outcome.done.unwrap();
        assert_eq!(
            found.as_bytes().to_vec(),
            bytes(&file["final_output"]["sig"])
        );
    }
}

/// RFC 8032, section 7.1, tests 1 to 3: public key, message, signature.
#[test]
fn rfc8032() {
    let vectors = [
        (
            "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
            "",
            "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
        ),
        (
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
            "72",
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
        ),
        (
            "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
            "af82",
            "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
        ),
    ];
    for (key, message, signature) in vectors {
        assert!(ed25519_verifies(
            &hex::decode(key).unwrap(),
            &hex::decode(message).unwrap(),
            &hex::decode(signature).unwrap()
        ));
        assert!(!ed25519_verifies(
            &hex::decode(key).unwrap(),
            b"other",
            &hex::decode(signature).unwrap()
        ));
    }
}

fn ed25519_verifies(key: &[u8], message: &[u8], signature: &[u8]) -> bool {
    let key = Point::decode(Suite::EddsaEd25519, key);
    let message = Message::derived_from_what_this_signer_decoded(message.to_vec());
    let (Ok(key), Ok(message), Ok(signature)) = (key, message, <[u8; 64]>::try_from(signature))
    else {
        return false;
    };
    SchnorrSignature::from_bytes(signature).verify(&key, &Subject::Ed25519(message))
}

#[test]
fn wycheproof_ed25519() {
    let set = wycheproof::eddsa::TestSet::load(wycheproof::eddsa::TestName::Ed25519).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        for test in &group.tests {
            let valid = ed25519_verifies(&group.key.pk, &test.msg, &test.sig);
            assert_eq!(
                valid,
                test.result == TestResult::Valid,
                "{}: {}",
                test.tc_id,
                test.comment
            );
            seen += 1;
        }
    }
    assert!(seen > 100, "{seen}");
}

/// Ours are low-`s` and carry a recovery id, which the vectors do not: a vector is taken as good if its low form is, with
/// some recovery id. What no recovery id saves has to be bad.
#[test]
fn wycheproof_ecdsa_secp256k1() {
    let name = wycheproof::ecdsa::TestName::EcdsaSecp256k1Sha256P1363;
    let set = wycheproof::ecdsa::TestSet::load(name).unwrap();
    let mut seen = 0;
    for group in &set.test_groups {
        let key = k256::ecdsa::VerifyingKey::from_sec1_bytes(&group.key.key).unwrap();
        let key =
            Point::decode(Suite::EcdsaSecp256k1, key.to_encoded_point(true).as_bytes()).unwrap();
        for test in &group.tests {
            let digest = MessageDigest::derived_from_what_this_signer_decoded(
                Sha256::digest(&*test.msg).into(),
            );
            let valid = ecdsa_verifies(&key, &digest, &test.sig);
            assert_eq!(
                valid,
                test.result == TestResult::Valid,
                "{}: {}",
                test.tc_id,
                test.comment
            );
            seen += 1;
        }
    }
    assert!(seen > 200, "{seen}");
}

fn ecdsa_verifies(key: &Point, digest: &MessageDigest, signature: &[u8]) -> bool {
    let Ok(signature) = Signature::from_slice(signature) else {
        return false;
    };
    let low = signature.normalize_s().unwrap_or(signature);
    let (r, s) = low.split_bytes();
    let with = |recovery_id: u8| EcdsaSignature {
        r: r.into(),
        s: s.into(),
        recovery_id,
    };
    let high = EcdsaSignature {
        s: signature.split_bytes().1.into(),
        ..with(0)
    };
    if low != signature {
        assert!((0..4).all(|recovery_id| {
            !EcdsaSignature {
                recovery_id,
                ..high
            }
            .verify(key, digest)
        }));
    }
    (0..4).any(|recovery_id| with(recovery_id).verify(key, digest))
}
