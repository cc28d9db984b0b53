//! Echoes: everybody repeats the signed hashes that it heard, so that nobody says different things to different members
//! without being named by its own signatures.

use std::ops::RangeInclusive;

use crate::channel::Channel;
use crate::committee::{Committee, PartyIndex};
use crate::envelope::{SessionTag, SignedBody, SignedHash};
use crate::evidence::Offence;
use crate::session::Verdict;

/// What this member heard in `rounds`: round by round, member by member.
pub(crate) fn heard(channel: &Channel, rounds: RangeInclusive<u8>) -> Vec<SignedHash> {
    let members = &channel.members;
    rounds
        .flat_map(|round| {
            members
                .iter()
                .filter_map(move |&index| channel.heard(round, index))
        })
        .collect()
}

/// Reads an echo of `rounds`: one entry a round and member, each signed by that member. `None` if it is no such thing.
pub(crate) fn read(
    tag: &SessionTag,
    committee: &Committee,
    members: &[PartyIndex],
    rounds: RangeInclusive<u8>,
    echoed: &[SignedHash],
) -> Option<Vec<(u8, PartyIndex, SignedHash)>> {
    let places: Vec<_> = rounds
        .flat_map(|round| members.iter().map(move |&index| (round, index)))
        .collect();
    let signed = |round, index, entry: &SignedHash| {
        let identity = committee.identity(index);
        identity.is_some_and(|identity| entry.verifies(tag, round, index, identity))
    };
    let entries = places
        .iter()
        .zip(echoed)
        .map(|(&(round, index), entry)| {
            signed(round, index, entry).then_some((round, index, *entry))
        })
        .collect::<Option<Vec<_>>>()?;
    (places.len() == echoed.len()).then_some(entries)
}

/// Compares what another heard with what this member heard. A difference convicts: the author, if it signed
/// both, else who echoes what the author never signed.
pub(crate) fn check(
    channel: &Channel,
    from: PartyIndex,
    round: u8,
    body: &SignedBody,
    rounds: RangeInclusive<u8>,
    theirs: &[SignedHash],
) -> Result<(), Verdict> {
    if theirs == heard(channel, rounds.clone()) {
        return Ok(());
    }
    let entries = read(
        &channel.tag,
        &channel.committee,
        &channel.members,
        rounds,
        theirs,
    );
    let forged = || {
        let body = body.clone();
        channel.named(from, Offence::BadBroadcast { round, body })
    };
    entries
        .ok_or_else(forged)?
        .into_iter()
        .try_for_each(|(round, author, entry)| channel.compare(round, author, entry))
}
