//! Rounds 5 and 6: DKLs23's OT state over the ECDSA share. Round 6 is finished in `ot_finish.rs`.
//!
//! Phases 2 to 4 of `dkls23-core` (ePrint 2023/765, functionalities 3.4 and 3.5: zero sharing and two-party
//! multiplication; base OT of Zhou et al., ePrint 2022/1525, section 3). The library takes the share as its
//! one polynomial fragment. What it leaves to its caller and is done here:
//!
//! - the session id covers vault, suite, epoch, attempt, ordered (index, identity), the share transcript and
//!   32 fresh bytes of every member ([`session_id`]);
//! - on receipt each proof's point is `X_j` (its proof binds the session and not the index, so a copied one
//!   would pass; at `t = n` a wrong share would give another key);
//! - at the end group key, every `X_j`, own scalar and parameters are the share layer's (`check_result`);
//! - the share layer's chain code replaces the library's;
//! - the library's thread-local generator is reseeded from the operating system before each phase, because a
//!   cloned machine would repeat its stream (what that does not cover is said in `dkls.rs`).

use std::collections::BTreeMap;

use dkls23_core::DkgSession;
use dkls23_core::protocols::dkg::{
    BroadcastDerivationPhase2to4, ProofCommitment, TransmitInitMulPhase3to4,
};
use dkls23_core::utilities::proofs::{DLogProof, EncProof};
use k256_dkls::{Scalar, Secp256k1};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize;

use super::messages::{Body, Round5Broadcast, Round5Direct};
use super::ot_finish::ExpectRound6;
use super::{Setup, broadcast_of, local, read};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::dkls::{self, dkls_index, dkls_parameters, reseed, scalar_of};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::machine::{Advance, Phase};
use crate::session::{KeygenOutput, Verdict, Why};
use crate::share::KeyShare;
use crate::transcript::Transcript;

/// Round 6, broadcast: the proof of knowledge of the share and the library's chain code contribution.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Round6Broadcast {
    pub(crate) proof: DLogProof<Secp256k1>,
    pub(crate) chain_code: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub(crate) chain_code_salt: Vec<u8>,
}

/// Round 6, to one receiver: seed of the zero sharing, base OTs in both directions.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Round6Direct {
    pub(crate) zero_seed: [u8; 32],
    #[serde(with = "serde_bytes")]
    pub(crate) zero_salt: Vec<u8>,
    pub(crate) dlog_proof: DLogProof<Secp256k1>,
    pub(crate) nonce: Scalar,
    pub(crate) enc_proofs: Vec<EncProof<Secp256k1>>,
    pub(crate) seed: [u8; 32],
}

impl Drop for Round6Direct {
    fn drop(&mut self) {
        self.zero_seed.zeroize();
        self.zero_salt.zeroize();
        self.nonce.zeroize();
        self.seed.zeroize();
    }
}

impl Body for Round6Broadcast {
    const WHAT: &'static str = "keygen round 6 broadcast";
}
impl Body for Round6Direct {
    const WHAT: &'static str = "keygen round 6 message";
}

/// What the setup is built over.
pub(crate) struct OtSetup {
    pub(crate) setup: Setup,
    pub(crate) shares: [KeyShare; 3],
    pub(crate) transcript: [u8; 32],
}

impl OtSetup {
    pub(crate) const fn share(&self) -> &KeyShare {
        let [ecdsa, ..] = &self.shares;
        ecdsa
    }
}

/// `H(vault, suite, epoch, attempt, ordered (index, identity), share transcript, fresh bytes of all)`.
fn session_id(channel: &Channel, ot: &OtSetup, fresh: &[[u8; 32]]) -> [u8; 32] {
    let mut transcript = Transcript::new("quorate/threshold/ot-setup/v1");
    transcript.append(&ot.setup.vault);
    transcript.append(ot.share().suite().name().as_bytes());
    transcript.append_u64(ot.setup.epoch);
    transcript.append_u64(u64::from(ot.setup.attempt));
    channel.committee.append_to(&mut transcript);
    transcript.append(&ot.transcript);
    for bytes in fresh {
        transcript.append(bytes);
    }
    transcript.finish()
}

