//! Round 3: sub-shares and chain codes arrive (FROST, figure 1, round 2).

use std::collections::BTreeMap;

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::commit::Commitments;
use super::dkg::{Receiver, SuiteShare};
use super::echo::ExpectRound4;
use super::messages::{Body, Round3Broadcast, Round3Direct, Round4Broadcast};
use super::reveal::{Packages, check_opening};
use super::rules::Unfit;
use super::{Setup, broadcast_of, local, read, rules};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::echo::heard;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::evidence::Offence;
use crate::machine::{Advance, Phase};
use crate::session::{KeygenOutput, Verdict, Why};
use crate::share::{KeyShare, RawKeyShare};
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Waits for the others' sub-shares and chain code contributions.
pub(crate) struct ExpectRound3 {
    setup: Setup,
    /// One a suite, in the order of [`Suite::ALL`].
    receivers: Vec<Box<dyn Receiver>>,
    fresh: [u8; 32],
    commitments: Commitments,
    packages: Packages,
    dealings: BTreeMap<PartyIndex, Round3Direct>,
    /// Everybody's contributions, this member's among them.
    chain_codes: BTreeMap<PartyIndex, Round3Broadcast>,
    own_chain_codes: Round3Broadcast,
}

impl ExpectRound3 {
    pub(crate) fn new(
        setup: Setup,
        receivers: Vec<Box<dyn Receiver>>,
        fresh: [u8; 32],
        own_chain_codes: Round3Broadcast,
        commitments: Commitments,
        packages: Packages,
    ) -> Self {
        let (dealings, chain_codes) = (BTreeMap::new(), BTreeMap::new());
        Self {
            setup,
            receivers,
            fresh,
            commitments,
            packages,
            dealings,
            chain_codes,
            own_chain_codes,
        }
    }
}

impl Phase<KeygenOutput> for ExpectRound3 {
    fn round(&self) -> u8 {
        3
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = broadcast_of(&envelope)?;
        check_opening(channel, &self.commitments, from, 3, body)?;
        let chain_codes: Round3Broadcast = read(channel, from, 3, body)?;
        let Some((signed, package)) = self.packages.get(&from) else {
            return Err(Verdict::Ignored(Why::Malformed));
        };
        // Step 2: each sub-share is on the polynomial its dealer committed to.
        let dealing = rules::round3_direct(package, channel.me, &envelope.direct);
        let dealing = dealing.map_err(|unfit| match unfit {
            Unfit::Version(version) => Verdict::Ignored(Why::Version { version }),
            Unfit::Broken => {
                let (package, dealing) = (signed.clone(), Box::new(envelope.clone()));
                channel.named(from, Offence::BadSubShare { package, dealing })
            }
        })?;
        self.chain_codes.insert(from, chain_codes);
        self.dealings.insert(from, dealing);
        Ok(())
    }

    fn advance(
        self: Box<Self>,
        channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        let Self {
            setup,
            receivers,
            fresh,
            packages,
            dealings,
            mut chain_codes,
            own_chain_codes,
            ..
        } = *self;
        chain_codes.insert(channel.me, own_chain_codes);
        // Steps 3 and 4: sums, verification shares, group key.
        let shares = receivers
            .into_iter()
            .zip(Suite::ALL)
            .map(|(receiver, suite)| {
                let share = receiver.finish(&of_suite(&dealings, suite))?;
                key_share(
                    channel,
                    suite,
                    &share,
                    &chain_code(channel, suite, &chain_codes),
                )
            })
            .collect::<Result<Vec<_>, _>>()
            .and_then(|shares| {
                <[KeyShare; 3]>::try_from(shares).map_err(|_| Error::Secrets { what: "suites" })
            })
            .map_err(local)?;
        let fresh_of = |index| {
            packages
                .get(&index)
                .map_or(fresh, |(_, package)| package.fresh)
        };
        let next = ExpectRound4 {
            setup,
            shares,
            fresh: channel.committee.indices().map(fresh_of).collect(),
            transcript: share_transcript(channel),
        };
        let echo = Round4Broadcast {
            heard: heard(channel, rules::ROUND4_ECHOES),
        };
        Ok(Advance::Next(
            Box::new(next),
            RoundOutput::broadcast(echo.to_body()),
        ))
    }
}

fn of_suite(
    dealings: &BTreeMap<PartyIndex, Round3Direct>,
    suite: Suite,
) -> BTreeMap<PartyIndex, Zeroizing<[u8; 32]>> {
    dealings
        .iter()
        .filter_map(|(&index, dealing)| {
            Some((
                index,
                Zeroizing::new(*dealing.sub_shares.get(suite.position())?),
            ))
        })
        .collect()
}

fn key_share(
    channel: &Channel,
    suite: Suite,
    share: &SuiteShare,
    chain_code: &[u8; 32],
) -> Result<KeyShare, Error> {
    KeyShare::from_raw_parts_holding_a_secret(&RawKeyShare {
        suite,
        epoch: channel.tag.epoch,
        index: channel.me,
        parameters: channel.committee.parameters(),
        group_key: share.group_key,
        verification_shares: share.verification_shares.clone(),
        chain_code: *chain_code,
        secret: *share.secret,
    })
}

/// A suite's chain code: a hash over everybody's contributions, in order.
fn chain_code(
    channel: &Channel,
    suite: Suite,
    contributions: &BTreeMap<PartyIndex, Round3Broadcast>,
) -> Zeroizing<[u8; 32]> {
    let mut transcript = Transcript::new("quorate/threshold/chain-code-contributions/v1");
    transcript.append(&channel.tag.session);
    transcript.append(suite.name().as_bytes());
    for (index, contribution) in contributions {
        transcript.append_u64(u64::from(index.get()));
        transcript.append(
            contribution
                .chain_codes
                .get(suite.position())
                .map_or(&[][..], |code| &code[..]),
        );
    }
    Zeroizing::new(transcript.finish())
}

/// The hash of everybody's broadcasts of rounds 1 to 3.
fn share_transcript(channel: &Channel) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/threshold/keygen-transcript/v1");
    transcript.append(&channel.tag.session);
    for entry in heard(channel, rules::ROUND4_ECHOES) {
        transcript.append(&entry.hash);
    }
    transcript.finish()
}
