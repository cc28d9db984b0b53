//! The stub of keygen: four rounds.

use quorate_threshold::envelope::{ProtocolKind, SessionTag};
use quorate_threshold::{
    EpochSecrets, KeyShare, KeygenOutput, KeygenParams, Outgoing, PartyIndex, Point, PublicKeys,
    RawKeyShare, Session, Started, Step, Suite, Transcript, Verdict, Why,
};
use rand_core::CryptoRngCore;

use super::rounds::{Rounds, commit};
use super::{Misdeed, hash};

struct Keygen {
    params: KeygenParams,
    rounds: Rounds,
    contribution: [u8; 32],
    output: Option<KeygenOutput>,
}

pub(super) fn start(
    params: KeygenParams,
    misdeed: Option<Misdeed>,
    contribution: [u8; 32],
) -> Started<KeygenOutput> {
    let mut session = Transcript::new("quorate/sim/keygen");
    session.append(&params.vault);
    session.append_u64(params.epoch);
    session.append_u64(u64::from(params.attempt));
    let tag = SessionTag {
        kind: ProtocolKind::Keygen,
        suite: None,
        epoch: params.epoch,
        session: session.finish(),
        binding: params.committee.hash(),
    };
    let silent_from = match misdeed {
        Some(Misdeed::SilentInKeygenFrom(round)) => Some(round),
        _ => None,
    };
    let members = params.committee.indices().collect();
    let mut rounds = Rounds::new(
        tag,
        params.committee.clone(),
        members,
        params.me,
        params.identity.clone(),
        silent_from,
    );
    let send = rounds.next(commit(&contribution));
    Started {
        session: Box::new(Keygen {
            params,
            rounds,
            contribution,
            output: None,
        }),
        send,
    }
}

impl Session<KeygenOutput> for Keygen {
    fn receive(
        &mut self,
        from: PartyIndex,
        bytes: &[u8],
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Step<KeygenOutput>, Verdict> {
        self.rounds.take(from, bytes)?;
        let mut step = Step::wait();
        while step.done.is_none() && self.rounds.complete().is_some() {
            match self.rounds.round() {
                1 => step
                    .send
                    .extend(self.rounds.next(self.contribution.to_vec())),
                2 => step.send.extend(self.echo()?),
                3 => step.send.extend(self.confirm()?),
                _ => {
                    self.rounds.check_same()?;
                    step.done = self.output.take();
                    if step.done.is_none() {
                        return Err(Verdict::Ignored(Why::SessionOver));
                    }
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

impl Keygen {
    fn all_contributions(&self) -> [u8; 32] {
        let all = self.rounds.said_in(2).unwrap_or_default();
        hash(
            "quorate/sim/contributions",
            all.iter().map(|(_, body)| body.as_slice()),
        )
    }

    fn echo(&mut self) -> Result<Vec<Outgoing>, Verdict> {
        self.rounds.check_openings()?;
        let all = self.all_contributions();
        Ok(self.rounds.next(all.to_vec()))
    }

    fn confirm(&mut self) -> Result<Vec<Outgoing>, Verdict> {
        self.rounds.check_same()?;
        let transcript = self.all_contributions();
        let local = |error| Verdict::Abort(Why::Local(error));
        let shares = [
            Suite::EcdsaSecp256k1,
            Suite::SchnorrSecp256k1,
            Suite::EddsaEd25519,
        ]
        .map(|suite| share(&self.params, suite, &transcript));
        let [ecdsa, schnorr, eddsa] = shares;
        let shares = [
            ecdsa.map_err(local)?,
            schnorr.map_err(local)?,
            eddsa.map_err(local)?,
        ];
        let public =
            PublicKeys::from_shares(&shares, &self.params.committee, transcript).map_err(local)?;
        let secrets = EpochSecrets::new(shares, None).map_err(local)?;
        let hash = public.hash();
        self.output = Some(KeygenOutput { public, secrets });
        Ok(self.rounds.next(hash.to_vec()))
    }
}

/// A share on a polynomial of degree 0: the key.
fn share(
    params: &KeygenParams,
    suite: Suite,
    transcript: &[u8; 32],
) -> Result<KeyShare, quorate_threshold::Error> {
    let named = |domain: &str| hash(domain, [suite.name().as_bytes(), transcript]);
    let mut secret = named("quorate/sim/secret");
    // Below either group's order whichever end is the high one.
    let [first, .., last] = &mut secret;
    *(if suite == Suite::EddsaEd25519 {
        last
    } else {
        first
    }) = 0;
    let key = Point::of_secret(suite, &secret)?;
    let parameters = params.committee.parameters();
    KeyShare::from_raw_parts_holding_a_secret(&RawKeyShare {
        suite,
        epoch: params.epoch,
        index: params.me,
        parameters,
        group_key: key,
        verification_shares: parameters.indices().map(|_| key).collect(),
        chain_code: named("quorate/sim/chain-code"),
        secret,
    })
}
