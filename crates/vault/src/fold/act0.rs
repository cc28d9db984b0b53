//! Act 0: how a vault comes to have keys.
//!
//! An attempt ends for each member in PREPARED or ABORTED, whichever its log says first. It is *decided* when all
//! members prepared the same keys, and *dead* as soon as that has become impossible. Nothing undoes either, so the
//! next attempt is the lowest that is not dead.

use std::collections::{BTreeMap, BTreeSet};

use quorate_chain::evm::Address;
use quorate_threshold::PublicKeys;

use super::facts::{AttemptFacts, Ended};
use super::{State, evm_address};
use crate::ids::PartyId;

/// Most attempts that are told apart; at a minute each, six weeks of trying without a pause.
pub(super) const MAX_ATTEMPTS: u32 = 1 << 16;

/// Where the vault's making stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act0 {
    /// People compare the six words.
    Confirming {
        /// Who has not confirmed this charter yet.
        missing: Vec<PartyId>,
        /// Who confirmed another charter than this one. There will be no vault with them.
        differing: Vec<PartyId>,
    },
    /// Everybody confirmed; this attempt is next, or under way.
    Keygen {
        /// Which attempt.
        attempt: u32,
        /// Who entered it.
        started: Vec<PartyId>,
    },
    /// Some have durable shares.
    Preparing {
        /// Which attempt.
        attempt: u32,
        /// Who has not said so yet.
        missing: Vec<PartyId>,
    },
    /// Everybody has durable shares of the same keys.
    Decided {
        /// Which attempt.
        attempt: u32,
        /// The keys.
        public: PublicKeys,
        /// Who has not acknowledged yet.
        unacknowledged: Vec<PartyId>,
    },
    /// Everybody knows that everybody has. Addresses may be shown.
    Active {
        /// Which attempt.
        attempt: u32,
        /// The keys.
        public: PublicKeys,
    },
}

/// The decided attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Decided {
    pub(super) attempt: u32,
    pub(super) public: PublicKeys,
    pub(super) address: Address,
}

impl State {
    /// Where the vault's making stands.
    pub fn act0(&self) -> Act0 {
        if let Some(decided) = &self.decided {
            return self.after_decision(decided);
        }
        let (missing, differing) = self.unconfirmed();
        if !missing.is_empty() {
            return Act0::Confirming { missing, differing };
        }
        let attempt = self.next_attempt();
        let prepared = self.prepared(attempt);
        if prepared.is_empty() {
            let started = self.parties_where(attempt, |facts| facts.started.is_some());
            return Act0::Keygen { attempt, started };
        }
        Act0::Preparing {
            attempt,
            missing: self.parties_without(&prepared),
        }
    }

    /// Whether this member said of an attempt that it has durable shares, or that it never will.
    pub fn attempt_ended(&self, member: &PartyId, attempt: u32) -> bool {
        self.attempt_facts(member, attempt)
            .is_some_and(|facts| facts.ended.is_some())
    }

    /// Attempts that this member entered and has said no end of; after a restart it must abort them.
    pub fn unfinished_attempts(&self, member: &PartyId) -> Vec<u32> {
        let open = |facts: &AttemptFacts| facts.started.is_some() && facts.ended.is_none();
        let attempts = self.facts.attempts.iter();
        let mine = attempts.filter(|(_, members)| members.get(member).is_some_and(open));
        mine.map(|(attempt, _)| *attempt).collect()
    }

    /// Whether this member confirmed this charter.
    pub fn has_founded(&self, member: &PartyId) -> bool {
        let hash = self.vault.as_bytes();
        self.facts
            .founded
            .get(member)
            .is_some_and(|said| said.what == *hash)
    }

    /// Whether this member acknowledged the decided keys.
    pub fn has_acknowledged(&self, member: &PartyId) -> bool {
        self.decided
            .as_ref()
            .is_some_and(|decided| self.acknowledged(decided, member))
    }

    /// Why attempts died: attempt, who aborted it, and the reason given.
    pub fn aborts(&self) -> Vec<(u32, PartyId, String)> {
        let all = self.facts.attempts.iter();
        all.flat_map(|(attempt, members)| {
            members
                .iter()
                .filter_map(move |(party, facts)| match &facts.ended {
                    Some(said) => match &said.what {
                        Ended::Aborted(reason) => Some((*attempt, *party, reason.clone())),
                        Ended::Spoiled => {
                            Some((*attempt, *party, "its PREPARED does not hold".to_owned()))
                        }
                        Ended::Prepared(_) => None,
                    },
                    None => None,
                })
        })
        .collect()
    }