/// Phase 2: commitments.
pub(crate) fn begin(
    channel: &Channel,
    ot: OtSetup,
    fresh: &[[u8; 32]],
) -> Result<(ExpectRound5, RoundOutput), Verdict> {
    let session_id = session_id(channel, &ot, fresh).to_vec();
    let parameters = dkls_parameters(channel.committee.parameters()).map_err(local)?;
    let mut dkg = DkgSession::new(
        parameters,
        dkls_index(channel.me).map_err(local)?,
        session_id,
    );
    reseed().map_err(local)?;
    let (proof, zero, chain_code) = dkg
        .phase2(&[scalar_of(ot.share()).map_err(local)?])
        .map_err(aborted)?;
    let broadcast = Round5Broadcast {
        proof: proof.commitment,
        chain_code: chain_code.cc_commitment,
    };
    let direct = zero
        .iter()
        .map(|message| {
            let to = PartyIndex::new(message.parties.receiver.as_u8())?;
            Ok((
                to,
                Round5Direct {
                    zero_seed: message.commitment,
                }
                .to_secret_body(),
            ))
        })
        .collect::<Result<_, Error>>()
        .map_err(local)?;
    let output = RoundOutput {
        broadcast: Some(broadcast.to_body()),
        direct,
    };
    let mine = Mine {
        ot,
        dkg,
        proof,
        chain_code,
    };
    Ok((
        ExpectRound5 {
            mine,
            commitments: BTreeMap::new(),
        },
        output,
    ))
}

/// This member's side of the setup.
pub(crate) struct Mine {
    pub(crate) ot: OtSetup,
    pub(crate) dkg: DkgSession<Secp256k1>,
    pub(crate) proof: ProofCommitment<Secp256k1>,
    pub(crate) chain_code: BroadcastDerivationPhase2to4,
}

/// Waits for the others' commitments.
pub(crate) struct ExpectRound5 {
    mine: Mine,
    commitments: BTreeMap<PartyIndex, (Round5Broadcast, Round5Direct)>,
}

impl Phase<KeygenOutput> for ExpectRound5 {
    fn round(&self) -> u8 {
        5
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let broadcast: Round5Broadcast = read(channel, from, 5, broadcast_of(&envelope)?)?;
        let direct = Round5Direct::from_body(&envelope.direct)
            .map_err(|_| Verdict::Ignored(Why::Malformed))?;
        self.commitments.insert(from, (broadcast, direct));
        Ok(())
    }

    /// Phase 3: seeds and base OTs.
    fn advance(
        self: Box<Self>,
        _channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        let Self {
            mut mine,
            commitments,
        } = *self;
        reseed().map_err(local)?;
        let (zero, mul, chain_code) = mine.dkg.phase3().map_err(aborted)?;
        let mut zero: BTreeMap<u8, _> = zero
            .into_iter()
            .map(|m| (m.parties.receiver.as_u8(), m))
            .collect();
        let direct = mul
            .into_iter()
            .map(|mul| {
                let to = PartyIndex::new(mul.parties.receiver.as_u8())?;
                let missing = Error::Library {
                    library: "dkls23-core",
                    detail: format!("no seed for {to}"),
                };
                let zero = zero.remove(&to.get()).ok_or(missing)?;
                let TransmitInitMulPhase3to4 {
                    dlog_proof,
                    nonce,
                    enc_proofs,
                    seed,
                    ..
                } = mul;
                let (zero_seed, zero_salt) = (zero.seed, zero.salt);
                let body = Round6Direct {
                    zero_seed,
                    zero_salt,
                    dlog_proof,
                    nonce,
                    enc_proofs,
                    seed,
                };
                Ok((to, body.to_secret_body()))
            })
            .collect::<Result<_, Error>>()
            .map_err(local)?;
        let broadcast = Round6Broadcast {
            proof: mine.proof.proof.clone(),
            chain_code: chain_code.aux_chain_code,
            chain_code_salt: chain_code.cc_salt.clone(),
        };
        let output = RoundOutput {
            broadcast: Some(broadcast.to_body()),
            direct,
        };
        let next = ExpectRound6 {
            mine,
            commitments,
            own_chain_code: chain_code,
            openings: BTreeMap::new(),
        };
        Ok(Advance::Next(Box::new(next), output))
    }
}

/// No failure of the setup is a ban: a setup that fails leaves no correlations behind.
pub(crate) fn aborted(abort: dkls23_core::protocols::Abort) -> Verdict {
    let (check, suspect) = dkls::describe(&abort.reason);
    Verdict::Abort(Why::CheckFailed { check, suspect })
}
