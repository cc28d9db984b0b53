//! Members that rush: they commit after they have seen the others' commitments, and to what they like.

use quorate_threshold::envelope::{Envelope, SessionTag, SignedBody};
use quorate_threshold::keygen::messages::{Body, Round1Broadcast, Round2Broadcast, opening_hash};
use quorate_threshold::{EvidenceContext, KeygenOutput, Offence, PartyIndex};

use crate::cluster::{
    Mail, Outcomes, committee, convict, identity, index, keygen_params, rng, run, start_keygen,
};

pub(crate) fn tag(t: u8, n: u8) -> SessionTag {
    keygen_params(&committee(t, n), index(1)).tag()
}

pub(crate) fn context() -> EvidenceContext<'static> {
    keygen_params(&committee(2, 3), index(1)).context()
}

/// Signs another body as the broadcast of an intercepted message, with its sender's key.
pub(crate) fn rebroadcast(mail: &Mail, body: Vec<u8>) -> Mail {
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

pub(crate) fn body<B: Body>(envelope: &Envelope) -> B {
    B::from_body(&envelope.broadcast.as_ref().unwrap().body).unwrap()
}

/// Colluders that send each receiver a package of their choice and commit to exactly that.
///
/// They rush: their first round is held back from the honest until they have seen everybody else's, so that
/// they can commit to what they will open.
pub(crate) struct Rushing<P> {
    attackers: Vec<PartyIndex>,
    /// From, to, package.
    change: P,
    held: Vec<Mail>,
}

impl<P: FnMut(PartyIndex, PartyIndex, &mut Round2Broadcast)> Rushing<P> {
    pub(crate) fn new(attackers: &[u8], change: P) -> Self {
        let attackers = attackers.iter().map(|&i| index(i)).collect();
        Self {
            attackers,
            change,
            held: vec![],
        }
    }

    pub(crate) fn carry(&mut self, mail: Mail) -> Vec<Mail> {
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
    pub(crate) fn open_as(&mut self, mail: &Mail, package: Vec<u8>) -> Vec<Mail> {
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
pub(crate) fn with_package(
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
pub(crate) fn all_name_bad_broadcast(
    outcomes: Outcomes<KeygenOutput>,
    t: u8,
    n: u8,
    attacker: u8,
    round: u8,
) {
    for (member, outcome) in outcomes {
        assert!(outcome.done.is_none(), "{member} has a key");
        if member == index(attacker) {
            continue;
        }
        let (culprit, offence) = convict(outcome.verdict, &committee(t, n), &context());
        assert_eq!(culprit, index(attacker));
        assert!(
            matches!(offence, Offence::BadBroadcast { round: r, .. } if r == round),
            "{offence:?}"
        );
    }
}
