//! Malicious members in key generation.

use std::collections::BTreeMap;

use quorate_threshold::envelope::{Envelope, SessionTag, SignedBody};
use quorate_threshold::keygen::messages::{
    Body, PointBytes, Round1Broadcast, Round2Broadcast, Round3Broadcast, Round3Direct,
    Round4Broadcast, opening_hash,
};
use quorate_threshold::{
    Charge, Engine, EvidenceError, KeygenOutput, Offence, PartyIndex, Point, RealEngine, Suite,
    Verdict, Why, verify_evidence,
};

use crate::cluster::{
    Mail, Outcomes, committee, convict, identity, index, keygen_params, rng, run, start_keygen,
};

fn tag(t: u8, n: u8) -> SessionTag {
    keygen_params(&committee(t, n), index(1)).tag()
}

/// Signs another body as the broadcast of an intercepted message, with its sender's key.
fn rebroadcast(mail: &Mail, body: Vec<u8>) -> Mail {
    mail.resealed(|envelope| {
        let header = envelope.header;
        let key = identity(header.sender.get());
        envelope.broadcast = Some(SignedBody::seal(
            &header.tag,
            header.round,
            header.sender,
            body,
            &key,
        ));
    })
}

fn body<B: Body>(envelope: &Envelope) -> B {
    B::from_body(&envelope.broadcast.as_ref().unwrap().body).unwrap()
}

/// Colluders that send each receiver a package of their choice and commit to exactly that.
///
/// They rush: their first round is held back from the honest until they have seen everybody else's, so that
/// they can commit to what they will open.
struct Rushing<P> {
    attackers: Vec<PartyIndex>,
    /// From, to, package.
    change: P,
    held: Vec<Mail>,
}

impl<P: FnMut(PartyIndex, PartyIndex, &mut Round2Broadcast)> Rushing<P> {
    fn new(attackers: &[u8], change: P) -> Self {
        let attackers = attackers.iter().map(|&i| index(i)).collect();
        Self {
            attackers,
            change,
            held: vec![],
        }
    }

    fn carry(&mut self, mail: Mail) -> Vec<Mail> {
        if !self.attackers.contains(&mail.from) || self.attackers.contains(&mail.to) {
            return vec![mail];
        }
        let envelope = mail.open();
        match envelope.header.round {
            1 => {
                self.held.push(mail);
                vec![]
            }
            2 => {
                let mut package: Round2Broadcast = body(&envelope);
                (self.change)(mail.from, mail.to, &mut package);
                self.open_as(&mail, package.to_body())
            }
            _ => vec![mail],
        }
    }

    /// Releases the commitment to `package`, and `package` itself.
    fn open_as(&mut self, mail: &Mail, package: Vec<u8>) -> Vec<Mail> {
        let same_way = |held: &Mail| held.from == mail.from && held.to == mail.to;
        let held = self
            .held
            .remove(self.held.iter().position(same_way).unwrap());
        let mut commitment: Round1Broadcast = body(&held.open());
        commitment.package = opening_hash(&mail.open().header.tag, 2, mail.from, &package);
        vec![
            rebroadcast(&held, commitment.to_body()),
            rebroadcast(mail, package),
        ]
    }
}

/// Runs a keygen with one member changing its package for everybody alike.
fn with_package(
    t: u8,
    n: u8,
    attacker: u8,
    mut change: impl FnMut(&mut Round2Broadcast),
) -> Outcomes<KeygenOutput> {
    let mut rushing = Rushing::new(&[attacker], |_, _, package: &mut _| change(package));
    let mut rng = rng(5);
    run(start_keygen(t, n, &mut rng), &mut rng, |mail| {
        rushing.carry(mail)
    })
}

/// Every honest member names the attacker for a bad broadcast of `round`; nobody has a key.
fn all_name_bad_broadcast(outcomes: Outcomes<KeygenOutput>, t: u8, n: u8, attacker: u8, round: u8) {
    for (member, outcome) in outcomes {
        assert!(outcome.done.is_none(), "{member} has a key");
        if member == index(attacker) {
            continue;
        }
        let (culprit, offence) = convict(outcome.verdict, &committee(t, n), &tag(t, n));
        assert_eq!(culprit, index(attacker));
        assert!(
            matches!(offence, Offence::BadBroadcast { round: r, .. } if r == round),
            "{offence:?}"
        );
    }
}

/// Trail of Bits 2024: a polynomial of another degree makes a key that `t` cannot use, or fewer can. NAME.
#[test]
fn commitment_vector_of_another_length() {
    for length in [0, 1, 3, 200] {
        for suite in 0..3 {
            let outcomes = with_package(2, 3, 2, |package| {
                let vector = &mut package.suites[suite].commitment;
                let filler = vector[1].clone();
                vector.resize(length, filler);
            });
            all_name_bad_broadcast(outcomes, 2, 3, 2, 2);
        }
    }
}

