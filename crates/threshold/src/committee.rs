//! Who holds shares: indices, parameters, and the ordered identities behind them.

use ed25519_dalek::VerifyingKey;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::transcript::Transcript;

/// The most signers a committee can have.
pub const MAX_PARTIES: u8 = 16;

/// A signer's x-coordinate in one committee: 1 to 16, checked wherever one is decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct PartyIndex(u8);

impl PartyIndex {
    /// Checks that `index` is between 1 and [`MAX_PARTIES`].
    ///
    /// # Errors
    /// [`Error::IndexOutOfRange`].
    pub const fn new(index: u8) -> Result<Self, Error> {
        if index == 0 || index > MAX_PARTIES {
            return Err(Error::IndexOutOfRange { index });
        }
        Ok(Self(index))
    }

    /// The 1-based index.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }

    /// The 0-based position in lists ordered by index.
    #[must_use]
    pub const fn position(self) -> usize {
        self.0 as usize - 1
    }
}

impl TryFrom<u8> for PartyIndex {
    type Error = Error;
    fn try_from(index: u8) -> Result<Self, Error> {
        Self::new(index)
    }
}

impl From<PartyIndex> for u8 {
    fn from(index: PartyIndex) -> Self {
        index.0
    }
}

impl std::fmt::Display for PartyIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// The minimum number of signers, `t` (one more than the polynomial's degree).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Threshold(u8);

impl Threshold {
    /// `t`.
    #[must_use]
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl std::fmt::Display for Threshold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// `t` of `n`, with `2 <= t <= n <= 16` and `2t > n` (any two quorums meet).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "(u8, u8)", into = "(u8, u8)")]
pub struct Parameters {
    threshold: u8,
    parties: u8,
}

impl Parameters {
    /// Checks the bounds above.
    ///
    /// # Errors
    /// [`Error::Parameters`].
    pub const fn new(threshold: u8, parties: u8) -> Result<Self, Error> {
        let majority = 2 * threshold as u16 > parties as u16;
        if threshold < 2 || threshold > parties || parties > MAX_PARTIES || !majority {
            return Err(Error::Parameters { threshold, parties });
        }
        Ok(Self { threshold, parties })
    }

    /// The minimum number of signers, `t`.
    #[must_use]
    pub const fn threshold(self) -> Threshold {
        Threshold(self.threshold)
    }

    /// The number of signers, `n`.
    #[must_use]
    pub const fn parties(self) -> u8 {
        self.parties
    }

    /// Every index, in order.
    pub fn indices(self) -> impl DoubleEndedIterator<Item = PartyIndex> + Clone {
        (1..=self.parties).map(PartyIndex)
    }

    /// Whether `index` is one of the committee's.
    #[must_use]
    pub const fn contains(self, index: PartyIndex) -> bool {
        index.0 <= self.parties
    }
}

impl TryFrom<(u8, u8)> for Parameters {
    type Error = Error;
    fn try_from((threshold, parties): (u8, u8)) -> Result<Self, Error> {
        Self::new(threshold, parties)
    }
}

impl From<Parameters> for (u8, u8) {
    fn from(p: Parameters) -> Self {
        (p.threshold, p.parties)
    }
}

/// Parameters and the identity keys of the signers; index `i` is position `i - 1`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "CommitteeWire", into = "CommitteeWire")]
pub struct Committee {
    parameters: Parameters,
    identities: Vec<VerifyingKey>,
}

impl Committee {
    /// Builds a committee of the given identities, in order of index.
    ///
    /// # Errors
    /// [`Error::CommitteeSize`], [`Error::DuplicateIdentity`] or [`Error::WeakIdentity`].
    pub fn new(parameters: Parameters, identities: Vec<VerifyingKey>) -> Result<Self, Error> {
        if identities.len() != usize::from(parameters.parties()) {
            return Err(Error::CommitteeSize {
                expected: parameters.parties(),
                got: identities.len(),
            });
        }
        for (index, key) in parameters.indices().zip(&identities) {
            if key.is_weak() {
                return Err(Error::WeakIdentity { index });
            }
            if identities.iter().take(index.position()).any(|k| k == key) {
                return Err(Error::DuplicateIdentity { index });
            }
        }
        Ok(Self {
            parameters,
            identities,
        })
    }

    /// `t` and `n`.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// The identity of `index`, if the committee has that index.
    #[must_use]
    pub fn identity(&self, index: PartyIndex) -> Option<&VerifyingKey> {
        self.identities.get(index.position())
    }

    /// All identities, in order of index.
    #[must_use]
    pub fn identities(&self) -> &[VerifyingKey] {
        &self.identities
    }

    /// The index of an identity.
    #[must_use]
    pub fn index_of(&self, identity: &VerifyingKey) -> Option<PartyIndex> {
        self.parameters
            .indices()
            .zip(&self.identities)
            .find_map(|(index, key)| (key == identity).then_some(index))
    }

    /// Every index, in order.
    pub fn indices(&self) -> impl DoubleEndedIterator<Item = PartyIndex> + Clone + use<> {
        self.parameters.indices()
    }

    /// Hash of the parameters and the ordered (index, identity) pairs.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        let mut transcript = Transcript::new("quorate/threshold/committee/v1");
        self.append_to(&mut transcript);
        transcript.finish()
    }

    pub(crate) fn append_to(&self, transcript: &mut Transcript) {
        transcript.append_u64(u64::from(self.parameters.threshold));
        transcript.append_u64(u64::from(self.parameters.parties));
        for (index, key) in self.indices().zip(&self.identities) {
            transcript.append_u64(u64::from(index.get()));
            transcript.append(key.as_bytes());
        }
    }
}

#[derive(Serialize, Deserialize)]
struct CommitteeWire {
    parameters: Parameters,
    identities: Vec<[u8; 32]>,
}

impl TryFrom<CommitteeWire> for Committee {
    type Error = Error;
    fn try_from(wire: CommitteeWire) -> Result<Self, Error> {
        let identities = wire
            .parameters
            .indices()
            .zip(&wire.identities)
            .map(|(index, bytes)| {
                VerifyingKey::from_bytes(bytes).map_err(|_| Error::WeakIdentity { index })
            })
            .collect::<Result<Vec<_>, _>>()?;
        if wire.identities.len() != identities.len() {
            return Err(Error::CommitteeSize {
                expected: wire.parameters.parties(),
                got: wire.identities.len(),
            });
        }
        Self::new(wire.parameters, identities)
    }
}

impl From<Committee> for CommitteeWire {
    fn from(committee: Committee) -> Self {
        Self {
            parameters: committee.parameters,
            identities: committee
                .identities
                .iter()
                .map(VerifyingKey::to_bytes)
                .collect(),
        }
    }
}
