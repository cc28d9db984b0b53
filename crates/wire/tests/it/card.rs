//! Cards: what is accepted, and everything that is not.

use proptest::prelude::{any, prop_assert, prop_assert_eq, proptest};
use quorate_wire::{
    CardError, DecodeError, MAX_ADDRESSES, MAX_CARD_BYTES, MAX_TRUST_DOMAINS, PartyCard,
    SignedCard, VerifiedCard,
};

use crate::common::{key, party, plain_card};

fn check(change: impl FnOnce(&mut PartyCard)) -> Result<(), CardError> {
    let mut card = plain_card("Ana", 1);
    change(&mut card);
    card.check()
}

#[test]
fn a_card_survives_the_wire() {
    let ana = party("Ana", 1);
    let read = VerifiedCard::decode(&ana.card.encode()).unwrap();
    assert_eq!(read, ana.card);
    assert_eq!(read.card(), &plain_card("Ana", 1));
}

#[test]
fn the_largest_card_fits() {
    let mut card = plain_card("Ana", 1);
    card.name = "𝟘".repeat(32);
    card.controller = "𝟘".repeat(32);
    card.trust_domains = (0..MAX_TRUST_DOMAINS)
        .map(|n| format!("{}{n}", "𝟘".repeat(31)))
        .collect();
    card.addresses = (0..MAX_ADDRESSES)
        .map(|n| format!("[2001:db8::{n}]:65535").parse().unwrap())
        .collect();
    card.revision = u32::MAX;
    let bytes = VerifiedCard::sign(card, &key(1, 1), &key(3, 1))
        .unwrap()
        .encode();
    assert!(bytes.len() <= MAX_CARD_BYTES, "{} bytes", bytes.len());
    assert!(VerifiedCard::decode(&bytes).is_ok());
}

/// Threat: a name that reads as another one, or breaks the line or screen it is printed on.
#[test]
fn names_that_hide_something_are_refused() {
    for name in [
        "",
        " Ana",
        "Ana ",
        "A  na",
        "A\nna",
        "A\u{202e}na",
        "A\u{200b}na",
        "A\u{00a0}na",
        "\u{3164}",
        "A\u{1b}[2Jna",
        "A\u{feff}",
        "\u{1160}",
        &"a".repeat(33),
    ] {
        let refused = Err(CardError::Text {
            field: "name",
            max: 32,
        });
        assert_eq!(check(|card| card.name = name.into()), refused, "{name:?}");
    }
    for name in [
        "A",
        "Ana's phone (old)",
        "Мария",
        "आशा",
        "山田 太郎",
        &"é".repeat(32),
    ] {
        assert_eq!(check(|card| card.name = name.into()), Ok(()), "{name:?}");
    }
}

#[test]
fn labels_and_lists_have_limits() {
    assert!(check(|card| card.controller.clear()).is_err());
    assert!(check(|card| card.trust_domains = vec!["x".repeat(33)]).is_err());
    let many = |count: usize| (0..count).map(|n| n.to_string()).collect();
    assert!(check(|card| card.trust_domains = many(MAX_TRUST_DOMAINS)).is_ok());
    assert!(check(|card| card.trust_domains = many(MAX_TRUST_DOMAINS + 1)).is_err());
    assert!(check(|card| card.trust_domains = vec!["a".into(), "a".into()]).is_err());
    assert!(check(|card| card.addresses = vec!["192.0.2.1:1".parse().unwrap(); 2]).is_err());
    assert!(check(|card| card.addresses.clear()).is_ok());
}

/// Threat: a key of small order, a non-canonical one, or one key in two roles (a signature for one
/// purpose could then serve another).
#[test]
fn unusable_and_repeated_keys_are_refused() {
    let small_order = {
        let mut point = [0; 32];
        point[0] = 1;
        point
    };
    for bad in [[0; 32], [0xff; 32], small_order] {
        assert_eq!(
            check(|card| card.identity = bad),
            Err(CardError::Key { field: "identity" })
        );
        assert_eq!(
            check(|card| card.endpoint = bad),
            Err(CardError::Key { field: "endpoint" })
        );
        assert_eq!(
            check(|card| card.credential = bad),
            Err(CardError::Key {
                field: "credential"
            })
        );
    }
    assert!(check(|card| card.credential = card.identity).is_err());
    assert!(check(|card| card.endpoint = card.identity).is_err());
}

/// Threat: somebody puts his own credential, endpoint or name on another party's card.
#[test]
fn only_both_keys_together_make_a_card() {
    let ana = plain_card("Ana", 1);
    let by =
        |identity, credential| VerifiedCard::sign(ana.clone(), &identity, &credential).unwrap_err();
    assert_eq!(
        by(key(1, 2), key(3, 1)),
        CardError::Signature { by: "identity" }
    );
    assert_eq!(
        by(key(1, 1), key(3, 2)),
        CardError::Signature { by: "credential" }
    );
    assert_eq!(
        by(key(3, 1), key(1, 1)),
        CardError::Signature { by: "identity" }
    );
}

#[test]
fn a_party_that_moved_signs_without_its_credential() {
    let ana = party("Ana", 1);
    let there = vec!["198.51.100.7:9".parse().unwrap()];
    let moved = ana.card.moved(there.clone(), &ana.identity).unwrap();
    assert_eq!(
        (moved.card().revision, &moved.card().addresses),
        (8, &there)
    );
    assert!(VerifiedCard::decode(&moved.encode()).is_ok());
    assert!(ana.card.moved(vec![], &ana.credential).is_err());
}

#[test]
fn what_is_too_long_or_of_another_version_is_named_as_that() {
    let too_long = SignedCard::decode(&vec![1; MAX_CARD_BYTES + 1]).unwrap_err();
    assert_eq!(
        too_long,
        CardError::Decode(DecodeError::TooLong {
            len: MAX_CARD_BYTES + 1,
            max: MAX_CARD_BYTES
        }),
    );
    let mut bytes = party("Ana", 1).card.encode();
    bytes[0] = 2;
    let other = SignedCard::decode(&bytes).unwrap_err();
    assert_eq!(
        other,
        CardError::Decode(DecodeError::OtherVersion { theirs: 2, ours: 1 })
    );
}

/// Threat: a card altered anywhere on the way.
#[test]
fn no_single_bit_can_be_flipped() {
    let bytes = party("Ana", 1).card.encode();
    for index in 0..bytes.len() {
        let mut altered = bytes.clone();
        altered[index] ^= 1 << (index % 8);
        assert!(VerifiedCard::decode(&altered).is_err(), "byte {index}");
    }
    assert!(
        VerifiedCard::decode(&[bytes.as_slice(), &[0]].concat()).is_err(),
        "trailing byte"
    );
    for len in 0..bytes.len() {
        assert!(SignedCard::decode(&bytes[..len]).is_err(), "cut at {len}");
    }
}

proptest! {
    /// Threat: junk. Decoding never panics, and what it accepts has one encoding.
    #[test]
    fn junk_is_refused_or_read_exactly(junk in proptest::collection::vec(any::<u8>(), 0..400)) {
        let bytes = [[1].as_slice(), &junk].concat();
        prop_assert!(SignedCard::decode(&bytes).is_err() || bytes.len() > 220);
        prop_assert_eq!(VerifiedCard::decode(&bytes).ok(), None);
    }
}
