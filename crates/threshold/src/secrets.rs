//! All that one member must keep secret of one epoch.

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::codec::Format;
use crate::committee::PartyIndex;
use crate::error::Error;
use crate::ot_state::{OtState, SealedOt};
use crate::public::check_one_epoch;
use crate::share::{KeyShare, RawKeyShare};
use crate::suite::Suite;

/// Largest encoding of [`EpochSecrets`]: OT state of about 52 kB with each of 15 others, and the shares.
pub const MAX_EPOCH_SECRETS_BYTES: usize = 1 << 20;

const FORMAT: Format = Format {
    what: "epoch secrets",
    version: 1,
    limit: MAX_EPOCH_SECRETS_BYTES,
};

/// One member's shares of the three root keys of one epoch, and its OT state.
///
/// Neither `Clone` nor `Serialize`: it leaves memory only through [`EpochSecrets::to_bytes`], to be sealed.
#[derive(Debug)]
pub struct EpochSecrets {
    shares: [KeyShare; 3],
    ot: Option<OtState>,
}

impl EpochSecrets {
    /// Puts the shares of one epoch together, in the order of [`Suite::ALL`]. Without OT state (a restored
    /// backup) ECDSA signing is refused until a fresh OT setup.
    ///
    /// # Errors
    /// [`Error::Secrets`] if the shares are not one holder's of one epoch.
    pub fn new(shares: [KeyShare; 3], ot: Option<OtState>) -> Result<Self, Error> {
        check_one_epoch(&shares)?;
        Ok(Self { shares, ot })
    }

    /// The share of one suite's key.
    #[must_use]
    pub const fn share(&self, suite: Suite) -> &KeyShare {
        let [ecdsa, schnorr, eddsa] = &self.shares;
        match suite {
            Suite::EcdsaSecp256k1 => ecdsa,
            Suite::SchnorrSecp256k1 => schnorr,
            Suite::EddsaEd25519 => eddsa,
        }
    }

    /// The shares, in the order of [`Suite::ALL`].
    #[must_use]
    pub const fn shares(&self) -> &[KeyShare; 3] {
        &self.shares
    }

    /// The sharing generation.
    #[must_use]
    pub const fn epoch(&self) -> u64 {
        self.share(Suite::EcdsaSecp256k1).epoch()
    }

    /// The holder's x-coordinate.
    #[must_use]
    pub const fn index(&self) -> PartyIndex {
        self.share(Suite::EcdsaSecp256k1).index()
    }

    /// The OT state, if there is one.
    #[must_use]
    pub const fn ot(&self) -> Option<&OtState> {
        self.ot.as_ref()
    }

    /// Destroys the OT correlations with `index` after a [`crate::Verdict::LocalBan`]; seal the secrets anew
    /// afterwards. Only a fresh OT setup brings them back.
    ///
    /// # Errors
    /// [`Error::NoOtState`] or [`Error::OtStateDamaged`]; nothing has changed then.
    pub fn wipe_ot_with(&mut self, index: PartyIndex) -> Result<(), Error> {
        let share = self.share(Suite::EcdsaSecp256k1);
        let wiped = self
            .ot
            .as_ref()
            .ok_or(Error::NoOtState)?
            .without(index, share)?;
        self.ot = Some(wiped);
        Ok(())
    }

    /// One version byte, then postcard; the caller seals it.
    #[must_use]
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        FORMAT.encode(&SecretsRef {
            shares: self
                .shares
                .each_ref()
                .map(KeyShare::to_raw_parts_exposing_the_secret),
            ot: self.ot.as_ref().map(|ot| &*ot.0),
        })
    }

    /// Reads what [`EpochSecrets::to_bytes`] wrote, checking every share again.
    ///
    /// A damaged OT state is not found here but when it is used ([`Error::OtStateDamaged`]), so that
    /// the shares beside it stay readable.
    ///
    /// # Errors
    /// [`Error::TooLarge`], [`Error::Version`], [`Error::Decode`], [`Error::Share`] or [`Error::Secrets`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, Error> {
        let wire: SecretsWire = FORMAT.decode(bytes)?;
        let [ecdsa, schnorr, eddsa] = wire
            .shares
            .each_ref()
            .map(KeyShare::from_raw_parts_holding_a_secret);
        Self::new(
            [ecdsa?, schnorr?, eddsa?],
            wire.ot.map(|sealed| OtState(std::sync::Arc::new(sealed))),
        )
    }
}

#[derive(Serialize)]
struct SecretsRef<'a> {
    shares: [RawKeyShare; 3],
    ot: Option<&'a SealedOt>,
}

#[derive(Serialize, Deserialize)]
struct SecretsWire {
    shares: [RawKeyShare; 3],
    ot: Option<SealedOt>,
}
