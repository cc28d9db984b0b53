//! The real protocols behind the [`Engine`] seam.

use rand_core::CryptoRngCore;

use crate::error::Error;
use crate::schnorr::SchnorrSignature;
use crate::secrets::EpochSecrets;
use crate::session::{Engine, KeygenOutput, KeygenParams, SignParams, Started};
use crate::signature::EcdsaSignature;
use crate::{frost, keygen, sign};

/// FROST's key generation and signing, and DKLs23, as this crate runs them.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealEngine;

impl Engine for RealEngine {
    fn keygen(
        &self,
        params: KeygenParams,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<KeygenOutput>, Error> {
        keygen::start(params, rng)
    }

    fn sign_ecdsa(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<EcdsaSignature>, Error> {
        sign::start(params, secrets)
    }

    fn sign_schnorr(
        &self,
        params: SignParams,
        secrets: &EpochSecrets,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Started<SchnorrSignature>, Error> {
        frost::start(params, secrets, rng)
    }
}
