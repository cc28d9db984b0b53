//! Round 1: two fresh nonces, committed to (RFC 9591, section 5.1).

use std::collections::BTreeMap;

use frost_core::round1::{self, SigningCommitments, SigningNonces};
use rand_core::CryptoRngCore;

use super::shares::ExpectRound2;
use super::suite::{FrostSuite, Job};
use super::{FORMAT, Round1Broadcast};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::envelope::{Envelope, SignedBody};
use crate::error::Error;
use crate::evidence::Offence;
use crate::machine::{Advance, Phase};
use crate::schnorr::SchnorrSignature;
use crate::session::{Verdict, Why};

/// Waits for the others' commitments.
pub(crate) struct ExpectRound1<C: FrostSuite> {
    job: Job<C>,
    /// Spent by the one share that they make. Boxed, so that no move leaves a copy behind; wiped on drop.
    nonces: Box<SigningNonces<C>>,
    commitments: BTreeMap<PartyIndex, SigningCommitments<C>>,
    /// Everybody's commitments as they signed them: evidence, should somebody's share be wrong.
    signed: BTreeMap<PartyIndex, SignedBody>,
    own: Vec<u8>,
}

/// Draws the nonces; from here on one-time values are spent.
pub(crate) fn begin<C: FrostSuite>(
    job: Job<C>,
    rng: &mut dyn CryptoRngCore,
) -> Result<(ExpectRound1<C>, RoundOutput), Error> {
    let mut rng = rng;
    let (nonces, commitments) = round1::commit(job.key.signing_share(), &mut rng);
    let nonces = Box::new(nonces);
    let said = Round1Broadcast::of(job.group_key.suite(), &commitments)?;
    let own = FORMAT.encode(&said).to_vec();
    let output = RoundOutput::broadcast(own.clone());
    let (commitments, signed) = (BTreeMap::new(), BTreeMap::new());
    Ok((
        ExpectRound1 {
            job,
            nonces,
            commitments,
            signed,
            own,
        },
        output,
    ))
}

impl<C: FrostSuite> Phase<SchnorrSignature> for ExpectRound1<C>
where
    Self: Send,
    ExpectRound2<C>: Phase<SchnorrSignature>,
{
    fn round(&self) -> u8 {
        1
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = envelope.broadcast.ok_or(Verdict::Ignored(Why::Malformed))?;
        let suite = self.job.group_key.suite();
        let said = match FORMAT.decode::<Round1Broadcast>(&body.body) {
            Err(Error::Version { version, .. }) => {
                return Err(Verdict::Ignored(Why::Version { version }));
            }
            Ok(said) if said.hiding.suite() == suite && said.binding.suite() == suite => said,
            _ => return Err(channel.named(from, Offence::BadBroadcast { round: 1, body })),
        };
        let commitments = said
            .commitments()
            .map_err(|error| Verdict::Abort(Why::Local(error)))?;
        self.commitments.insert(from, commitments);
        self.signed.insert(from, body);
        Ok(())
    }

    fn advance(
        self: Box<Self>,
        channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<SchnorrSignature>, Verdict> {
        let Self {
            job,
            nonces,
            mut commitments,
            mut signed,
            own,
        } = *self;
        commitments.insert(channel.me, *nonces.commitments());
        signed.insert(channel.me, channel.signed(1, own));
        let (next, output) = ExpectRound2::begin(channel, job, nonces, &commitments, signed)
            .map_err(|error| Verdict::Abort(Why::Local(error)))?;
        Ok(Advance::Next(Box::new(next), output))
    }
}
