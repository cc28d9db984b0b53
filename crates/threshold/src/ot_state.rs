//! The OT correlations of one member with every other, under a MAC of their own.
//!
//! `dkls23-core` checks of a stored state only its lengths. A bit that flips in it makes an OT check
//! fail, and a failed OT check reads as the *peer's* cheating and asks for a ban. So the state is kept
//! as bytes under an HMAC keyed from the share it belongs to, verified when a session decodes it and again
//! before every phase that uses it; a state that fails blames nobody.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use dkls23_core::protocols::Party;
use hmac::digest::CtOutput;
use hmac::{Hmac, Mac};
use k256_dkls::Secp256k1;
use serde::{Deserialize, Serialize};
use sha2::Sha256;
use zeroize::{Zeroize, Zeroizing};

use crate::codec::encode_secret;
use crate::committee::PartyIndex;
use crate::error::Error;
use crate::share::KeyShare;
use crate::transcript::Transcript;

/// One member's OT state with all others, for the ECDSA share of one epoch. Never backed up; lost or
/// damaged state is replaced by a fresh OT setup.
pub struct OtState(pub(crate) Arc<SealedOt>);

/// The state's bytes and their MAC.
#[derive(Serialize, Deserialize)]
pub(crate) struct SealedOt {
    #[serde(with = "crate::codec::secret_bytes")]
    bytes: Zeroizing<Vec<u8>>,
    mac: [u8; 32],
    /// Members with whom an OT check has failed since this state was loaded, or that were given as banned. One list
    /// for all generations of the state: a session that runs over an older one sees the bans of the newer.
    #[serde(skip)]
    banned: Banned,
}

type Banned = Arc<Mutex<BTreeSet<PartyIndex>>>;

/// The key of an [`OtState`]'s MAC, derived from the share it was built over.
pub(crate) struct OtMacKey(Zeroizing<[u8; 32]>);

impl OtMacKey {
    pub(crate) fn of(share: &KeyShare) -> Self {
        let mut context = Transcript::new("quorate/threshold/ot-state-mac/v1");
        context.append(share.suite().name().as_bytes());
        context.append_u64(share.epoch());
        context.append_u64(u64::from(share.index().get()));
        context.append(share.group_key().as_bytes());
        let mut mac = keyed(share.expose_secret_scalar());
        mac.update(&context.finish());
        Self(Zeroizing::new(mac.finalize().into_bytes().into()))
    }
}

impl OtMacKey {
    /// The MAC of a state, over its canonical encoding.
    pub(crate) fn mac(&self, party: &Party<Secp256k1>) -> OtMac {
        OtMac(self.begin(&encode_secret(party)).finalize())
    }

    fn begin(&self, bytes: &[u8]) -> Hmac<Sha256> {
        let mut mac = keyed(&self.0);
        mac.update(bytes);
        mac
    }
}

/// A MAC, compared in constant time.
#[derive(PartialEq)]
pub(crate) struct OtMac(CtOutput<Hmac<Sha256>>);

fn keyed(key: &[u8; 32]) -> Hmac<Sha256> {
    Hmac::new_from_slice(key).expect("invariant: HMAC takes a key of any length")
}

impl SealedOt {
    /// Verifies the MAC and decodes the state.
    ///
    /// # Errors
    /// [`Error::OtStateDamaged`]: the state was changed on this machine, and no peer is to blame.
    pub(crate) fn open(&self, key: &OtMacKey) -> Result<Party<Secp256k1>, Error> {
        let mac = key.begin(&self.bytes);
        mac.verify_slice(&self.mac)
            .map_err(|_| Error::OtStateDamaged)?;
        postcard::from_bytes(&self.bytes).map_err(|_| Error::OtStateDamaged)
    }

    /// Locks the list of the banned. Who holds it runs OT checks alone, so that of all sessions over one
    /// state at most one sees a check fail with a given member.
    pub(crate) fn banned(&self) -> MutexGuard<'_, BTreeSet<PartyIndex>> {
        self.banned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OtState {
    /// Wraps what the OT setup over `share` left behind.
    pub(crate) fn seal(party: &Party<Secp256k1>, share: &KeyShare) -> Self {
        Self::seal_with(party, share, Banned::default())
    }

    fn seal_with(party: &Party<Secp256k1>, share: &KeyShare, banned: Banned) -> Self {
        let bytes = encode_secret(party);
        let mac = OtMacKey::of(share)
            .begin(&bytes)
            .finalize()
            .into_bytes()
            .into();
        Self(Arc::new(SealedOt { bytes, mac, banned }))
    }

    /// The same state without the correlations with `index`, which counts as banned.
    pub(crate) fn without(&self, index: PartyIndex, share: &KeyShare) -> Result<Self, Error> {
        let mut party = self.0.open(&OtMacKey::of(share))?;
        let gone = crate::dkls::dkls_index(index)?;
        if let Some(mut sender) = party.mul_senders.remove(&gone) {
            sender.zeroize();
        }
        if let Some(mut receiver) = party.mul_receivers.remove(&gone) {
            receiver.zeroize();
        }
        party
            .zero_share
            .seeds
            .retain(|seed| seed.index_counterparty != gone);
        self.ban(index);
        Ok(Self::seal_with(&party, share, Arc::clone(&self.0.banned)))
    }

    /// Refuses `index` in every session over this state from now on. The durable list of bans is the
    /// caller's; it repeats them here after loading.
    pub fn ban(&self, index: PartyIndex) {
        self.0.banned().insert(index);
    }

    /// Whether [`OtState::ban`] or a failed check has banned `index`.
    #[must_use]
    pub fn is_banned(&self, index: PartyIndex) -> bool {
        self.0.banned().contains(&index)
    }
}

impl std::fmt::Debug for OtState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OtState").finish_non_exhaustive()
    }
}
