//! Everything that people are shown, as plain values.
//!
//! [`VaultView`] and [`RequestView`] are computed from logs, charter and time alone: a vault that lost all but its logs
//! and sealed secrets shows the same. What is so only at this moment ([`Presence`], [`Awaited`]) stands apart.

mod blocked;
mod request;

use serde::Serialize;

use super::Vault;
use super::found::FIRST_EPOCH;
use crate::charter::Charter;
use crate::fold::{Act0, State};
use crate::ids::{PartyId, RequestId, Time, VaultId};
use quorate_log::Log;

pub use self::request::{
    DecisionView, IntentView, NoteView, ReceiptView, RequestView, SessionView,
};

/// Where the vault stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Members compare the six words.
    Confirming,
    /// The keys are being made, or members have yet to acknowledge them.
    Keygen,
    /// Every member has acknowledged: there is an address.
    Active,
    /// A member confirmed another roster; there will be no vault with this one.
    Failed,
}

/// A vault.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct VaultView {
    /// Hex.
    pub id: String,
    /// From the charter.
    pub name: String,
    /// Signers that a signature needs.
    pub threshold: u8,
    /// Approvals that a request needs.
    pub needed: u8,
    /// In committee order.
    pub members: Vec<MemberView>,
    /// Where it stands.
    pub phase: Phase,
    /// The six words.
    pub words: Vec<String>,
    /// Of the charter in force.
    pub charter_version: u32,
    /// Generation of the key shares; 0 before there are any.
    pub epoch: u64,
    /// EIP-55; none until every member has acknowledged.
    pub address: Option<String>,
    /// Keygen attempts that were given up: attempt, member's name, reason.
    pub aborted: Vec<(u32, String, String)>,
}

/// A member.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MemberView {
    /// Hex.
    pub party: String,
    /// Name.
    pub name: String,
    /// 1-based committee index.
    pub index: u8,
    /// Whether this is the member that answers.
    pub you: bool,
    /// Who controls it.
    pub controller: String,
    /// What could take it together with others.
    pub domains: Vec<String>,
    /// Its person confirmed the words.
    pub confirmed: bool,
    /// Its shares are durable.
    pub prepared: bool,
    /// It acknowledged the keys.
    pub acknowledged: bool,
}

/// Another member, at this moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Presence {
    /// Who.
    pub party: PartyId,
    /// The channel stands.
    pub online: bool,
    /// Both sides have told what they hold, so that it can sign with this member.
    pub caught_up: bool,
    /// When anything last came from it, in this run.
    pub last_heard: Option<Time>,
    /// Why this member does not sign with it, if so.
    pub distrusted: Option<&'static str>,
}

/// Somebody is waited for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Awaited {
    /// Who.
    pub party: PartyId,
    /// Its name.
    pub name: String,
    /// What is awaited: `to confirm the six words`, `to come online`, ...
    pub what: &'static str,
}

impl Vault {
    /// The vault's id.
    pub fn id(&self) -> &VaultId {
        &self.id
    }

    /// Whose side this is.
    pub fn me(&self) -> &PartyId {
        &self.me
    }

    /// The charter in force.
    pub fn charter(&self) -> &Charter {
        &self.charter
    }

    /// What the logs say.
    pub fn state(&self) -> &State {
        &self.state
    }

    /// The time this vault was last told.
    pub fn now(&self) -> Time {
        self.now
    }

    /// One member's log, as held here.
    pub fn log(&self, author: &PartyId) -> Option<&Log> {
        self.logs.get(author)
    }

    /// Every member's log, as held here.
    pub fn logs(&self) -> impl Iterator<Item = (&PartyId, &Log)> {
        self.logs.iter()
    }

