//! Golden encodings: what peers of the same version already send. A change here needs a new version.

use quorate_wire::pairing::{Invitation, Inviter, Joiner};
use quorate_wire::{Frame, Hello, Rendezvous, VerifiedCard, framed};

use crate::common::{connection, party, rng};
use crate::pairing::{NOW, typed};

/// Compares with a committed file of hexadecimal digits, 64 a line.
fn assert_golden(name: &str, bytes: &[u8], golden: &str) {
    let digits = hex::encode(bytes);
    let lines: Vec<&str> = digits
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    assert_eq!(
        lines.join("\n"),
        golden.trim_end(),
        "{name} has another encoding than before"
    );
}

#[test]
fn card() {
    let bytes = party("Ana", 1).card.encode();
    assert_golden("card", &bytes, include_str!("../golden/card.hex"));
    assert!(VerifiedCard::decode(&bytes).is_ok());
}

#[test]
fn hello() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, _) = connection(&ana, &ben, 1);
    let bytes = Hello::sign(&ana.identity, &at_ana, "quorate/0.1.0").encode();
    assert_golden("hello", &bytes, include_str!("../golden/hello.hex"));
}

#[test]
fn frames() {
    let frames = [
        Frame::Vault {
            vault: [7; 32],
            payload: b"payload".to_vec(),
        },
        Frame::Making {
            payload: b"making".to_vec(),
        },
        Frame::Card {
            card: b"card".to_vec(),
        },
        Frame::Ping { nonce: 1 },
        Frame::Pong { nonce: u64::MAX },
    ];
    let bytes: Vec<u8> = frames
        .iter()
        .flat_map(|frame| framed(&frame.encode().unwrap()).unwrap())
        .collect();
    assert_golden("frames", &bytes, include_str!("../golden/frames.hex"));
}

#[test]
fn pairing() {
    // The prelude holds the program's release, which changes; what follows does not.
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 1);
    let mut rng = rng(1);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let (joiner, first) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (inviter, second) = Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng).unwrap();
    let (joiner, third) = joiner.confirm(&second).unwrap();
    let (inviter, fourth) = inviter
        .confirm(&mut invitation, NOW, &third, &ana.card)
        .unwrap();
    let (joiner, fifth) = joiner.introduce(&fourth, &ben.card).unwrap();
    let (_, sixth) = inviter.welcome(b"details").unwrap();
    let seventh = joiner.finish(&sixth).unwrap().take_seat(b"seat").unwrap();
    let software = format!("quorate/{}", env!("CARGO_PKG_VERSION"));
    let prelude = [
        b"QRTP\0\x01".as_slice(),
        &[software.len() as u8],
        software.as_bytes(),
    ]
    .concat();
    let bytes: Vec<u8> = [first, second, third, fourth, fifth, sixth, seventh]
        .iter()
        .flat_map(|message| message.strip_prefix(prelude.as_slice()).unwrap())
        .copied()
        .collect();
    assert_golden("pairing", &bytes, include_str!("../golden/pairing.hex"));
}

#[test]
fn rendezvous() {
    let place = Rendezvous {
        endpoint: [9; 32],
        invitation: 1_234_567,
        addresses: vec![
            "127.0.0.1:4433".parse().unwrap(),
            "[2001:db8::1]:4433".parse().unwrap(),
        ],
    };
    assert_eq!(
        place.to_string(),
        include_str!("../golden/rendezvous.txt").trim_end()
    );
}
