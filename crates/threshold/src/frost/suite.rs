//! The library's values of one signature, for either suite.

use std::collections::BTreeMap;

use frost_core::keys::{KeyPackage, PublicKeyPackage, SigningShare, VerifyingShare};
use frost_core::round1::SigningCommitments;
use frost_core::round2::SignatureShare;
use frost_core::{Ciphersuite, SigningPackage, VerifyingKey};
use frost_ed25519::Ed25519Sha512;
use frost_secp256k1_tr::Secp256K1Sha256TR;
use frost_secp256k1_tr::keys::Tweak;

use super::{FORMAT, Round1Broadcast};
use crate::committee::PartyIndex;
use crate::envelope::SignedBody;
use crate::error::Error;
use crate::params::SignContext;
use crate::point::{Point, identifier, library};
use crate::share::KeyShare;
use crate::subject::Subject;
use crate::suite::Suite;

/// A ciphersuite that signs, and what it does to a key last of all.
pub(crate) trait FrostSuite: Ciphersuite {
    /// The key package that signs.
    fn last_key(key: KeyPackage<Self>, subject: &Subject) -> KeyPackage<Self>;
    /// The same of the public side.
    fn last_public(public: PublicKeyPackage<Self>, subject: &Subject) -> PublicKeyPackage<Self>;
}

impl FrostSuite for Ed25519Sha512 {
    fn last_key(key: KeyPackage<Self>, _subject: &Subject) -> KeyPackage<Self> {
        key
    }

    fn last_public(public: PublicKeyPackage<Self>, _subject: &Subject) -> PublicKeyPackage<Self> {
        public
    }
}

impl FrostSuite for Secp256K1Sha256TR {
    fn last_key(key: KeyPackage<Self>, subject: &Subject) -> KeyPackage<Self> {
        key.tweak(merkle_root(subject))
    }

    fn last_public(public: PublicKeyPackage<Self>, subject: &Subject) -> PublicKeyPackage<Self> {
        public.tweak(merkle_root(subject))
    }
}

fn merkle_root(subject: &Subject) -> Option<&[u8]> {
    match subject {
        Subject::Taproot { merkle_root, .. } => merkle_root.as_ref().map(<[u8; 32]>::as_slice),
        Subject::Ecdsa(_) | Subject::Ed25519(_) => None,
    }
}

/// One signature: this member's key, everybody's public side, and what is signed.
pub(crate) struct Job<C: Ciphersuite> {
    /// Tweaked for Taproot. Boxed, so that no move leaves a copy behind; wiped on drop.
    pub(crate) key: Box<KeyPackage<C>>,
    /// Tweaked for Taproot.
    pub(crate) public: PublicKeyPackage<C>,
    /// The key before any tweak.
    pub(crate) group_key: Point,
    pub(crate) subject: Subject,
}

impl<C: FrostSuite> Job<C> {
    pub(crate) fn new(share: &KeyShare, group_key: Point, subject: Subject) -> Result<Self, Error> {
        let index = share.index();
        let own = share.verification_share(index).ok_or(Error::Scalar {
            suite: share.suite(),
        })?;
        let secret = SigningShare::deserialize(share.expose_secret_scalar()).map_err(library)?;
        let threshold = u16::from(share.parameters().threshold().get());
        let key = KeyPackage::new(
            identifier::<C>(index)?,
            secret,
            verifying_share::<C>(own)?,
            verifying_key::<C>(&group_key)?,
            threshold,
        );
        let shares = share
            .parameters()
            .indices()
            .zip(share.verification_shares());
        let shares = shares
            .map(|(index, share)| Ok((identifier::<C>(index)?, verifying_share::<C>(share)?)))
            .collect::<Result<BTreeMap<_, _>, Error>>()?;
        let public =
            PublicKeyPackage::new(shares, verifying_key::<C>(&group_key)?, Some(threshold));
        Ok(Self {
            key: Box::new(C::last_key(key, &subject)),
            public: C::last_public(public, &subject),
            group_key,
            subject,
        })
    }

