//! Proof of a member's fault, for anyone who has the roster.

use serde::{Deserialize, Serialize};

use crate::codec::Format;
use crate::committee::{Committee, PartyIndex};
use crate::envelope::{Envelope, ProtocolKind, SessionTag, SignedBody, SignedHash};
use crate::error::Error;
use crate::keygen;
use crate::keygen::messages::{Body, Round1Broadcast};
use crate::keygen::rules::{self, Unfit};
use crate::params::SignContext;
use crate::suite::Suite;
use crate::{frost, sign};

/// Largest encoding of [`Evidence`]: at most two message bodies.
pub const MAX_EVIDENCE_BYTES: usize = 512 * 1024;

const FORMAT: Format = Format {
    what: "evidence",
    version: 1,
    limit: MAX_EVIDENCE_BYTES,
};

/// What a member did. Every variant carries what that member itself signed, and nothing secret but
/// sub-shares of a key that was never activated.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Offence {
    /// Two different broadcasts in one round.
    Equivocation {
        /// The round.
        round: u8,
        /// One.
        first: SignedHash,
        /// The other.
        second: SignedHash,
    },
    /// A broadcast that breaks a rule of its round that it alone decides: a commitment vector of the wrong
    /// length, a bad point, a proof of knowledge that does not verify, an echo with a forged signature.
    BadBroadcast {
        /// The round.
        round: u8,
        /// The broadcast.
        body: SignedBody,
    },
    /// An opening that is not what was committed to.
    OpeningDiffers {
        /// The round of the opening.
        round: u8,
        /// Round 1's commitment.
        commitment: SignedBody,
        /// The opening.
        opening: SignedBody,
    },
    /// A sub-share that is not on the polynomial the dealer committed to.
    BadSubShare {
        /// The dealer's package.
        package: SignedBody,
        /// The envelope with the sub-share.
        dealing: Box<Envelope>,
    },
    /// A FROST signature share that does not verify under the commitments which its author itself says it heard.
    BadSignatureShare {
        /// Round 1 of every signer, in order.
        commitments: Vec<SignedBody>,
        /// The culprit's round 2.
        share: SignedBody,
    },
}

/// Proof that a member committed an offence, to be checked with [`verify_evidence`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence(Box<Charge>);

/// What [`Evidence`] claims.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The session.
    pub tag: SessionTag,
    /// Who did it.
    pub culprit: PartyIndex,
    /// What.
    pub offence: Offence,
}

/// What the verifier knows about the session by itself, besides the committee.
///
/// From these the session's tag is computed, which every signature is about; what the evidence says of it is only
/// compared. Otherwise an accuser could choose a tag under which a member once signed something else.
#[derive(Clone, Copy, Debug)]
pub enum EvidenceContext<'a> {
    /// An attempt at key generation.
    Keygen {
        /// The vault's id.
        vault: [u8; 32],
        /// The sharing generation that was to be made.
        epoch: u64,
        /// Which attempt.
        attempt: u32,
    },
    /// A signature.
    Sign(SignContext<'a>),
}

impl EvidenceContext<'_> {
    /// The tag of the session.
    #[must_use]
    pub fn tag(&self, committee: &Committee) -> SessionTag {
        match self {
            Self::Keygen {
                vault,
                epoch,
                attempt,
            } => keygen::tag(vault, *epoch, *attempt, committee),
            Self::Sign(sign) => sign.tag(committee),
        }
    }

    fn takes_part(&self, index: PartyIndex) -> bool {
        match self {
            Self::Keygen { .. } => true,
            Self::Sign(sign) => sign.quorum.contains(&index),
        }
    }
}

/// Why evidence does not convict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// It is about another session than the one asked about.
    #[error("the evidence is about another session; do not act on it")]
    OtherSession,
    /// The culprit is not in the committee, or not in the session.
    #[error("the accused did not take part in this session; do not act on it")]
    NotAMember,
    /// A signature in it does not verify.
    #[error("a signature in the evidence does not verify; do not act on it")]
    Signature,
    /// What it shows breaks no rule.
    #[error("what the evidence shows is no fault; do not act on it, and distrust who sent it")]
    NoFault,
}

