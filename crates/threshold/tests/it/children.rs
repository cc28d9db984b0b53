//! Children of a root key: BIP-32's own vectors, and shares that stay shares of one key.

use k256::elliptic_curve::PrimeField;
use k256::{ProjectivePoint, Scalar, elliptic_curve::sec1::ToEncodedPoint};
use proptest::prelude::{ProptestConfig, prop_assert, prop_assert_eq, proptest};
use quorate_threshold::{
    ChildPath, Error, ExtendedKey, KeyShare, Parameters, Point, RawKeyShare, Suite,
};
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::cluster::{Vault, index};

/// BIP-32's test vectors 1 and 2, every unhardened step in them: parent, index, child.
const BIP32: [(&str, u32, &str); 3] = [
    (
        "xpub68Gmy5EdvgibQVfPdqkBBCHxA5htiqg55crXYuXoQRKfDBFA1WEjWgP6LHhwBZeNK1VTsfTFUHCdrfp1bgwQ9xv5ski8PX9rL2dZXvgGDnw",
        1,
        "xpub6ASuArnXKPbfEwhqN6e3mwBcDTgzisQN1wXN9BJcM47sSikHjJf3UFHKkNAWbWMiGj7Wf5uMash7SyYq527Hqck2AxYysAA7xmALppuCkwQ",
    ),
    (
        "xpub661MyMwAqRbcFW31YEwpkMuc5THy2PSt5bDMsktWQcFF8syAmRUapSCGu8ED9W6oDMSgv6Zz8idoc4a6mr8BDzTJY47LJhkJ8UB7WEGuduB",
        0,
        "xpub69H7F5d8KSRgmmdJg2KhpAK8SR3DjMwAdkxj3ZuxV27CprR9LgpeyGmXUbC6wb7ERfvrnKZjXoUmmDznezpbZb7ap6r1D3tgFxHmwMkQTPH",
    ),
    (
        "xpub6ASAVgeehLbnwdqV6UKMHVzgqAG8Gr6riv3Fxxpj8ksbH9ebxaEyBLZ85ySDhKiLDBrQSARLq1uNRts8RuJiHjaDMBU4Zn9h8LZNnBC5y4a",
        1,
        "xpub6DF8uhdarytz3FWdA8TvFSvvAh8dP3283MY7p2V4SeE2wyWmG5mg5EwVvmdMVCQcoNJxGoWaU9DCWh89LojfZ537wTfunKau47EL2dhHKon",
    ),
];
/// BIP-32's test vector 2: the private keys of `m` and of `m/0`.
const BIP32_PRIVATE: [&str; 2] = [
    "xprv9s21ZrQH143K31xYSDQpPDxsXRTUcvj2iNHm5NUtrGiGG5e2DtALGdso3pGz6ssrdK4PFmM8NSpSBHNqPqm55Qn3LqFtT2emdEXVYsCzC2U",
    "xprv9vHkqa6EV4sPZHYqZznhT2NPtPCjKuDKGY38FBWLvgaDx45zo9WQRUT3dKYnjwih2yJD9mkrocEZXo1ex8G81dwSM1fwqWpWkeS3v86pgKt",
];

/// Chain code and 33 bytes of key of a serialised extended key (BIP-32, "Serialization format").
fn extended(text: &str) -> ([u8; 32], Vec<u8>) {
    let bytes = bs58::decode(text).with_check(None).into_vec().unwrap();
    (bytes[13..45].try_into().unwrap(), bytes[45..].to_vec())
}

fn public(suite: Suite, text: &str) -> ExtendedKey {
    let (chain_code, key) = extended(text);
    ExtendedKey {
        key: Point::decode(suite, &key).unwrap(),
        chain_code: Zeroizing::new(chain_code),
    }
}

fn path(text: &str) -> ChildPath {
    text.parse().unwrap()
}

#[test]
fn bip32_vectors() {
    for suite in [Suite::EcdsaSecp256k1, Suite::SchnorrSecp256k1] {
        for (parent, index, child) in BIP32 {
            let found = public(suite, parent)
                .descendant(&path(&format!("m/{index}")))
                .unwrap();
            let expected = public(suite, child);
            assert_eq!(
                (found.key, *found.chain_code),
                (expected.key, *expected.chain_code)
            );
        }
    }
}

