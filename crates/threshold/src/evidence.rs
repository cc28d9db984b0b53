//! Proof of a member's fault, for anyone who has the roster.

use serde::{Deserialize, Serialize};

use crate::committee::{Committee, PartyIndex};
use crate::envelope::{Envelope, SessionTag, SignedBody, SignedHash};

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
}

/// Proof that `culprit` committed `offence` in the session `tag`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The session.
    pub tag: SessionTag,
    /// Who did it.
    pub culprit: PartyIndex,
    /// What.
    pub offence: Offence,
}

/// What the verifier knows about the session by itself.
pub type EvidenceContext = SessionTag;

/// Why evidence does not convict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// It is about another session than the one asked about.
    #[error("the evidence is about another session; do not act on it")]
    OtherSession,
    /// The culprit is not in the committee.
    #[error("the accused is not in the committee; do not act on it")]
    NotAMember,
    /// A signature in it does not verify.
    #[error("a signature in the evidence does not verify; do not act on it")]
    Signature,
    /// What it shows breaks no rule.
    #[error("what the evidence shows is no fault; do not act on it, and distrust who sent it")]
    NoFault,
}

/// Convicts from evidence and roster alone.
///
/// # Errors
/// [`EvidenceError`] if it does not convict.
pub fn verify_evidence(
    evidence: &Evidence,
    committee: &Committee,
    context: &EvidenceContext,
) -> Result<PartyIndex, EvidenceError> {
    if evidence.tag != *context {
        return Err(EvidenceError::OtherSession);
    }
    let identity = committee
        .identity(evidence.culprit)
        .ok_or(EvidenceError::NotAMember)?;
    match &evidence.offence {
        Offence::Equivocation {
            round,
            first,
            second,
        } => {
            let signed = |hash: &SignedHash| {
                hash.verifies(&evidence.tag, *round, evidence.culprit, identity)
            };
            if !signed(first) || !signed(second) {
                return Err(EvidenceError::Signature);
            }
            if first.hash == second.hash {
                return Err(EvidenceError::NoFault);
            }
            Ok(evidence.culprit)
        }
        _ => Err(EvidenceError::NoFault),
    }
}
