//! Signed envelopes: what every protocol message travels in.
//!
//! An envelope goes to one receiver and is signed by its sender's identity over all of it. What a round
//! broadcasts travels inside as a *signed body* of its own: the same bytes and signature for every
//! receiver, so that two receivers can compare what they got and prove a difference.

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use zeroize::{Zeroize, Zeroizing};

use crate::codec::Format;
use crate::committee::PartyIndex;
use crate::error::Error;
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Largest envelope. The largest message there is (OT setup, round 6 of keygen) has about 170 kB.
pub const MAX_ENVELOPE_BYTES: usize = 256 * 1024;

/// The version this build speaks.
pub const ENVELOPE_VERSION: u8 = 1;

const FORMAT: Format = Format {
    what: "protocol envelope",
    version: ENVELOPE_VERSION,
    limit: MAX_ENVELOPE_BYTES,
};

/// Which protocol a message belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ProtocolKind {
    /// Key generation of all three suites.
    Keygen,
    /// A signature.
    Sign,
}

/// What all messages of one session have in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTag {
    /// The protocol.
    pub kind: ProtocolKind,
    /// The suite, or `None` for a ceremony over all three.
    pub suite: Option<Suite>,
    /// The sharing generation.
    pub epoch: u64,
    /// The session id.
    pub session: [u8; 32],
    /// Hash of everything else the members must agree on before round one: vault, committee, quorum,
    /// public keys, message. Different bindings under one session id are a mismatch, not a cheat.
    pub binding: [u8; 32],
}

/// Who says what in which round of which session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// The session.
    pub tag: SessionTag,
    /// The round, from 1.
    pub round: u8,
    /// The sender.
    pub sender: PartyIndex,
    /// The receiver.
    pub receiver: PartyIndex,
}

/// An identity's 64-byte Ed25519 signature.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct IdentitySignature([u8; 64]);

impl IdentitySignature {
    fn sign(identity: &SigningKey, digest: &[u8; 32]) -> Self {
        Self(identity.sign(digest).to_bytes())
    }

    fn verifies(&self, identity: &VerifyingKey, digest: &[u8; 32]) -> bool {
        let signature = ed25519_dalek::Signature::from_bytes(&self.0);
        identity.verify_strict(digest, &signature).is_ok()
    }
}

impl std::fmt::Debug for IdentitySignature {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("IdentitySignature(..)")
    }
}

impl Serialize for IdentitySignature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (left, right) = self.0.split_at(32);
        let half = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(serde::ser::Error::custom);
        (half(left)?, half(right)?).serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for IdentitySignature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let (left, right) = <([u8; 32], [u8; 32])>::deserialize(deserializer)?;
        let mut bytes = [0; 64];
        for (to, from) in bytes.iter_mut().zip(left.iter().chain(&right)) {
            *to = *from;
        }
        Ok(Self(bytes))
    }
}

/// The hash of a broadcast body and its sender's signature: what echoes carry and evidence compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedHash {
    /// Hash of the body.
    pub hash: [u8; 32],
    /// Signature over tag, round, sender and hash.
    pub signature: IdentitySignature,
}

impl SignedHash {
    /// Whether `identity` signed this hash as `sender`'s broadcast in `round` of the session.
    #[must_use]
    pub fn verifies(
        &self,
        tag: &SessionTag,
        round: u8,
        sender: PartyIndex,
        identity: &VerifyingKey,
    ) -> bool {
        self.signature
            .verifies(identity, &broadcast_digest(tag, round, sender, &self.hash))
    }
}

/// A broadcast: the same bytes and signature for every receiver. Some are for members only (chain codes), so it is
/// wiped when dropped.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedBody {
    /// The message.
    #[serde(with = "serde_bytes")]
    pub body: Vec<u8>,
    /// Signature over tag, round, sender and the body's hash.
    pub signature: IdentitySignature,
}

impl SignedBody {
    /// Signs a broadcast.
    #[must_use]
    pub fn seal(
        tag: &SessionTag,
        round: u8,
        sender: PartyIndex,
        body: Vec<u8>,
        identity: &SigningKey,
    ) -> Self {
        let digest = broadcast_digest(tag, round, sender, &body_hash(&body));
        Self {
            signature: IdentitySignature::sign(identity, &digest),
            body,
        }
    }

