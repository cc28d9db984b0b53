//! Golden encodings: what is on disk and on the wire must stay readable and mean the same.

use quorate_threshold::envelope::{Envelope, Header, ProtocolKind, SessionTag, SignedBody};
use quorate_threshold::{
    Committee, EpochSecrets, Error, KeyShare, Parameters, PartyIndex, PublicKeys, ShareFault,
    Suite, Transcript,
};

use crate::cluster::{Vault, committee, fixture_secrets, identity, index};

fn sha256(bytes: &[u8]) -> String {
    let mut transcript = Transcript::new("golden");
    transcript.append(bytes);
    hex::encode(transcript.finish())
}

fn tag() -> SessionTag {
    SessionTag {
        kind: ProtocolKind::Sign,
        suite: Some(Suite::EcdsaSecp256k1),
        epoch: 300,
        session: [1; 32],
        binding: [2; 32],
    }
}

#[test]
fn envelope() {
    let header = Header {
        tag: tag(),
        round: 3,
        sender: index(1),
        receiver: index(2),
    };
    let body = SignedBody::seal(&tag(), 3, index(1), b"body".to_vec(), &identity(1));
    let envelope = Envelope::seal(header, Some(body), b"direct".to_vec().into(), &identity(1));
    let bytes = envelope.to_bytes();
    let start = format!(
        "01010100ac02{}{}030102{}",
        "01".repeat(32),
        "02".repeat(32),
        "0104626f6479"
    );
    assert!(
        hex::encode(&bytes).starts_with(&start),
        "{}",
        hex::encode(&bytes)
    );
    assert_eq!(
        sha256(&bytes),
        "18d19d5c9010a66f611ec54f93f6624b2670001bda225ac1f48242bcee733ff3"
    );
    assert_eq!(Envelope::from_bytes(&bytes).unwrap(), envelope);
    assert!(envelope.verifies(&identity(1).verifying_key()));
}

/// Version, then suite, epoch, index, parameters and group key of the first share.
#[test]
fn epoch_secrets() {
    for i in 1..=3 {
        let bytes = fixture_secrets(i);
        let start = format!("01{}{}{:02x}{}", "00", "01", i, "02030021");
        assert!(
            hex::encode(&bytes[..20]).starts_with(&start),
            "{}",
            hex::encode(&bytes[..20])
        );
        let secrets = EpochSecrets::from_bytes(bytes).unwrap();
        assert_eq!((secrets.index(), secrets.epoch()), (index(i), 1));
        assert_eq!(secrets.to_bytes().as_slice(), bytes);
        let debug = format!("{secrets:?}");
        for share in secrets.shares() {
            let secret = hex::encode(share.expose_secret_scalar());
            assert!(
                !debug.contains(&secret)
                    && !debug.contains(&format!("{:?}", share.expose_secret_scalar()))
            );
        }
    }
}

#[test]
fn public_keys() {
    let public = Vault::fixture().public;
    assert_eq!(
        hex::encode(public.hash()),
        "f2e902a609ef00b8432f91b06bdcc7b4dbc94c0d2dcece293918a1d22d94211b"
    );
    let json = serde_json::to_string(&public).unwrap();
    assert_eq!(serde_json::from_str::<PublicKeys>(&json).unwrap(), public);
    for share in Vault::fixture().secrets[&index(1)].shares() {
        assert!(!json.contains(&hex::encode(share.chain_code())));
        assert!(!json.contains(&format!("{:?}", share.chain_code()).replace(' ', "")));
    }
}

#[test]
fn committee_and_its_hash() {
    let committee = committee(2, 3);
    assert_eq!(
        hex::encode(committee.hash()),
        "146b44795502934037c3ed2ca00cc746aaaade00e2e444b442aed7febb080864"
    );
    let bytes = postcard::to_allocvec(&committee).unwrap();
    assert_eq!(
        postcard::from_bytes::<Committee>(&bytes).unwrap(),
        committee
    );
    assert_eq!(bytes.len(), 2 + 1 + 3 * 32);
    for (place, bad) in [(0, 1), (0, 4), (1, 2), (1, 4), (2, 2)] {
        let mut bytes = bytes.clone();
        bytes[place] = bad;
        assert!(
            postcard::from_bytes::<Committee>(&bytes).is_err(),
            "byte {place} = {bad}"
        );
    }
}

