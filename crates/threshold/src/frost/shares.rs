//! Round 2: shares of the response, and at its end the signature (RFC 9591, sections 5.2 to 5.4).

use std::collections::BTreeMap;

use frost_core::round1::{SigningCommitments, SigningNonces};
use frost_core::round2::SignatureShare;
use frost_core::{CheaterDetection, SigningPackage};
use rand_core::CryptoRngCore;

use super::suite::{FrostSuite, Job};
use super::{ECHOES, FORMAT, Round2Broadcast};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::echo;
use crate::envelope::{Envelope, SignedBody};
use crate::error::Error;
use crate::evidence::Offence;
use crate::machine::{Advance, Phase};
use crate::point::{identifier, library};
use crate::schnorr::SchnorrSignature;
use crate::session::{Verdict, Why};

/// Waits for the others' shares.
pub(crate) struct ExpectRound2<C: FrostSuite> {
    job: Job<C>,
    package: SigningPackage<C>,
    own: SignatureShare<C>,
    shares: BTreeMap<PartyIndex, (SignedBody, SignatureShare<C>)>,
    commitments: BTreeMap<PartyIndex, SignedBody>,
}

impl<C: FrostSuite> ExpectRound2<C> {
    /// Makes this member's share; the nonces end here.
    pub(crate) fn begin(
        channel: &Channel,
        job: Job<C>,
        nonces: Box<SigningNonces<C>>,
        commitments: &BTreeMap<PartyIndex, SigningCommitments<C>>,
        signed: BTreeMap<PartyIndex, SignedBody>,
    ) -> Result<(Self, RoundOutput), Error> {
        let package = job.package(commitments)?;
        let own = frost_core::round2::sign(&package, &nonces, &job.key).map_err(library)?;
        drop(nonces);
        let share = own.serialize().try_into().map_err(|_| Error::Scalar {
            suite: job.group_key.suite(),
        })?;
        let said = Round2Broadcast {
            heard: echo::heard(channel, ECHOES),
            share,
        };
        let next = Self {
            job,
            package,
            own,
            shares: BTreeMap::new(),
            commitments: signed,
        };
        Ok((next, RoundOutput::broadcast(FORMAT.encode(&said).to_vec())))
    }

    /// The signature, verified by other code under the expected key; or who sent a share that is none.
    fn combine(&self, channel: &Channel) -> Result<SchnorrSignature, Verdict> {
        let local = |error| Verdict::Abort(Why::Local(error));
        let others = self
            .shares
            .iter()
            .map(|(index, (_, share))| (*index, *share));
        let shares = std::iter::once((channel.me, self.own))
            .chain(others)
            .map(|(index, share)| Ok((identifier::<C>(index)?, share)))
            .collect::<Result<BTreeMap<_, _>, Error>>()
            .map_err(local)?;
        let made = frost_core::aggregate_custom(
            &self.package,
            &shares,
            &self.job.public,
            CheaterDetection::Disabled,
        );
        let signature = made.ok().and_then(|signature| signature.serialize().ok());
        let signature = signature
            .and_then(|bytes| bytes.try_into().ok())
            .map(SchnorrSignature::from_bytes);
        match signature {
            Some(good) if good.verify(&self.job.group_key, &self.job.subject) => Ok(good),
            _ => Err(self.blame(channel)),
        }
    }

    /// The first whose share does not verify, with what convicts it.
    fn blame(&self, channel: &Channel) -> Verdict {
        let fails = |index: PartyIndex, share: &SignatureShare<C>| {
            let id = identifier::<C>(index).ok()?;
            let own = self.job.public.verifying_shares().get(&id)?;
            let key = self.job.public.verifying_key();
            Some(frost_core::verify_signature_share(id, own, share, &self.package, key).is_err())
        };
        let culprit = self
            .shares
            .iter()
            .find(|(index, (_, share))| fails(**index, share) == Some(true));
        let Some((culprit, (share, _))) = culprit else {
            return Verdict::Abort(Why::CheckFailed {
                check: "final signature",
                suspect: None,
            });
        };
        // In order of the signers, as a map of indices is.
        let commitments = self.commitments.values().cloned().collect();
        channel.named(
            *culprit,
            Offence::BadSignatureShare {
                commitments,
                share: share.clone(),
            },
        )
    }
}

impl<C: FrostSuite> Phase<SchnorrSignature> for ExpectRound2<C>
where
    Self: Send,
{
    fn round(&self) -> u8 {
        2
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = envelope.broadcast.ok_or(Verdict::Ignored(Why::Malformed))?;
        let bad = |body: SignedBody| channel.named(from, Offence::BadBroadcast { round: 2, body });
        let said = match FORMAT.decode::<Round2Broadcast>(&body.body) {
            Err(Error::Version { version, .. }) => {
                return Err(Verdict::Ignored(Why::Version { version }));
            }
            Err(_) => return Err(bad(body)),
            Ok(said) => said,
        };
        echo::check(channel, from, 2, &body, ECHOES, &said.heard)?;
        match SignatureShare::deserialize(&said.share) {
            Ok(share) => {
                self.shares.insert(from, (body, share));
                Ok(())
            }
            // No scalar: nothing that any share could be.
            Err(_) => Err(bad(body)),
        }
    }

    fn advance(
        self: Box<Self>,
        channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<SchnorrSignature>, Verdict> {
        self.combine(channel).map(Advance::Done)
    }
}