    /// Why this member signs nothing at present; none when it would.
    pub fn read_only(&self) -> Option<&'static str> {
        if self.rolled_back {
            return Some(
                "its own log was put back to an earlier copy; start it from the newest copy of its folder",
            );
        }
        let heard = self.peers.values().any(|peer| peer.caught_up);
        (!heard).then_some("it has not heard since its start what the others hold of its own log")
    }

    /// What an endpoint complained of last, in words, by chain.
    pub fn chain_trouble(&self) -> impl Iterator<Item = (&quorate_chain::ChainId, &str)> {
        self.watch
            .trouble
            .iter()
            .map(|(chain, words)| (chain, words.as_str()))
    }

    /// The other members at this moment, in committee order.
    pub fn presence(&self) -> Vec<Presence> {
        let others = self
            .charter
            .parties()
            .filter_map(|party| Some((party, self.peers.get(&party)?)));
        others
            .map(|(party, peer)| Presence {
                party,
                online: peer.connected,
                caught_up: peer.is_ready(),
                last_heard: peer.last_heard,
                distrusted: self.distrust(&party),
            })
            .collect()
    }

    fn distrust(&self, party: &PartyId) -> Option<&'static str> {
        if self.conduct.forked.contains(party) {
            Some("it signed two versions of its own log")
        } else if self.conduct.at_fault.contains(party) {
            Some("it broke a protocol, provably")
        } else if self.conduct.banned.contains(party) {
            Some("a multiplication check with it failed")
        } else if self.conduct.unresolved.contains(party) {
            Some("this member was restarted too often in the middle of signing with it")
        } else {
            None
        }
    }

    /// Who has to do what before the vault's making goes on.
    pub fn awaited(&self) -> Vec<Awaited> {
        let await_all = |parties: Vec<PartyId>, what| {
            parties
                .into_iter()
                .map(|party| self.awaited_one(party, what))
                .collect()
        };
        let offline = || -> Vec<PartyId> {
            self.charter
                .parties()
                .filter(|party| self.peers.get(party).is_some_and(|peer| !peer.is_ready()))
                .collect()
        };
        match self.state.act0() {
            Act0::Confirming { missing, .. } => await_all(missing, "to confirm the six words"),
            Act0::Keygen { .. } => await_all(offline(), "to come online"),
            Act0::Preparing { missing, .. } => await_all(missing, "to store its shares"),
            Act0::Decided { unacknowledged, .. } => {
                await_all(unacknowledged, "to acknowledge the keys")
            }
            Act0::Active { .. } => Vec::new(),
        }
    }

    fn awaited_one(&self, party: PartyId, what: &'static str) -> Awaited {
        Awaited {
            party,
            name: self.charter.name_of(&party),
            what,
        }
    }

    /// Where the vault stands.
    pub fn phase(&self) -> Phase {
        match self.state.act0() {
            Act0::Confirming { differing, .. } if !differing.is_empty() => Phase::Failed,
            Act0::Confirming { .. } => Phase::Confirming,
            Act0::Keygen { .. } | Act0::Preparing { .. } | Act0::Decided { .. } => Phase::Keygen,
            Act0::Active { .. } => Phase::Active,
        }
    }

    /// The vault, from logs and charter alone.
    pub fn view(&self) -> VaultView {
        let act0 = self.state.act0();
        let phase = self.phase();
        let name = |party: &PartyId| self.charter.name_of(party);
        VaultView {
            id: self.id.to_string(),
            name: self.charter.name.clone(),
            threshold: self.charter.threshold,
            needed: self.charter.needed(),
            members: self
                .charter
                .parties()
                .filter_map(|party| self.member_view(&party, &act0))
                .collect(),
            phase,
            words: self
                .words()
                .as_array()
                .iter()
                .map(|word| (*word).to_owned())
                .collect(),
            charter_version: self.charter.version,
            epoch: if phase == Phase::Active {
                FIRST_EPOCH
            } else {
                0
            },
            address: self.state.address().map(|address| address.to_string()),
            aborted: self
                .state
                .aborts()
                .into_iter()
                .map(|(n, party, why)| (n, name(&party), why))
                .collect(),
        }
    }

    fn member_view(&self, party: &PartyId, act0: &Act0) -> Option<MemberView> {
        let member = self.charter.member(party)?;
        let prepared = match act0 {
            Act0::Confirming { .. } | Act0::Keygen { .. } => false,
            Act0::Preparing { missing, .. } => !missing.contains(party),
            Act0::Decided { .. } | Act0::Active { .. } => true,
        };
        Some(MemberView {
            party: party.to_string(),
            name: member.name.clone(),
            index: self.charter.index_of(party)?.get(),
            you: *party == self.me,
            controller: member.controller.clone(),
            domains: member.domains.clone(),
            confirmed: self.state.has_founded(party),
            prepared,
            acknowledged: self.state.has_acknowledged(party),
        })
    }

    /// A request, from logs and time alone; none if it has not arrived.
    pub fn request(&self, id: &RequestId) -> Option<RequestView> {
        request::view(self, id)
    }

    /// Every request, oldest first.
    pub fn requests(&self) -> Vec<RequestView> {
        let mut all: Vec<_> = self
            .state
            .requests()
            .filter_map(|id| self.request(&id))
            .collect();
        all.sort_by(|a, b| (a.created, &a.id).cmp(&(b.created, &b.id)));
        all
    }
}
