//! Round 1: commit to the instance point, start the OT extension (protocol 3.6, steps 4 to 6).

use std::collections::BTreeMap;

use dkls23_core::protocols::PartyIndex as DklsIndex;
use dkls23_core::protocols::signing::{KeepPhase1to2, TransmitPhase1to2, UniqueKeep1to2};
use k256_dkls::Secp256k1;
use rand_core::CryptoRngCore;

use super::context::Context;
use super::multiply::ExpectRound2;
use super::{decode, encode};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::dkls;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::machine::{Advance, Phase};
use crate::session::{Verdict, Why};
use crate::signature::EcdsaSignature;

/// Waits for the others' commitments.
pub(crate) struct ExpectRound1 {
    context: Context,
    unique: UniqueKeep1to2<Secp256k1>,
    kept: BTreeMap<DklsIndex, KeepPhase1to2<Secp256k1>>,
    received: BTreeMap<PartyIndex, TransmitPhase1to2>,
}

/// Samples the instance key and masks; from here on one-time values are spent.
pub(crate) fn begin(
    channel: &Channel,
    context: Context,
) -> Result<(ExpectRound1, RoundOutput), Error> {
    let opened = context.open()?;
    let (unique, kept, transmit) = opened.party.sign_phase1(&context.data).map_err(|abort| {
        let detail = dkls::describe(&abort.reason).0.to_owned();
        Error::Library {
            library: "dkls23-core",
            detail,
        }
    })?;
    drop(opened);
    let direct = transmit
        .iter()
        .filter_map(|message| {
            let to = PartyIndex::new(message.parties.receiver.as_u8()).ok()?;
            Some((to, encode(message)))
        })
        .collect();
    debug_assert_eq!(channel.members.len(), context.data.counterparties.len() + 1);
    let first = ExpectRound1 {
        context,
        unique,
        kept,
        received: BTreeMap::new(),
    };
    Ok((
        first,
        RoundOutput {
            broadcast: None,
            direct,
        },
    ))
}

impl Phase<EcdsaSignature> for ExpectRound1 {
    fn round(&self) -> u8 {
        1
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let malformed = || Verdict::Ignored(Why::Malformed);
        let message: TransmitPhase1to2 = decode(&envelope.direct).map_err(|_| malformed())?;
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
        let (next, output) = ExpectRound2::begin(context, unique, kept, &received)?;
        Ok(Advance::Next(Box::new(next), output))
    }
}
