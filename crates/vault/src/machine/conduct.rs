//! Who must not be signed with, and why. Durable as notes; never folded from logs, because it is this member's own
//! judgement.

use std::collections::BTreeSet;

use quorate_log::ForkEvidence;
use quorate_threshold::{Evidence, OtCheck, PartyIndex};

use super::Vault;
use super::keygen::secret_to_seal;
use crate::codec;
use crate::ids::PartyId;
use crate::io::{Mutation, Outcome};

const BAN: &str = "ban/";
const FORK: &str = "fork/";
const FAULT: &str = "fault/";

/// What this member holds against others.
#[derive(Default)]
pub(super) struct Conduct {
    /// A failed OT check: never signed with again in this epoch.
    pub(super) banned: BTreeSet<PartyId>,
    /// Signed two versions of its log.
    pub(super) forked: BTreeSet<PartyId>,
    /// Proven to have broken a protocol.
    pub(super) at_fault: BTreeSet<PartyId>,
    /// Sessions with it ended in a restart of this member too often: each may have hidden a failed OT check.
    pub(super) unresolved: BTreeSet<PartyId>,
}

impl Conduct {
    /// Reads the notes of an earlier run; a note of a stranger is none.
    pub(super) fn restore(notes: &[(String, Vec<u8>)], members: &BTreeSet<PartyId>) -> Self {
        let named = |family: &str| -> BTreeSet<PartyId> {
            let in_family = |name: &str, party: &PartyId| {
                name.strip_prefix(family)
                    .and_then(|rest| rest.split('/').next())
                    == Some(party.to_string().as_str())
            };
            let accused = |party: &&PartyId| notes.iter().any(|(name, _)| in_family(name, party));
            members.iter().filter(accused).copied().collect()
        };
        Self {
            banned: named(BAN),
            forked: named(FORK),
            at_fault: named(FAULT),
            unresolved: BTreeSet::new(),
        }
    }

    /// Whether this member signs with `party` at all.
    pub(super) fn trusts(&self, party: &PartyId) -> bool {
        ![&self.banned, &self.forked, &self.at_fault, &self.unresolved]
            .into_iter()
            .any(|set| set.contains(party))
    }
}

impl Vault {
    /// Holds a proven fault against a member, durably.
    pub(super) fn accuse(
        &mut self,
        culprit: PartyIndex,
        session: &str,
        evidence: &Evidence,
    ) -> String {
        let Some(party) = self.charter.member_at(culprit).map(|member| member.party) else {
            return "a stranger broke the protocol".to_owned();
        };
        self.out
            .persist(fault_note(party, session, evidence), Vec::new());
        self.conduct.at_fault.insert(party);
        let offence = format!(
            "{} broke the protocol, provably",
            self.charter.name_of(&party)
        );
        self.out.done(Outcome::Misbehaved {
            culprit: party,
            offence: offence.clone(),
        });
        offence
    }

    /// Never signs with a member again in this epoch. The ban and the secrets without the OT state of the pair become
    /// durable in one commit, before anything more is sent.
    pub(super) fn ban(&mut self, culprit: PartyIndex, check: OtCheck) {
        let Some(party) = self.charter.member_at(culprit).map(|member| member.party) else {
            return;
        };
        self.out.persist(ban_note(party, check), Vec::new());
        self.conduct.banned.insert(party);
        self.wipe_ot_with(culprit);
        self.out.done(Outcome::Misbehaved {
            culprit: party,
            offence: check.to_string(),
        });
    }

    fn wipe_ot_with(&mut self, culprit: PartyIndex) {
        for (attempt, secrets) in &mut self.secrets {
            // No OT state, or one damaged on this machine: no session starts over it, and there is nothing to wipe.
            if secrets.wipe_ot_with(culprit).is_ok() {
                let sealed_anew = secret_to_seal(*attempt, secrets);
                self.out.persist(sealed_anew, Vec::new());
            }
        }
    }

    /// Repeats the bans of earlier runs to secrets that were read back.
    pub(super) fn repeat_bans(&self) {
        let banned = self
            .conduct
            .banned
            .iter()
            .filter_map(|party| self.charter.index_of(party));
        for index in banned {
            for ot in self.secrets.values().filter_map(|secrets| secrets.ot()) {
                ot.ban(index);
            }
        }
    }

    /// Names of members by index, for a sentence.
    pub(super) fn names(&self, indices: Vec<PartyIndex>) -> String {
        let name = |index| {
            self.charter
                .member_at(index)
                .map(|member| member.name.clone())
        };
        indices
            .into_iter()
            .filter_map(name)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// The durable form of a local ban. It says which check failed and nothing that could be turned against our secrets.
pub(super) fn ban_note(culprit: PartyId, check: OtCheck) -> Mutation {
    Mutation::Note {
        name: format!("{BAN}{culprit}"),
        value: check.to_string().into_bytes(),
    }
}

/// The durable form of fork evidence: postcard of [`ForkEvidence`].
pub(super) fn fork_note(culprit: PartyId, evidence: &ForkEvidence) -> Mutation {
    Mutation::Note {
        name: format!("{FORK}{culprit}"),
        value: codec::encode(evidence),
    }
}

/// The durable form of protocol evidence ([`Evidence::to_bytes`]); `session` tells several apart.
pub(super) fn fault_note(culprit: PartyId, session: &str, evidence: &Evidence) -> Mutation {
    Mutation::Note {
        name: format!("{FAULT}{culprit}/{session}"),
        value: evidence.to_bytes(),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use quorate_threshold::OtCheck;

    use super::{Conduct, ban_note};
    use crate::ids::PartyId;
    use crate::io::Mutation;

    #[test]
    fn a_ban_is_read_back_for_the_member_it_names_alone() {
        let (bob, carol) = (PartyId([2; 32]), PartyId([3; 32]));
        let Mutation::Note { name, value } = ban_note(bob, OtCheck::Multiplication) else {
            unreachable!()
        };
        let members = BTreeSet::from([bob, carol]);
        let conduct = Conduct::restore(&[(name, value)], &members);
        assert!(!conduct.trusts(&bob));
        assert!(conduct.trusts(&carol));
        assert_eq!(conduct.banned, BTreeSet::from([bob]));
    }

    #[test]
    fn notes_of_other_families_accuse_nobody() {
        let bob = PartyId([2; 32]);
        let notes = [
            (format!("checkpoint/{bob}/0/7"), Vec::new()),
            (format!("banned/{bob}"), Vec::new()),
        ];
        assert!(Conduct::restore(&notes, &BTreeSet::from([bob])).trusts(&bob));
    }
}
