//! Pairing between two honest sides, and people's mistakes.

use quorate_wire::pairing::{
    CodeError, Invitation, Inviter, Joiner, LIFETIME_MS, MAX_DETAILS_BYTES, MAX_PAIRING_BYTES,
    MAX_TRIES, PairingCode, PairingError, requested_invitation,
};
use quorate_wire::{Channel, VerifiedCard};

use crate::common::{Party, connection, party, rng};

pub(crate) const NOW: u64 = 1_000_000;

/// The code again, as the joiner's person typed it.
pub(crate) fn typed(invitation: &Invitation) -> PairingCode {
    invitation.code().reveal().parse().unwrap()
}

/// What both sides have of a whole pairing.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Paired {
    pub(crate) joiner: VerifiedCard,
    pub(crate) inviter: VerifiedCard,
    pub(crate) details: Vec<u8>,
    pub(crate) seated: Vec<u8>,
}

/// A whole pairing with the same details both ways; every message is within the limit.
pub(crate) fn pair(
    invitation: &mut Invitation,
    code: PairingCode,
    inviter: (&Party, Channel),
    joiner: (&Party, Channel),
    details: &[u8],
) -> Result<Paired, PairingError> {
    let mut rng = rng(42);
    let (start, first) = Joiner::start(code, invitation.id(), &joiner.1, &mut rng);
    assert_eq!(requested_invitation(&first), Ok(invitation.id()));
    let (answered, second) = Inviter::answer(invitation, NOW, &first, &inviter.1, &mut rng)?;
    let (confirming, third) = start.confirm(&second)?;
    let (admitting, fourth) = answered.confirm(invitation, NOW, &third, &inviter.0.card)?;
    let (introduced, fifth) = confirming.introduce(&fourth, &joiner.0.card)?;
    let seen = admitting.joiner(&fifth)?;
    let (seating, sixth) = admitting.welcome(details)?;
    let mut joined = introduced.finish(&sixth)?;
    let (inviter, told) = (joined.inviter.clone(), std::mem::take(&mut joined.details));
    let seventh = joined.take_seat(details)?;
    assert!(
        [&first, &second, &third, &fourth, &fifth, &sixth, &seventh]
            .iter()
            .all(|m| m.len() <= MAX_PAIRING_BYTES)
    );
    Ok(Paired {
        joiner: seen,
        inviter,
        details: told,
        seated: seating.seated(&seventh)?,
    })
}

#[test]
fn two_who_share_a_code_have_each_others_cards() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 1);
    let mut invitation = Invitation::create(NOW, &mut rng(1));
    let code = typed(&invitation);
    let details = vec![8; MAX_DETAILS_BYTES];
    let paired = pair(
        &mut invitation,
        code,
        (&ana, at_ana),
        (&ben, at_ben),
        &details,
    )
    .unwrap();
    let expected = Paired {
        joiner: ben.card,
        inviter: ana.card,
        seated: details.clone(),
        details,
    };
    assert_eq!(paired, expected);
}

#[test]
fn a_code_works_once() {
    let (ana, ben, cyd) = (party("Ana", 1), party("Ben", 2), party("Cyd", 3));
    let (at_ana, at_ben) = connection(&ana, &ben, 1);
    let mut invitation = Invitation::create(NOW, &mut rng(1));
    let code = typed(&invitation);
    pair(&mut invitation, code, (&ana, at_ana), (&ben, at_ben), b"").unwrap();
    let (at_ana, at_cyd) = connection(&ana, &cyd, 2);
    let code = typed(&invitation);
    let again = pair(&mut invitation, code, (&ana, at_ana), (&cyd, at_cyd), b"").unwrap_err();
    assert_eq!(again, PairingError::CodeUsed);
}

#[test]
fn a_code_lives_ten_minutes() {
    let invitation = Invitation::create(NOW, &mut rng(1));
    assert_eq!(invitation.check(NOW + LIFETIME_MS - 1), Ok(()));
    assert_eq!(
        invitation.check(NOW + LIFETIME_MS),
        Err(PairingError::CodeExpired)
    );
    assert_eq!(
        invitation.check(NOW - 1),
        Err(PairingError::CodeExpired),
        "a clock that ran backwards"
    );
    assert_eq!(invitation.check(u64::MAX), Err(PairingError::CodeExpired));
}

#[test]
fn a_code_that_expires_between_the_messages_is_refused() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 1);
    let mut rng = rng(3);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let (joiner, first) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let (inviter, second) = Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng).unwrap();
    let (_, third) = joiner.confirm(&second).unwrap();
    let late = inviter
        .confirm(&mut invitation, NOW + LIFETIME_MS, &third, &ana.card)
        .err();
    assert_eq!(late, Some(PairingError::CodeExpired));
}

