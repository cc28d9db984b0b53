//! What is public about an epoch's keys.

use serde::{Deserialize, Serialize};

use crate::codec::Format;
use crate::committee::{Committee, Parameters, PartyIndex};
use crate::error::{Error, ShareFault};
use crate::point::{Point, on_one_polynomial};
use crate::share::KeyShare;
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Largest encoding of [`PublicKeys`]: three suites of 16 points each, with room to spare.
pub const MAX_PUBLIC_KEYS_BYTES: usize = 4096;

const FORMAT: Format = Format {
    what: "public keys",
    version: 1,
    limit: MAX_PUBLIC_KEYS_BYTES,
};

/// The public side of one suite's root key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SuiteKeys {
    /// The root public key.
    pub group_key: Point,
    /// `X_j` of every index, in order.
    pub verification_shares: Vec<Point>,
    /// Commitment to the chain code ([`KeyShare::chain_code_commitment`]); the code itself is for members.
    pub chain_code_commitment: [u8; 32],
}

/// The public side of an epoch: every suite's key, bound to the committee and the keygen transcript.
///
/// Checked when built or decoded: the points of each suite lie on one polynomial through its key.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "PublicKeysWire", into = "PublicKeysWire")]
pub struct PublicKeys {
    epoch: u64,
    parameters: Parameters,
    committee: [u8; 32],
    transcript: [u8; 32],
    suites: [SuiteKeys; 3],
}

impl PublicKeys {
    /// Collects what is public in the three shares of one epoch.
    ///
    /// `transcript` is the hash of all broadcasts of the ceremony that made them.
    ///
    /// # Errors
    /// [`Error::Secrets`] if the shares are not those of one holder, epoch and committee, in the
    /// order of [`Suite::ALL`].
    pub fn from_shares(
        shares: &[KeyShare; 3],
        committee: &Committee,
        transcript: [u8; 32],
    ) -> Result<Self, Error> {
        check_one_epoch(shares)?;
        let [first, ..] = shares;
        if first.parameters() != committee.parameters() {
            return Err(Error::Secrets { what: "committee" });
        }
        Ok(Self {
            epoch: first.epoch(),
            parameters: first.parameters(),
            committee: committee.hash(),
            transcript,
            suites: shares.each_ref().map(|share| SuiteKeys {
                group_key: *share.group_key(),
                verification_shares: share.verification_shares().to_vec(),
                chain_code_commitment: share.chain_code_commitment(),
            }),
        })
    }

    /// The sharing generation.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// `t` and `n`.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// [`Committee::hash`] of the holders.
    #[must_use]
    pub const fn committee_hash(&self) -> &[u8; 32] {
        &self.committee
    }

    /// Hash of all broadcasts of the ceremony.
    #[must_use]
    pub const fn transcript_hash(&self) -> &[u8; 32] {
        &self.transcript
    }

    /// One suite's keys.
    #[must_use]
    pub const fn suite(&self, suite: Suite) -> &SuiteKeys {
        let [ecdsa, schnorr, eddsa] = &self.suites;
        match suite {
            Suite::EcdsaSecp256k1 => ecdsa,
            Suite::SchnorrSecp256k1 => schnorr,
            Suite::EddsaEd25519 => eddsa,
        }
    }

    /// One suite's root public key.
    #[must_use]
    pub const fn group_key(&self, suite: Suite) -> &Point {
        &self.suite(suite).group_key
    }

    /// `X_j` of one index.
    #[must_use]
    pub fn verification_share(&self, suite: Suite, index: PartyIndex) -> Option<&Point> {
        self.suite(suite).verification_shares.get(index.position())
    }

    /// Whether this is the public side of `share`.
    #[must_use]
    pub fn matches(&self, share: &KeyShare) -> bool {
        let keys = self.suite(share.suite());
        self.epoch == share.epoch()
            && self.parameters == share.parameters()
            && keys.group_key == *share.group_key()
            && keys.verification_shares == share.verification_shares()
            && keys.chain_code_commitment == share.chain_code_commitment()
    }

    /// The canonical hash of everything here.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut transcript = Transcript::new("quorate/threshold/public-keys/v1");
        transcript.append_u64(self.epoch);
        transcript.append_u64(u64::from(self.parameters.threshold().get()));
        transcript.append_u64(u64::from(self.parameters.parties()));
        transcript.append(&self.committee);
        transcript.append(&self.transcript);
        for (suite, keys) in Suite::ALL.iter().zip(&self.suites) {
            transcript.append(suite.name().as_bytes());
            transcript.append(keys.group_key.as_bytes());
            for share in &keys.verification_shares {
                transcript.append(share.as_bytes());
            }
            transcript.append(&keys.chain_code_commitment);
        }
        transcript.finish()
    }

    /// One version byte, then postcard.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        FORMAT.encode(self).to_vec()
    }

    /// Reads what [`PublicKeys::to_bytes`] wrote.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Version`] or [`Error::Decode`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        FORMAT.decode(bytes)
    }
}

/// Checks that three shares are one holder's of one epoch, in the order of [`Suite::ALL`].
pub(crate) fn check_one_epoch(shares: &[KeyShare; 3]) -> Result<(), Error> {
    let [first, ..] = shares;
    for (suite, share) in Suite::ALL.into_iter().zip(shares) {
        let what = if share.suite() != suite {
            "suite order"
        } else if share.epoch() != first.epoch() {
            "epoch"
        } else if share.index() != first.index() {
            "index"
        } else if share.parameters() != first.parameters() {
            "parameters"
        } else {
            continue;
        };
        return Err(Error::Secrets { what });
    }
    Ok(())
}

#[derive(Serialize, Deserialize)]
struct PublicKeysWire {
    epoch: u64,
    parameters: Parameters,
    committee: [u8; 32],
    transcript: [u8; 32],
    suites: [SuiteKeys; 3],
}

impl TryFrom<PublicKeysWire> for PublicKeys {
    type Error = Error;
    fn try_from(wire: PublicKeysWire) -> Result<Self, Error> {
        for (suite, keys) in Suite::ALL.into_iter().zip(&wire.suites) {
            let fault = |what| Err(Error::Share { suite, what });
            if keys.verification_shares.len() != usize::from(wire.parameters.parties()) {
                return fault(ShareFault::Count);
            }
            if keys
                .verification_shares
                .iter()
                .chain([&keys.group_key])
                .any(|p| p.suite() != suite)
            {
                return fault(ShareFault::Suite);
            }
            if !on_one_polynomial(wire.parameters, &keys.group_key, &keys.verification_shares) {
                return fault(ShareFault::Polynomial);
            }
        }
        let PublicKeysWire {
            epoch,
            parameters,
            committee,
            transcript,
            suites,
        } = wire;
        Ok(Self {
            epoch,
            parameters,
            committee,
            transcript,
            suites,
        })
    }
}

impl From<PublicKeys> for PublicKeysWire {
    fn from(keys: PublicKeys) -> Self {
        let PublicKeys {
            epoch,
            parameters,
            committee,
            transcript,
            suites,
        } = keys;
        Self {
            epoch,
            parameters,
            committee,
            transcript,
            suites,
        }
    }
}
