//! What the rounds of key generation say.
//!
//! Encodings are postcard behind a version byte; points and scalars are byte strings in the suite's own
//! canonical encoding, checked where they are used, so that a bad one can be named.

use serde::{Deserialize, Serialize};
use zeroize::{Zeroize, Zeroizing};

use crate::codec::Format;
use crate::committee::PartyIndex;
use crate::envelope::{SessionTag, SignedHash};
use crate::error::Error;
use crate::transcript::Transcript;

/// Largest message body; the OT setup's is the largest.
const LIMIT: usize = 224 * 1024;

/// Round 1, broadcast: commitments to what rounds 2 and 3 open.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round1Broadcast {
    /// [`opening_hash`] of the [`Round2Broadcast`].
    pub package: [u8; 32],
    /// [`opening_hash`] of the [`Round3Broadcast`].
    pub chain_codes: [u8; 32],
}

/// Round 2, broadcast: the Feldman commitments with proofs of knowledge, and fresh bytes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round2Broadcast {
    /// This member's part in the OT setup's session id.
    pub fresh: [u8; 32],
    /// One package a suite, in the order of [`crate::Suite::ALL`].
    pub suites: [SuitePackage; 3],
}

/// Commitments to the coefficients of a dealer's polynomial, and its proof that it knows the first.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuitePackage {
    /// `t` points: `a_0 G .. a_(t-1) G`.
    pub commitment: Vec<PointBytes>,
    /// `R` and `mu`, concatenated (FROST, figure 1, round 1, step 2).
    #[serde(with = "serde_bytes")]
    pub proof: Vec<u8>,
}

/// An encoded point that nobody has checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PointBytes(#[serde(with = "serde_bytes")] pub Vec<u8>);

/// Round 3, broadcast: contributions to the chain codes. Members keep them to themselves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round3Broadcast {
    /// One contribution a suite.
    pub chain_codes: [[u8; 32]; 3],
}

impl std::fmt::Debug for Round3Broadcast {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Round3Broadcast(..)")
    }
}

impl Drop for Round3Broadcast {
    fn drop(&mut self) {
        self.chain_codes.zeroize();
    }
}

/// Round 3, to one receiver: `f_i(j)` of each suite. The channel must be confidential.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round3Direct {
    /// One sub-share a suite.
    pub sub_shares: [[u8; 32]; 3],
}

impl std::fmt::Debug for Round3Direct {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Round3Direct(..)")
    }
}

impl Drop for Round3Direct {
    fn drop(&mut self) {
        self.sub_shares.zeroize();
    }
}

/// Round 4, broadcast: what this member heard in rounds 1 to 3.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round4Broadcast {
    /// Round by round, member by member.
    pub heard: Vec<SignedHash>,
}

/// Round 5, broadcast: commitments of the OT setup (DKLs23's phase 2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round5Broadcast {
    /// Commitment to the proof of knowledge of the share.
    pub proof: [u8; 32],
    /// Commitment to the library's own chain code, which is not used.
    pub chain_code: [u8; 32],
}

/// Round 5, to one receiver.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round5Direct {
    /// Commitment to a seed of the zero sharing.
    pub zero_seed: [u8; 32],
}

/// Round 7, broadcast: *done*.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Round7Broadcast {
    /// [`crate::PublicKeys::hash`] of what this member arrived at.
    pub public: [u8; 32],
    /// What this member heard in rounds 4 to 6.
    pub heard: Vec<SignedHash>,
}

/// A message body with a name.
pub trait Body: Serialize + serde::de::DeserializeOwned {
    /// What it is called in errors.
    const WHAT: &'static str;

    /// One version byte, then postcard.
    fn to_body(&self) -> Vec<u8> {
        format::<Self>().encode(self).to_vec()
    }

    /// [`Body::to_body`] for what is secret.
    fn to_secret_body(&self) -> Zeroizing<Vec<u8>> {
        format::<Self>().encode(self)
    }

    /// Reads a body, refusing every encoding but the one of [`Body::to_body`].
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Version`] or [`Error::Decode`].
    fn from_body(bytes: &[u8]) -> Result<Self, Error> {
        format::<Self>().decode(bytes)
    }
}

const fn format<T: Body>() -> Format {
    Format {
        what: T::WHAT,
        version: 1,
        limit: LIMIT,
    }
}

impl Body for Round1Broadcast {
    const WHAT: &'static str = "keygen round 1 broadcast";
}
impl Body for Round2Broadcast {
    const WHAT: &'static str = "keygen round 2 broadcast";
}
impl Body for Round3Broadcast {
    const WHAT: &'static str = "keygen round 3 broadcast";
}
impl Body for Round3Direct {
    const WHAT: &'static str = "keygen round 3 message";
}
impl Body for Round4Broadcast {
    const WHAT: &'static str = "keygen round 4 broadcast";
}
impl Body for Round5Broadcast {
    const WHAT: &'static str = "keygen round 5 broadcast";
}
impl Body for Round5Direct {
    const WHAT: &'static str = "keygen round 5 message";
}
impl Body for Round7Broadcast {
    const WHAT: &'static str = "keygen round 7 broadcast";
}

/// The commitment of `sender` to a body it will open in `round`.
///
/// It binds session, round and sender, so that a commitment copied from another member cannot be opened.
/// Every body it is used for holds 32 fresh random bytes, which hide the rest.
#[must_use]
pub fn opening_hash(tag: &SessionTag, round: u8, sender: PartyIndex, body: &[u8]) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/threshold/keygen-opening/v1");
    transcript.append(&tag.session);
    transcript.append_u64(u64::from(round));
    transcript.append_u64(u64::from(sender.get()));
    transcript.append(body);
    transcript.finish()
}