/// BIP-32's private derivation, on shares of the parent's private key: they become shares of the child's.
#[test]
fn bip32_vectors_on_shares() {
    let scalar = |text: &str| {
        let bytes: [u8; 32] = extended(text).1[1..].try_into().unwrap();
        Option::<Scalar>::from(Scalar::from_repr(bytes.into())).unwrap()
    };
    let [parent, child] = BIP32_PRIVATE.map(scalar);
    let slope = Scalar::from(77u64);
    let at = |j: u64| parent + slope * Scalar::from(j);
    let point = |secret: Scalar| {
        let encoded = (ProjectivePoint::GENERATOR * secret)
            .to_affine()
            .to_encoded_point(true);
        Point::decode(Suite::EcdsaSecp256k1, encoded.as_bytes()).unwrap()
    };
    let share = |j: u8| {
        let raw = RawKeyShare {
            suite: Suite::EcdsaSecp256k1,
            epoch: 1,
            index: index(j),
            parameters: Parameters::new(2, 3).unwrap(),
            group_key: point(parent),
            verification_shares: (1..=3).map(|j| point(at(j))).collect(),
            chain_code: extended(BIP32_PRIVATE[0]).0,
            secret: at(u64::from(j)).to_bytes().into(),
        };
        KeyShare::from_raw_parts_holding_a_secret(&raw).unwrap()
    };
    let moved = |j: u8| {
        let moved = share(j).descendant(&path("m/0")).unwrap();
        let secret: [u8; 32] = *moved.expose_secret_scalar();
        assert_eq!(*moved.chain_code(), extended(BIP32_PRIVATE[1]).0);
        Option::<Scalar>::from(Scalar::from_repr(secret.into())).unwrap()
    };
    // Through the points at 1 and 2, the value at 0.
    assert_eq!(moved(1) + moved(1) - moved(2), child);
}

/// The shares of all members stay on one polynomial, whatever the path; the public side alone leads to the same key.
#[test]
fn shares_of_a_child_are_shares_of_one_key() {
    let vault = Vault::fixture();
    for suite in Suite::ALL {
        for text in ["m/0", "m/1/2", "m/2147483647/0/5"] {
            let keys: Vec<_> = vault
                .secrets
                .values()
                .map(|secrets| {
                    // The relations between the parts are checked when a share is built.
                    let child = secrets.share(suite).descendant(&path(text)).unwrap();
                    let public = secrets
                        .share(suite)
                        .extended_key()
                        .descendant(&path(text))
                        .unwrap();
                    assert_eq!(
                        (public.key, *public.chain_code),
                        (*child.group_key(), *child.chain_code())
                    );
                    assert_ne!(child.group_key(), secrets.share(suite).group_key());
                    public.key
                })
                .collect();
            assert!(keys.windows(2).all(|pair| pair[0] == pair[1]));
        }
    }
}

#[test]
fn the_root_is_its_own_descendant() {
    let vault = Vault::fixture();
    for suite in Suite::ALL {
        let share = vault.secrets[&index(1)].share(suite);
        assert!(
            share
                .descendant(&ChildPath::ROOT)
                .unwrap()
                .same_secret(share)
        );
    }
}

/// One path has one spelling, and nothing hardened or too deep is taken for something else.
#[test]
fn odd_paths_are_refused() {
    for text in [
        "",
        "m/",
        "/0",
        "0",
        "M/0",
        "m/-1",
        "m/+1",
        "m/00",
        "m/0'",
        "m/0h",
        "m/2147483648",
        "m/4294967296",
        "m/0/1/2/3/4/5/6/7/8",
        "m/ 0",
    ] {
        assert_eq!(text.parse::<ChildPath>(), Err(Error::ChildPath), "{text:?}");
    }
    let too_deep = ChildPath::new(vec![0; 9]);
    assert_eq!(too_deep, Err(Error::ChildPath));
}

#[derive(Deserialize)]
struct Vector {
    key: String,
    chain_code: String,
    path: String,
    child_key: String,
    child_chain_code: String,
}

/// The vectors of `docs/ed25519-hd.md`, which the Python beside it reproduces.
#[test]
fn ed25519_vectors() {
    let vectors: Vec<Vector> =
        serde_json::from_str(include_str!("../../../../docs/ed25519-hd.json")).unwrap();
    assert!(vectors.len() >= 5);
    for vector in vectors {
        let bytes = |text: &str| <[u8; 32]>::try_from(hex::decode(text).unwrap()).unwrap();
        let parent = ExtendedKey {
            key: Point::decode(Suite::EddsaEd25519, &bytes(&vector.key)).unwrap(),
            chain_code: Zeroizing::new(bytes(&vector.chain_code)),
        };
        let child = parent.descendant(&path(&vector.path)).unwrap();
        assert_eq!(
            child.key.as_bytes(),
            bytes(&vector.child_key),
            "{}",
            vector.path
        );
        assert_eq!(
            *child.chain_code,
            bytes(&vector.child_chain_code),
            "{}",
            vector.path
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    /// A path of two steps is the one step's child of the other.
    #[test]
    fn paths_compose(a in 0u32..1 << 31, b in 0u32..1 << 31) {
        let vault = Vault::fixture();
        for suite in Suite::ALL {
            let root = vault.secrets[&index(2)].share(suite);
            let step = |n: u32| ChildPath::new(vec![n]).unwrap();
            let there = root.descendant(&ChildPath::new(vec![a, b]).unwrap()).unwrap();
            let by_steps = root.descendant(&step(a)).unwrap().descendant(&step(b)).unwrap();
            prop_assert!(there.same_secret(&by_steps));
            prop_assert_eq!(there.group_key(), by_steps.group_key());
        }
    }
}
