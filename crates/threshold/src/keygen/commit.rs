//! Round 1: everybody commits to its package and its chain code contributions.

use std::collections::BTreeMap;

use rand_core::CryptoRngCore;

use super::dkg::{Dealer, dealer};
use super::messages::{Body, Round1Broadcast, Round2Broadcast, Round3Broadcast, opening_hash};
use super::reveal::ExpectRound2;
use super::{Setup, broadcast_of, read};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::envelope::{Envelope, SignedBody};
use crate::error::Error;
use crate::machine::{Advance, Phase};
use crate::session::{KeygenOutput, Verdict};
use crate::suite::Suite;

/// What this member has chosen and will open in rounds 2 and 3.
pub(crate) struct Mine {
    pub(crate) setup: Setup,
    /// One a suite, in the order of [`Suite::ALL`].
    pub(crate) dealers: Vec<Box<dyn Dealer>>,
    pub(crate) package: Round2Broadcast,
    pub(crate) chain_codes: Round3Broadcast,
}

/// Somebody's commitments, decoded and as signed.
pub(crate) type Commitments = BTreeMap<PartyIndex, (SignedBody, Round1Broadcast)>;

/// Waits for the others' commitments.
pub(crate) struct ExpectRound1 {
    mine: Mine,
    commitments: Commitments,
}

/// Chooses polynomials, fresh bytes and chain code contributions.
pub(crate) fn begin(
    channel: &Channel,
    setup: Setup,
    rng: &mut dyn CryptoRngCore,
) -> Result<(ExpectRound1, RoundOutput), Error> {
    let parameters = channel.committee.parameters();
    let mut choose = |suite| dealer(suite, parameters, channel.me, rng);
    let [ecdsa, schnorr, eddsa] = Suite::ALL.map(&mut choose);
    let dealers = [ecdsa?, schnorr?, eddsa?];
    let [ecdsa, schnorr, eddsa] = dealers.each_ref().map(|dealer| dealer.package());
    let package = Round2Broadcast {
        fresh: random(rng),
        suites: [ecdsa?, schnorr?, eddsa?],
    };
    let chain_codes = Round3Broadcast {
        chain_codes: Suite::ALL.map(|_| random(rng)),
    };
    let opening = |round, body: Vec<u8>| opening_hash(&channel.tag, round, channel.me, &body);
    let commitment = Round1Broadcast {
        package: opening(2, package.to_body()),
        chain_codes: opening(3, chain_codes.to_body()),
    };
    let mine = Mine {
        setup,
        dealers: dealers.into(),
        package,
        chain_codes,
    };
    let output = RoundOutput::broadcast(commitment.to_body());
    Ok((
        ExpectRound1 {
            mine,
            commitments: BTreeMap::new(),
        },
        output,
    ))
}

impl Phase<KeygenOutput> for ExpectRound1 {
    fn round(&self) -> u8 {
        1
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = broadcast_of(&envelope)?;
        let commitment: Round1Broadcast = read(channel, from, 1, body)?;
        self.commitments.insert(from, (body.clone(), commitment));
        Ok(())
    }

    fn advance(
        self: Box<Self>,
        _channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        let output = RoundOutput::broadcast(self.mine.package.to_body());
        let next = ExpectRound2 {
            mine: self.mine,
            commitments: self.commitments,
            packages: BTreeMap::new(),
        };
        Ok(Advance::Next(Box::new(next), output))
    }
}

fn random(rng: &mut dyn CryptoRngCore) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}
