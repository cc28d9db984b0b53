//! The threshold protocols without their cryptography: the same rounds, envelopes, verdicts and outputs, for a
//! thousandth of the work. **Everybody who takes part learns the key.** Only the simulator may have it.
//!
//! Keygen: commit to 32 fresh bytes, reveal them, echo the hash of all, confirm the public keys. The three root keys
//! are hashes of all contributions, and every member's share is the key itself (a polynomial of degree 0), so that
//! shares, public keys and secrets are real values of the real types.
//!
//! Signing: commit to 32 fresh bytes, reveal them, confirm. The ECDSA nonce is the hash of the session and of all
//! reveals, so a retry gives another signature, and a one-time value that is used twice can be seen on the wire.

mod keygen;
mod rounds;
mod sign;

use quorate_threshold::{
    EcdsaSignature, Engine, EpochSecrets, Error, KeygenOutput, KeygenParams, RealEngine,
    SchnorrSignature, SignParams, Started, Transcript,
};
use rand_core::CryptoRngCore;

pub use self::rounds::wire_round;

/// How a member breaks the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Misdeed {
    /// In signing, what it sends in round 2 fails an OT check at every receiver: a local ban.
    FailsOtCheck,
    /// In signing, it reveals something else than it committed to: a named fault.
    OpensOtherwise,
    /// In signing, it says nothing from this round on. It still receives, so from round 3 on it holds the signature
    /// that it keeps from the others.
    SilentFrom(u8),
    /// In keygen, it says nothing from this round on.
    SilentInKeygenFrom(u8),
}

/// The stub protocols; honest unless told otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub struct StubEngine {
    misdeed: Option<Misdeed>,
}

impl StubEngine {
    /// The engine of a member that breaks the protocol.
    pub fn misbehaving(misdeed: Misdeed) -> Self {
        Self {
            misdeed: Some(misdeed),
        }
    }
}

impl Engine for StubEngine {
    fn keygen(
        &self,
        params: KeygenParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<KeygenOutput>, Error> {
        Ok(keygen::start(params, self.misdeed, fresh(rng)))
    }

    fn sign_ecdsa(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<EcdsaSignature>, Error> {
        sign::start(params, secrets, self.misdeed, fresh(rng))
    }

    /// The real thing: it is cheap, and a polynomial of degree 0 is one like any other.
    fn sign_schnorr(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<SchnorrSignature>, Error> {
        RealEngine.sign_schnorr(params, secrets, rng)
    }
}

fn fresh(rng: &mut dyn CryptoRngCore) -> [u8; 32] {
    let mut bytes = [0; 32];
    rng.fill_bytes(&mut bytes);
    bytes
}

/// The hash of byte strings under a domain.
fn hash<'a>(domain: &str, items: impl IntoIterator<Item = &'a [u8]>) -> [u8; 32] {
    let mut transcript = Transcript::new(domain);
    for item in items {
        transcript.append(item);
    }
    transcript.finish()
}