/// Two dealers add a term each, and the terms cancel in the sum: the group key looks right. NAME, each alone.
#[test]
fn excess_terms_that_cancel() {
    let mut one = [0; 32];
    one[31] = 1;
    let term = Point::of_secret(Suite::EcdsaSecp256k1, &one)
        .unwrap()
        .as_bytes()
        .to_vec();
    let mut negated = term.clone();
    negated[0] ^= 1; // SEC1: the parity of y
    let mut rushing = Rushing::new(&[1, 2], |from, _, package: &mut Round2Broadcast| {
        let extra = if from == index(1) { &term } else { &negated };
        package.suites[0].commitment.push(PointBytes(extra.clone()));
    });
    let mut rng = rng(6);
    let outcomes = run(start_keygen(3, 5, &mut rng), &mut rng, |mail| {
        rushing.carry(mail)
    });
    for (member, outcome) in outcomes {
        assert!(outcome.done.is_none());
        if member > index(2) {
            let (culprit, offence) = convict(outcome.verdict, &committee(3, 5), &tag(3, 5));
            assert!(culprit <= index(2));
            assert!(matches!(offence, Offence::BadBroadcast { round: 2, .. }));
        }
    }
}

/// Fresco, Drand: a rogue constant term without its discrete logarithm. NAME.
#[test]
fn rogue_key_without_proof() {
    for suite in 0..3 {
        let outcomes = with_package(2, 3, 3, |package| {
            let rogue = package.suites[suite].commitment[1].clone();
            package.suites[suite].commitment[0] = rogue;
        });
        all_name_bad_broadcast(outcomes, 2, 3, 3, 2);
    }
}

/// Identity, torsion components, non-canonical and off-curve encodings where points should be. NAME, no panic.
#[test]
fn points_that_are_none() {
    let bad_secp = [
        vec![0; 33],
        [vec![5], vec![1; 32]].concat(),
        vec![],
        vec![2; 65],
    ];
    let ed_identity = [vec![1], vec![0; 31]].concat();
    let ed_order_2 = [vec![0xec], vec![0xff; 30], vec![0x7f]].concat();
    let ed_not_canonical = [vec![0xee], vec![0xff; 30], vec![0x7f]].concat();
    let bad_ed = [ed_identity, ed_order_2, ed_not_canonical, vec![0; 33]];
    for (suite, bad) in [(0, &bad_secp), (2, &bad_ed)] {
        for point in bad {
            for place in 0..2 {
                let outcomes = with_package(2, 3, 1, |package| {
                    package.suites[suite].commitment[place] = PointBytes(point.clone());
                });
                all_name_bad_broadcast(outcomes, 2, 3, 1, 2);
            }
        }
    }
}

/// A package that does not decode at all, with trailing bytes, or cut off. NAME.
#[test]
fn package_that_does_not_decode() {
    for change in [
        |b: &mut Vec<u8>| b.push(0),
        |b: &mut Vec<u8>| b.truncate(40),
        |b: &mut Vec<u8>| b[0] = 2,
    ] {
        let mut rng = rng(8);
        let mut rushing = Rushing::new(&[2], |_, _, _: &mut Round2Broadcast| {});
        let outcomes = run(start_keygen(2, 3, &mut rng), &mut rng, |mail| {
            let envelope = mail.open();
            if mail.from != index(2) || envelope.header.round != 2 {
                return rushing.carry(mail);
            }
            let mut opening = envelope.broadcast.unwrap().body;
            change(&mut opening);
            rushing.open_as(&mail, opening)
        });
        all_name_bad_broadcast(outcomes, 2, 3, 2, 2);
    }
}

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
            let mut changed = envelope.broadcast.unwrap().body;
            *changed.last_mut().unwrap() ^= 1;
            vec![rebroadcast(&mail, changed)]
        });
        for (member, outcome) in outcomes {
            assert!(outcome.done.is_none());
            if member != index(1) {
                let (culprit, offence) = convict(outcome.verdict, &committee(2, 3), &tag(2, 3));
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
            (1, 1) => theirs_1 = Some(envelope.broadcast.unwrap().body),
            (1, 2) => {
                theirs_2 = Some(envelope.broadcast.unwrap().body);
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
            let (culprit, offence) = convict(outcome.verdict, &committee(2, 3), &tag(2, 3));
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
            let (culprit, offence) = convict(outcome.verdict, &committee(2, 3), &tag(2, 3));
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
            bytes: out.bytes.clone(),
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
    let (culprit, offence) = convict(give(&changed).err(), &committee, &tag(2, 3));
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
        let (culprit, offence) = convict(victim.verdict, &committee(2, 3), &tag(2, 3));
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
        verify_evidence(&evidence, &committee(2, 3), &tag(2, 3))
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
