//! Taproot and Ed25519 signatures: any quorum, root and child; and members that cheat.

use std::collections::{BTreeMap, BTreeSet};

use quorate_threshold::envelope::{Envelope, SignedBody};
use quorate_threshold::{
    ChildPath, Engine, EpochSecrets, Error, Message, MessageDigest, Offence, PartyIndex, Point,
    RealEngine, SchnorrSignature, SignParams, Started, Subject, Suite, Verdict, Why,
    taproot_output_key,
};

use crate::cluster::{
    Mail, Outcomes, Vault, convict, digest, faithful, from_to_round, identity, index, rng, run,
};

fn taproot(merkle_root: Option<[u8; 32]>) -> Subject {
    Subject::Taproot {
        digest: digest(),
        merkle_root,
    }
}

fn ed25519(text: &str) -> Subject {
    Subject::Ed25519(Message::derived_from_what_this_signer_decoded(text.into()).unwrap())
}

fn subjects() -> [Subject; 3] {
    [taproot(None), taproot(Some([0x77; 32])), ed25519("pay")]
}

fn params(
    vault: &Vault,
    session: u8,
    quorum: &[u8],
    me: PartyIndex,
    path: &str,
    subject: Subject,
) -> SignParams {
    let path: ChildPath = path.parse().unwrap();
    let share = vault.secrets[&me].share(subject.suite());
    let key = share.extended_key().descendant(&path).unwrap().key;
    SignParams {
        path,
        key,
        subject,
        ..vault.sign_params(session, quorum, me)
    }
}

fn start(
    vault: &Vault,
    session: u8,
    quorum: &[u8],
    path: &str,
    subject: &Subject,
) -> BTreeMap<PartyIndex, Started<SchnorrSignature>> {
    let one = |i: &u8| {
        let me = index(*i);
        let params = params(vault, session, quorum, me, path, subject.clone());
        (
            me,
            RealEngine
                .sign_schnorr(
                    params,
                    &vault.secrets[&me],
                    &mut rng(u64::from(session) << 8 | u64::from(*i)),
                )
                .unwrap(),
        )
    };
    quorum.iter().map(one).collect()
}

fn key_at(vault: &Vault, suite: Suite, path: &str) -> Point {
    let root = vault.secrets[&index(1)].share(suite).extended_key();
    root.descendant(&path.parse().unwrap()).unwrap().key
}

/// All signers end with one signature, which is good under the expected key alone.
fn assert_signs(
    vault: &Vault,
    session: u8,
    quorum: &[u8],
    path: &str,
    subject: &Subject,
) -> SchnorrSignature {
    let outcomes = run(
        start(vault, session, quorum, path, subject),
        &mut rng(1),
        faithful,
    );
    let signatures: BTreeSet<[u8; 64]> = outcomes
        .into_iter()
        .map(|(member, outcome)| {
            assert!(outcome.ignored.is_empty());
            assert_eq!((outcome.rounds, &outcome.waiting_for), (2, &vec![]));
            *outcome
                .done
                .unwrap_or_else(|| panic!("{member}: {:?}", outcome.verdict))
                .as_bytes()
        })
        .collect();
    assert_eq!(signatures.len(), 1);
    let signature = SchnorrSignature::from_bytes(*signatures.first().unwrap());
    let key = key_at(vault, subject.suite(), path);
    assert!(signature.verify(&key, subject));
    assert!(!signature.verify(&key_at(vault, subject.suite(), "m/99"), subject));
    let other = match subject {
        Subject::Ed25519(_) => ed25519("pay more"),
        Subject::Taproot {
            merkle_root: None, ..
        } => taproot(Some([1; 32])),
        _ => taproot(None),
    };
    assert!(!signature.verify(&key, &other));
    signature
}

#[test]
fn every_quorum_of_two_of_three_signs_for_root_and_child() {
    let vault = Vault::fixture();
    let mut session = 0;
    for subject in subjects() {
        for quorum in [[1, 2], [1, 3], [2, 3]] {
            for path in ["m", "m/0/3"] {
                session += 1;
                assert_signs(&vault, session, &quorum, path, &subject);
            }
        }
    }
}

