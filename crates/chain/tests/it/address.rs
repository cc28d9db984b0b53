//! EIP-55 and what typing mistakes lead to.

use quorate_chain::evm::{Address, AddressError, Checksum};
use quorate_chain::{ChainId, ChainIdError};

use crate::{address, vectors};

/// The test cases of EIP-55: two all capital, two all small, four mixed.
const EIP_55: [&str; 8] = [
    "0x52908400098527886E0F7030069857D2E4169EE7",
    "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
    "0xde709f2102306220921060314715629080e2fb77",
    "0x27b1fdb04752bbc536007a920d24acb045561c26",
    "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
    "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
    "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
    "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
];

#[test]
fn eip55_vectors_are_read_as_verified_and_written_back() {
    for text in EIP_55 {
        let (address, checksum) = Address::parse(text).unwrap();
        assert_eq!(checksum, Checksum::Verified);
        assert_eq!(address.to_string(), text);
    }
}

#[test]
fn one_case_has_no_checksum_to_verify() {
    for text in &EIP_55[4..] {
        let small = text.to_lowercase();
        let capital = format!("0x{}", text[2..].to_uppercase());
        assert_eq!(
            Address::parse(&small).unwrap(),
            (address(text), Checksum::Absent)
        );
        assert_eq!(
            Address::parse(&capital).unwrap(),
            (address(text), Checksum::Absent)
        );
    }
}

/// Threat: an address mistyped by a person. Every change of one letter's case must be caught and located.
#[test]
fn every_wrong_case_is_refused_where_it_stands() {
    for text in &EIP_55[4..] {
        for (at, letter) in text
            .char_indices()
            .skip(2)
            .filter(|(_, c)| c.is_alphabetic())
        {
            let mut typed: Vec<char> = text.chars().collect();
            typed[at] = if letter.is_uppercase() {
                letter.to_ascii_lowercase()
            } else {
                letter.to_ascii_uppercase()
            };
            let typed: String = typed.into_iter().collect();
            let expected = AddressError::Checksum {
                position: at + 1,
                found: typed.chars().nth(at).unwrap(),
                expected: letter,
            };
            assert_eq!(Address::parse(&typed), Err(expected));
        }
    }
}

#[test]
fn malformed_addresses_say_what_is_wrong() {
    let whole = EIP_55[4];
    let cases = [
        (&whole[2..], AddressError::Prefix),
        (
            "0X52908400098527886E0F7030069857D2E4169EE7",
            AddressError::Prefix,
        ),
        ("", AddressError::Prefix),
        ("0x", AddressError::Length { found: 0 }),
        (&whole[..41], AddressError::Length { found: 39 }),
        (
            "0xg",
            AddressError::Digit {
                position: 3,
                found: 'g',
            },
        ),
        (
            "0x12\u{e9}",
            AddressError::Digit {
                position: 5,
                found: '\u{e9}',
            },
        ),
        (
            "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed ",
            AddressError::Digit {
                position: 43,
                found: ' ',
            },
        ),
    ];
    for (text, error) in cases {
        assert_eq!(Address::parse(text), Err(error), "{text:?}");
    }
    let long = format!("{whole}00");
    assert_eq!(
        Address::parse(&long),
        Err(AddressError::Length { found: 42 })
    );
}

#[test]
fn an_address_follows_from_the_public_key() {
    let key: [u8; 33] = vectors::bytes(vectors::PUBLIC_KEY).try_into().unwrap();
    assert_eq!(
        Address::from_public_key(&key).unwrap(),
        address(vectors::FROM)
    );
    assert_eq!(
        Address::from_public_key(&[2; 33]).is_ok(),
        k256::PublicKey::from_sec1_bytes(&[2; 33]).is_ok()
    );
    assert_eq!(
        Address::from_public_key(&[0; 33]),
        Err(AddressError::PublicKey)
    );
    let mut off_curve = [0xff; 33];
    off_curve[0] = 2;
    assert_eq!(
        Address::from_public_key(&off_curve),
        Err(AddressError::PublicKey)
    );
}

#[test]
fn addresses_serialise_as_text_for_people_and_bytes_for_machines() {
    let address = address(EIP_55[4]);
    let json = serde_json::to_string(&address).unwrap();
    assert_eq!(json, format!("{:?}", EIP_55[4]));
    assert_eq!(serde_json::from_str::<Address>(&json).unwrap(), address);
    let binary = postcard::to_stdvec(&address).unwrap();
    assert_eq!(binary, address.as_bytes());
    assert_eq!(postcard::from_bytes::<Address>(&binary).unwrap(), address);
}

#[test]
fn chain_ids_have_one_form() {
    let anvil: ChainId = "eip155:31337".parse().unwrap();
    assert_eq!(anvil, ChainId::Eip155(31337));
    assert_eq!(anvil.to_string(), "eip155:31337");
    let parse = |text: &str| text.parse::<ChainId>().unwrap_err();
    assert_eq!(parse("1"), ChainIdError::Form("1".into()));
    assert_eq!(
        parse("bip122:000000000019d6689c085ae165831e93"),
        ChainIdError::Namespace("bip122".into())
    );
    for bad in [
        "",
        "0",
        "01",
        "+1",
        "-1",
        "1 ",
        "18446744073709551616",
        "0x1",
    ] {
        assert_eq!(
            parse(&format!("eip155:{bad}")),
            ChainIdError::Eip155(bad.into())
        );
    }
    let json = serde_json::to_string(&anvil).unwrap();
    assert_eq!(json, "\"eip155:31337\"");
    assert_eq!(serde_json::from_str::<ChainId>(&json).unwrap(), anvil);
    let binary = postcard::to_stdvec(&anvil).unwrap();
    assert_eq!(postcard::from_bytes::<ChainId>(&binary).unwrap(), anvil);
    assert!(postcard::from_bytes::<ChainId>(&[0, 0]).is_err());
}
