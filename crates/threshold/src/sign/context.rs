//! What a signature needs in every round: the OT state under its MAC, and the library's session values.

use std::collections::BTreeSet;
use std::sync::{Arc, MutexGuard};

use dkls23_core::protocols::signing::SignData;
use dkls23_core::protocols::{Abort, AbortKind, AbortReason, Party};
use k256_dkls::Secp256k1;

use crate::committee::PartyIndex;
use crate::dkls::{self, decode_point, dkls_index, encode_point, reseed, scalar_of};
use crate::error::Error;
use crate::ot_state::{OtMac, OtMacKey, SealedOt};
use crate::point::Point;
use crate::secrets::EpochSecrets;
use crate::session::{OtCheck, SignParams, Verdict, Why};
use crate::share::KeyShare;
use crate::signature::MessageDigest;
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Everything that stays the same over the rounds.
pub(crate) struct Context {
    sealed: Arc<SealedOt>,
    mac_key: OtMacKey,
    /// The OT state, without the pairs that this quorum does not use.
    party: Party<Secp256k1>,
    /// The MAC of `party`.
    mac: OtMac,
    others: Vec<PartyIndex>,
    pub(crate) data: SignData,
    pub(crate) group_key: Point,
    pub(crate) digest: MessageDigest,
}

/// The OT state, just verified, with the list of the banned held.
pub(crate) struct Opened<'a> {
    pub(crate) party: &'a Party<Secp256k1>,
    banned: MutexGuard<'a, BTreeSet<PartyIndex>>,
}

impl Context {
    /// Binds the library's session to everything the envelopes are bound to, and decodes the OT state.
    ///
    /// `signing` is this member's share of the key that signs, which the OT state does not depend on.
    pub(crate) fn new(
        params: &SignParams,
        secrets: &EpochSecrets,
        signing: &KeyShare,
        digest: MessageDigest,
    ) -> Result<Self, Error> {
        let share = secrets.share(Suite::EcdsaSecp256k1);
        let sealed = Arc::clone(&secrets.ot().ok_or(Error::NoOtState)?.0);
        let others: Vec<PartyIndex> = params
            .quorum
            .iter()
            .copied()
            .filter(|&i| i != params.me)
            .collect();
        let tag = params.tag();
        let mut sign_id = Transcript::new("quorate/threshold/sign-id/v1");
        sign_id.append(&tag.session).append(&tag.binding);
        let data = SignData {
            sign_id: sign_id.finish().to_vec(),
            counterparties: others
                .iter()
                .map(|&index| dkls_index(index))
                .collect::<Result<_, _>>()?,
            message_hash: *digest.as_bytes(),
        };
        let mac_key = OtMacKey::of(share);
        let mut party = sealed.open(&mac_key)?;
        // The state belongs to this share, not to an older one of the same epoch number.
        let same = scalar_of(share)? == party.poly_point
            && encode_point(&party.pk) == share.group_key().as_bytes()
            && party.derivation_data.chain_code == *share.chain_code();
        if !same {
            return Err(Error::OtStateDamaged);
        }
        // A pair whose correlations were wiped stays banned after a restart.
        let has = |index: &PartyIndex| {
            dkls_index(*index).is_ok_and(|i| party.mul_senders.contains_key(&i))
        };
        if let Some(&index) = others.iter().find(|index| !has(index)) {
            return Err(Error::Banned { index });
        }
        party
            .mul_senders
            .retain(|index, _| data.counterparties.contains(index));
        party
            .mul_receivers
            .retain(|index, _| data.counterparties.contains(index));
        party
            .zero_share
            .seeds
            .retain(|seed| data.counterparties.contains(&seed.index_counterparty));
        party.poly_point = scalar_of(signing)?;
        party.pk = decode_point(signing.group_key())?;
        let mac = mac_key.mac(&party);
        let group_key = *signing.group_key();
        Ok(Self {
            sealed,
            mac_key,
            party,
            mac,
            others,
            data,
            group_key,
            digest,
        })
    }

    /// Verifies the OT state for one phase, and gives the library fresh randomness.
    ///
    /// # Errors
    /// [`Error::OtStateDamaged`], [`Error::Banned`] or [`Error::Randomness`]: nobody else's fault.
    pub(crate) fn open(&self) -> Result<Opened<'_>, Error> {
        let banned = self.sealed.banned();
        if let Some(&index) = self.others.iter().find(|index| banned.contains(index)) {
            return Err(Error::Banned { index });
        }
        if self.mac_key.mac(&self.party) != self.mac {
            return Err(Error::OtStateDamaged);
        }
        reseed()?;
        Ok(Opened {
            party: &self.party,
            banned,
        })
    }

    /// The state for the last phase, which uses nothing of it but the public key.
    pub(crate) const fn party_for_public_use(&self) -> &Party<Secp256k1> {
        &self.party
    }
}

impl Opened<'_> {
    /// Judges an abort of the library. The state had passed its MAC when the phase began.
    pub(crate) fn judge(&mut self, abort: &Abort) -> Verdict {
        let AbortKind::BanCounterparty(index) = abort.kind else {
            return recoverable(&abort.reason);
        };
        let Ok(culprit) = PartyIndex::new(index.as_u8()) else {
            return recoverable(&abort.reason);
        };
        // In memory before the verdict is out, so that no session running beside this one tries again.
        self.banned.insert(culprit);
        let check = match abort.reason {
            AbortReason::GammaUInconsistency { .. } => OtCheck::Nonce,
            AbortReason::OtConsistencyCheckFailed { .. } => OtCheck::Key,
            _ => OtCheck::Multiplication,
        };
        Verdict::LocalBan { culprit, check }
    }
}

/// An abort that bans nobody.
pub(crate) fn recoverable(reason: &AbortReason) -> Verdict {
    let (check, suspect) = dkls::describe(reason);
    Verdict::Abort(match (reason, suspect) {
        (AbortReason::SessionBindingMismatch { .. }, Some(from)) => {
            Why::TranscriptMismatch { from }
        }
        (AbortReason::InvalidLocalState { .. } | AbortReason::MissingMulState { .. }, _) => {
            Why::Local(Error::OtStateDamaged)
        }
        _ => Why::CheckFailed { check, suspect },
    })
}
