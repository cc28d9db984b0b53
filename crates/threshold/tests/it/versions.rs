//! A member that runs another release: its messages are ignored and named as that, never as a fault.

use quorate_threshold::envelope::SignedBody;
use quorate_threshold::{
    Charge, EvidenceContext, EvidenceError, Offence, Verdict, Why, verify_evidence,
};

use crate::cluster::{
    Mail, Vault, committee, from_to_round, identity, index, rng, run, start_keygen,
};
use crate::rushing::{context, rebroadcast, tag};

/// The same message with a body of version 9.
fn of_version_9(mail: &Mail) -> Mail {
    let mut body = mail.open().broadcast.unwrap().body.clone();
    body[0] = 9;
    rebroadcast(mail, body)
}

/// Threat: one member updates its program first, and every other member holds a proven fault against it for ever.
#[test]
fn a_keygen_broadcast_of_another_version_is_nobodys_fault() {
    for round in [1, 4, 5, 6, 7] {
        let mut rng = rng(9);
        let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
            let theirs = mail.from == index(2) && mail.open().header.round == round;
            vec![if theirs { of_version_9(&mail) } else { mail }]
        });
        for member in [1, 3] {
            let outcome = &outcomes[&index(member)];
            assert!(outcome.verdict.is_none(), "{:?}", outcome.verdict);
            assert_eq!(outcome.ignored, [Why::Version { version: 9 }], "{round}");
            assert_eq!(outcome.waiting_for, [index(2)]);
        }
        let evidence = Charge {
            tag: tag(2, 3),
            culprit: index(2),
            offence: Offence::BadBroadcast {
                round,
                body: SignedBody::seal(&tag(2, 3), round, index(2), vec![9, 1], &identity(2)),
            },
        };
        assert_eq!(
            verify_evidence(&evidence.into(), &committee(2, 3), &context()),
            Err(EvidenceError::NoFault)
        );
    }
}

/// The same in the one broadcast of signing.
#[test]
fn a_signature_part_of_another_version_is_nobodys_fault() {
    let vault = Vault::fixture();
    let outcomes = run(vault.start_sign(1, &[1, 2]), &mut rng(1), |mail| {
        let theirs = from_to_round(&mail) == (2, 1, 3);
        vec![if theirs { of_version_9(&mail) } else { mail }]
    });
    let outcome = &outcomes[&index(1)];
    assert!(outcome.verdict.is_none() && outcome.done.is_none());
    assert_eq!(outcome.ignored, [Why::Version { version: 9 }]);
}

/// Threat: an accuser takes two messages that a member signed in sessions of other parameters (another message,
/// quorum or vault under one session id) and gives them out as two versions of one.
#[test]
fn evidence_is_judged_by_the_verifiers_own_session() {
    let vault = Vault::fixture();
    let params = vault.sign_params(1, &[1, 2], index(1));
    let tag = params.tag();
    let said = |body: &[u8]| {
        SignedBody::seal(&tag, 3, index(2), body.to_vec(), &identity(2)).signed_hash()
    };
    let evidence = |culprit| {
        Charge {
            tag,
            culprit: index(culprit),
            offence: Offence::Equivocation {
                round: 3,
                first: said(&[1]),
                second: said(&[2]),
            },
        }
        .into()
    };
    let judged =
        |context: EvidenceContext<'_>| verify_evidence(&evidence(2), &vault.committee, &context);
    assert_eq!(judged(params.context()), Ok(index(2)));
    let mut other = vault.sign_params(1, &[1, 2], index(1));
    other.vault = [9; 32];
    assert_eq!(judged(other.context()), Err(EvidenceError::OtherSession));
    let other = vault.sign_params(1, &[2, 3], index(2));
    assert_eq!(judged(other.context()), Err(EvidenceError::OtherSession));
    assert_eq!(judged(context()), Err(EvidenceError::OtherSession));
    assert_eq!(
        verify_evidence(&evidence(3), &vault.committee, &params.context()),
        Err(EvidenceError::NotAMember)
    );
}

/// What a member said of the rounds before is sent although a message that came early ends the session: without it
/// the others wait for nothing, and cannot judge for themselves.
#[test]
fn a_verdict_on_an_early_message_holds_nothing_back() {
    use dkls23_core::protocols::signing::TransmitPhase2to3;
    use k256_dkls::Secp256k1;

    let vault = Vault::fixture();
    let mut started = vault.start_sign(1, &[1, 2]);
    let mut victim = started.remove(&index(1)).unwrap();
    let mut other = started.remove(&index(2)).unwrap();
    let mut rng = rng(2);
    let second = other
        .session
        .receive(index(1), &victim.send[0].bytes, &mut rng)
        .unwrap()
        .send;
    let mail = Mail {
        from: index(2),
        to: index(1),
        bytes: second[0].bytes.to_vec(),
    };
    let failing = crate::cluster::change_direct::<TransmitPhase2to3<Secp256k1>>(&mail, |m| {
        m.gamma_u = m.gamma_v
    });
    let mut give = |bytes: &[u8]| victim.session.receive(index(2), bytes, &mut rng).unwrap();
    assert!(give(&failing.bytes).send.is_empty());
    let step = give(&other.send[0].bytes);
    assert_eq!(step.send.len(), 1, "round 2");
    assert!(matches!(step.verdict, Some(Verdict::LocalBan { culprit, .. }) if culprit == index(2)));
    assert_eq!(victim.session.round(), 0);
}

/// Threat: a message with sub-shares ends up in a log file.
#[test]
fn debug_output_of_messages_has_no_payload() {
    let vault = Vault::fixture();
    let started = vault.start_sign(1, &[1, 2]);
    let out = &started[&index(1)].send[0];
    let envelope = quorate_threshold::envelope::Envelope::from_bytes(&out.bytes).unwrap();
    let size = format!("{} bytes", envelope.direct.len());
    assert!(format!("{envelope:?}").contains(&size));
    assert!(format!("{envelope:?}").len() < 1_000);
    assert!(format!("{out:?}").len() < 60);
}
