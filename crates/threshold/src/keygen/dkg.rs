//! Pedersen's DKG with proofs of knowledge, for one suite, behind byte strings.
//!
//! FROST (ePrint 2020/852), figure 1, as `frost-core` has it, generic over `Ciphersuite`. The library's
//! proof has no session context; ours comes from the commitments of round 1 and the signed envelopes.
//! `verify_proof` repeats the library's check because evidence has to convict without a session.

use std::collections::BTreeMap;

use frost_core::keys::{SigningShare, VerifiableSecretSharingCommitment, dkg};
use frost_core::{Ciphersuite, Group, Identifier, Signature};
use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::messages::{PointBytes, SuitePackage};
use crate::committee::{Parameters, PartyIndex};
use crate::error::Error;
use crate::point::{
    Point, decode_element, decode_scalar, identifier, library, small_scalar, with_ciphersuite,
};
use crate::suite::Suite;

/// A dealer that has chosen its polynomial.
pub(crate) trait Dealer: Send {
    /// Commitments and proof of knowledge.
    fn package(&self) -> Result<SuitePackage, Error>;

    /// Round 2 of figure 1: sub-shares for the others, whose packages have been checked.
    fn deal(self: Box<Self>, packages: &BTreeMap<PartyIndex, SuitePackage>)
    -> Result<Dealt, Error>;
}

/// A dealer that has dealt, and what it deals.
pub(crate) struct Dealt {
    pub(crate) receiver: Box<dyn Receiver>,
    pub(crate) sub_shares: BTreeMap<PartyIndex, Zeroizing<[u8; 32]>>,
}

/// Waits for the others' sub-shares.
pub(crate) trait Receiver: Send {
    /// Round 2, steps 2 to 4: sums the sub-shares up.
    fn finish(
        self: Box<Self>,
        sub_shares: &BTreeMap<PartyIndex, Zeroizing<[u8; 32]>>,
    ) -> Result<SuiteShare, Error>;
}

/// What one suite's DKG gives a member.
pub(crate) struct SuiteShare {
    pub(crate) secret: Zeroizing<[u8; 32]>,
    pub(crate) group_key: Point,
    pub(crate) verification_shares: Vec<Point>,
}

/// Chooses a polynomial for `suite` and proves knowledge of its constant term.
pub(crate) fn dealer(
    suite: Suite,
    parameters: Parameters,
    me: PartyIndex,
    rng: &mut dyn CryptoRngCore,
) -> Result<Box<dyn Dealer>, Error> {
    with_ciphersuite!(suite, C => {
        let (n, t) = (u16::from(parameters.parties()), u16::from(parameters.threshold().get()));
        let (secret, package) = dkg::part1::<C, _>(identifier::<C>(me)?, n, t, rng).map_err(library)?;
        Ok(Box::new(FrostDealer { suite, parameters, secret, package }))
    })
}

/// Why a package of a dealer is not acceptable.
///
/// Every reason is decided by the package, its dealer's index and `t` alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadPackage;

/// Checks length and points of the commitment vector, and the proof of knowledge.
pub(crate) fn check_package(
    suite: Suite,
    parameters: Parameters,
    dealer: PartyIndex,
    package: &SuitePackage,
) -> Result<(), BadPackage> {
    // Another length is a polynomial of another degree: with it, t members could not sign, or fewer could.
    if package.commitment.len() != usize::from(parameters.threshold().get()) {
        return Err(BadPackage);
    }
    with_ciphersuite!(suite, C => {
        let points_hold = package.commitment.iter().all(|point| decode_element::<C>(&point.0).is_some());
        let proven = points_hold && verify_proof::<C>(dealer, package).unwrap_or(false);
        if proven { Ok(()) } else { Err(BadPackage) }
    })
}

