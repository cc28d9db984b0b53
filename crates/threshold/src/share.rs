//! One member's share of one root key.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::committee::{Parameters, PartyIndex};
use crate::error::{Error, ShareFault};
use crate::point::{Point, on_one_polynomial};
use crate::suite::Suite;
use crate::transcript::Transcript;

/// A member's share of one suite's root key: a point on a polynomial of degree `t - 1`, and what is
/// public about the others' points.
///
/// The same shape for every suite; this is what is backed up, reshared and exported. Every value has
/// been checked: points are on the curve, the secret matches its verification share, and the
/// verification shares interpolate to the group key.
pub struct KeyShare {
    suite: Suite,
    epoch: u64,
    index: PartyIndex,
    parameters: Parameters,
    group_key: Point,
    verification_shares: Vec<Point>,
    chain_code: Zeroizing<[u8; 32]>,
    secret: Zeroizing<[u8; 32]>,
}

/// The parts of a [`KeyShare`], unchecked.
///
/// Scalars are 32 bytes in the suite's own order: big-endian for secp256k1, little-endian for Ed25519.
#[derive(Serialize, Deserialize, Zeroize, ZeroizeOnDrop)]
pub struct RawKeyShare {
    /// Whose key.
    #[zeroize(skip)]
    pub suite: Suite,
    /// The sharing generation.
    pub epoch: u64,
    /// The holder's x-coordinate.
    #[zeroize(skip)]
    pub index: PartyIndex,
    /// `t` and `n`.
    #[zeroize(skip)]
    pub parameters: Parameters,
    /// The root public key.
    #[zeroize(skip)]
    pub group_key: Point,
    /// `X_j = x_j * G` for every index, in order.
    #[zeroize(skip)]
    pub verification_shares: Vec<Point>,
    /// The BIP-32 chain code (for Ed25519, that of the additive scheme). Known to members only.
    pub chain_code: [u8; 32],
    /// The secret scalar `x_i`.
    pub secret: [u8; 32],
}

impl std::fmt::Debug for RawKeyShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RawKeyShare")
            .field("suite", &self.suite)
            .finish_non_exhaustive()
    }
}

impl KeyShare {
    /// Builds a share from parts that came from somewhere else than a keygen of this process, after
    /// checking every relation between them.
    ///
    /// The name is long on purpose: who calls it holds a secret scalar in the clear.
    ///
    /// # Errors
    /// [`Error::Share`] with the relation that fails, or [`Error::Scalar`].
    pub fn from_raw_parts_holding_a_secret(raw: &RawKeyShare) -> Result<Self, Error> {
        let suite = raw.suite;
        let fault = |what| Err(Error::Share { suite, what });
        if !raw.parameters.contains(raw.index) {
            return fault(ShareFault::Index);
        }
        if raw.verification_shares.len() != usize::from(raw.parameters.parties()) {
            return fault(ShareFault::Count);
        }
        if raw
            .verification_shares
            .iter()
            .chain([&raw.group_key])
            .any(|p| p.suite() != suite)
        {
            return fault(ShareFault::Suite);
        }
        let own = Point::of_secret(suite, &raw.secret)?;
        if raw.verification_shares.get(raw.index.position()) != Some(&own) {
            return fault(ShareFault::Secret);
        }
        if !on_one_polynomial(raw.parameters, &raw.group_key, &raw.verification_shares) {
            return fault(ShareFault::Polynomial);
        }
        Ok(Self {
            suite,
            epoch: raw.epoch,
            index: raw.index,
            parameters: raw.parameters,
            group_key: raw.group_key,
            verification_shares: raw.verification_shares.clone(),
            chain_code: Zeroizing::new(raw.chain_code),
            secret: Zeroizing::new(raw.secret),
        })
    }

    /// The parts, the secret among them: for sealing, backup and export only.
    #[must_use]
    pub fn to_raw_parts_exposing_the_secret(&self) -> RawKeyShare {
        RawKeyShare {
            suite: self.suite,
            epoch: self.epoch,
            index: self.index,
            parameters: self.parameters,
            group_key: self.group_key,
            verification_shares: self.verification_shares.clone(),
            chain_code: *self.chain_code,
            secret: *self.secret,
        }
    }

    /// Whose key.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    /// The sharing generation.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The holder's x-coordinate.
    #[must_use]
    pub const fn index(&self) -> PartyIndex {
        self.index
    }

