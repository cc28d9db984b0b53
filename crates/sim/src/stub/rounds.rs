//! Rounds of broadcasts in signed envelopes, one message a member and round.

use std::collections::BTreeMap;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use quorate_threshold::envelope::{Envelope, Header, SessionTag, SignedBody};
use quorate_threshold::{Charge, Committee, Evidence, Offence, Outgoing, PartyIndex, Verdict, Why};
use zeroize::Zeroizing;

/// One member's place in a run.
pub(super) struct Rounds {
    tag: SessionTag,
    committee: Committee,
    members: Vec<PartyIndex>,
    me: PartyIndex,
    identity: Arc<SigningKey>,
    /// The round whose messages are awaited.
    round: u8,
    heard: BTreeMap<(u8, PartyIndex), SignedBody>,
    /// From this round on this member says nothing.
    silent_from: u8,
}

impl Rounds {
    pub(super) fn new(
        tag: SessionTag,
        committee: Committee,
        members: Vec<PartyIndex>,
        me: PartyIndex,
        identity: Arc<SigningKey>,
        silent_from: Option<u8>,
    ) -> Self {
        let silent_from = silent_from.unwrap_or(u8::MAX);
        Self {
            tag,
            committee,
            members,
            me,
            identity,
            round: 0,
            heard: BTreeMap::new(),
            silent_from,
        }
    }

    /// Says `body` to everybody and waits for the same of them.
    pub(super) fn next(&mut self, body: Vec<u8>) -> Vec<Outgoing> {
        self.round += 1;
        let signed = SignedBody::seal(&self.tag, self.round, self.me, body, &self.identity);
        self.heard.insert((self.round, self.me), signed.clone());
        if self.round >= self.silent_from {
            return Vec::new();
        }
        let others = self.members.iter().filter(|index| **index != self.me);
        others
            .map(|to| Outgoing {
                to: *to,
                bytes: self.seal(*to, signed.clone()),
            })
            .collect()
    }

    fn seal(&self, receiver: PartyIndex, body: SignedBody) -> Zeroizing<Vec<u8>> {
        let header = Header {
            tag: self.tag,
            round: self.round,
            sender: self.me,
            receiver,
        };
        Envelope::seal(header, Some(body), Zeroizing::default(), &self.identity).to_bytes()
    }

    /// Takes an envelope; all that is wrong with it alone is ignored.
    pub(super) fn take(&mut self, from: PartyIndex, bytes: &[u8]) -> Result<(), Verdict> {
        let envelope = Envelope::from_bytes(bytes).map_err(|_| Verdict::Ignored(Why::Malformed))?;
        let Header {
            tag,
            round,
            sender,
            receiver,
        } = envelope.header;
        if tag != self.tag {
            return Err(Verdict::Ignored(Why::OtherSession));
        }
        if sender != from || !self.members.contains(&from) {
            return Err(Verdict::Ignored(Why::Sender { claimed: sender }));
        }
        if receiver != self.me {
            return Err(Verdict::Ignored(Why::Receiver));
        }
        if !self
            .committee
            .identity(from)
            .is_some_and(|identity| envelope.verifies(identity))
        {
            return Err(Verdict::Ignored(Why::Signature));
        }
        if round < self.round || self.heard.contains_key(&(round, from)) {
            return Err(Verdict::Ignored(Why::Duplicate));
        }
        if round > self.round + 1 {
            return Err(Verdict::Ignored(Why::TooEarly { round }));
        }
        let body = envelope.broadcast.ok_or(Verdict::Ignored(Why::Malformed))?;
        self.heard.insert((round, from), body);
        Ok(())
    }

    /// What everybody said in the awaited round, once everybody has.
    pub(super) fn complete(&self) -> Option<Vec<(PartyIndex, Vec<u8>)>> {
        self.said_in(self.round)
    }

    /// What everybody said in a round.
    pub(super) fn said_in(&self, round: u8) -> Option<Vec<(PartyIndex, Vec<u8>)>> {
        let said =
            |index: &PartyIndex| Some((*index, self.heard.get(&(round, *index))?.body.clone()));
        self.members.iter().map(said).collect()
    }

    pub(super) fn waiting_for(&self) -> Vec<PartyIndex> {
        let silent = |index: &&PartyIndex| !self.heard.contains_key(&(self.round, **index));
        self.members.iter().filter(silent).copied().collect()
    }

    pub(super) fn round(&self) -> u8 {
        self.round
    }

    /// Everybody opened in round 2 what they committed to in round 1, or it can be proven who did not.
    pub(super) fn check_openings(&self) -> Result<(), Verdict> {
        for index in &self.members {
            let (Some(commitment), Some(opening)) =
                (self.heard.get(&(1, *index)), self.heard.get(&(2, *index)))
            else {
                continue;
            };
            if commitment.body != commit(&opening.body) {
                let (commitment, opening) = (commitment.clone(), opening.clone());
                let offence = Offence::OpeningDiffers {
                    round: 2,
                    commitment,
                    opening,
                };
                return Err(accuse(Charge {
                    tag: self.tag,
                    culprit: *index,
                    offence,
                }));
            }
        }
        Ok(())
    }

    /// Everybody said the same in the awaited round.
    pub(super) fn check_same(&self) -> Result<(), Verdict> {
        let said = self.complete().unwrap_or_default();
        let mine = self
            .heard
            .get(&(self.round, self.me))
            .map(|body| &body.body);
        match said.iter().find(|(_, body)| Some(body) != mine) {
            Some((from, _)) => Err(Verdict::Abort(Why::TranscriptMismatch { from: *from })),
            None => Ok(()),
        }
    }
}

/// A named fault. Its evidence has the shape of the real one; only the stub's own rules say what it shows.
fn accuse(charge: Charge) -> Verdict {
    const EVIDENCE_VERSION: u8 = 1;
    let bytes = postcard::to_extend(&charge, vec![EVIDENCE_VERSION]).unwrap_or_default();
    match Evidence::from_bytes(&bytes) {
        Ok(evidence) => Verdict::NamedFault {
            culprit: charge.culprit,
            evidence,
        },
        Err(error) => Verdict::Abort(Why::Local(error)),
    }
}

/// The commitment to an opening.
pub(super) fn commit(opening: &[u8]) -> Vec<u8> {
    super::hash("quorate/sim/commit", [opening]).to_vec()
}

/// What a judge of the wire needs of an envelope: session, round, sender, and the hash of what was said.
///
/// Two different hashes for the first three are a one-time value used twice.
pub fn wire_round(bytes: &[u8]) -> Option<([u8; 32], u8, PartyIndex, [u8; 32])> {
    let envelope = Envelope::from_bytes(bytes).ok()?;
    let Header {
        tag, round, sender, ..
    } = envelope.header;
    Some((
        tag.session,
        round,
        sender,
        envelope.broadcast?.signed_hash().hash,
    ))
}
