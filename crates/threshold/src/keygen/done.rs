//! Round 7: a key is done when everybody has said so over the same public keys.

use rand_core::CryptoRngCore;

use super::messages::Round7Broadcast;
use super::{broadcast_of, read, rules};
use crate::channel::Channel;
use crate::committee::PartyIndex;
use crate::echo;
use crate::envelope::Envelope;
use crate::machine::{Advance, Phase};
use crate::session::{KeygenOutput, Verdict, Why};

/// Waits for everybody's *done*; until then nothing leaves the session.
pub(crate) struct ExpectRound7 {
    pub(crate) output: KeygenOutput,
}

impl Phase<KeygenOutput> for ExpectRound7 {
    fn round(&self) -> u8 {
        7
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = broadcast_of(&envelope)?;
        let done: Round7Broadcast = read(channel, from, 7, body)?;
        echo::check(channel, from, 7, body, rules::ROUND7_ECHOES, &done.heard)?;
        if done.public != self.output.public.hash() {
            return Err(Verdict::Abort(Why::TranscriptMismatch { from }));
        }
        Ok(())
    }

    fn advance(
        self: Box<Self>,
        _channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        Ok(Advance::Done(self.output))
    }
}