/// Convicts from evidence, roster, and what the verifier itself knows of the session.
///
/// # Errors
/// [`EvidenceError`] if it does not convict.
pub fn verify_evidence(
    evidence: &Evidence,
    committee: &Committee,
    context: &EvidenceContext<'_>,
) -> Result<PartyIndex, EvidenceError> {
    let Charge {
        tag,
        culprit,
        offence,
    } = evidence.charge();
    if *tag != context.tag(committee) {
        return Err(EvidenceError::OtherSession);
    }
    let identity = committee
        .identity(*culprit)
        .filter(|_| context.takes_part(*culprit))
        .ok_or(EvidenceError::NotAMember)?;
    let signed = |round, hash: &SignedHash| hash.verifies(tag, round, *culprit, identity);
    let (signatures, guilty) = match offence {
        Offence::Equivocation {
            round,
            first,
            second,
        } => (
            signed(*round, first) && signed(*round, second),
            first.hash != second.hash,
        ),
        Offence::BadBroadcast { round, body } => {
            let bad = broadcast_is_bad(context, committee, *round, *culprit, &body.body);
            (signed(*round, &body.signed_hash()), bad)
        }
        Offence::OpeningDiffers {
            round,
            commitment,
            opening,
        } => {
            let signatures =
                signed(1, &commitment.signed_hash()) && signed(*round, &opening.signed_hash());
            let promised = Round1Broadcast::from_body(&commitment.body);
            let opens = |promised| rules::opens(tag, *round, *culprit, &promised, &opening.body);
            (
                signatures,
                tag.kind == ProtocolKind::Keygen && promised.is_ok_and(|promised| !opens(promised)),
            )
        }
        Offence::BadSubShare { package, dealing } => {
            let signatures = signed(2, &package.signed_hash()) && dealing.verifies(identity);
            (
                signatures,
                sub_share_is_bad(evidence.charge(), committee, package, dealing),
            )
        }
        Offence::BadSignatureShare { commitments, share } => {
            let bad = signature_share_is_bad(context, committee, *culprit, commitments, share);
            (signed(2, &share.signed_hash()), bad)
        }
    };
    match (signatures, guilty) {
        (false, _) => Err(EvidenceError::Signature),
        (true, false) => Err(EvidenceError::NoFault),
        (true, true) => Ok(*culprit),
    }
}

fn broadcast_is_bad(
    context: &EvidenceContext<'_>,
    committee: &Committee,
    round: u8,
    culprit: PartyIndex,
    body: &[u8],
) -> bool {
    let tag = context.tag(committee);
    match context {
        EvidenceContext::Keygen { .. } => {
            rules::broadcast_is_bad(&tag, committee, round, culprit, body)
        }
        EvidenceContext::Sign(sign) if sign.subject.suite() == Suite::EcdsaSecp256k1 => {
            sign::broadcast_is_bad(round, body)
        }
        EvidenceContext::Sign(sign) => {
            frost::broadcast_is_bad(&tag, committee, sign.quorum, round, body)
        }
    }
}

fn signature_share_is_bad(
    context: &EvidenceContext<'_>,
    committee: &Committee,
    culprit: PartyIndex,
    commitments: &[SignedBody],
    share: &SignedBody,
) -> bool {
    match context {
        EvidenceContext::Keygen { .. } => false,
        EvidenceContext::Sign(sign) => {
            frost::share_is_bad(sign, committee, culprit, commitments, share)
        }
    }
}

/// A sub-share of round 3, in its dealer's own envelope, that is not on the polynomial of its package.
fn sub_share_is_bad(
    charge: &Charge,
    committee: &Committee,
    package: &SignedBody,
    dealing: &Envelope,
) -> bool {
    let header = &dealing.header;
    let fits = header.tag == charge.tag
        && header.tag.kind == ProtocolKind::Keygen
        && header.round == 3
        && header.sender == charge.culprit
        && committee.parameters().contains(header.receiver);
    let Ok(package) = rules::round2(committee, charge.culprit, &package.body) else {
        return false;
    };
    let judged = rules::round3_direct(&package, header.receiver, &dealing.direct);
    fits && matches!(judged, Err(Unfit::Broken))
}

impl From<Charge> for Evidence {
    fn from(charge: Charge) -> Self {
        Self(Box::new(charge))
    }
}

impl Evidence {
    /// What it claims.
    #[must_use]
    pub fn charge(&self) -> &Charge {
        &self.0
    }

    /// One version byte, then postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        FORMAT.encode(self).to_vec()
    }

    /// Reads what [`Evidence::to_bytes`] wrote; it convicts nobody before [`verify_evidence`].
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Version`] or [`Error::Decode`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        FORMAT.decode(bytes)
    }
}
