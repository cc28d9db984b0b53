//! Round 3: check, sum up, and let out nothing but a verified signature (protocol 3.6, steps 8 to 10).

use std::collections::BTreeMap;

use dkls23_core::protocols::PartyIndex as DklsIndex;
use dkls23_core::protocols::signing::{
    Broadcast3to4, KeepPhase2to3, TransmitPhase2to3, UniqueKeep2to3,
};
use k256_dkls::Secp256k1;
use rand_core::CryptoRngCore;

use super::context::{Context, recoverable};
use super::{decode, encode};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::evidence::Offence;
use crate::machine::{Advance, Phase};
use crate::session::{Verdict, Why};
use crate::signature::EcdsaSignature;

/// `u_i` and `w_i`: numerator and denominator of `s`, shared.
pub(crate) type Round3Broadcast = Broadcast3to4<Secp256k1>;

/// Waits for the others' parts of `s`.
pub(crate) struct ExpectRound3 {
    context: Context,
    /// `R.x` in hexadecimal, as the library keeps it.
    x_coord: String,
    own: Round3Broadcast,
    received: BTreeMap<PartyIndex, Round3Broadcast>,
}

impl ExpectRound3 {
    /// Steps 8 and 9: the consistency checks of every pair, then this member's part.
    pub(crate) fn begin(
        context: Context,
        unique: UniqueKeep2to3<Secp256k1>,
        kept: BTreeMap<DklsIndex, KeepPhase2to3<Secp256k1>>,
        received: &[TransmitPhase2to3<Secp256k1>],
    ) -> Result<(Self, RoundOutput), Verdict> {
        let mut opened = context
            .open()
            .map_err(|error| Verdict::Abort(Why::Local(error)))?;
        let phase = opened
            .party
            .sign_phase3(&context.data, unique, kept, received);
        let (x_coord, own) = phase.map_err(|abort| opened.judge(&abort))?;
        drop(opened);
        let output = RoundOutput::broadcast(encode(&own).to_vec());
        Ok((
            Self {
                context,
                x_coord,
                own,
                received: BTreeMap::new(),
            },
            output,
        ))
    }

    /// Step 10, low `s`, and a verification by another implementation under the expected key.
    fn combine(self) -> Result<EcdsaSignature, Verdict> {
        let Self {
            context,
            x_coord,
            own,
            received,
        } = self;
        let parts: Vec<_> = std::iter::once(own).chain(received.into_values()).collect();
        let (s, recovery_id) = context
            .party_for_public_use()
            .sign_phase4(&context.data, &x_coord, &parts, true)
            .map_err(|abort| recoverable(&abort.reason))?;
        let failed = Verdict::Abort(Why::CheckFailed {
            check: "final signature",
            suspect: None,
        });
        match (from_hex(&x_coord), from_hex(&s)) {
            (Some(r), Some(s)) => {
                let signature = EcdsaSignature { r, s, recovery_id };
                let good = signature.verify(&context.group_key, &context.digest);
                if good { Ok(signature) } else { Err(failed) }
            }
            _ => Err(failed),
        }
    }
}

impl Phase<EcdsaSignature> for ExpectRound3 {
    fn round(&self) -> u8 {
        3
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = envelope.broadcast.ok_or(Verdict::Ignored(Why::Malformed))?;
        match decode(&body.body) {
            Ok(part) => {
                self.received.insert(from, part);
                Ok(())
            }
            Err(Error::Version { version, .. }) => Err(Verdict::Ignored(Why::Version { version })),
            Err(_) => Err(channel.named(from, Offence::BadBroadcast { round: 3, body })),
        }
    }

    fn advance(
        self: Box<Self>,
        _channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<EcdsaSignature>, Verdict> {
        self.combine().map(Advance::Done)
    }
}

/// 32 bytes from the library's hexadecimal.
fn from_hex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (slot, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *slot = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(bytes)
}
