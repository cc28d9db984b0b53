//! Pairing with somebody in between, or with a dishonest other side.

use std::ops::Range;

use quorate_wire::pairing::{
    Invitation, Inviter, Joiner, MAX_DETAILS_BYTES, MAX_TRIES, PairingCode, PairingError,
};
use quorate_wire::{Channel, PartyCard, VerifiedCard};

use crate::common::{ChosenFirst, Party, connection, key, party, rng};
use crate::pairing::{NOW, pair, typed};

/// Where every message has its protocol version: behind the mark.
const VERSION_AT: Range<usize> = 4..6;

/// Length of the program's name in every message: `quorate/` and the release.
const SOFTWARE_LENGTH: u8 = (8 + env!("CARGO_PKG_VERSION").len()) as u8;

fn guess() -> PairingCode {
    "0000-zoo-zoo".parse().unwrap()
}

/// Ana, who invites, Ben, who joins, and one connection between them.
fn two() -> (Party, Party, Channel, Channel) {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 1);
    (ana, ben, at_ana, at_ben)
}

/// Whether a message carries any piece of a card in the clear.
fn leaks(message: &[u8], card: &[u8]) -> bool {
    card.windows(16)
        .any(|piece| message.windows(16).any(|window| window == piece))
}

/// All messages of an honest run with fixed randomness, each passed through `tamper` with its number.
fn run(
    tamper: impl Fn(usize, Vec<u8>) -> Vec<u8>,
) -> Result<(VerifiedCard, Vec<u8>, Vec<u8>), PairingError> {
    let (ana, ben, at_ana, at_ben) = two();
    let mut rng = rng(7);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let (joiner, first) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (inviter, second) =
        Inviter::answer(&invitation, NOW, &tamper(1, first), &at_ana, &mut rng)?;
    let (joiner, third) = joiner.confirm(&tamper(2, second))?;
    let (inviter, fourth) = inviter.confirm(&mut invitation, NOW, &tamper(3, third), &ana.card)?;
    let (joiner, fifth) = joiner.introduce(&tamper(4, fourth), &ben.card)?;
    let seen = inviter.joiner(&tamper(5, fifth))?;
    let (inviter, sixth) = inviter.welcome(b"a vault")?;
    let mut joined = joiner.finish(&tamper(6, sixth))?;
    let details = std::mem::take(&mut joined.details);
    let seated = inviter.seated(&tamper(7, joined.take_seat(b"a seat")?))?;
    Ok((seen, details, seated))
}

/// Threat: somebody in between, without the code, runs the protocol with each side under a guess of
/// his own (and is even given the connection's transport keys and exporter value). Both sides fail, the
/// inviter loses one try, and no card was sent in either direction.
#[test]
fn a_man_in_the_middle_without_the_code_gets_nothing() {
    let (ana, ben, at_ana, at_ben) = two();
    let mut rng = rng(9);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let mut false_invitation = {
        let mut chosen = ChosenFirst {
            first: Some(invitation.id()),
            rest: crate::common::rng(1),
        };
        Invitation::create(NOW, &mut chosen)
    };
    assert_eq!(false_invitation.id(), invitation.id());

    // Ben with the man in the middle.
    let (ben_joins, from_ben) =
        Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (mallory_invites, to_ben) =
        Inviter::answer(&false_invitation, NOW, &from_ben, &at_ana, &mut rng).unwrap();
    let (ben_confirms, ben_proof) = ben_joins.confirm(&to_ben).unwrap();
    let guessed = mallory_invites
        .confirm(&mut false_invitation, NOW, &ben_proof, &ana.card)
        .err();
    assert!(
        matches!(guessed, Some(PairingError::WrongCode { .. })),
        "the guess fails, {guessed:?}"
    );

    // The man in the middle with Ana.
    let (mallory_joins, to_ana) =
        Joiner::start(typed(&false_invitation), invitation.id(), &at_ben, &mut rng);
    let (ana_invites, from_ana) =
        Inviter::answer(&invitation, NOW, &to_ana, &at_ana, &mut rng).unwrap();
    let (mallory_confirms, mallory_proof) = mallory_joins.confirm(&from_ana).unwrap();
    let at_ana_end = ana_invites
        .confirm(&mut invitation, NOW, &mallory_proof, &ana.card)
        .err()
        .unwrap();
    assert_eq!(
        at_ana_end,
        PairingError::WrongCode {
            tries_left: MAX_TRIES - 1
        }
    );

    let refusal = at_ana_end.refusal().unwrap();
    assert!(mallory_confirms.introduce(&refusal, &ben.card).is_err());
    assert!(ben_confirms.introduce(&refusal, &ben.card).is_err());
    for message in [
        from_ben,
        to_ben,
        ben_proof,
        to_ana,
        from_ana,
        mallory_proof,
        refusal,
    ] {
        assert!(!leaks(&message, &ana.card.encode()) && !leaks(&message, &ben.card.encode()));
    }
}

