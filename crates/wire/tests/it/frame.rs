//! Messages and how they are cut.

use proptest::prelude::{any, prop_assert_eq, proptest};
use quorate_wire::{
    DecodeError, Frame, FrameTooLarge, MAX_FRAME_BYTES, MAX_PAYLOAD_BYTES, PREFIX_BYTES, frame_len,
    framed,
};

#[test]
fn every_kind_survives_the_wire() {
    let card = vec![1; 300];
    for frame in [
        Frame::Vault {
            vault: [7; 32],
            payload: vec![0, 255, 3],
        },
        Frame::Vault {
            vault: [7; 32],
            payload: vec![],
        },
        Frame::Making { payload: vec![4] },
        Frame::Card { card },
        Frame::Ping { nonce: u64::MAX },
        Frame::Pong { nonce: 0 },
    ] {
        assert_eq!(Frame::decode(&frame.encode().unwrap()), Ok(frame));
    }
}

#[test]
fn the_largest_payload_fits_a_piece_and_one_more_byte_is_refused() {
    let frame = |len| Frame::Vault {
        vault: [0; 32],
        payload: vec![5; len],
    };
    let body = frame(MAX_PAYLOAD_BYTES).encode().unwrap();
    let piece = framed(&body).unwrap();
    let (prefix, rest) = piece.split_first_chunk::<PREFIX_BYTES>().unwrap();
    assert_eq!(frame_len(*prefix), Ok(rest.len()));
    assert_eq!(Frame::decode(rest), Ok(frame(MAX_PAYLOAD_BYTES)));
    let len = MAX_PAYLOAD_BYTES as u64 + 1;
    assert_eq!(
        frame(MAX_PAYLOAD_BYTES + 1).encode(),
        Err(FrameTooLarge { len })
    );
}

/// Threat: a length bomb. The announced length is refused before anything is allocated for it.
#[test]
fn a_length_bomb_is_refused() {
    assert_eq!(
        frame_len((MAX_FRAME_BYTES as u32).to_be_bytes()),
        Ok(MAX_FRAME_BYTES)
    );
    assert_eq!(
        frame_len((MAX_FRAME_BYTES as u32 + 1).to_be_bytes()),
        Err(FrameTooLarge {
            len: MAX_FRAME_BYTES as u64 + 1
        })
    );
    assert_eq!(
        frame_len([0xff; 4]),
        Err(FrameTooLarge {
            len: u64::from(u32::MAX)
        })
    );
    assert!(framed(&vec![0; MAX_FRAME_BYTES]).is_ok());
    assert!(framed(&vec![0; MAX_FRAME_BYTES + 1]).is_err());
    // A short message that claims a payload of four gigabytes.
    let claim = [
        [1, 0].as_slice(),
        &[0; 32],
        &[0xff, 0xff, 0xff, 0xff, 0x0f],
        b"x",
    ]
    .concat();
    assert_eq!(Frame::decode(&claim), Err(DecodeError::Malformed));
}

#[test]
fn one_value_has_one_encoding() {
    let ping = Frame::Ping { nonce: 5 }.encode().unwrap();
    assert_eq!(
        Frame::decode(&[ping.as_slice(), &[0]].concat()),
        Err(DecodeError::Malformed)
    );
    // The number five in two bytes.
    assert_eq!(Frame::decode(&[1, 3, 0x85, 0]), Err(DecodeError::Malformed));
    assert_eq!(
        Frame::decode(&[2, 3, 5]),
        Err(DecodeError::OtherVersion { theirs: 2, ours: 1 })
    );
    assert_eq!(Frame::decode(&[1, 9]), Err(DecodeError::Malformed));
    assert_eq!(Frame::decode(&[]), Err(DecodeError::Malformed));
}

proptest! {
    #[test]
    fn what_decodes_encodes_back(junk in proptest::collection::vec(any::<u8>(), 0..100)) {
        let bytes = [[1].as_slice(), &junk].concat();
        if let Ok(frame) = Frame::decode(&bytes) {
            prop_assert_eq!(frame.encode().unwrap(), bytes);
        }
    }
}
