//! One session's members and its record of what they broadcast: seals and opens envelopes.

use std::collections::BTreeMap;
use std::sync::Arc;

use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

use crate::committee::{Committee, PartyIndex};
use crate::envelope::{Envelope, Header, MAX_ENVELOPE_BYTES, SessionTag, SignedBody, SignedHash};
use crate::error::Error;
use crate::evidence::{Charge, Offence};
use crate::session::{Outgoing, Verdict, Why};

/// What one round sends.
pub(crate) struct RoundOutput {
    /// The same for everybody.
    pub(crate) broadcast: Option<Vec<u8>>,
    /// For each receiver alone; missing ones get an empty part.
    pub(crate) direct: BTreeMap<PartyIndex, Zeroizing<Vec<u8>>>,
}

impl RoundOutput {
    pub(crate) const fn broadcast(body: Vec<u8>) -> Self {
        Self {
            broadcast: Some(body),
            direct: BTreeMap::new(),
        }
    }
}

/// The signed channel of one member to the others of a session.
pub(crate) struct Channel {
    pub(crate) tag: SessionTag,
    pub(crate) me: PartyIndex,
    /// Who takes part, this member among them, in order.
    pub(crate) members: Vec<PartyIndex>,
    pub(crate) committee: Committee,
    identity: Arc<SigningKey>,
    /// The first broadcast of every (round, sender), own ones too. Bounded by rounds times members.
    heard: BTreeMap<(u8, PartyIndex), SignedHash>,
}

impl Channel {
    /// Opens the channel of `me`, after checking that `identity` is the one the committee lists.
    pub(crate) fn new(
        tag: SessionTag,
        me: PartyIndex,
        members: Vec<PartyIndex>,
        committee: Committee,
        identity: Arc<SigningKey>,
    ) -> Result<Self, Error> {
        if committee.identity(me) != Some(&identity.verifying_key()) {
            return Err(Error::NotMyIdentity { index: me });
        }
        Ok(Self {
            tag,
            me,
            members,
            committee,
            identity,
            heard: BTreeMap::new(),
        })
    }

    /// Everybody but this member.
    pub(crate) fn others(&self) -> impl Iterator<Item = PartyIndex> + '_ {
        self.members
            .iter()
            .copied()
            .filter(|&index| index != self.me)
    }

    /// This member's broadcast of a round. Identity signatures are deterministic: the same body gives the same bytes.
    pub(crate) fn signed(&self, round: u8, body: Vec<u8>) -> SignedBody {
        SignedBody::seal(&self.tag, round, self.me, body, &self.identity)
    }

    /// Signs one round's messages, one envelope a receiver.
    pub(crate) fn seal(&mut self, round: u8, mut output: RoundOutput) -> Vec<Outgoing> {
        let broadcast = output.broadcast.map(|body| self.signed(round, body));
        if let Some(body) = &broadcast {
            self.heard.insert((round, self.me), body.signed_hash());
        }
        self.others()
            .map(|to| {
                let header = Header {
                    tag: self.tag,
                    round,
                    sender: self.me,
                    receiver: to,
                };
                let direct = output.direct.remove(&to).unwrap_or_default();
                let envelope = Envelope::seal(header, broadcast.clone(), direct, &self.identity);
                Outgoing {
                    to,
                    bytes: envelope.to_bytes(),
                }
            })
            .collect()
    }

    /// Reads and authenticates an envelope that came over `from`'s channel.
    pub(crate) fn open(&self, from: PartyIndex, bytes: &[u8]) -> Result<Envelope, Verdict> {
        let ignore = |why| Err(Verdict::Ignored(why));
        if bytes.len() > MAX_ENVELOPE_BYTES {
            return ignore(Why::TooLarge { bytes: bytes.len() });
        }
        let envelope = match Envelope::from_bytes(bytes) {
            Ok(envelope) => envelope,
            Err(Error::Version { version, .. }) => return ignore(Why::Version { version }),
            Err(_) => return ignore(Why::Malformed),
        };
        let Header {
            tag,
            sender,
            receiver,
            ..
        } = &envelope.header;
        if (SessionTag {
            binding: self.tag.binding,
            ..*tag
        }) != self.tag
        {
            return ignore(Why::OtherSession);
        }
        if *sender != from || *sender == self.me || !self.members.contains(sender) {
            return ignore(Why::Sender { claimed: *sender });
        }
        if *receiver != self.me {
            return ignore(Why::Receiver);
        }
        let identity = self.committee.identity(*sender);
        if !identity.is_some_and(|identity| envelope.verifies(identity)) {
            return ignore(Why::Signature);
        }
        if tag.binding != self.tag.binding {
            // A correctly signed message over other values: no check may run on it.
            return Err(Verdict::Abort(Why::TranscriptMismatch { from }));
        }
        Ok(envelope)
    }

    /// Records a broadcast; a second, different one of the same round is a provable fault.
    pub(crate) fn hear(&mut self, envelope: &Envelope) -> Result<(), Verdict> {
        let Header { round, sender, .. } = envelope.header;
        let Some(body) = &envelope.broadcast else {
            return Ok(());
        };
        self.compare(round, sender, body.signed_hash())?;
        self.heard
            .entry((round, sender))
            .or_insert_with(|| body.signed_hash());
        Ok(())
    }

    /// Compares a signed hash, verified by the caller, with the one on record.
    pub(crate) fn compare(
        &self,
        round: u8,
        sender: PartyIndex,
        second: SignedHash,
    ) -> Result<(), Verdict> {
        match self.heard.get(&(round, sender)) {
            Some(first) if first.hash != second.hash => Err(self.named(
                sender,
                Offence::Equivocation {
                    round,
                    first: *first,
                    second,
                },
            )),
            _ => Ok(()),
        }
    }

    /// What `sender` broadcast in `round`.
    pub(crate) fn heard(&self, round: u8, sender: PartyIndex) -> Option<SignedHash> {
        self.heard.get(&(round, sender)).copied()
    }

    /// A verdict with evidence.
    pub(crate) fn named(&self, culprit: PartyIndex, offence: Offence) -> Verdict {
        let charge = Charge {
            tag: self.tag,
            culprit,
            offence,
        };
        Verdict::NamedFault {
            culprit,
            evidence: charge.into(),
        }
    }
}
