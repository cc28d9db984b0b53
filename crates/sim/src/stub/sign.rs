//! The stub of signing: three rounds.

use k256::Scalar;
use k256::ecdsa::hazmat::SignPrimitive;
use k256::elliptic_curve::PrimeField;
use quorate_threshold::{
    EcdsaSignature, EpochSecrets, Error, MessageDigest, OtCheck, Outgoing, PartyIndex, Session,
    SignParams, Started, Step, Subject, Suite, Verdict, Why,
};
use rand_core::CryptoRngCore;

use super::rounds::{Rounds, commit};
use super::{Misdeed, hash};

/// What a member reveals whose multiplication check is to fail.
const FAILING: &[u8] = b"this fails an OT check";

struct Sign {
    params: SignParams,
    digest: MessageDigest,
    rounds: Rounds,
    reveal: Vec<u8>,
    key: Scalar,
    over: bool,
}

pub(super) fn start(
    params: SignParams,
    secrets: &EpochSecrets,
    misdeed: Option<Misdeed>,
    nonce: [u8; 32],
) -> Result<Started<EcdsaSignature>, Error> {
    let in_order = params.quorum.is_sorted_by(|a, b| a < b);
    let enough =
        params.quorum.len() == usize::from(params.committee.parameters().threshold().get());
    if !in_order || !enough || !params.quorum.contains(&params.me) {
        return Err(Error::Quorum);
    }
    let share = secrets.share(Suite::EcdsaSecp256k1);
    if !params.public.matches(share) {
        return Err(Error::WrongSecrets {
            what: "public keys",
        });
    }
    let Subject::Ecdsa(digest) = params.subject else {
        return Err(Error::WrongSecrets { what: "suite" });
    };
    let key = scalar(share.expose_secret_scalar());
    let committed = nonce.to_vec();
    let reveal = match misdeed {
        Some(Misdeed::FailsOtCheck) => FAILING.to_vec(),
        Some(Misdeed::OpensOtherwise) => hash("quorate/sim/other", [committed.as_slice()]).to_vec(),
        _ => committed.clone(),
    };
    // Who fails the check is to fail that alone.
    let committed = if misdeed == Some(Misdeed::FailsOtCheck) {
        reveal.clone()
    } else {
        committed
    };
    let silent_from = match misdeed {
        Some(Misdeed::SilentFrom(round)) => Some(round),
        _ => None,
    };
    let mut rounds = Rounds::new(
        params.tag(),
        params.committee.clone(),
        params.quorum.clone(),
        params.me,
        params.identity.clone(),
        silent_from,
    );
    let send = rounds.next(commit(&committed));
    Ok(Started {
        session: Box::new(Sign {
            params,
            digest,
            rounds,
            reveal,
            key,
            over: false,
        }),
        send,
    })
}

impl Session<EcdsaSignature> for Sign {
    fn receive(
        &mut self,
        from: PartyIndex,
        bytes: &[u8],
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Step<EcdsaSignature>, Verdict> {
        if self.over {
            return Err(Verdict::Ignored(Why::SessionOver));
        }
        self.rounds.take(from, bytes)?;
        let mut step = Step::wait();
        while !self.over && self.rounds.complete().is_some() {
            match self.rounds.round() {
                1 => step.send.extend(self.rounds.next(self.reveal.clone())),
                2 => step.send.extend(self.confirm()?),
                _ => {
                    self.rounds.check_same()?;
                    self.over = true;
                    step.done = Some(self.signature()?);
                }
            }
        }
        Ok(step)
    }

    fn waiting_for(&self) -> Vec<PartyIndex> {
        self.rounds.waiting_for()
    }

    fn round(&self) -> u8 {
        self.rounds.round()
    }
}

impl Sign {
    fn confirm(&mut self) -> Result<Vec<Outgoing>, Verdict> {
        self.rounds.check_openings()?;
        let said = self.rounds.said_in(2).unwrap_or_default();
        let cheat = said
            .iter()
            .find(|(index, body)| *index != self.params.me && body == FAILING);
        if let Some((culprit, _)) = cheat {
            self.over = true;
            return Err(Verdict::LocalBan {
                culprit: *culprit,
                check: OtCheck::Multiplication,
            });
        }
        let nonce = self.nonce();
        Ok(self
            .rounds
            .next(hash("quorate/sim/confirm", [nonce.as_slice()]).to_vec()))
    }

    fn nonce(&self) -> [u8; 32] {
        let said = self.rounds.said_in(2).unwrap_or_default();
        let reveals = said.iter().map(|(_, body)| body.as_slice());
        hash(
            "quorate/sim/nonce",
            [self.params.session.as_slice(), self.digest.as_bytes()]
                .into_iter()
                .chain(reveals),
        )
    }

    fn signature(&self) -> Result<EcdsaSignature, Verdict> {
        let failed = || {
            Verdict::Abort(Why::CheckFailed {
                check: "signature",
                suspect: None,
            })
        };
        let digest = (*self.digest.as_bytes()).into();
        let (signature, id) = self
            .key
            .try_sign_prehashed(scalar(&self.nonce()), &digest)
            .map_err(|_| failed())?;
        let id = id.ok_or_else(failed)?;
        let (r, s) = signature.split_bytes();
        let signature = EcdsaSignature {
            r: r.into(),
            s: s.into(),
            recovery_id: id.to_byte(),
        };
        let group_key = self.params.public.group_key(Suite::EcdsaSecp256k1);
        if signature.verify(group_key, &self.digest) {
            Ok(signature)
        } else {
            Err(failed())
        }
    }
}

/// A scalar from bytes that are below the group's order but for a chance of 2^-128.
fn scalar(bytes: &[u8; 32]) -> Scalar {
    Option::from(Scalar::from_repr((*bytes).into())).unwrap_or(Scalar::ONE)
}