/// Whether `R = mu G - c phi_0` with `c = H(i, phi_0, R)` (figure 1, round 1, step 5).
fn verify_proof<C: Ciphersuite>(dealer: PartyIndex, package: &SuitePackage) -> Option<bool> {
    let constant = &package.commitment.first()?.0;
    let (nonce, response) = package.proof.split_at_checked(constant.len())?;
    let identifier = identifier::<C>(dealer).ok()?.serialize();
    let challenge = C::HDKG(&[&identifier, constant.as_slice(), nonce].concat())?;
    let response = decode_scalar::<C>(response.try_into().ok()?)?;
    let (nonce, constant) = (decode_element::<C>(nonce)?, decode_element::<C>(constant)?);
    Some(nonce == <C::Group as Group>::generator() * response - constant * challenge)
}

/// Whether `sub_share` is on the polynomial committed to: `s G = sum C_k i^k`.
pub(crate) fn check_sub_share(
    suite: Suite,
    package: &SuitePackage,
    receiver: PartyIndex,
    sub_share: &[u8; 32],
) -> bool {
    with_ciphersuite!(suite, C => on_polynomial::<C>(package, receiver, sub_share).unwrap_or(false))
}

fn on_polynomial<C: Ciphersuite>(
    package: &SuitePackage,
    receiver: PartyIndex,
    sub_share: &[u8; 32],
) -> Option<bool> {
    let x = small_scalar::<C>(receiver.get());
    let identity = <C::Group as Group>::identity();
    let expected = package
        .commitment
        .iter()
        .rev()
        .try_fold(identity, |sum, point| {
            Some(sum * x + decode_element::<C>(&point.0)?)
        })?;
    Some(<C::Group as Group>::generator() * decode_scalar::<C>(sub_share)? == expected)
}

struct FrostDealer<C: Ciphersuite> {
    suite: Suite,
    parameters: Parameters,
    secret: dkg::round1::SecretPackage<C>,
    package: dkg::round1::Package<C>,
}

struct FrostReceiver<C: Ciphersuite> {
    suite: Suite,
    parameters: Parameters,
    secret: dkg::round2::SecretPackage<C>,
    packages: BTreeMap<Identifier<C>, dkg::round1::Package<C>>,
}

impl<C> Dealer for FrostDealer<C>
where
    C: Ciphersuite,
    Self: Send,
    FrostReceiver<C>: Receiver,
{
    fn package(&self) -> Result<SuitePackage, Error> {
        let commitment = self.package.commitment().serialize().map_err(library)?;
        let proof = self
            .package
            .proof_of_knowledge()
            .serialize()
            .map_err(library)?;
        Ok(SuitePackage {
            commitment: commitment.into_iter().map(PointBytes).collect(),
            proof,
        })
    }

    fn deal(
        self: Box<Self>,
        packages: &BTreeMap<PartyIndex, SuitePackage>,
    ) -> Result<Dealt, Error> {
        let packages = packages
            .iter()
            .map(|(&index, package)| Ok((identifier::<C>(index)?, parse::<C>(package)?)))
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let Self {
            suite,
            parameters,
            secret,
            ..
        } = *self;
        let (secret, mut dealt) = dkg::part2(secret, &packages).map_err(library)?;
        let sub_shares = parameters
            .indices()
            .filter_map(|index| {
                let package = dealt.remove(&identifier::<C>(index).ok()?)?;
                let bytes = Zeroizing::new(package.signing_share().serialize());
                Some((
                    index,
                    Zeroizing::new(<[u8; 32]>::try_from(bytes.as_slice()).ok()?),
                ))
            })
            .collect();
        Ok(Dealt {
            receiver: Box::new(FrostReceiver {
                suite,
                parameters,
                secret,
                packages,
            }),
            sub_shares,
        })
    }
}

