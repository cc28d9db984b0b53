//! Round 6, second half: the others' proofs and base OTs are checked, and the OT state is kept (phase 4).

use std::collections::BTreeMap;

use dkls23_core::DkgSession;
use dkls23_core::protocols::dkg::{
    BroadcastDerivationPhase2to4, BroadcastDerivationPhase3to4, ProofCommitment,
    TransmitInitMulPhase3to4, TransmitInitZeroSharePhase2to4, TransmitInitZeroSharePhase3to4,
};
use dkls23_core::protocols::{Party, PublicKeyPackage};
use k256_dkls::Secp256k1;
use rand_core::CryptoRngCore;
use zeroize::Zeroize;

use super::done::ExpectRound7;
use super::messages::{Body, Round5Broadcast, Round5Direct, Round7Broadcast};
use super::ot_setup::{Mine, OtSetup, Round6Broadcast, Round6Direct, aborted};
use super::{broadcast_of, local, read, rules};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::dkls::{dkls_index, encode_point, parties, reseed, scalar_of};
use crate::echo::heard;
use crate::envelope::Envelope;
use crate::error::Error;
use crate::machine::{Advance, Phase};
use crate::ot_state::OtState;
use crate::public::PublicKeys;
use crate::secrets::EpochSecrets;
use crate::session::{KeygenOutput, Verdict, Why};
use crate::suite::Suite;

/// Waits for the others' proofs and base OTs.
pub(crate) struct ExpectRound6 {
    pub(crate) mine: Mine,
    pub(crate) commitments: BTreeMap<PartyIndex, (Round5Broadcast, Round5Direct)>,
    pub(crate) own_chain_code: BroadcastDerivationPhase3to4,
    pub(crate) openings: BTreeMap<PartyIndex, (Round6Broadcast, Round6Direct)>,
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
            seed: direct6.zero_seed,
            salt: direct6.zero_salt.clone(),
        });
        self.mul.push(TransmitInitMulPhase3to4 {
            parties,
            dlog_proof: direct6.dlog_proof.clone(),
            nonce: direct6.nonce,
            enc_proofs: direct6.enc_proofs.clone(),
            seed: direct6.seed,
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

impl Drop for Phase4Input {
    fn drop(&mut self) {
        for zero in &mut self.zero3 {
            zero.seed.zeroize();
            zero.salt.zeroize();
        }
        for mul in &mut self.mul {
            mul.nonce.zeroize();
            mul.seed.zeroize();
        }
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
