//! What makes a broadcast acceptable, decided by nothing but what its sender signed.
//!
//! The rounds and [`crate::verify_evidence`] call the same functions, so that whatever a round refuses by
//! name a stranger refuses too.

use std::ops::RangeInclusive;

use super::dkg::{check_package, check_sub_share};
use super::messages::{
    Body, Round1Broadcast, Round2Broadcast, Round3Broadcast, Round3Direct, Round4Broadcast,
    Round5Broadcast, Round7Broadcast, opening_hash,
};
use super::ot_setup::Round6Broadcast;
use crate::committee::{Committee, PartyIndex};
use crate::echo;
use crate::envelope::{SessionTag, SignedHash};
use crate::error::Error;
use crate::suite::Suite;

/// Why a message is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unfit {
    /// A rule is broken; which one follows from the round.
    Broken,
    /// It is of another version, whose rules this one does not know.
    Version(u8),
}

impl From<Error> for Unfit {
    fn from(error: Error) -> Self {
        match error {
            Error::Version { version, .. } => Self::Version(version),
            _ => Self::Broken,
        }
    }
}

/// Round 2: decodes, and each suite's package holds.
pub(crate) fn round2(
    committee: &Committee,
    sender: PartyIndex,
    body: &[u8],
) -> Result<Round2Broadcast, Unfit> {
    let package = Round2Broadcast::from_body(body)?;
    for (suite, suite_package) in Suite::ALL.into_iter().zip(&package.suites) {
        check_package(suite, committee.parameters(), sender, suite_package)
            .map_err(|_| Unfit::Broken)?;
    }
    Ok(package)
}

/// Round 3, to `receiver`: decodes, and each sub-share is on its dealer's polynomial.
pub(crate) fn round3_direct(
    package: &Round2Broadcast,
    receiver: PartyIndex,
    direct: &[u8],
) -> Result<Round3Direct, Unfit> {
    let dealing = Round3Direct::from_body(direct)?;
    let mut parts = Suite::ALL
        .into_iter()
        .zip(&package.suites)
        .zip(&dealing.sub_shares);
    let good =
        parts.all(|((suite, package), share)| check_sub_share(suite, package, receiver, share));
    if good {
        Ok(dealing)
    } else {
        Err(Unfit::Broken)
    }
}

/// Whether `opening`, sent in `round`, is what `commitment` promised.
pub(crate) fn opens(
    tag: &SessionTag,
    round: u8,
    sender: PartyIndex,
    commitment: &Round1Broadcast,
    opening: &[u8],
) -> bool {
    let promised = match round {
        2 => commitment.package,
        3 => commitment.chain_codes,
        _ => return true,
    };
    promised == opening_hash(tag, round, sender, opening)
}

/// The rounds that round 4 echoes.
pub(crate) const ROUND4_ECHOES: RangeInclusive<u8> = 1..=3;
/// The rounds that round 7 echoes.
pub(crate) const ROUND7_ECHOES: RangeInclusive<u8> = 4..=6;

/// Whether everybody's words of `rounds` are repeated, with everybody's signatures.
fn echoed(
    tag: &SessionTag,
    committee: &Committee,
    rounds: RangeInclusive<u8>,
    heard: &[SignedHash],
) -> Result<(), Unfit> {
    let members: Vec<PartyIndex> = committee.indices().collect();
    let entries = echo::read(tag, committee, &members, rounds, heard);
    entries.map(drop).ok_or(Unfit::Broken)
}

/// Whether a broadcast of `round` breaks a rule that it alone decides.
pub(crate) fn broadcast_is_bad(
    tag: &SessionTag,
    committee: &Committee,
    round: u8,
    sender: PartyIndex,
    body: &[u8],
) -> bool {
    let read = match round {
        1 => Round1Broadcast::from_body(body)
            .map(drop)
            .map_err(Unfit::from),
        2 => round2(committee, sender, body).map(drop),
        3 => Round3Broadcast::from_body(body)
            .map(drop)
            .map_err(Unfit::from),
        4 => Round4Broadcast::from_body(body)
            .map_err(Unfit::from)
            .and_then(|said| echoed(tag, committee, ROUND4_ECHOES, &said.heard)),
        5 => Round5Broadcast::from_body(body)
            .map(drop)
            .map_err(Unfit::from),
        6 => Round6Broadcast::from_body(body)
            .map(drop)
            .map_err(Unfit::from),
        7 => Round7Broadcast::from_body(body)
            .map_err(Unfit::from)
            .and_then(|said| echoed(tag, committee, ROUND7_ECHOES, &said.heard)),
        _ => Ok(()),
    };
    read == Err(Unfit::Broken)
}
