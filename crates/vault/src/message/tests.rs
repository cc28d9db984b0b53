//! Every message has one encoding, and it must not drift: members of different releases speak it.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use proptest::prelude::{any, prop_assert_eq, proptest};

use super::{Decline, Head, MAX_MESSAGE_BYTES, Message, Open};
use crate::CodecError;
use crate::entry::Purpose;
use crate::ids::{PartyId, RequestId, SessionId};

fn open() -> Open {
    Open {
        session: SessionId([2; 32]),
        nonce: [4; 32],
        request: RequestId([5; 32]),
        purpose: Purpose::Fill { slot: 300 },
        attempt: 1,
        quorum: vec![PartyId([1; 32])],
        unsigned: vec![2, 3],
    }
}

fn every_kind() -> Vec<Message> {
    let party = PartyId([1; 32]);
    let session = SessionId([2; 32]);
    vec![
        Message::Heads {
            heads: vec![Head {
                author: party,
                incarnation: 0,
                size: 300,
                root: [6; 32],
            }],
        },
        Message::AskLog { author: party },
        Message::Entries {
            author: party,
            incarnation: 0,
            from: 7,
            entries: vec![vec![8, 9]],
            note: "n".to_owned(),
        },
        Message::Keygen {
            attempt: 1,
            bytes: vec![1, 2],
        },
        Message::Open(Box::new(open())),
        Message::Decline {
            session,
            reason: Decline::NotAllowed("no".to_owned()),
        },
        Message::Decline {
            session,
            reason: Decline::Busy,
        },
        Message::Decline {
            session,
            reason: Decline::Banned(party),
        },
        Message::Decline {
            session,
            reason: Decline::CatchingUp,
        },
        Message::Decline {
            session,
            reason: Decline::Mismatch("x".to_owned()),
        },
        Message::Decline {
            session,
            reason: Decline::Ended("y".to_owned()),
        },
        Message::Sign {
            session,
            bytes: vec![3, 4],
        },
    ]
}

#[test]
fn golden_encodings() {
    let lines: Vec<String> = every_kind()
        .iter()
        .map(|message| hex::encode(message.encode()))
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn what_was_encoded_is_read_back() {
    for message in every_kind() {
        assert_eq!(Message::decode(&message.encode()).unwrap(), message);
    }
}

/// Threat: trailing bytes that another reader might take for something.
#[test]
fn one_byte_more_or_less_is_refused() {
    for message in every_kind() {
        let bytes = message.encode();
        assert!(Message::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
        assert!(Message::decode(&bytes[..bytes.len() - 1]).is_err());
    }
}

#[test]
fn another_version_is_named_as_that() {
    let mut bytes = every_kind()[1].encode();
    bytes[0] = 2;
    assert_eq!(
        Message::decode(&bytes),
        Err(CodecError::Version { found: 2 })
    );
}

/// Threat: a length bomb.
#[test]
fn a_message_that_is_too_long_is_refused_before_it_is_read() {
    let found = MAX_MESSAGE_BYTES + 1;
    let limit = MAX_MESSAGE_BYTES;
    assert_eq!(
        Message::decode(&vec![1; found]),
        Err(CodecError::TooLong { found, limit })
    );
    // A list that claims four thousand million heads.
    assert!(Message::decode(&[1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]).is_err());
}

proptest! {
    /// Threat: junk from the wire.
    #[test]
    fn junk_never_panics_and_never_reads_as_two_things(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let versioned = [&[1], bytes.as_slice()].concat();
        if let Ok(message) = Message::decode(&versioned) {
            prop_assert_eq!(message.encode(), versioned);
        }
    }
}

/// Threat: an envelope with sub-shares in it ends up in a log file.
#[test]
fn debug_output_has_no_payload() {
    let secret = vec![0xab; 4000];
    let message = Message::Keygen {
        attempt: 1,
        bytes: secret,
    };
    let output = crate::io::Output::Send(PartyId([1; 32]), message);
    let shown = format!("{output:?}");
    assert!(shown.contains("4000 bytes") && shown.len() < 120, "{shown}");
}
