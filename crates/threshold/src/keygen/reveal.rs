//! Round 2: packages are opened and checked (FROST, figure 1, round 1, steps 4 and 5).

use std::collections::BTreeMap;

use rand_core::CryptoRngCore;
use zeroize::Zeroizing;

use super::commit::{Commitments, Mine};
use super::deal::ExpectRound3;
use super::dkg::{Dealt, Receiver};
use super::messages::{Body, Round1Broadcast, Round2Broadcast, Round3Direct, SuitePackage};
use super::{broadcast_of, local, rules, unfit};
use crate::channel::{Channel, RoundOutput};
use crate::committee::PartyIndex;
use crate::envelope::{Envelope, SignedBody};
use crate::error::Error;
use crate::evidence::Offence;
use crate::machine::{Advance, Phase};
use crate::session::{KeygenOutput, Verdict};

/// Checked packages, decoded and as signed.
pub(crate) type Packages = BTreeMap<PartyIndex, (SignedBody, Round2Broadcast)>;

/// Waits for the others' packages.
pub(crate) struct ExpectRound2 {
    pub(crate) mine: Mine,
    pub(crate) commitments: Commitments,
    pub(crate) packages: Packages,
}

impl Phase<KeygenOutput> for ExpectRound2 {
    fn round(&self) -> u8 {
        2
    }

    fn accept(
        &mut self,
        channel: &Channel,
        from: PartyIndex,
        envelope: Envelope,
    ) -> Result<(), Verdict> {
        let body = broadcast_of(&envelope)?;
        // The package is the one committed to, before anything in it is believed.
        check_opening(channel, &self.commitments, from, 2, body)?;
        // Length t, points, proof of knowledge; all that evidence can show.
        let package = rules::round2(&channel.committee, from, &body.body)
            .map_err(|why| unfit(channel, from, 2, body, why))?;
        self.packages.insert(from, (body.clone(), package));
        Ok(())
    }

    fn advance(
        self: Box<Self>,
        channel: &Channel,
        _rng: &mut dyn CryptoRngCore,
    ) -> Result<Advance<KeygenOutput>, Verdict> {
        let Self {
            mine:
                Mine {
                    setup,
                    dealers,
                    package,
                    chain_codes,
                },
            commitments,
            packages,
        } = *self;
        let dealt = dealers
            .into_iter()
            .enumerate()
            .map(|(suite, dealer)| dealer.deal(&of_suite(&packages, suite)))
            .collect::<Result<Vec<_>, _>>()
            .map_err(local)?;
        let direct = channel
            .others()
            .map(|to| Ok((to, sub_shares_for(to, &dealt)?.to_secret_body())))
            .collect::<Result<_, Error>>()
            .map_err(local)?;
        let output = RoundOutput {
            broadcast: Some(chain_codes.to_body()),
            direct,
        };
        let receivers: Vec<Box<dyn Receiver>> =
            dealt.into_iter().map(|dealt| dealt.receiver).collect();
        let fresh = package.fresh;
        let next = ExpectRound3::new(setup, receivers, fresh, chain_codes, commitments, packages);
        Ok(Advance::Next(Box::new(next), output))
    }
}

/// One suite's packages of all others.
fn of_suite(packages: &Packages, position: usize) -> BTreeMap<PartyIndex, SuitePackage> {
    packages
        .iter()
        .filter_map(|(&index, (_, package))| Some((index, package.suites.get(position)?.clone())))
        .collect()
}

/// `f_i(to)` of every suite.
fn sub_shares_for(to: PartyIndex, dealt: &[Dealt]) -> Result<Round3Direct, Error> {
    let mut sub_shares = Zeroizing::new([[0; 32]; 3]);
    for (slot, dealt) in sub_shares.iter_mut().zip(dealt) {
        let missing = || Error::Library {
            library: "frost-core",
            detail: format!("no sub-share for {to}"),
        };
        *slot = **dealt.sub_shares.get(&to).ok_or_else(missing)?;
    }
    Ok(Round3Direct {
        sub_shares: *sub_shares,
    })
}

/// Checks that a broadcast of round 2 or 3 is what its sender committed to in round 1.
pub(crate) fn check_opening(
    channel: &Channel,
    commitments: &Commitments,
    from: PartyIndex,
    round: u8,
    opening: &SignedBody,
) -> Result<(), Verdict> {
    let promised: Option<&(SignedBody, Round1Broadcast)> = commitments.get(&from);
    match promised {
        Some((_, commitment))
            if rules::opens(&channel.tag, round, from, commitment, &opening.body) =>
        {
            Ok(())
        }
        Some((signed, _)) => Err(channel.named(
            from,
            Offence::OpeningDiffers {
                round,
                commitment: signed.clone(),
                opening: opening.clone(),
            },
        )),
        None => Err(Verdict::Ignored(crate::session::Why::Malformed)),
    }
}
