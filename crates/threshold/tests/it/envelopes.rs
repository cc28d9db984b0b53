//! What arrives that should not: junk, replays, wrong places. REJ: ignored, state unchanged.

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};
use quorate_threshold::envelope::{
    Envelope, MAX_ENVELOPE_BYTES, ProtocolKind, SessionTag, SignedBody,
};
use quorate_threshold::{
    Engine, Evidence, KeygenOutput, KeygenParams, PartyIndex, PublicKeys, RealEngine, Session,
    Verdict, Why,
};

use crate::cluster::{Mail, Vault, committee, identity, index, keygen_params, rng};

/// Member 1 of a fresh keygen, and member 2's first message to it.
fn session_and_message(
    change: impl Fn(&mut KeygenParams),
) -> (Box<dyn Session<KeygenOutput>>, Mail) {
    let mut rng = rng(3);
    let committee = committee(2, 3);
    let mine = RealEngine
        .keygen(keygen_params(&committee, index(1)), &mut rng)
        .unwrap()
        .session;
    let mut params = keygen_params(&committee, index(2));
    change(&mut params);
    let started = RealEngine.keygen(params, &mut rng).unwrap();
    let out = started
        .send
        .into_iter()
        .find(|out| out.to == index(1))
        .unwrap();
    (
        mine,
        Mail {
            from: index(2),
            to: index(1),
            bytes: out.bytes.to_vec(),
        },
    )
}

/// Offers a message that must be refused, then the good one: the session is as if nothing had happened.
fn refused(bytes: &[u8], from: PartyIndex) -> Why {
    let (mut session, good) = session_and_message(|_| ());
    let before = (session.round(), session.waiting_for());
    let Err(Verdict::Ignored(why)) = session.receive(from, bytes, &mut rng(1)) else {
        panic!("not ignored")
    };
    assert_eq!(
        (session.round(), session.waiting_for()),
        before,
        "state unchanged"
    );
    session
        .receive(good.from, &good.bytes, &mut rng(1))
        .unwrap();
    assert_eq!(session.waiting_for(), [index(3)]);
    why
}

/// CVE-2022-47930 and its like: a message of another session, epoch or vault must mean nothing here. REJ.
#[test]
fn replay_across_sessions_epochs_and_vaults() {
    let elsewhere: [fn(&mut KeygenParams); 3] = [
        |params| params.attempt = 1,
        |params| params.epoch = 2,
        |params| params.vault = [8; 32],
    ];
    for change in elsewhere {
        let (_, mail) = session_and_message(change);
        assert_eq!(refused(&mail.bytes, index(2)), Why::OtherSession);
    }
    // The suite, and the protocol, signed by its author.
    let (_, good) = session_and_message(|_| ());
    let changes: [fn(&mut SessionTag); 2] = [
        |tag| tag.suite = Some(quorate_threshold::Suite::EddsaEd25519),
        |tag| tag.kind = ProtocolKind::Sign,
    ];
    for change in changes {
        let mail = good.resealed(|envelope| {
            change(&mut envelope.header.tag);
            envelope.broadcast = None;
        });
        assert_eq!(refused(&mail.bytes, index(2)), Why::OtherSession);
    }
    // A signing message in a keygen.
    let vault = Vault::fixture();
    let signing = vault.start_sign(1, &[1, 2]).remove(&index(2)).unwrap();
    assert_eq!(refused(&signing.send[0].bytes, index(2)), Why::OtherSession);
}

/// The session id itself rewritten and signed again is a message of that session, whatever else it is bound to;
/// but its binding then differs. No check runs on it.
#[test]
fn another_binding_under_this_session_id_aborts() {
    let (mut session, good) = session_and_message(|_| ());
    let mail = good.resealed(|envelope| {
        envelope.header.tag.binding[0] ^= 1;
        let (tag, body) = (
            envelope.header.tag,
            envelope.broadcast.take().unwrap().body.clone(),
        );
        envelope.broadcast = Some(SignedBody::seal(&tag, 1, index(2), body, &identity(2)));
    });
    let verdict = session
        .receive(mail.from, &mail.bytes, &mut rng(1))
        .unwrap_err();
    assert!(
        matches!(verdict, Verdict::Abort(Why::TranscriptMismatch { from }) if from == index(2))
    );
}

/// A message to or of another member, moved by whoever carries it. REJ on each axis.
#[test]
fn replay_across_dealers_and_recipients() {
    let (_, good) = session_and_message(|_| ());
    // Over another member's channel.
    assert_eq!(
        refused(&good.bytes, index(3)),
        Why::Sender { claimed: index(2) }
    );
    // Claimed for another sender without its key.
    let mut envelope = good.open();
    envelope.header.sender = index(3);
    assert_eq!(refused(&envelope.to_bytes(), index(3)), Why::Signature);
    // Addressed to somebody else.
    let other = good.resealed(|envelope| envelope.header.receiver = index(3));
    assert_eq!(refused(&other.bytes, index(2)), Why::Receiver);
    // Our own, reflected.
    let reflected = good.resealed(|envelope| envelope.header.sender = index(1));
    assert_eq!(
        refused(&reflected.bytes, index(1)),
        Why::Sender { claimed: index(1) }
    );
}