/// Threat: the same, with Ben's proof handed on to Ana instead of one's own.
#[test]
fn a_proof_cannot_be_handed_on() {
    let (ana, _, at_ana, at_ben) = two();
    let mut rng = rng(10);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let mut chosen = ChosenFirst {
        first: Some(invitation.id()),
        rest: crate::common::rng(1),
    };
    let false_invitation = Invitation::create(NOW, &mut chosen);
    let (ben_joins, from_ben) =
        Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (_, to_ben) =
        Inviter::answer(&false_invitation, NOW, &from_ben, &at_ana, &mut rng).unwrap();
    let (_, ben_proof) = ben_joins.confirm(&to_ben).unwrap();
    let (ana_invites, _) = Inviter::answer(&invitation, NOW, &from_ben, &at_ana, &mut rng).unwrap();
    let handed_on = ana_invites
        .confirm(&mut invitation, NOW, &ben_proof, &ana.card)
        .err();
    assert_eq!(
        handed_on,
        Some(PairingError::WrongCode {
            tries_left: MAX_TRIES - 1
        })
    );
}

/// Threat: somebody ends both connections himself and passes every message on unchanged. The right
/// code on both sides is then not enough, because the connections differ.
#[test]
fn passing_messages_between_two_connections_fails() {
    let (ana, ben, mallory) = (party("Ana", 1), party("Ben", 2), party("Mallory", 3));
    let mut rng = rng(11);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let (at_ana, _) = connection(&ana, &mallory, 1);
    let (_, at_ben) = connection(&mallory, &ben, 2);
    let code = typed(&invitation);
    let relayed = pair(&mut invitation, code, (&ana, at_ana), (&ben, at_ben), b"").unwrap_err();
    assert_eq!(
        relayed,
        PairingError::WrongCode {
            tries_left: MAX_TRIES - 1
        }
    );
    // Even with the right ends, another connection is another connection.
    let (at_ana, _) = connection(&ana, &ben, 1);
    let (_, at_ben) = connection(&ana, &ben, 2);
    let code = typed(&invitation);
    let replayed = pair(&mut invitation, code, (&ana, at_ana), (&ben, at_ben), b"").unwrap_err();
    assert_eq!(
        replayed,
        PairingError::WrongCode {
            tries_left: MAX_TRIES - 2
        }
    );
}

/// Threat: the joiner is answered by somebody who never knew the code and repeats another run's messages.
#[test]
fn an_inviter_without_the_code_is_not_given_a_card() {
    let (ana, ben, at_ana, at_ben) = two();
    let mut rng = rng(12);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let (joiner, first) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (inviter, second) = Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng).unwrap();
    let (_, third) = joiner.confirm(&second).unwrap();
    let (_, old_proof) = inviter
        .confirm(&mut invitation, NOW, &third, &ana.card)
        .unwrap();

    let (joiner, _) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (joiner, _) = joiner.confirm(&second).unwrap();
    assert_eq!(
        joiner.introduce(&old_proof, &ben.card).err(),
        Some(PairingError::NotTheInviter)
    );
}

/// Threat: a side's own messages are sent back to it.
#[test]
fn reflection_fails() {
    let (ana, ben, at_ana, at_ben) = two();
    let mut rng = rng(13);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let (joiner, first) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let spake = &first[first.len() - 33..];
    let (inviter, second) = Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng).unwrap();
    let reflected = [&second[..second.len() - 33], spake].concat();
    let (again, _) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    assert!(
        matches!(
            again.confirm(&reflected).err(),
            Some(PairingError::Unexpected(_))
        ),
        "side A's message at side A"
    );
    let (joiner, third) = joiner.confirm(&second).unwrap();
    let (_, fourth) = inviter
        .confirm(&mut invitation, NOW, &third, &ana.card)
        .unwrap();
    // The joiner's own proof in the place of the inviter's.
    let proof = &third[third.len() - 32..];
    let at = fourth.windows(2).position(|two| two == [1, 3]).unwrap() + 2;
    let forged = [&fourth[..at], proof, &fourth[at + 32..]].concat();
    assert_eq!(
        joiner.introduce(&forged, &ben.card).err(),
        Some(PairingError::NotTheInviter)
    );
}

