//! Malicious members in key generation: openings, echoes, sub-shares, equivocation.

use std::collections::BTreeMap;

use quorate_threshold::envelope::{Envelope, SignedBody};
use quorate_threshold::keygen::messages::{
    Body, Round1Broadcast, Round2Broadcast, Round3Broadcast, Round3Direct, Round4Broadcast,
    opening_hash,
};
use quorate_threshold::{
    Charge, Engine, EvidenceError, KeygenOutput, Offence, PartyIndex, RealEngine, Verdict, Why,
    verify_evidence,
};

use crate::cluster::{
    Mail, Outcomes, committee, convict, identity, index, keygen_params, rng, run, start_keygen,
};
use crate::rushing::{Rushing, all_name_bad_broadcast, body, context, rebroadcast, tag};

/// An opening changed after the others' were seen; also of the chain code contribution. NAME.
#[test]
fn opening_differs_from_commitment() {
    for round in [2, 3] {
        let mut rng = rng(9);
        let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
            let envelope = mail.open();
            if mail.from != index(1) || envelope.header.round != round {
                return vec![mail];
            }
            let mut changed = envelope.broadcast.unwrap().body.clone();
            *changed.last_mut().unwrap() ^= 1;
            vec![rebroadcast(&mail, changed)]
        });
        for (member, outcome) in outcomes {
            assert!(outcome.done.is_none());
            if member != index(1) {
                let (culprit, offence) = convict(outcome.verdict, &committee(2, 3), &context());
                assert_eq!(culprit, index(1));
                assert!(matches!(offence, Offence::OpeningDiffers { round: r, .. } if r == round));
            }
        }
    }
}

/// A commitment (and later the package) of another member, copied: it binds its author and cannot be opened by
/// the copyist. NAME.
#[test]
fn copied_commitment_and_package() {
    let (mut theirs_1, mut theirs_2) = (None, None);
    let mut rng = rng(10);
    let mut held: Vec<Mail> = vec![];
    let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
        let envelope = mail.open();
        let copy_to = |mail: &Mail, body: &Vec<u8>| rebroadcast(mail, body.clone());
        match (mail.from.get(), envelope.header.round) {
            (1, 1) => theirs_1 = Some(envelope.broadcast.unwrap().body.clone()),
            (1, 2) => {
                theirs_2 = Some(envelope.broadcast.unwrap().body.clone());
                let mut out = vec![mail];
                out.extend(
                    held.drain(..)
                        .map(|held| copy_to(&held, theirs_2.as_ref().unwrap())),
                );
                return out;
            }
            (3, 1) => return vec![copy_to(&mail, theirs_1.as_ref().unwrap())],
            (3, 2) if theirs_2.is_none() => {
                held.push(mail);
                return vec![];
            }
            (3, 2) => return vec![copy_to(&mail, theirs_2.as_ref().unwrap())],
            _ => {}
        }
        vec![mail]
    });
    for (member, outcome) in outcomes {
        if member != index(3) {
            let (culprit, offence) = convict(outcome.verdict, &committee(2, 3), &context());
            assert_eq!(culprit, index(3));
            assert!(matches!(offence, Offence::OpeningDiffers { round: 2, .. }));
        }
    }
}

/// Two versions of a broadcast, each consistent in itself, to two receivers: only the echo can tell. NAME, and no
/// key activates.
#[test]
fn equivocating_package() {
    let mut rushing = Rushing::new(&[1], |_, to, package: &mut Round2Broadcast| {
        if to == index(3) {
            package.fresh[0] ^= 1;
        }
    });
    let mut rng = rng(11);
    let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
        rushing.carry(mail)
    });
    assert_equivocation(outcomes);
}

/// Silence audit: equivocation of the chain code alone splits the vault's addresses. NAME, and no key activates.
#[test]
fn equivocating_chain_code() {
    let mut rng = rng(12);
    let mut codes: BTreeMap<PartyIndex, Vec<u8>> = BTreeMap::new();
    for receiver in [2, 3] {
        let chosen = Round3Broadcast {
            chain_codes: [[receiver; 32]; 3],
        };
        codes.insert(index(receiver), chosen.to_body());
    }
    let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
        let envelope = mail.open();
        match (mail.from.get(), envelope.header.round) {
            (1, 1) => {
                let mut commitment: Round1Broadcast = body(&envelope);
                commitment.chain_codes =
                    opening_hash(&envelope.header.tag, 3, index(1), &codes[&mail.to]);
                vec![rebroadcast(&mail, commitment.to_body())]
            }
            (1, 3) => vec![rebroadcast(&mail, codes[&mail.to].clone())],
            _ => vec![mail],
        }
    });
    assert_equivocation(outcomes);
}

