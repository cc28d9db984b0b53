//! Round 4: everybody says what it heard, before anybody accepts a key.

use rand_core::CryptoRngCore;

use super::messages::Round4Broadcast;
use super::ot_setup::{self, OtSetup};
use super::{Setup, bad_broadcast, broadcast_of, read, rules};
use crate::channel::Channel;
use crate::committee::PartyIndex;
use crate::envelope::{Envelope, SignedBody, SignedHash};
use crate::machine::{Advance, Phase};
use crate::session::{KeygenOutput, Verdict};
use crate::share::KeyShare;

/// Waits for the others' echoes.
pub(crate) struct ExpectRound4 {
    pub(crate) setup: Setup,
    pub(crate) shares: [KeyShare; 3],
    /// Everybody's fresh bytes, in order.
    pub(crate) fresh: Vec<[u8; 32]>,
    pub(crate) transcript: [u8; 32],
}

impl Phase<KeygenOutput> for ExpectRound4 {
    fn round(&self) -> u8 {
        4
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = broadcast_of(&envelope)?;
        let echo: Round4Broadcast = read(channel, from, 4, body)?;
        check_echo(channel, from, 4, body, rules::ROUND4_ECHOES, &echo.heard)
    }

    fn advance(
        self: Box<Self>,
        channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        let Self {
            setup,
            shares,
            fresh,
            transcript,
        } = *self;
        let (next, output) = ot_setup::begin(
            channel,
            OtSetup {
                setup,
                shares,
                transcript,
            },
            &fresh,
        )?;
        Ok(Advance::Next(Box::new(next), output))
    }
}

/// What this member heard in `rounds`: round by round, member by member.
pub(crate) fn heard(channel: &Channel, rounds: std::ops::RangeInclusive<u8>) -> Vec<SignedHash> {
    let members = &channel.members;
    rounds
        .flat_map(|round| {
            members
                .iter()
                .filter_map(move |&index| channel.heard(round, index))
        })
        .collect()
}

/// Compares what another heard with what this member heard. A difference convicts: the author, if it signed
/// both, else who echoes what the author never signed.
pub(crate) fn check_echo(
    channel: &Channel,
    from: PartyIndex,
    round: u8,
    body: &SignedBody,
    rounds: std::ops::RangeInclusive<u8>,
    theirs: &[SignedHash],
) -> Result<(), Verdict> {
    if theirs == heard(channel, rounds.clone()) {
        return Ok(());
    }
    let entries = rules::echo(&channel.tag, &channel.committee, rounds, theirs)
        .map_err(|_| bad_broadcast(channel, from, round, body))?;
    entries
        .into_iter()
        .try_for_each(|(round, author, entry)| channel.compare(round, author, entry))
}