/// Threat: many runs are begun before the first wrong proof is counted.
#[test]
fn runs_side_by_side_get_no_tries_of_their_own() {
    let (ana, _, at_ana, at_ben) = two();
    let mut rng = rng(14);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let mut waiting = Vec::new();
    for code in (0..6).map(|_| guess()).chain([typed(&invitation)]) {
        let (joiner, first) = Joiner::start(code, invitation.id(), &at_ben, &mut rng);
        let (inviter, second) =
            Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng).unwrap();
        waiting.push((inviter, joiner.confirm(&second).unwrap().1));
    }
    assert_eq!(
        invitation.tries_left(),
        MAX_TRIES,
        "beginning costs nothing"
    );
    let outcomes: Vec<_> = waiting
        .into_iter()
        .map(|(inviter, proof)| {
            inviter
                .confirm(&mut invitation, NOW, &proof, &ana.card)
                .err()
        })
        .collect();
    assert_eq!(outcomes[0], Some(PairingError::WrongCode { tries_left: 2 }));
    assert_eq!(outcomes[1], Some(PairingError::WrongCode { tries_left: 1 }));
    assert!(
        outcomes[2..]
            .iter()
            .all(|outcome| outcome == &Some(PairingError::CodeDead)),
        "also the right code"
    );
}

/// Threat: SPAKE2 messages that are no points, or points of small order, to force a known key.
#[test]
fn forced_points_prove_nothing() {
    let (ana, _, at_ana, at_ben) = two();
    let mut rng = rng(15);
    for point in [[0; 32], [0xff; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let mut invitation = Invitation::create(NOW, &mut rng);
        let (joiner, mut first) = Joiner::start(guess(), invitation.id(), &at_ben, &mut rng);
        let at = first.len() - 32;
        first[at..].copy_from_slice(&point);
        let Ok((inviter, second)) = Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng)
        else {
            continue;
        };
        let Ok((_, proof)) = joiner.confirm(&second) else {
            continue;
        };
        let refused = inviter
            .confirm(&mut invitation, NOW, &proof, &ana.card)
            .err();
        assert_eq!(refused, Some(PairingError::WrongCode { tries_left: 2 }));
    }
}

/// Threat: a byte altered anywhere in any of the messages.
#[test]
fn no_message_can_be_altered() {
    let honest = run(|_, message| message).unwrap();
    assert_eq!(
        (honest.1, honest.2),
        (b"a vault".to_vec(), b"a seat".to_vec())
    );
    for number in 1..=7 {
        let length = run_length(number);
        // The name of the software in the prelude is for people only; all else is bound.
        let name = 7..7 + usize::from(SOFTWARE_LENGTH);
        let spots = (0..length)
            .step_by(1 + length / 20)
            .filter(|at| !name.contains(at));
        for at in spots {
            let outcome = run(|which, mut message| {
                if which == number {
                    message[at] ^= 1 << (at % 8);
                }
                message
            });
            assert!(outcome.is_err(), "message {number}, byte {at}");
        }
        for altered in [
            |m: Vec<u8>| [m, vec![0]].concat(),
            |m: Vec<u8>| m[..m.len() - 1].to_vec(),
            |_| vec![],
        ] {
            let outcome = run(|which, message| {
                if which == number {
                    altered(message)
                } else {
                    message
                }
            });
            assert!(outcome.is_err(), "message {number}");
        }
    }
}

/// Length of one message of [`run`].
fn run_length(number: usize) -> usize {
    let length = std::cell::Cell::new(0);
    run(|which, message| {
        if which == number {
            length.set(message.len());
        }
        message
    })
    .unwrap();
    length.get()
}

/// Threat: messages out of turn, which a state machine with optional parts might take.
#[test]
fn a_message_out_of_turn_is_refused() {
    let all = std::cell::RefCell::new(Vec::new());
    run(|_, message| {
        all.borrow_mut().push(message.clone());
        message
    })
    .unwrap();
    let all = all.into_inner();
    for due in 1..=7 {
        for other in (1..=7).filter(|other| *other != due) {
            let outcome = run(|which, message| {
                if which == due {
                    all[other - 1].clone()
                } else {
                    message
                }
            });
            assert!(
                matches!(outcome, Err(PairingError::Unexpected(_))),
                "{other} instead of {due}: {outcome:?}"
            );
        }
    }
}