    /// Looks whether this attempt is decided now, and answers whether that is news.
    ///
    /// While one member is honest only one attempt ever is; were there two, the lower would count.
    pub(super) fn settle_attempt(&mut self, attempt: u32) -> bool {
        if self
            .decided
            .as_ref()
            .is_some_and(|held| held.attempt <= attempt)
        {
            return false;
        }
        let prepared = self.prepared(attempt);
        let Some(public) = prepared.values().next().copied() else {
            return false;
        };
        if prepared.len() < self.charter.members.len()
            || prepared.values().any(|other| *other != public)
        {
            return false;
        }
        let public = public.clone();
        let Some(address) = evm_address(&public) else {
            return false;
        };
        self.decided = Some(Decided {
            attempt,
            public,
            address,
        });
        true
    }

    fn after_decision(&self, decided: &Decided) -> Act0 {
        let unacknowledged: Vec<PartyId> = self
            .charter
            .parties()
            .filter(|party| !self.acknowledged(decided, party))
            .collect();
        let (attempt, public) = (decided.attempt, decided.public.clone());
        if unacknowledged.is_empty() {
            Act0::Active { attempt, public }
        } else {
            Act0::Decided {
                attempt,
                public,
                unacknowledged,
            }
        }
    }

    fn acknowledged(&self, decided: &Decided, party: &PartyId) -> bool {
        self.attempt_facts(party, decided.attempt)
            .and_then(|facts| facts.acknowledged.as_ref())
            .is_some_and(|said| said.what == decided.public.hash())
    }

    /// Who is missing altogether or confirmed another charter; and the latter alone.
    fn unconfirmed(&self) -> (Vec<PartyId>, Vec<PartyId>) {
        let missing: Vec<PartyId> = self
            .charter
            .parties()
            .filter(|p| !self.has_founded(p))
            .collect();
        let differing = missing
            .iter()
            .filter(|party| self.facts.founded.contains_key(*party))
            .copied()
            .collect();
        (missing, differing)
    }

    /// The lowest attempt that is not dead.
    fn next_attempt(&self) -> u32 {
        (1..MAX_ATTEMPTS)
            .find(|attempt| !self.attempt_is_dead(*attempt))
            .unwrap_or(MAX_ATTEMPTS)
    }

    /// Whether it can never be decided any more: a member aborted it or spoiled it, or two prepared different keys.
    pub fn attempt_is_dead(&self, attempt: u32) -> bool {
        let ended = |facts: &AttemptFacts| {
            let ended = facts.ended.as_ref();
            ended.is_some_and(|said| !matches!(said.what, Ended::Prepared(_)))
        };
        let given_up = !self.parties_where(attempt, ended).is_empty();
        let prepared = self.prepared(attempt);
        let first = prepared.values().next();
        given_up || prepared.values().any(|public| Some(public) != first)
    }

    fn prepared(&self, attempt: u32) -> BTreeMap<PartyId, &PublicKeys> {
        let members = self.facts.attempts.get(&attempt).into_iter().flatten();
        members
            .filter_map(|(party, facts)| match &facts.ended.as_ref()?.what {
                Ended::Prepared(public) => Some((*party, public.as_ref())),
                Ended::Spoiled | Ended::Aborted(_) => None,
            })
            .collect()
    }

    fn parties_where(&self, attempt: u32, test: impl Fn(&AttemptFacts) -> bool) -> Vec<PartyId> {
        let yes = |party: &PartyId| self.attempt_facts(party, attempt).is_some_and(&test);
        self.charter.parties().filter(yes).collect()
    }

    fn parties_without<T>(&self, those: &BTreeMap<PartyId, T>) -> Vec<PartyId> {
        let known: BTreeSet<&PartyId> = those.keys().collect();
        self.charter
            .parties()
            .filter(|party| !known.contains(party))
            .collect()
    }

    fn attempt_facts(&self, party: &PartyId, attempt: u32) -> Option<&AttemptFacts> {
        self.facts.attempts.get(&attempt)?.get(party)
    }
}