impl<C: Ciphersuite> Receiver for FrostReceiver<C>
where
    Self: Send,
{
    fn finish(
        self: Box<Self>,
        sub_shares: &BTreeMap<PartyIndex, Zeroizing<[u8; 32]>>,
    ) -> Result<SuiteShare, Error> {
        let dealt = sub_shares
            .iter()
            .map(|(&index, share)| {
                let share = SigningShare::deserialize(share.as_slice()).map_err(library)?;
                Ok((identifier::<C>(index)?, dkg::round2::Package::new(share)))
            })
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let (key, public) = dkg::part3(&self.secret, &self.packages, &dealt).map_err(library)?;
        let suite = self.suite;
        let secret = Zeroizing::new(key.signing_share().serialize());
        let verification_shares = self
            .parameters
            .indices()
            .map(|index| {
                let share = public.verifying_shares().get(&identifier::<C>(index)?);
                let share = share.ok_or(Error::Point { suite })?;
                Point::decode(suite, &share.serialize().map_err(library)?)
            })
            .collect::<Result<Vec<_>, Error>>()?;
        Ok(SuiteShare {
            secret: Zeroizing::new(
                secret
                    .as_slice()
                    .try_into()
                    .map_err(|_| Error::Scalar { suite })?,
            ),
            group_key: Point::decode(suite, &public.verifying_key().serialize().map_err(library)?)?,
            verification_shares,
        })
    }
}

fn parse<C: Ciphersuite>(package: &SuitePackage) -> Result<dkg::round1::Package<C>, Error> {
    let points = package.commitment.iter().map(|point| &point.0);
    let commitment = VerifiableSecretSharingCommitment::deserialize(points).map_err(library)?;
    let proof = Signature::deserialize(&package.proof).map_err(library)?;
    Ok(dkg::round1::Package::new(commitment, proof))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use std::collections::BTreeMap;

    use rand_chacha::ChaCha20Rng;
    use rand_core::SeedableRng;

    use super::{BadPackage, Dealer, check_package, check_sub_share, dealer};
    use crate::{Parameters, PartyIndex, Suite};

    fn index(i: u8) -> PartyIndex {
        PartyIndex::new(i).unwrap()
    }

    fn dealers(suite: Suite) -> (Parameters, BTreeMap<PartyIndex, Box<dyn Dealer>>) {
        let parameters = Parameters::new(2, 3).unwrap();
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let deal = |i| (i, dealer(suite, parameters, i, &mut rng).unwrap());
        (parameters, parameters.indices().map(deal).collect())
    }

    /// Our check of a package and the library's agree, and a proof copied from another dealer fails both.
    #[test]
    fn checks_agree_with_the_library() {
        for suite in Suite::ALL {
            let (parameters, mut dealers) = dealers(suite);
            let honest: BTreeMap<_, _> = dealers
                .iter()
                .map(|(&i, dealer)| (i, dealer.package().unwrap()))
                .collect();
            for (&i, package) in &honest {
                assert_eq!(check_package(suite, parameters, i, package), Ok(()));
            }
            let copied = &honest[&index(1)];
            assert_eq!(
                check_package(suite, parameters, index(2), copied),
                Err(BadPackage)
            );
            let with_copy =
                BTreeMap::from([(index(1), copied.clone()), (index(2), copied.clone())]);
            let refused = dealers.remove(&index(3)).unwrap().deal(&with_copy);
            assert!(refused.is_err(), "the library refuses the copy too");
        }
    }

    /// A sub-share is good for the one receiver it was dealt to, under the one package.
    #[test]
    fn sub_shares_fit_receiver_and_package_only() {
        for suite in Suite::ALL {
            let (_, mut dealers) = dealers(suite);
            let packages: BTreeMap<_, _> = dealers
                .iter()
                .map(|(&i, dealer)| (i, dealer.package().unwrap()))
                .collect();
            let others = BTreeMap::from([2, 3].map(|i| (index(i), packages[&index(i)].clone())));
            let dealt = dealers.remove(&index(1)).unwrap().deal(&others).unwrap();
            let share = &dealt.sub_shares[&index(2)];
            assert!(check_sub_share(
                suite,
                &packages[&index(1)],
                index(2),
                share
            ));
            assert!(!check_sub_share(
                suite,
                &packages[&index(1)],
                index(3),
                share
            ));
            assert!(!check_sub_share(
                suite,
                &packages[&index(2)],
                index(2),
                share
            ));
        }
    }
}
