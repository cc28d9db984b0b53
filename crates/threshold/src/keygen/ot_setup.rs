//! Rounds 5 and 6: DKLs23's OT state over the ECDSA share.
//!
//! Phases 2 to 4 of `dkls23-core` (ePrint 2023/765, functionalities 3.4 and 3.5: zero sharing and two-party
//! multiplication; base OT of Zhou et al., ePrint 2022/1525, section 3). The library takes the share as its
//! one polynomial fragment. What it leaves to its caller and is done here:
//!
//! - the session id covers vault, suite, epoch, attempt, ordered (index, identity), the share transcript and
//!   32 fresh bytes of every member ([`session_id`]);
//! - on receipt each proof's point is `X_j` (its proof binds the session and not the index, so a copied one
//!   would pass; at `t = n` a wrong share would give another key);
//! - at the end group key, every `X_j`, own scalar and parameters are the share layer's ([`check_result`]);
//! - the share layer's chain code replaces the library's;
//! - the library's thread-local generator is reseeded from the operating system before each phase, because a
//!   cloned machine would repeat its stream.

use std::collections::BTreeMap;

use dkls23_core::DkgSession;
use dkls23_core::protocols::dkg::{
    BroadcastDerivationPhase2to4, BroadcastDerivationPhase3to4, ProofCommitment,
    TransmitInitMulPhase3to4, TransmitInitZeroSharePhase2to4, TransmitInitZeroSharePhase3to4,
};
use dkls23_core::protocols::{Party, PublicKeyPackage};
use dkls23_core::utilities::proofs::{DLogProof, EncProof};
use k256_dkls::{Scalar, Secp256k1};
use rand_core::CryptoRngCore;
use serde::{Deserialize, Serialize};

use super::done::ExpectRound7;
use super::echo::heard;
use super::messages::{Body, Round5Broadcast, Round5Direct, Round7Broadcast};
use super::{Setup, broadcast_of, local, read, rules};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::dkls::{self, dkls_index, dkls_parameters, encode_point, parties, reseed, scalar_of};
use crate::envelope::Envelope;
use crate::error::Error;
use crate::machine::{Advance, Phase};
use crate::ot_state::OtState;
use crate::public::PublicKeys;
use crate::secrets::EpochSecrets;
use crate::session::{KeygenOutput, Verdict, Why};
use crate::share::KeyShare;
use crate::suite::Suite;
use crate::transcript::Transcript;

/// Round 6, broadcast: the proof of knowledge of the share and the library's chain code contribution.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Round6Broadcast {
    proof: DLogProof<Secp256k1>,
    chain_code: [u8; 32],
    #[serde(with = "serde_bytes")]
    chain_code_salt: Vec<u8>,
}

