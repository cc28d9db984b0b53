//! Round 2: multiply, open the instance point (protocol 3.6, step 7).

use std::collections::BTreeMap;

use dkls23_core::protocols::PartyIndex as DklsIndex;
use dkls23_core::protocols::signing::{
    KeepPhase1to2, KeepPhase2to3, TransmitPhase1to2, TransmitPhase2to3, UniqueKeep1to2,
    UniqueKeep2to3,
};
use k256_dkls::Secp256k1;
use rand_core::CryptoRngCore;

use super::combine::ExpectRound3;
use super::context::Context;
use super::{decode, encode};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::envelope::Envelope;
use crate::machine::{Advance, Phase};
use crate::session::{Verdict, Why};
use crate::signature::EcdsaSignature;

/// Waits for the others' multiplication messages.
pub(crate) struct ExpectRound2 {
    context: Context,
    unique: UniqueKeep2to3<Secp256k1>,
    kept: BTreeMap<DklsIndex, KeepPhase2to3<Secp256k1>>,
    received: BTreeMap<PartyIndex, TransmitPhase2to3<Secp256k1>>,
}

impl ExpectRound2 {
    /// Answers everybody's OT extension. The library compares the session binding before it runs a check.
    pub(crate) fn begin(
        context: Context,
        unique: UniqueKeep1to2<Secp256k1>,
        kept: BTreeMap<DklsIndex, KeepPhase1to2<Secp256k1>>,
        received: &[TransmitPhase1to2],
    ) -> Result<(Self, RoundOutput), Verdict> {
        let mut opened = context
            .open()
            .map_err(|error| Verdict::Abort(Why::Local(error)))?;
        let phase = opened
            .party
            .sign_phase2(&context.data, unique, kept, received);
        let (unique, kept, transmit) = phase.map_err(|abort| opened.judge(&abort))?;
        drop(opened);
        let direct = transmit
            .iter()
            .filter_map(|message| {
                let to = PartyIndex::new(message.parties.receiver.as_u8()).ok()?;
                Some((to, encode(message)))
            })
            .collect();
        let next = Self {
            context,
            unique,
            kept,
            received: BTreeMap::new(),
        };
        Ok((
            next,
            RoundOutput {
                broadcast: None,
                direct,
            },
        ))
    }
}

impl Phase<EcdsaSignature> for ExpectRound2 {
    fn round(&self) -> u8 {
        2
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let malformed = || Verdict::Ignored(Why::Malformed);
        let message: TransmitPhase2to3<Secp256k1> =
            decode(&envelope.direct).map_err(|_| malformed())?;
        let parties = &message.parties;
        if parties.sender.as_u8() != from.get() || parties.receiver.as_u8() != channel.me.get() {
            return Err(malformed());
        }
        self.received.insert(from, message);
        Ok(())
    }

    fn advance(
        self: Box<Self>,
        _channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<EcdsaSignature>, Verdict> {
        let Self {
            context,
            unique,
            kept,
            received,
        } = *self;
        let received: Vec<_> = received.into_values().collect();
        let (next, output) = ExpectRound3::begin(context, unique, kept, &received)?;
        Ok(Advance::Next(Box::new(next), output))
    }
}