#[test]
fn three_of_five_and_nine_of_sixteen_sign() {
    let vault = Vault::dealt(3, 5);
    for (session, quorum) in [[1, 2, 3], [1, 3, 5], [3, 4, 5]].iter().enumerate() {
        for (at, subject) in subjects().iter().enumerate() {
            assert_signs(&vault, (session * 3 + at) as u8, quorum, "m/1", subject);
        }
    }
    let largest = Vault::dealt(9, 16);
    let quorum = [1, 2, 4, 5, 7, 10, 12, 15, 16];
    assert_signs(&largest, 1, &quorum, "m/1", &taproot(None));
    assert_signs(&largest, 2, &quorum, "m/1", &ed25519("pay"));
}

/// BIP-340 knows even keys only: internal keys and output keys of either parity sign.
#[test]
fn keys_of_either_parity_sign() {
    let vault = Vault::fixture();
    let mut parities = BTreeSet::new();
    for child in 0..12u8 {
        let path = format!("m/{child}");
        let key = key_at(&vault, Suite::SchnorrSecp256k1, &path);
        parities.insert(key.as_bytes()[0]);
        assert_signs(&vault, child, &[1, 3], &path, &taproot(Some([child; 32])));
    }
    assert_eq!(parities.into_iter().collect::<Vec<_>>(), [2, 3]);
}

/// ECDSA for children: the OT state is the root's, the share is the child's.
#[test]
fn ecdsa_signs_for_a_child() {
    let vault = Vault::fixture();
    let subject = Subject::Ecdsa(digest());
    for (session, path) in [(1, "m/0"), (2, "m/44/60/7")] {
        let one = |i: u8| {
            let me = index(i);
            let params = params(&vault, session, &[1, 3], me, path, subject.clone());
            (
                me,
                RealEngine
                    .sign_ecdsa(params, &vault.secrets[&me], &mut rng(1))
                    .unwrap(),
            )
        };
        let outcomes = run([1, 3].map(one).into(), &mut rng(1), faithful);
        let key = key_at(&vault, Suite::EcdsaSecp256k1, path);
        for outcome in outcomes.values() {
            assert!(
                outcome.done.unwrap().verify(&key, &digest()),
                "{:?}",
                outcome.verdict
            );
        }
    }
}

/// A retry, and even a session id used twice against the rules, takes fresh nonces: every `R` differs.
#[test]
fn every_session_has_its_own_nonce() {
    let vault = Vault::fixture();
    for subject in [taproot(None), ed25519("pay")] {
        let points: BTreeSet<Vec<u8>> = (1..=5)
            .map(|session| {
                assert_signs(&vault, session, &[1, 2], "m", &subject).as_bytes()[..32].to_vec()
            })
            .collect();
        assert_eq!(points.len(), 5);
    }
}

/// Drijvers et al. (S&P 2019), CVE-2025-66017: what is signed, by whom and under which key is fixed before any nonce
/// is shown. A member that means anything else is met by an abort before anything is computed.
#[test]
fn different_views_abort_before_any_share() {
    let vault = Vault::fixture();
    type Change = fn(&mut SignParams);
    let changes: [(&str, Change); 4] = [
        ("message", |p| {
            p.subject = Subject::Taproot {
                digest: MessageDigest::derived_from_what_this_signer_decoded([0x43; 32]),
                merkle_root: None,
            }
        }),
        ("hidden script path", |p| {
            p.subject = taproot(Some([0x66; 32]))
        }),
        ("vault", |p| p.vault = [9; 32]),
        ("epoch of the tag", |p| p.session = [3; 32]),
    ];
    for (what, change) in changes {
        let one = |i: u8| {
            let mut params = params(&vault, 1, &[1, 2], index(i), "m", taproot(None));
            if i == 2 {
                change(&mut params);
            }
            (
                index(i),
                RealEngine
                    .sign_schnorr(params, &vault.secrets[&index(i)], &mut rng(1))
                    .unwrap(),
            )
        };
        let outcomes = run([1, 2].map(one).into(), &mut rng(1), faithful);
        for outcome in outcomes.values() {
            let mismatch = matches!(
                outcome.verdict,
                Some(Verdict::Abort(Why::TranscriptMismatch { .. }))
            );
            assert!(
                outcome.done.is_none() && (mismatch || outcome.ignored == [Why::OtherSession]),
                "{what}"
            );
        }
    }
}

