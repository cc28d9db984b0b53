//! The border to `dkls23-core`: its types, its randomness, its aborts.
//!
//! The library speaks `k256` 0.14, `frost-core` 0.13; scalars and points cross as bytes.

use dkls23_core::protocols::{
    AbortReason, Parameters as DklsParameters, PartiesMessage, PartyIndex as DklsIndex,
};
use k256_dkls::elliptic_curve::PrimeField;
use k256_dkls::elliptic_curve::group::GroupEncoding;
use k256_dkls::{AffinePoint, FieldBytes, Scalar};

use crate::committee::{Parameters, PartyIndex};
use crate::error::Error;
use crate::point::Point;
use crate::share::KeyShare;

/// Reseeds the generator that the library draws from on this thread.
///
/// The library cannot be given a generator: it calls `rand::rng()`, a stream in memory that a cloned virtual machine
/// would continue twice. So it starts anew from the operating system before every phase: twins that were forked
/// *before* a signature's round one draw different instance keys and masks, as far as the operating system's own
/// generator tells them apart (it does where the machine monitor signals a fork, such as by a VM generation id).
///
/// It does not help twins that were forked *after* round one of a signature: both hold the instance key of that
/// session. Each member takes one message a round and sender of a session and refuses a second, so an honest peer
/// never lets both go on. A malicious co-signer that reaches both twins, and answers them differently, gets two
/// signature parts over one nonce, and from them that member's share. No session state is ever on disk, so only a
/// copy of running memory does this; whoever runs members in virtual machines must not fork, snapshot and resume, or
/// live-migrate with a running source, while they sign. Nothing here detects it.
///
/// # Errors
/// [`Error::Randomness`]: nothing may be computed without it.
#[allow(
    clippy::disallowed_methods,
    reason = "the library draws from this generator and cannot be given one"
)]
pub(crate) fn reseed() -> Result<(), Error> {
    rand::rng().reseed().map_err(|_| Error::Randomness)
}

pub(crate) fn dkls_index(index: PartyIndex) -> Result<DklsIndex, Error> {
    DklsIndex::new(index.get()).map_err(|_| Error::IndexOutOfRange { index: index.get() })
}

pub(crate) fn dkls_parameters(parameters: Parameters) -> Result<DklsParameters, Error> {
    let (threshold, parties) = (parameters.threshold().get(), parameters.parties());
    DklsParameters::new(threshold, parties).map_err(|_| Error::Parameters { threshold, parties })
}

pub(crate) fn parties(sender: PartyIndex, receiver: PartyIndex) -> Result<PartiesMessage, Error> {
    Ok(PartiesMessage {
        sender: dkls_index(sender)?,
        receiver: dkls_index(receiver)?,
    })
}

/// The secret scalar of an ECDSA share.
pub(crate) fn scalar_of(share: &KeyShare) -> Result<Scalar, Error> {
    let bytes = FieldBytes::from(*share.expose_secret_scalar());
    Option::from(Scalar::from_repr(bytes)).ok_or(Error::Scalar {
        suite: share.suite(),
    })
}

/// Compressed SEC1 (all zeros for the identity, which equals no checked point).
pub(crate) fn encode_point(point: &AffinePoint) -> Vec<u8> {
    point.to_bytes().to_vec()
}

/// The library's own value of a checked point.
pub(crate) fn decode_point(point: &Point) -> Result<AffinePoint, Error> {
    let bytes = point.as_bytes().try_into().ok();
    bytes
        .and_then(|bytes: [u8; 33]| Option::from(AffinePoint::from_bytes(&bytes.into())))
        .ok_or(Error::Point {
            suite: point.suite(),
        })
}

/// What failed and whose message was being looked at, in words of ours.
pub(crate) fn describe(reason: &AbortReason) -> (&'static str, Option<PartyIndex>) {
    use AbortReason as R;
    let (check, index) = match reason {
        R::ProofVerificationFailed { counterparty } => ("proof of knowledge", Some(counterparty)),
        R::CommitmentMismatch { counterparty } => ("commitment", Some(counterparty)),
        R::TrivialInstancePoint { counterparty } => ("instance point", Some(counterparty)),
        R::ZeroShareDecommitFailed { counterparty } => ("zero-sharing seed", Some(counterparty)),
        R::ChainCodeCommitmentFailed { party } => ("chain code commitment", Some(party)),
        R::MultiplicationVerificationFailed { counterparty, .. } => ("base OT", Some(counterparty)),
        R::SessionBindingMismatch { counterparty } => ("session binding", Some(counterparty)),
        R::PolynomialInconsistency => ("sum of public shares or instance points", None),
        R::TrivialPublicKey | R::TrivialKeyShare => ("trivial key", None),
        R::SignatureVerificationFailed | R::ZeroDenominator => ("final signature", None),
        R::InvalidLocalState { .. } | R::MissingMulState { .. } => ("own OT state", None),
        _ => ("message bookkeeping of the library", None),
    };
    (
        check,
        index.and_then(|index| PartyIndex::new(index.as_u8()).ok()),
    )
}