/// `2 <= t <= n <= 16` and `2t > n`, for all small numbers.
#[test]
fn parameters() {
    for t in 0..=20 {
        for n in 0..=20 {
            let allowed = (2..=n).contains(&t) && n <= 16 && 2 * t > n;
            assert_eq!(Parameters::new(t, n).is_ok(), allowed, "{t} of {n}");
            assert_eq!(
                postcard::from_bytes::<Parameters>(&[t, n]).is_ok(),
                allowed,
                "{t} of {n}"
            );
        }
    }
    for i in 0..=255 {
        assert_eq!(PartyIndex::new(i).is_ok(), (1..=16).contains(&i));
        assert_eq!(
            postcard::from_bytes::<PartyIndex>(&[i]).is_ok(),
            (1..=16).contains(&i)
        );
    }
}

#[test]
fn committee_of_duplicates_or_wrong_size() {
    let parameters = Parameters::new(2, 3).unwrap();
    let key = |i| identity(i).verifying_key();
    let duplicate = Committee::new(parameters, vec![key(1), key(2), key(1)]);
    assert_eq!(
        duplicate.unwrap_err(),
        Error::DuplicateIdentity { index: index(3) }
    );
    let short = Committee::new(parameters, vec![key(1), key(2)]);
    assert_eq!(
        short.unwrap_err(),
        Error::CommitteeSize {
            expected: 3,
            got: 2
        }
    );
    let weak = ed25519_dalek::VerifyingKey::from_bytes(
        &[&[1u8][..], &[0; 31]].concat().try_into().unwrap(),
    )
    .unwrap();
    let weak = Committee::new(parameters, vec![key(1), weak, key(3)]);
    assert_eq!(weak.unwrap_err(), Error::WeakIdentity { index: index(2) });
}

/// A restored share with the right point and another polynomial, another secret, or mixed suites (frostsnap).
#[test]
fn shares_whose_parts_do_not_fit() {
    let vault = Vault::fixture();
    let raw = || {
        vault.secrets[&index(1)]
            .share(Suite::EddsaEd25519)
            .to_raw_parts_exposing_the_secret()
    };
    let refuse = |change: &dyn Fn(&mut quorate_threshold::RawKeyShare)| {
        let mut raw = raw();
        change(&mut raw);
        KeyShare::from_raw_parts_holding_a_secret(&raw).unwrap_err()
    };
    let fault = |what| Error::Share {
        suite: Suite::EddsaEd25519,
        what,
    };
    assert!(KeyShare::from_raw_parts_holding_a_secret(&raw()).is_ok());
    assert_eq!(refuse(&|raw| raw.secret[0] ^= 1), fault(ShareFault::Secret));
    assert_eq!(
        refuse(&|raw| raw.index = index(2)),
        fault(ShareFault::Secret)
    );
    assert_eq!(
        refuse(&|raw| raw.index = index(4)),
        fault(ShareFault::Index)
    );
    assert_eq!(
        refuse(&|raw| raw.verification_shares.swap(1, 2)),
        fault(ShareFault::Polynomial)
    );
    assert_eq!(
        refuse(&|raw| raw.group_key = raw.verification_shares[0]),
        fault(ShareFault::Polynomial)
    );
    assert_eq!(
        refuse(&|raw| raw.verification_shares.truncate(2)),
        fault(ShareFault::Count)
    );
    assert_eq!(
        refuse(&|raw| raw.secret = [0xff; 32]),
        Error::Scalar {
            suite: Suite::EddsaEd25519
        }
    );
    let other = *vault.public.group_key(Suite::EcdsaSecp256k1);
    assert_eq!(
        refuse(&|raw| raw.group_key = other),
        fault(ShareFault::Suite)
    );
}

/// A flipped bit in the stored shares, and trailing or missing bytes, are refused with a clear error.
#[test]
fn damaged_secrets() {
    let good = fixture_secrets(2);
    for place in (0..620).step_by(11) {
        let mut bytes = good.to_vec();
        bytes[place] ^= 4;
        // The epoch and the chain code have no redundancy here; sealing (AEAD) and `PublicKeys` find those.
        if let Ok(secrets) = EpochSecrets::from_bytes(&bytes) {
            let public = Vault::fixture().public;
            assert!(
                !secrets.shares().iter().all(|share| public.matches(share)),
                "byte {place}"
            );
        }
    }
    assert!(EpochSecrets::from_bytes(&[good, &[0]].concat()).is_err());
    assert!(EpochSecrets::from_bytes(&good[..good.len() - 1]).is_err());
    assert!(EpochSecrets::from_bytes(&[]).is_err());
    let error = EpochSecrets::from_bytes(&[&[9], &good[1..]].concat()).unwrap_err();
    assert_eq!(
        error,
        Error::Version {
            what: "epoch secrets",
            version: 9,
            known: 1
        }
    );
}