/// Threat: a downgrade. A side of another version is named at any step, and learns our version from the refusal.
#[test]
fn another_version_is_named_on_both_sides() {
    for number in 1..=7 {
        let outcome = run(|which, mut message| {
            if which == number {
                message[VERSION_AT].copy_from_slice(&9u16.to_be_bytes());
            }
            message
        });
        let error = outcome.unwrap_err();
        assert!(
            matches!(
                &error,
                PairingError::OtherVersion {
                    theirs: 9,
                    ours: 1,
                    ..
                }
            ),
            "{error:?}"
        );
        assert!(error.to_string().contains("version 9 (quorate/"), "{error}");
        assert_eq!(error.refusal().unwrap()[VERSION_AT], 1u16.to_be_bytes());
    }
}

/// Threat: a member who knows the code introduces another node than the one connected.
#[test]
fn a_card_of_another_node_is_refused() {
    let (ana, ben, at_ana, at_ben) = two();
    let endpoint = key(2, 9).verifying_key().to_bytes();
    let elsewhere = |party: &Party| Party {
        card: VerifiedCard::sign(
            PartyCard {
                endpoint,
                ..party.card.card().clone()
            },
            &party.identity,
            &party.credential,
        )
        .unwrap(),
        identity: party.identity.clone(),
        credential: party.credential.clone(),
    };
    let mut invitation = Invitation::create(NOW, &mut rng(1));
    let code = typed(&invitation);
    let joiner_lies = pair(
        &mut invitation,
        code,
        (&ana, at_ana),
        (&elsewhere(&ben), at_ben),
        b"",
    );
    assert_eq!(joiner_lies.unwrap_err(), PairingError::EndpointDiffers);
    let mut invitation = Invitation::create(NOW, &mut rng(2));
    let code = typed(&invitation);
    let inviter_lies = pair(
        &mut invitation,
        code,
        (&elsewhere(&ana), at_ana),
        (&ben, at_ben),
        b"",
    );
    assert_eq!(inviter_lies.unwrap_err(), PairingError::EndpointDiffers);
}

#[test]
fn one_cannot_pair_with_oneself() {
    let (ana, _, at_ana, at_ben) = two();
    let mut invitation = Invitation::create(NOW, &mut rng(1));
    let code = typed(&invitation);
    let alone = pair(&mut invitation, code, (&ana, at_ana), (&ana, at_ben), b"");
    assert_eq!(alone.unwrap_err(), PairingError::Yourself);
}

#[test]
fn details_have_a_limit() {
    let (ana, ben, at_ana, at_ben) = two();
    let mut invitation = Invitation::create(NOW, &mut rng(1));
    let code = typed(&invitation);
    let details = vec![0; MAX_DETAILS_BYTES + 1];
    let refused = pair(
        &mut invitation,
        code,
        (&ana, at_ana),
        (&ben, at_ben),
        &details,
    )
    .unwrap_err();
    assert_eq!(
        refused,
        PairingError::DetailsTooLarge {
            len: MAX_DETAILS_BYTES + 1
        }
    );
}

#[test]
fn an_invitation_answers_only_for_itself() {
    let (ana, _, at_ana, at_ben) = two();
    let mut rng = rng(16);
    let (one, mut other) = (
        Invitation::create(NOW, &mut rng),
        Invitation::create(NOW, &mut rng),
    );
    let (joiner, first) = Joiner::start(typed(&one), one.id(), &at_ben, &mut rng);
    let wrong = Inviter::answer(&other, NOW, &first, &at_ana, &mut rng).err();
    assert_eq!(wrong, Some(PairingError::UnknownInvitation));
    let (inviter, second) = Inviter::answer(&one, NOW, &first, &at_ana, &mut rng).unwrap();
    let (_, third) = joiner.confirm(&second).unwrap();
    let swapped = inviter.confirm(&mut other, NOW, &third, &ana.card).err();
    assert_eq!(swapped, Some(PairingError::UnknownInvitation));
    assert_eq!(
        (one.tries_left(), other.tries_left()),
        (MAX_TRIES, MAX_TRIES)
    );
    assert!(one.check(NOW).is_ok() && other.check(NOW).is_ok());
}
