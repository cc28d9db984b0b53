//! Greetings.

use proptest::prelude::{any, prop_assert, proptest};
use quorate_wire::{Channel, Hello, HelloError, PROTOCOL_VERSION};

use crate::common::{connection, party};

#[test]
fn a_greeting_proves_the_identity_on_its_connection() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 9);
    let sent = Hello::sign(&ana.identity, &at_ana, "quorate/0.1.0").encode();
    let read = Hello::decode(&sent).unwrap();
    assert_eq!(read.software(), "quorate/0.1.0");
    assert_eq!(read.verify(&at_ben, None), Ok(ana.card.card().identity));
    assert_eq!(
        read.verify(&at_ben, Some(&ana.card.card().identity)),
        Ok(ana.card.card().identity)
    );
}

#[test]
fn another_party_than_expected_is_named() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 9);
    let hello = Hello::sign(&ana.identity, &at_ana, "");
    let (expected, theirs) = (ben.card.card().identity, ana.card.card().identity);
    assert_eq!(
        hello.verify(&at_ben, Some(&expected)),
        Err(HelloError::WrongIdentity { expected, theirs })
    );
}

/// Threat: a greeting is repeated on another connection, by another endpoint, or sent back.
#[test]
fn a_greeting_is_worth_nothing_elsewhere() {
    let (ana, ben, eve) = (party("Ana", 1), party("Ben", 2), party("Eve", 3));
    let (at_ana, at_ben) = connection(&ana, &ben, 9);
    let hello = Hello::sign(&ana.identity, &at_ana, "");
    let (_, later) = connection(&ana, &ben, 10);
    let (_, to_eve) = connection(&ana, &eve, 9);
    let (_, from_eve) = connection(&eve, &ben, 9);
    for channel in [later, to_eve, from_eve, at_ana] {
        assert_eq!(hello.verify(&channel, None), Err(HelloError::BadProof));
    }
    assert!(hello.verify(&at_ben, None).is_ok());
}

/// Threat: a downgrade, or a peer that was updated: whatever follows the prelude, the version is named.
#[test]
fn a_peer_of_any_other_version_is_named() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, _) = connection(&ana, &ben, 9);
    let ours = Hello::sign(&ana.identity, &at_ana, "quorate/9.9").encode();
    for theirs in [0, 2, 255, 256, u16::MAX] {
        for rest in [ours[18..].to_vec(), vec![], vec![0; 100_000]] {
            let mut bytes = ours[..18].to_vec();
            bytes[4..6].copy_from_slice(&theirs.to_be_bytes());
            bytes.extend_from_slice(&rest);
            let software = "quorate/9.9".to_owned();
            let named = HelloError::OtherVersion {
                theirs,
                ours: PROTOCOL_VERSION,
                software,
            };
            assert_eq!(Hello::decode(&bytes), Err(named.clone()));
            assert!(
                named
                    .to_string()
                    .contains(&format!("version {theirs} (quorate/9.9)"))
            );
        }
    }
}

/// Threat: the name of the software is printed; it must not carry control sequences.
#[test]
fn a_software_name_with_controls_is_no_greeting() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, _) = connection(&ana, &ben, 9);
    let mut bytes = Hello::sign(&ana.identity, &at_ana, "quorate").encode();
    bytes[8] = 0x1b;
    assert!(matches!(
        Hello::decode(&bytes),
        Err(HelloError::NotQuorate(_))
    ));
    let long = Hello::sign(&ana.identity, &at_ana, &"a\u{1b}é".repeat(40));
    assert_eq!(Hello::decode(&long.encode()).unwrap().software().len(), 32);
}

#[test]
fn no_single_bit_of_a_greeting_can_be_flipped() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 9);
    let bytes = Hello::sign(&ana.identity, &at_ana, "quorate").encode();
    for index in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[index] ^= 1 << (index % 8);
        assert!(
            Hello::decode(&altered)
                .and_then(|hello| hello.verify(&at_ben, None))
                .is_err(),
            "byte {index}"
        );
    }
}

proptest! {
    #[test]
    fn junk_is_no_greeting(junk in proptest::collection::vec(any::<u8>(), 0..200), mark in any::<bool>()) {
        let front: &[u8] = if mark { b"QRTH\0\x01" } else { b"" };
        let channel = Channel { ours: [1; 32], theirs: [2; 32], exporter: [3; 32] };
        let read = Hello::decode(&[front, &junk].concat());
        prop_assert!(read.and_then(|hello| hello.verify(&channel, None)).is_err());
    }
}