    /// `t` and `n`.
    #[must_use]
    pub const fn parameters(&self) -> Parameters {
        self.parameters
    }

    /// The root public key.
    #[must_use]
    pub const fn group_key(&self) -> &Point {
        &self.group_key
    }

    /// `X_j` of one index.
    #[must_use]
    pub fn verification_share(&self, index: PartyIndex) -> Option<&Point> {
        self.verification_shares.get(index.position())
    }

    /// `X_j` of every index, in order.
    #[must_use]
    pub fn verification_shares(&self) -> &[Point] {
        &self.verification_shares
    }

    /// The chain code. With it and one child's private key the root is revealed: members only.
    #[must_use]
    pub fn chain_code(&self) -> &[u8; 32] {
        &self.chain_code
    }

    /// A public commitment to the chain code (it has 256 bits of entropy, so a hash hides it).
    #[must_use]
    pub fn chain_code_commitment(&self) -> [u8; 32] {
        let mut transcript = Transcript::new("quorate/threshold/chain-code/v1");
        transcript.append(self.suite.name().as_bytes());
        transcript.append(self.group_key.as_bytes());
        transcript.append(self.chain_code.as_slice());
        transcript.finish()
    }

    /// The secret scalar, in the suite's own byte order.
    #[must_use]
    pub fn expose_secret_scalar(&self) -> &[u8; 32] {
        &self.secret
    }

    /// Whether two shares hold the same secret, in constant time.
    #[must_use]
    pub fn same_secret(&self, other: &Self) -> bool {
        self.suite == other.suite && bool::from(self.secret.ct_eq(other.secret.as_slice()))
    }
}

impl std::fmt::Debug for KeyShare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeyShare")
            .field("suite", &self.suite)
            .field("epoch", &self.epoch)
            .field("index", &self.index)
            .field("group_key", &self.group_key)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use frost_core::{Ciphersuite, Group};

    use super::KeyShare;
    use crate::point::{decode_scalar, encode_element, lagrange, with_ciphersuite};
    use crate::{EpochSecrets, Suite};

    fn fixture() -> Vec<EpochSecrets> {
        let bytes: [&[u8]; 3] = [
            include_bytes!("../tests/fixtures/2of3/secrets-1.bin"),
            include_bytes!("../tests/fixtures/2of3/secrets-2.bin"),
            include_bytes!("../tests/fixtures/2of3/secrets-3.bin"),
        ];
        bytes
            .iter()
            .map(|bytes| EpochSecrets::from_bytes(bytes).unwrap())
            .collect()
    }

    /// The public key of what these shares interpolate to: the one place where a key comes together, and it
    /// is a test key.
    fn interpolated_key<C: Ciphersuite>(shares: &[&KeyShare]) -> Vec<u8> {
        let set: Vec<_> = shares.iter().map(|share| share.index()).collect();
        let identity = <C::Group as Group>::identity();
        let sum = shares.iter().fold(identity, |sum, share| {
            let secret = decode_scalar::<C>(share.expose_secret_scalar()).unwrap();
            let coefficient = lagrange::<C>(&set, share.index(), 0).unwrap();
            sum + <C::Group as Group>::generator() * (secret * coefficient)
        });
        encode_element::<C>(&sum).unwrap()
    }

    /// Any `t` shares are the key; `t - 1` are not, nor are `t` of which one is another suite's.
    #[test]
    fn t_shares_make_the_key_and_fewer_do_not() {
        let secrets = fixture();
        for suite in Suite::ALL {
            let shares: Vec<&KeyShare> =
                secrets.iter().map(|secrets| secrets.share(suite)).collect();
            let key = shares[0].group_key().as_bytes();
            let make =
                |shares: &[&KeyShare]| with_ciphersuite!(suite, C => interpolated_key::<C>(shares));
            for set in [[0, 1], [0, 2], [1, 2]] {
                assert_eq!(make(&set.map(|i| shares[i])), key);
            }
            assert_eq!(make(&shares), key);
            for share in &shares {
                assert_ne!(make(&[share]), key);
            }
        }
        let mixed = [
            secrets[0].share(Suite::EcdsaSecp256k1),
            secrets[1].share(Suite::SchnorrSecp256k1),
        ];
        let made = interpolated_key::<frost_secp256k1::Secp256K1Sha256>(&mixed);
        assert_ne!(made, mixed[0].group_key().as_bytes());
        assert_ne!(made, mixed[1].group_key().as_bytes());
    }
}