fn assert_equivocation(outcomes: Outcomes<KeygenOutput>) {
    assert!(outcomes.values().all(|outcome| outcome.done.is_none()));
    for (member, outcome) in outcomes {
        if member != index(1) {
            let (culprit, offence) = convict(outcome.verdict, &committee(2, 3), &context());
            assert_eq!(culprit, index(1));
            assert!(matches!(offence, Offence::Equivocation { .. }));
        }
    }
}

/// A second, different broadcast in one round convicts at once, also when the round has passed; the same bytes
/// again are ignored.
#[test]
fn second_broadcast_in_a_round() {
    let mut rng = rng(13);
    let committee = committee(2, 3);
    let mut mine = RealEngine
        .keygen(keygen_params(&committee, index(1)), &mut rng)
        .unwrap()
        .session;
    let mut other = |i| {
        RealEngine
            .keygen(keygen_params(&committee, index(i)), &mut rng)
            .unwrap()
    };
    let mail = |from: u8, started: &quorate_threshold::Started<KeygenOutput>| {
        let out = started.send.iter().find(|out| out.to == index(1)).unwrap();
        Mail {
            from: index(from),
            to: index(1),
            bytes: out.bytes.to_vec(),
        }
    };
    let (two, three) = (mail(2, &other(2)), mail(3, &other(3)));
    let mut rng = crate::cluster::rng(14);
    let mut give = |mail: &Mail| mine.receive(mail.from, &mail.bytes, &mut rng);
    assert!(give(&two).unwrap().send.is_empty());
    assert!(matches!(give(&two), Err(Verdict::Ignored(Why::Duplicate))));
    assert_eq!(give(&three).unwrap().send.len(), 2, "round 2 begins");
    assert!(matches!(
        give(&two),
        Err(Verdict::Ignored(Why::Stale { round: 1 }))
    ));
    let changed = rebroadcast(
        &two,
        Round1Broadcast {
            package: [1; 32],
            chain_codes: [2; 32],
        }
        .to_body(),
    );
    let (culprit, offence) = convict(give(&changed).err(), &committee, &context());
    assert_eq!(culprit, index(2));
    assert!(matches!(offence, Offence::Equivocation { round: 1, .. }));
    assert!(matches!(
        give(&three),
        Err(Verdict::Ignored(Why::SessionOver))
    ));
}

/// A sub-share off its dealer's polynomial, or none at all: the victim's share would be useless. NAME.
#[test]
fn bad_sub_share() {
    let flip = |d: &mut Vec<u8>| {
        let mut dealing = Round3Direct::from_body(d).unwrap();
        dealing.sub_shares[1][31] ^= 1;
        *d = dealing.to_body();
    };
    let above_order = |d: &mut Vec<u8>| {
        let mut dealing = Round3Direct::from_body(d).unwrap();
        dealing.sub_shares[2] = [0xff; 32];
        *d = dealing.to_body();
    };
    let none = |d: &mut Vec<u8>| d.clear();
    for change in [flip, above_order, none] {
        let mut rng = rng(15);
        let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
            let hit = mail.from == index(2) && mail.to == index(3) && mail.open().header.round == 3;
            vec![if hit {
                mail.resealed(|envelope| change(&mut envelope.direct))
            } else {
                mail
            }]
        });
        assert!(outcomes.values().all(|outcome| outcome.done.is_none()));
        let mut outcomes = outcomes;
        let victim = outcomes.remove(&index(3)).unwrap();
        let (culprit, offence) = convict(victim.verdict, &committee(2, 3), &context());
        assert_eq!(culprit, index(2));
        assert!(matches!(offence, Offence::BadSubShare { .. }));
        assert_eq!(
            outcomes[&index(1)].waiting_for,
            [index(3)],
            "the others wait for the victim's echo"
        );
    }
}

