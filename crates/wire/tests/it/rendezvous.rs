//! Where to join.

use proptest::prelude::{any, prop_assert_eq, proptest};
use quorate_wire::{MAX_ADDRESSES, Rendezvous, RendezvousError};

fn place() -> Rendezvous {
    Rendezvous {
        endpoint: [9; 32],
        invitation: 1_234_567,
        addresses: vec!["127.0.0.1:4433".parse().unwrap()],
    }
}

#[test]
fn it_is_one_word_that_reads_back_in_any_case() {
    let text = place().to_string();
    assert!(
        text.starts_with("qr1")
            && text
                .bytes()
                .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
    );
    assert_eq!(text.parse(), Ok(place()));
    assert_eq!(format!("  {}\n", text.to_uppercase()).parse(), Ok(place()));
}

#[test]
fn a_wrong_missing_or_added_letter_is_noticed() {
    let text = place().to_string();
    for index in 3..text.len() {
        let mut typed = text.clone().into_bytes();
        typed[index] = if typed[index] == b'q' { b'r' } else { b'q' };
        let typed = String::from_utf8(typed).unwrap();
        assert_eq!(
            typed.parse::<Rendezvous>(),
            Err(RendezvousError::Damaged),
            "{index}"
        );
        assert!(text[..index].parse::<Rendezvous>().is_err());
    }
    assert_eq!(
        format!("{text}a").parse::<Rendezvous>(),
        Err(RendezvousError::Damaged)
    );
    assert_eq!(
        "4821-ocean-piano".parse::<Rendezvous>(),
        Err(RendezvousError::NotOne)
    );
    assert_eq!(
        format!("qr1{}", "a".repeat(10_000)).parse::<Rendezvous>(),
        Err(RendezvousError::Damaged)
    );
}

#[test]
fn it_takes_as_many_addresses_as_a_card_and_no_more() {
    let with = |count| Rendezvous {
        addresses: (0..count)
            .map(|n| format!("[2001:db8::{n}]:65535").parse().unwrap())
            .collect(),
        ..place()
    };
    assert_eq!(
        with(MAX_ADDRESSES).to_string().parse(),
        Ok(with(MAX_ADDRESSES))
    );
    assert_eq!(
        with(MAX_ADDRESSES + 1).to_string().parse::<Rendezvous>(),
        Err(RendezvousError::Damaged)
    );
}

proptest! {
    #[test]
    fn any_place_reads_back(endpoint in any::<[u8; 32]>(), invitation in any::<u32>(), port in any::<u16>()) {
        let place = Rendezvous { endpoint, invitation, addresses: vec![([10, 0, 0, 1], port).into()] };
        prop_assert_eq!(place.to_string().parse(), Ok(place));
    }
}
