//! Malicious members in the OT setup (rounds 5 to 7 of key generation). These run the real setup, so they share
//! a small committee: 2 of 2, where the library alone would accept a wrong share (t = n).

use std::collections::BTreeMap;

use quorate_threshold::envelope::{SessionTag, SignedBody};
use quorate_threshold::keygen::messages::{Body, Round7Broadcast};
use quorate_threshold::{KeygenOutput, Verdict, Why};

use crate::cluster::{Mail, Outcomes, identity, index, rng, run, start_keygen};

fn tampered(round: u8, change: impl Fn(&Mail) -> Vec<Mail>) -> Outcomes<KeygenOutput> {
    let mut rng = rng(20);
    run(start_keygen(2, 2, &mut rng), &mut rng, |mail| {
        let hit = mail.from == index(2) && mail.open().header.round == round;
        if hit { change(&mail) } else { vec![mail] }
    })
}

fn rebroadcast(mail: &Mail, change: impl FnOnce(&SessionTag, &mut Vec<u8>)) -> Mail {
    mail.resealed(|envelope| {
        let header = envelope.header;
        let mut body = envelope.broadcast.take().unwrap().body.clone();
        change(&header.tag, &mut body);
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

/// Seen in the library's source: at `t = n` phase 4 accepts a wrong share and arrives at another key; a copied
/// proof passes because the proof does not bind the index. Refused at receipt, nothing persisted. ABORT.
#[test]
fn proof_about_another_share() {
    let (mut own, mut held) = (BTreeMap::new(), BTreeMap::new());
    let mut rng = rng(21);
    // The victim's own commitment and proof, sent back: valid in this session, about another index.
    let outcomes = run(start_keygen(2, 2, &mut rng), &mut rng, |mail| {
        let round = mail.open().header.round;
        if !matches!(round, 5 | 6) {
            return vec![mail];
        }
        let mut out = vec![];
        if mail.from == index(1) {
            own.insert(round, mail.open().broadcast.unwrap().body.clone());
            out.push(mail);
        } else {
            held.insert(round, mail);
        }
        if own.contains_key(&round) && held.contains_key(&round) {
            let attack = held.remove(&round).unwrap();
            out.push(rebroadcast(&attack, |_, body| {
                body.clone_from(&own[&round])
            }));
        }
        out
    });
    let verdict = &outcomes[&index(1)].verdict;
    let Some(Verdict::Abort(Why::CheckFailed { suspect, .. })) = verdict else {
        panic!("{verdict:?}")
    };
    assert_eq!(*suspect, Some(index(2)));
    assert!(outcomes.values().all(|outcome| outcome.done.is_none()));
}

/// A base OT message that does not verify. ABORT and not a ban: a setup that fails leaves no correlations.
#[test]
fn broken_base_ot() {
    let outcomes = tampered(6, |mail| {
        // Swap two encryption proofs: every value decodes, every proof is about another OT.
        vec![mail.resealed(|envelope| {
            let at = envelope.direct.len() - 40;
            envelope.direct[at] ^= 1;
        })]
    });
    let outcome = &outcomes[&index(1)];
    assert!(outcome.done.is_none() && outcomes[&index(2)].done.is_none());
    match &outcome.verdict {
        Some(Verdict::Abort(Why::CheckFailed { suspect, .. })) => {
            assert_eq!(*suspect, Some(index(2)))
        }
        None => assert_eq!(outcome.ignored, [Why::Malformed]),
        other => panic!("{other:?}"),
    }
}

/// *Done* over other public keys, or no *done* at all: nothing leaves the session of who misses it.
#[test]
fn no_output_before_everybody_is_done() {
    let other_key = tampered(7, |mail| {
        vec![rebroadcast(mail, |_, body| {
            let mut done = Round7Broadcast::from_body(body).unwrap();
            done.public[0] ^= 1;
            *body = done.to_body();
        })]
    });
    let outcome = &other_key[&index(1)];
    assert!(outcome.done.is_none());
    assert!(
        matches!(&outcome.verdict, Some(Verdict::Abort(Why::TranscriptMismatch { from })) if *from == index(2))
    );

    let silent = tampered(7, |_| vec![]);
    let outcome = &silent[&index(1)];
    assert!(outcome.done.is_none() && outcome.verdict.is_none());
    assert_eq!(outcome.waiting_for, [index(2)]);
    assert!(
        silent[&index(2)].done.is_some(),
        "who heard everybody is done"
    );
}