    /// The hash and signature without the body.
    #[must_use]
    pub fn signed_hash(&self) -> SignedHash {
        SignedHash {
            hash: body_hash(&self.body),
            signature: self.signature,
        }
    }
}

impl Drop for SignedBody {
    fn drop(&mut self) {
        self.body.zeroize();
    }
}

impl std::fmt::Debug for SignedBody {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SignedBody({} bytes)", self.body.len())
    }
}

/// One message to one receiver.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// Who, to whom, when, in what.
    pub header: Header,
    /// What the round broadcasts, if it broadcasts.
    pub broadcast: Option<SignedBody>,
    /// What is for this receiver alone; empty if the round has no such part. It can hold secrets.
    #[serde(with = "crate::codec::secret_bytes")]
    pub direct: Zeroizing<Vec<u8>>,
    /// Signature over all of the above.
    pub signature: IdentitySignature,
}

impl std::fmt::Debug for Envelope {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Envelope")
            .field("header", &self.header)
            .field("broadcast", &self.broadcast)
            .field("direct", &format_args!("{} bytes", self.direct.len()))
            .finish_non_exhaustive()
    }
}

impl Envelope {
    /// Signs an envelope.
    #[must_use]
    pub fn seal(
        header: Header,
        broadcast: Option<SignedBody>,
        direct: Zeroizing<Vec<u8>>,
        identity: &SigningKey,
    ) -> Self {
        let digest = envelope_digest(&header, broadcast.as_ref(), &direct);
        Self {
            header,
            broadcast,
            direct,
            signature: IdentitySignature::sign(identity, &digest),
        }
    }

    /// Whether `identity` signed the envelope and the broadcast in it.
    #[must_use]
    pub fn verifies(&self, identity: &VerifyingKey) -> bool {
        let Header {
            tag, round, sender, ..
        } = &self.header;
        let digest = envelope_digest(&self.header, self.broadcast.as_ref(), &self.direct);
        self.signature.verifies(identity, &digest)
            && self
                .broadcast
                .as_ref()
                .is_none_or(|body| body.signed_hash().verifies(tag, *round, *sender, identity))
    }

    /// One version byte, then postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        FORMAT.encode(self)
    }

    /// Reads an envelope without judging its signature; enough to route it.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Version`] or [`Error::Decode`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        FORMAT.decode(bytes)
    }
}

/// Hash of a broadcast body.
#[must_use]
pub fn body_hash(body: &[u8]) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/threshold/body/v1");
    transcript.append(body);
    transcript.finish()
}

fn append_tag(transcript: &mut Transcript, tag: &SessionTag) {
    transcript.append_u64(u64::from(ENVELOPE_VERSION));
    transcript.append(match tag.kind {
        ProtocolKind::Keygen => b"keygen",
        ProtocolKind::Sign => b"sign",
    });
    transcript.append(tag.suite.map_or("all", Suite::name).as_bytes());
    transcript.append_u64(tag.epoch);
    transcript.append(&tag.session);
    transcript.append(&tag.binding);
}

fn broadcast_digest(tag: &SessionTag, round: u8, sender: PartyIndex, hash: &[u8; 32]) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/threshold/broadcast/v1");
    append_tag(&mut transcript, tag);
    transcript.append_u64(u64::from(round));
    transcript.append_u64(u64::from(sender.get()));
    transcript.append(hash);
    transcript.finish()
}

fn envelope_digest(header: &Header, broadcast: Option<&SignedBody>, direct: &[u8]) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/threshold/envelope/v1");
    append_tag(&mut transcript, &header.tag);
    transcript.append_u64(u64::from(header.round));
    transcript.append_u64(u64::from(header.sender.get()));
    transcript.append_u64(u64::from(header.receiver.get()));
    transcript.append_u64(u64::from(broadcast.is_some()));
    if let Some(body) = broadcast {
        transcript.append(&body.signed_hash().hash);
        transcript.append(&body.signature.0);
    }
    transcript.append(direct);
    transcript.finish()
}