/// Replaces the body of member 1's broadcast of `round` to `to`, signed again by member 1.
fn broadcast_replaced(mail: Mail, round: u8, to: u8, change: &dyn Fn(&mut Vec<u8>)) -> Vec<Mail> {
    if from_to_round(&mail) != (1, to, round) {
        return vec![mail];
    }
    vec![mail.resealed(|envelope: &mut Envelope| {
        let mut body = envelope.broadcast.take().unwrap().body.clone();
        change(&mut body);
        let signed = SignedBody::seal(&envelope.header.tag, round, index(1), body, &identity(1));
        envelope.broadcast = Some(signed);
    })]
}

fn convicted(
    vault: &Vault,
    outcomes: Outcomes<SchnorrSignature>,
    by: u8,
    subject: &Subject,
    quorum: &[u8],
) -> Offence {
    let (mut outcomes, me) = (outcomes, index(by));
    let params = params(vault, 1, quorum, me, "m/5", subject.clone());
    let outcome = outcomes.remove(&me).unwrap();
    assert!(outcome.done.is_none());
    let (culprit, offence) = convict(outcome.verdict, &vault.committee, &params.context());
    assert_eq!(culprit, index(1));
    offence
}

/// A wrong share of the response. NAME(1): its author's own word on what it heard convicts it, also under a child key,
/// where only members know the chain code.
#[test]
fn a_wrong_share_is_proven() {
    let vault = Vault::dealt(3, 5);
    let quorum = [1, 2, 4];
    for subject in subjects() {
        let outcomes = run(
            start(&vault, 1, &quorum, "m/5", &subject),
            &mut rng(1),
            |mail| {
                // The last byte is in the share; flipping its lowest bit keeps it canonical in both byte orders.
                let at = if subject.suite() == Suite::EddsaEd25519 {
                    32
                } else {
                    1
                };
                let bend = |body: &mut Vec<u8>| {
                    let last = body.len() - at;
                    body[last] ^= 1;
                };
                let to = from_to_round(&mail).1;
                broadcast_replaced(mail, 2, to, &bend)
            },
        );
        let offence = convicted(&vault, outcomes, 2, &subject, &quorum);
        assert!(
            matches!(offence, Offence::BadSignatureShare { .. }),
            "{offence:?}"
        );
    }
}

/// An honest share shown beside commitments that its author never heard: the paper convicts nobody.
#[test]
fn an_honest_share_cannot_be_made_to_look_wrong() {
    let vault = Vault::fixture();
    let subject = taproot(None);
    let said = |session: u8| {
        let mut said: BTreeMap<(u8, u8), SignedBody> = BTreeMap::new();
        run(
            start(&vault, session, &[1, 2], "m", &subject),
            &mut rng(1),
            |mail| {
                let (from, _, round) = from_to_round(&mail);
                said.insert((from, round), mail.open().broadcast.unwrap());
                vec![mail]
            },
        );
        said
    };
    let (first, other) = (said(1), said(2));
    let params = params(&vault, 1, &[1, 2], index(1), "m", subject.clone());
    let charge = |one: &SignedBody, two: &SignedBody| {
        let offence = Offence::BadSignatureShare {
            commitments: vec![one.clone(), two.clone()],
            share: first[&(1, 2)].clone(),
        };
        let charge = quorate_threshold::Charge {
            tag: params.tag(),
            culprit: index(1),
            offence,
        };
        quorate_threshold::verify_evidence(&charge.into(), &vault.committee, &params.context())
    };
    let innocent = Err(quorate_threshold::EvidenceError::NoFault);
    assert_eq!(charge(&first[&(1, 1)], &first[&(2, 1)]), innocent);
    assert_eq!(charge(&first[&(1, 1)], &other[&(2, 1)]), innocent);
    assert_eq!(charge(&other[&(1, 1)], &first[&(2, 1)]), innocent);
    assert_eq!(charge(&first[&(2, 1)], &first[&(1, 1)]), innocent);
}

/// Other commitments for one member than for another, so that honest shares fit different lists. NAME(1), by what
/// round 2 repeats; nobody honest is blamed for a share that does not fit.
#[test]
fn equivocating_commitments_are_proven() {
    let vault = Vault::dealt(3, 5);
    let quorum = [1, 2, 4];
    for subject in subjects() {
        let elsewhere = start(&vault, 2, &quorum, "m/5", &subject);
        let other = Envelope::from_bytes(&elsewhere[&index(1)].send[0].bytes)
            .unwrap()
            .broadcast
            .unwrap()
            .body
            .clone();
        let outcomes = run(
            start(&vault, 1, &quorum, "m/5", &subject),
            &mut rng(1),
            |mail| broadcast_replaced(mail, 1, 2, &|body| *body = other.clone()),
        );
        for by in [2, 4] {
            let verdict = outcomes[&index(by)].verdict.as_ref();
            if let Some(Verdict::NamedFault { culprit, .. }) = verdict {
                assert_eq!(*culprit, index(1));
            }
            assert!(outcomes[&index(by)].done.is_none());
        }
        let offence = convicted(&vault, outcomes, 2, &subject, &quorum);
        assert!(
            matches!(offence, Offence::Equivocation { round: 1, .. }),
            "{offence:?}"
        );
    }
}