/// An echo that puts words into another's mouth would make honest members accuse each other. NAME the forger.
#[test]
fn forged_echo() {
    let forge_hash = |echo: &mut Round4Broadcast| echo.heard[0].hash[0] ^= 1;
    let swap_authors = |echo: &mut Round4Broadcast| echo.heard.swap(0, 1);
    let shorten = |echo: &mut Round4Broadcast| echo.heard.truncate(8);
    for change in [forge_hash, swap_authors, shorten] {
        let mut rng = rng(16);
        let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
            let envelope = mail.open();
            if mail.from != index(3) || envelope.header.round != 4 {
                return vec![mail];
            }
            let mut echo: Round4Broadcast = body(&envelope);
            change(&mut echo);
            vec![rebroadcast(&mail, echo.to_body())]
        });
        all_name_bad_broadcast(outcomes, 2, 3, 3, 4);
    }
}

/// What an honest member broadcast and dealt.
struct Heard(Vec<Envelope>);

impl Heard {
    fn of_honest_keygen() -> Self {
        let (mut rng, mut seen) = (rng(17), vec![]);
        drop(run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
            seen.push(mail.open());
            if mail.open().header.round > 3 {
                vec![]
            } else {
                vec![mail]
            }
        }));
        Self(seen)
    }

    /// Member 1's envelope of a round.
    fn envelope(&self, round: u8) -> Envelope {
        let wanted = |e: &&Envelope| e.header.sender == index(1) && e.header.round == round;
        self.0.iter().find(wanted).unwrap().clone()
    }

    fn signed(&self, round: u8) -> SignedBody {
        self.envelope(round).broadcast.unwrap()
    }

    fn opening_differs(&self, round: u8, commitment: u8, opening: u8) -> Offence {
        let (commitment, opening) = (self.signed(commitment), self.signed(opening));
        Offence::OpeningDiffers {
            round,
            commitment,
            opening,
        }
    }

    fn bad_sub_share(&self, package: u8, dealing: u8) -> Offence {
        let (package, dealing) = (self.signed(package), Box::new(self.envelope(dealing)));
        Offence::BadSubShare { package, dealing }
    }
}

/// A malicious accuser with nothing but honest messages convicts nobody, in whatever way it puts them together.
#[test]
fn honest_messages_are_no_evidence() {
    let heard = Heard::of_honest_keygen();
    let judge = |offence| {
        let evidence = Charge {
            tag: tag(2, 3),
            culprit: index(1),
            offence,
        }
        .into();
        verify_evidence(&evidence, &committee(2, 3), &context())
    };
    let hash = heard.signed(2).signed_hash();
    let in_place = [
        Offence::Equivocation {
            round: 2,
            first: hash,
            second: hash,
        },
        Offence::BadBroadcast {
            round: 2,
            body: heard.signed(2),
        },
        Offence::BadBroadcast {
            round: 4,
            body: heard.signed(4),
        },
        heard.opening_differs(2, 1, 2),
        heard.opening_differs(3, 1, 3),
        heard.bad_sub_share(2, 3),
    ];
    for offence in in_place {
        assert_eq!(
            judge(offence.clone()),
            Err(EvidenceError::NoFault),
            "{offence:?}"
        );
    }
    let misplaced = [
        Offence::BadBroadcast {
            round: 3,
            body: heard.signed(2),
        },
        heard.opening_differs(2, 1, 3),
        heard.opening_differs(3, 2, 3),
        heard.bad_sub_share(1, 3),
        heard.bad_sub_share(2, 2),
    ];
    for offence in misplaced {
        assert!(judge(offence.clone()).is_err(), "{offence:?}");
    }
}

/// A silent member ends nothing and is named as the one waited for (timeouts are the caller's). No key.
#[test]
fn silent_member_is_waited_for() {
    let mut rng = rng(18);
    let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
        if mail.from == index(2) {
            vec![]
        } else {
            vec![mail]
        }
    });
    for member in [1, 3] {
        let outcome = &outcomes[&index(member)];
        assert!(outcome.done.is_none() && outcome.verdict.is_none());
        assert_eq!(outcome.waiting_for, [index(2)]);
    }
}

/// The identity given must be the one the roster lists.
#[test]
fn foreign_identity_is_refused() {
    let mut params = keygen_params(&committee(2, 3), index(1));
    params.identity = identity(2);
    let error = RealEngine.keygen(params, &mut rng(1)).unwrap_err();
    assert_eq!(
        error,
        quorate_threshold::Error::NotMyIdentity { index: index(1) }
    );
}
