//! Round 4: everybody says what it heard, before anybody accepts a key.

use rand_core::CryptoRngCore;

use super::messages::Round4Broadcast;
use super::ot_setup::{self, OtSetup};
use super::{Setup, broadcast_of, read, rules};
use crate::channel::Channel;
use crate::committee::PartyIndex;
use crate::echo;
use crate::envelope::Envelope;
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
        let said: Round4Broadcast = read(channel, from, 4, body)?;
        echo::check(channel, from, 4, body, rules::ROUND4_ECHOES, &said.heard)
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