#[test]
fn three_wrong_codes_kill_it_and_both_sides_are_told() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (at_ana, at_ben) = connection(&ana, &ben, 1);
    let mut rng = rng(5);
    let mut invitation = Invitation::create(NOW, &mut rng);
    let expected = [
        PairingError::WrongCode { tries_left: 2 },
        PairingError::WrongCode { tries_left: 1 },
        PairingError::CodeDead,
    ];
    for outcome in expected {
        let wrong = "0000-zoo-zoo".parse().unwrap();
        let (joiner, first) = Joiner::start(wrong, invitation.id(), &at_ben, &mut rng);
        let (inviter, second) =
            Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng).unwrap();
        let (confirming, third) = joiner.confirm(&second).unwrap();
        let refused = inviter
            .confirm(&mut invitation, NOW, &third, &ana.card)
            .err()
            .unwrap();
        assert_eq!(refused, outcome);
        let told = confirming
            .introduce(&refused.refusal().unwrap(), &ben.card)
            .err();
        assert_eq!(told, Some(outcome));
    }
    let (joiner, first) = Joiner::start(typed(&invitation), invitation.id(), &at_ben, &mut rng);
    let dead = Inviter::answer(&invitation, NOW, &first, &at_ana, &mut rng)
        .err()
        .unwrap();
    assert_eq!(dead, PairingError::CodeDead);
    assert_eq!(
        joiner.confirm(&dead.refusal().unwrap()).err(),
        Some(PairingError::CodeDead)
    );
}

#[test]
fn every_reason_reaches_the_joiner() {
    let (ana, ben) = (party("Ana", 1), party("Ben", 2));
    let (_, at_ben) = connection(&ana, &ben, 1);
    for reason in [
        PairingError::UnknownInvitation,
        PairingError::CodeUsed,
        PairingError::CodeExpired,
        PairingError::CodeDead,
        PairingError::WrongCode {
            tries_left: MAX_TRIES,
        },
    ] {
        let (joiner, _) = Joiner::start("0000-zoo-zoo".parse().unwrap(), 1, &at_ben, &mut rng(1));
        assert_eq!(
            joiner.confirm(&reason.refusal().unwrap()).err(),
            Some(reason)
        );
    }
    assert_eq!(PairingError::Refused.refusal(), None);
}

#[test]
fn a_code_forgives_how_it_is_typed() {
    let canonical = "4821-ocean-piano";
    for typed in [
        canonical,
        " 4821 Ocean, PIANO ",
        "48 21 ocean piano",
        "4821ocean-piano",
        "4821.ocean/piano",
        "4 8 2 1-ocean-piano\n",
    ] {
        match typed.parse::<PairingCode>() {
            Ok(code) => assert_eq!(code.reveal().as_str(), canonical, "{typed:?}"),
            Err(error) => assert_eq!(
                (typed, matches!(error, CodeError::NotInList { .. })),
                ("4821ocean-piano", true)
            ),
        }
    }
    assert_eq!(
        "0007-abandon-zoo"
            .parse::<PairingCode>()
            .unwrap()
            .reveal()
            .as_str(),
        "0007-abandon-zoo"
    );
}

#[test]
fn a_mistyped_code_says_what_is_wrong() {
    let error = |text: &str| text.parse::<PairingCode>().unwrap_err();
    let not_in_list = CodeError::NotInList {
        word: "ocaen".into(),
        nearest: Some("ocean"),
    };
    assert_eq!(error("4821-ocaen-piano"), not_in_list);
    assert_eq!(
        not_in_list.to_string(),
        "`ocaen` is in no code; perhaps `ocean`. Read it again"
    );
    for text in [
        "",
        "4821",
        "4821-ocean",
        "821-ocean-piano",
        "48211-ocean-piano",
        "ocean-piano",
        "4821-ocean-piano-zoo",
    ] {
        assert_eq!(error(text), CodeError::Shape, "{text:?}");
    }
    assert!(matches!(
        error("ocean-4821-piano"),
        CodeError::NotInList { .. } | CodeError::Shape
    ));
}

#[test]
fn codes_differ_and_are_not_printed_by_accident() {
    let mut rng = rng(1);
    let codes: Vec<String> = (0..200)
        .map(|_| PairingCode::generate(&mut rng).reveal().to_string())
        .collect();
    let distinct: std::collections::BTreeSet<&String> = codes.iter().collect();
    assert_eq!(distinct.len(), codes.len());
    assert!(codes.iter().all(|code| code.parse::<PairingCode>().is_ok()));
    let invitation = Invitation::create(NOW, &mut rng);
    let shown = format!("{invitation:?}");
    assert!(
        !invitation
            .code()
            .reveal()
            .split('-')
            .any(|part| shown.contains(part)),
        "{shown}"
    );
}