/// Round 6, to one receiver: seed of the zero sharing, base OTs in both directions.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Round6Direct {
    zero_seed: [u8; 32],
    #[serde(with = "serde_bytes")]
    zero_salt: Vec<u8>,
    dlog_proof: DLogProof<Secp256k1>,
    nonce: Scalar,
    enc_proofs: Vec<EncProof<Secp256k1>>,
    seed: [u8; 32],
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
    const fn share(&self) -> &KeyShare {
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
                .to_body(),
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
struct Mine {
    ot: OtSetup,
    dkg: DkgSession<Secp256k1>,
    proof: ProofCommitment<Secp256k1>,
    chain_code: BroadcastDerivationPhase2to4,
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
                Ok((to, body.to_body()))
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

/// Waits for the others' proofs and base OTs.
struct ExpectRound6 {
    mine: Mine,
    commitments: BTreeMap<PartyIndex, (Round5Broadcast, Round5Direct)>,
    own_chain_code: BroadcastDerivationPhase3to4,
    openings: BTreeMap<PartyIndex, (Round6Broadcast, Round6Direct)>,
}

impl Phase<KeygenOutput> for ExpectRound6 {
    fn round(&self) -> u8 {
        6
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let broadcast: Round6Broadcast = read(channel, from, 6, broadcast_of(&envelope)?)?;
        let direct = Round6Direct::from_body(&envelope.direct)
            .map_err(|_| Verdict::Ignored(Why::Malformed))?;
        // The library never compares a proof's point with the share it should be about.
        let expected = self
            .mine
            .ot
            .share()
            .verification_share(from)
            .map(|point| point.as_bytes().to_vec());
        if expected != Some(encode_point(&broadcast.proof.point)) {
            let check = "OT setup: the proof is about another share";
            return Err(Verdict::Abort(Why::CheckFailed {
                check,
                suspect: Some(from),
            }));
        }
        self.openings.insert(from, (broadcast, direct));
        Ok(())
    }

    /// Phase 4: verify, and keep the OT state.
    fn advance(
        self: Box<Self>,
        channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        let Self {
            mine,
            commitments,
            own_chain_code,
            openings,
        } = *self;
        let Mine {
            ot,
            dkg,
            proof,
            chain_code,
        } = mine;
        let mut received = Phase4Input::new(proof, chain_code, own_chain_code);
        for ((&from, commitment), opening) in commitments.iter().zip(openings.values()) {
            received
                .add(channel.me, from, commitment, opening)
                .map_err(local)?;
        }
        reseed().map_err(local)?;
        let (mut party, package) = received.run(dkg)?;
        check_result(&ot, &party, &package)?;
        party.derivation_data.chain_code = *ot.share().chain_code();
        let state = OtState::seal(&party, ot.share());
        let public = PublicKeys::from_shares(&ot.shares, &channel.committee, ot.transcript)
            .map_err(local)?;
        let secrets = EpochSecrets::new(ot.shares, Some(state)).map_err(local)?;
        let done = Round7Broadcast {
            public: public.hash(),
            heard: heard(channel, rules::ROUND7_ECHOES),
        };
        let next = ExpectRound7 {
            output: KeygenOutput { public, secrets },
        };
        Ok(Advance::Next(
            Box::new(next),
            RoundOutput::broadcast(done.to_body()),
        ))
    }
}

/// Everybody's messages, in the shape the library's phase 4 takes.
struct Phase4Input {
    proofs: Vec<ProofCommitment<Secp256k1>>,
    zero2: Vec<TransmitInitZeroSharePhase2to4>,
    zero3: Vec<TransmitInitZeroSharePhase3to4>,
    mul: Vec<TransmitInitMulPhase3to4<Secp256k1>>,
    chain2: BTreeMap<dkls23_core::protocols::PartyIndex, BroadcastDerivationPhase2to4>,
    chain3: BTreeMap<dkls23_core::protocols::PartyIndex, BroadcastDerivationPhase3to4>,
}

impl Phase4Input {
    fn new(
        proof: ProofCommitment<Secp256k1>,
        chain2: BroadcastDerivationPhase2to4,
        chain3: BroadcastDerivationPhase3to4,
    ) -> Self {
        let me = proof.index;
        Self {
            proofs: vec![proof],
            zero2: Vec::new(),
            zero3: Vec::new(),
            mul: Vec::new(),
            chain2: BTreeMap::from([(me, chain2)]),
            chain3: BTreeMap::from([(me, chain3)]),
        }
    }

    fn add(
        &mut self,
        me: PartyIndex,
        from: PartyIndex,
        (broadcast5, direct5): &(Round5Broadcast, Round5Direct),
        (broadcast6, direct6): &(Round6Broadcast, Round6Direct),
    ) -> Result<(), Error> {
        let (index, parties) = (dkls_index(from)?, parties(from, me)?);
        let Round6Direct {
            zero_seed,
            zero_salt,
            dlog_proof,
            nonce,
            enc_proofs,
            seed,
        } = direct6.clone();
        self.proofs.push(ProofCommitment {
            index,
            proof: broadcast6.proof.clone(),
            commitment: broadcast5.proof,
        });
        let commitment = direct5.zero_seed;
        self.zero2.push(TransmitInitZeroSharePhase2to4 {
            parties: parties.clone(),
            commitment,
        });
        self.zero3.push(TransmitInitZeroSharePhase3to4 {
            parties: parties.clone(),
            seed: zero_seed,
            salt: zero_salt,
        });
        self.mul.push(TransmitInitMulPhase3to4 {
            parties,
            dlog_proof,
            nonce,
            enc_proofs,
            seed,
        });
        let cc_commitment = broadcast5.chain_code;
        self.chain2.insert(
            index,
            BroadcastDerivationPhase2to4 {
                sender_index: index,
                cc_commitment,
            },
        );
        let (aux_chain_code, cc_salt) = (broadcast6.chain_code, broadcast6.chain_code_salt.clone());
        let opening = BroadcastDerivationPhase3to4 {
            sender_index: index,
            aux_chain_code,
            cc_salt,
        };
        self.chain3.insert(index, opening);
        Ok(())
    }

    fn run(
        &self,
        dkg: DkgSession<Secp256k1>,
    ) -> Result<(Party<Secp256k1>, PublicKeyPackage<Secp256k1>), Verdict> {
        dkg.phase4(
            &self.proofs,
            &self.zero2,
            &self.zero3,
            &self.mul,
            &self.chain2,
            &self.chain3,
            |_| String::new(),
        )
        .map_err(aborted)
    }
}

/// Group key, every verification share, own scalar and parameters are the share layer's.
fn check_result(
    ot: &OtSetup,
    party: &Party<Secp256k1>,
    package: &PublicKeyPackage<Secp256k1>,
) -> Result<(), Verdict> {
    let share = ot.share();
    let parameters = share.parameters();
    let shares_agree = parameters.indices().all(|index| {
        let theirs = dkls_index(index)
            .ok()
            .and_then(|index| package.verifying_share(index))
            .map(encode_point);
        theirs.as_deref()
            == share
                .verification_share(index)
                .map(|point| point.as_bytes())
    });
    let agree = shares_agree
        && share.suite() == Suite::EcdsaSecp256k1
        && encode_point(&party.pk) == share.group_key().as_bytes()
        && encode_point(package.verifying_key()) == share.group_key().as_bytes()
        && scalar_of(share).is_ok_and(|scalar| scalar == party.poly_point)
        && party.party_index.as_u8() == share.index().get()
        && party.parameters.threshold == parameters.threshold().get()
        && party.parameters.share_count == parameters.parties();
    if agree {
        return Ok(());
    }
    Err(Verdict::Abort(Why::CheckFailed {
        check: "OT setup: the library arrived at another key",
        suspect: None,
    }))
}

/// No failure of the setup is a ban: a setup that fails leaves no correlations behind.
fn aborted(abort: dkls23_core::protocols::Abort) -> Verdict {
    let (check, suspect) = dkls::describe(&abort.reason);
    Verdict::Abort(Why::CheckFailed { check, suspect })
}