/// Trail of Bits 2021: index 0, or one outside the committee. REJ at decode, or by the roster.
#[test]
fn indices_out_of_range() {
    let (_, good) = session_and_message(|_| ());
    // version 1, kind 1, suite 1, epoch 1, session 32, binding 32, round 1; then sender and receiver.
    for place in [69, 70] {
        for bad in [0, 17, 255] {
            let mut bytes = good.bytes.clone();
            assert_eq!(bytes[69..71], [2, 1]);
            bytes[place] = bad;
            assert_eq!(refused(&bytes, index(2)), Why::Malformed);
        }
    }
    let outside = good.resealed(|envelope| envelope.header.sender = index(5));
    assert_eq!(
        refused(&outside.bytes, index(5)),
        Why::Sender { claimed: index(5) }
    );
}

/// A message that claims a round long past or far ahead. REJ.
#[test]
fn rounds_out_of_order() {
    let (_, good) = session_and_message(|_| ());
    for (round, why) in [
        (0, Why::Stale { round: 0 }),
        (3, Why::TooEarly { round: 3 }),
        (255, Why::TooEarly { round: 255 }),
    ] {
        let mail = good.resealed(|envelope| {
            envelope.header.round = round;
            envelope.broadcast = None;
        });
        assert_eq!(refused(&mail.bytes, index(2)), why);
    }
}

/// A member floods the next round before this one ends: one message is kept, memory stays bounded. REJ.
#[test]
fn early_messages_are_bounded() {
    let (mut session, good) = session_and_message(|_| ());
    let early = |filler: u8| {
        good.resealed(|envelope| {
            envelope.header.round = 2;
            envelope.broadcast = None;
            *envelope.direct = vec![filler; 1000];
        })
    };
    let mut give = |mail: Mail| session.receive(mail.from, &mail.bytes, &mut rng(1));
    assert!(give(early(1)).is_ok());
    for filler in 2..20 {
        assert!(matches!(
            give(early(filler)),
            Err(Verdict::Ignored(Why::Duplicate))
        ));
    }
}

/// Another envelope version (a downgrade, or a newer member) is told apart from junk. REJ.
#[test]
fn other_versions() {
    let (_, good) = session_and_message(|_| ());
    for version in [0, 2, 255] {
        let mut bytes = good.bytes.clone();
        bytes[0] = version;
        assert_eq!(refused(&bytes, index(2)), Why::Version { version });
    }
}

/// Length bombs, empty and cut-off input, trailing bytes, and second encodings of one value. REJ.
#[test]
fn junk() {
    let (_, good) = session_and_message(|_| ());
    let too_large = vec![1; MAX_ENVELOPE_BYTES + 1];
    assert_eq!(
        refused(&too_large, index(2)),
        Why::TooLarge {
            bytes: MAX_ENVELOPE_BYTES + 1
        }
    );
    let trailing = [good.bytes.as_slice(), &[0]].concat();
    let mut overlong_epoch = good.bytes.clone(); // 1 as the two bytes 81 00
    overlong_epoch[3] = 0x81;
    overlong_epoch.insert(4, 0);
    for bytes in [
        vec![],
        vec![1],
        good.bytes[..50].to_vec(),
        trailing,
        overlong_epoch,
    ] {
        assert_eq!(refused(&bytes, index(2)), Why::Malformed);
    }
}

/// A message without its broadcast is no message of the round, and leaves room for the real one. REJ.
#[test]
fn missing_part() {
    let (_, good) = session_and_message(|_| ());
    let bare = good.resealed(|envelope| envelope.broadcast = None);
    assert_eq!(refused(&bare.bytes, index(2)), Why::Malformed);
}

/// A broadcast signed by somebody else inside a correctly signed envelope. REJ.
#[test]
fn borrowed_broadcast() {
    let (_, good) = session_and_message(|_| ());
    let mut envelope = good.open();
    let key = identity(3);
    let body = envelope.broadcast.take().unwrap().body.clone();
    let header = envelope.header;
    let theirs = SignedBody::seal(&header.tag, 1, index(3), body, &key);
    let mail = good.resealed(|envelope| envelope.broadcast = Some(theirs));
    assert_eq!(refused(&mail.bytes, index(2)), Why::Signature);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Any flipped bit anywhere is refused, and blames nobody.
    #[test]
    fn flipped_bits_are_ignored(place in any::<proptest::sample::Index>(), bit in 0..8) {
        let (mut session, good) = session_and_message(|_| ());
        let mut bytes = good.bytes;
        let at = place.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let verdict = session.receive(good.from, &bytes, &mut rng(1));
        prop_assert!(matches!(verdict, Err(Verdict::Ignored(_))));
    }

    /// No decoder panics on arbitrary bytes, nor takes two encodings for one value.
    #[test]
    fn decoders_survive_anything(mut bytes in proptest::collection::vec(any::<u8>(), 0..300), version in 0u8..2) {
        if let Some(first) = bytes.first_mut() {
            *first = version;
        }
        if let Ok(envelope) = Envelope::from_bytes(&bytes) {
            prop_assert!(*envelope.to_bytes() == bytes);
        }
        prop_assert!(Evidence::from_bytes(&bytes).is_err());
        prop_assert!(PublicKeys::from_bytes(&bytes).is_err());
        prop_assert!(quorate_threshold::EpochSecrets::from_bytes(&bytes).is_err());
    }
}