    /// The library's view of round 1.
    pub(crate) fn package(
        &self,
        commitments: &BTreeMap<PartyIndex, SigningCommitments<C>>,
    ) -> Result<SigningPackage<C>, Error> {
        let commitments = commitments
            .iter()
            .map(|(index, commitments)| Ok((identifier::<C>(*index)?, *commitments)))
            .collect::<Result<_, Error>>()?;
        Ok(SigningPackage::new(commitments, self.subject.bytes()))
    }
}

/// Whether these are not the canonical bytes of any scalar.
pub(crate) fn is_no_scalar(suite: Suite, bytes: &[u8; 32]) -> bool {
    match suite {
        Suite::EddsaEd25519 => SignatureShare::<Ed25519Sha512>::deserialize(bytes).is_err(),
        _ => SignatureShare::<Secp256K1Sha256TR>::deserialize(bytes).is_err(),
    }
}

/// See [`super::share_is_bad`]; the commitments are those of the quorum, in order.
pub(crate) fn share_fails<C: FrostSuite>(
    context: &SignContext<'_>,
    culprit: PartyIndex,
    commitments: &[SignedBody],
    share: &[u8; 32],
) -> bool {
    let share = SignatureShare::<C>::deserialize(share);
    share.is_ok_and(|share| judge::<C>(context, culprit, commitments, &share).unwrap_or(false))
}

/// Whether the share fails; `None` if these are no commitments that an honest signer would have answered.
fn judge<C: FrostSuite>(
    context: &SignContext<'_>,
    culprit: PartyIndex,
    commitments: &[SignedBody],
    share: &SignatureShare<C>,
) -> Option<bool> {
    let said = context.quorum.iter().zip(commitments);
    let commitments = said
        .map(|(index, body)| {
            let said = FORMAT.decode::<Round1Broadcast>(&body.body).ok()?;
            Some((identifier::<C>(*index).ok()?, said.commitments::<C>().ok()?))
        })
        .collect::<Option<BTreeMap<_, _>>>()?;
    let package = SigningPackage::new(commitments, context.subject.bytes());
    let id = identifier::<C>(culprit).ok()?;
    let own = verifying_share::<C>(&context.verification_share(culprit)?).ok()?;
    let public = PublicKeyPackage::new(
        BTreeMap::from([(id, own)]),
        verifying_key::<C>(context.key).ok()?,
        None,
    );
    let public = C::last_public(public, context.subject);
    let own = public.verifying_shares().get(&id)?;
    let verified =
        frost_core::verify_signature_share(id, own, share, &package, public.verifying_key());
    Some(verified.is_err())
}

impl Round1Broadcast {
    pub(crate) fn of<C: Ciphersuite>(
        suite: Suite,
        commitments: &SigningCommitments<C>,
    ) -> Result<Self, Error> {
        let point = |bytes: Result<Vec<u8>, frost_core::Error<C>>| {
            Point::decode(suite, &bytes.map_err(library)?)
        };
        Ok(Self {
            hiding: point(commitments.hiding().serialize())?,
            binding: point(commitments.binding().serialize())?,
        })
    }

    pub(crate) fn commitments<C: Ciphersuite>(&self) -> Result<SigningCommitments<C>, Error> {
        let read = |point: &Point| {
            frost_core::round1::NonceCommitment::deserialize(point.as_bytes()).map_err(library)
        };
        Ok(SigningCommitments::new(
            read(&self.hiding)?,
            read(&self.binding)?,
        ))
    }
}

fn verifying_share<C: Ciphersuite>(point: &Point) -> Result<VerifyingShare<C>, Error> {
    VerifyingShare::deserialize(point.as_bytes()).map_err(library)
}

fn verifying_key<C: Ciphersuite>(point: &Point) -> Result<VerifyingKey<C>, Error> {
    VerifyingKey::deserialize(point.as_bytes()).map_err(library)
}