/// Commitments and shares that are nothing: points off the curve, the identity, of the other curve, scalars beyond the
/// order, echoes of the wrong length or with a forged signature. NAME(1).
#[test]
fn malformed_broadcasts_are_proven() {
    let vault = Vault::fixture();
    type Change<'a> = &'a dyn Fn(&mut Vec<u8>);
    let changes: [(u8, &str, Change<'_>); 6] = [
        (1, "no bytes", &|body| body.clear()),
        (1, "off the curve", &|body| {
            body.iter_mut().skip(4).for_each(|byte| *byte = 0xff)
        }),
        (1, "extended", &|body| body.push(0)),
        (2, "truncated", &|body| body.truncate(body.len() - 1)),
        (2, "no scalar", &|body| {
            let at = body.len() - 32;
            body[at..].fill(0xff);
        }),
        (2, "forged echo", &|body| body[20] ^= 1),
    ];
    for (round, what, change) in changes {
        for subject in subjects() {
            let outcomes = run(
                start(&vault, 1, &[1, 2], "m/5", &subject),
                &mut rng(1),
                |mail| broadcast_replaced(mail, round, 2, change),
            );
            let offence = convicted(&vault, outcomes, 2, &subject, &[1, 2]);
            assert!(
                matches!(offence, Offence::BadBroadcast { round: r, .. } if r == round),
                "{what}: {offence:?}"
            );
        }
    }
}

/// Commitments of Ed25519 in a Taproot session. NAME(1).
#[test]
fn points_of_the_other_curve_are_proven() {
    let vault = Vault::fixture();
    let elsewhere = start(&vault, 2, &[1, 2], "m/5", &ed25519("pay"));
    let other = Envelope::from_bytes(&elsewhere[&index(1)].send[0].bytes)
        .unwrap()
        .broadcast
        .unwrap()
        .body
        .clone();
    let subject = taproot(None);
    let outcomes = run(
        start(&vault, 1, &[1, 2], "m/5", &subject),
        &mut rng(1),
        |mail| broadcast_replaced(mail, 1, 2, &|body| *body = other.clone()),
    );
    let offence = convicted(&vault, outcomes, 2, &subject, &[1, 2]);
    assert!(matches!(offence, Offence::BadBroadcast { round: 1, .. }));
}

/// Wrong arguments are refused before anything is sent.
#[test]
fn wrong_arguments_are_refused() {
    let vault = Vault::fixture();
    let attempt = |change: &dyn Fn(&mut SignParams)| {
        let mut params = params(&vault, 1, &[1, 2], index(1), "m/5", taproot(None));
        change(&mut params);
        let secrets: &EpochSecrets = &vault.secrets[&index(1)];
        RealEngine
            .sign_schnorr(params, secrets, &mut rng(1))
            .map(|_| ())
            .unwrap_err()
    };
    let other_key = key_at(&vault, Suite::SchnorrSecp256k1, "m/6");
    assert_eq!(
        attempt(&|p| p.key = other_key),
        Error::WrongSecrets {
            what: "key at this path"
        }
    );
    assert_eq!(
        attempt(&|p| p.path = ChildPath::ROOT),
        Error::WrongSecrets {
            what: "key at this path"
        }
    );
    assert_eq!(
        attempt(&|p| p.quorum = vec![index(2), index(1)]),
        Error::Quorum
    );
    assert_eq!(attempt(&|p| p.quorum = vec![index(1)]), Error::Quorum);
    assert_eq!(
        attempt(&|p| p.epoch = 2),
        Error::WrongSecrets { what: "epoch" }
    );
    let ecdsa = attempt(&|p| {
        p.key = key_at(&vault, Suite::EcdsaSecp256k1, "m/5");
        p.subject = Subject::Ecdsa(digest());
    });
    assert_eq!(ecdsa, Error::WrongSecrets { what: "suite" });
    let long = Message::derived_from_what_this_signer_decoded(vec![0; 16 * 1024 + 1]);
    assert_eq!(
        long,
        Err(Error::MessageTooLong {
            bytes: 16 * 1024 + 1
        })
    );
}

/// BIP-341, wallet test vectors ("scriptPubKey"): internal key, script root, output key.
#[test]
fn bip341_output_keys() {
    let vectors = [
        (
            "d6889cb081036e0faefa3a35157ad71086b123b2b144b649798b494c300a961d",
            "",
            "53a1f6e454df1aa2776a2814a721372d6258050de330b3c6d10ee8f4e0dda343",
        ),
        (
            "187791b6f712a8ea41c8ecdd0ee77fab3e85263b37e1ec18a3651926b3a6cf27",
            "5b75adecf53548f3ec6ad7d78383bf84cc57b55a3127c72b9a2481752dd88b21",
            "147c9c57132f6e7ecddba9800bb0c4449251c92a1e60371ee77557b6620f3ea3",
        ),
        (
            "93478e9488f956df2396be2ce6c5cced75f900dfa18e7dabd2428aae78451820",
            "c525714a7f49c28aedbbba78c005931a81c234b2f6c99a73e4d06082adc8bf2b",
            "e4d810fd50586274face62b8a807eb9719cef49c04177cc6b76a9a4251d5450e",
        ),
    ];
    for (internal, root, output) in vectors {
        let root: Option<[u8; 32]> = hex::decode(root).unwrap().try_into().ok();
        for parity in [2u8, 3] {
            let sec1 = [vec![parity], hex::decode(internal).unwrap()].concat();
            let key = Point::decode(Suite::SchnorrSecp256k1, &sec1).unwrap();
            assert_eq!(
                hex::encode(taproot_output_key(&key, root.as_ref()).unwrap()),
                output
            );
        }
    }
    let ed = key_at(&Vault::fixture(), Suite::EddsaEd25519, "m");
    assert!(taproot_output_key(&ed, None).is_err());
}

/// A second, equally valid signature of one message: RFC 8032 fixes the nonce, no verifier can tell.
fn signed_otherwise(digest: &[u8; 32], i: u8) -> [u8; 64] {
    use ed25519_dalek::hazmat::{ExpandedSecretKey, raw_sign};
    use sha2::Sha512;
    let key = identity(i);
    let mut expanded = ExpandedSecretKey::from(&key.to_bytes());
    expanded.hash_prefix[0] ^= 1;
    raw_sign::<Sha512>(&expanded, digest, &key.verifying_key()).to_bytes()
}

/// Threat: a member signs the hash of its own commitments twice, differently, and repeats the other signature beside a
/// bad share. NAME(1): both say the same hash.
#[test]
fn two_signatures_of_one_commitment_save_nobody() {
    let vault = Vault::dealt(3, 5);
    let quorum = [1, 2, 4];
    for subject in subjects() {
        let outcomes = run(
            start(&vault, 1, &quorum, "m/5", &subject),
            &mut rng(1),
            |mail| {
                let at = if subject.suite() == Suite::EddsaEd25519 {
                    32
                } else {
                    1
                };
                let tag = mail.open().header.tag;
                let bend = |body: &mut Vec<u8>| {
                    let last = body.len() - at;
                    body[last] ^= 1;
                    // version, count, then member 1's own entry: hash, signature.
                    let hash: [u8; 32] = body[2..34].try_into().unwrap();
                    let mut digest =
                        quorate_threshold::Transcript::new("quorate/threshold/broadcast/v1");
                    digest
                        .append_u64(1)
                        .append(b"sign")
                        .append(tag.suite.unwrap().name().as_bytes());
                    digest
                        .append_u64(tag.epoch)
                        .append(&tag.session)
                        .append(&tag.binding);
                    digest.append_u64(1).append_u64(1).append(&hash);
                    let other = signed_otherwise(&digest.finish(), 1);
                    assert_ne!(body[34..98], other);
                    body[34..98].copy_from_slice(&other);
                };
                let to = from_to_round(&mail).1;
                broadcast_replaced(mail, 2, to, &bend)
            },
        );
        let offence = convicted(&vault, outcomes, 2, &subject, &quorum);
        assert!(
            matches!(offence, Offence::BadSignatureShare { .. }),
            "{offence:?}"
        );
    }
}
