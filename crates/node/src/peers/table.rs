//! Who is who, and which connection is the channel to whom.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use iroh::endpoint::{Connection, VarInt};
use quorate_vault::PartyId;
use tokio::sync::{Notify, OwnedMutexGuard};

use super::queue::Outbox;
use super::{Contact, PeerStatus};
use crate::process::now_ms;
use crate::shared::lock;

/// A connection heard so lately is alive, and is not given up for one that the other side should not have begun.
const FRESH: Duration = Duration::from_millis(2500);
/// What a peer showed tells more than that it is silent since, for so long.
const TELLING: Duration = Duration::from_secs(10);
/// Addresses that are remembered of one party.
const MAX_ADDRESSES: usize = 16;

/// Closing code of a connection that lost against another one of the same pair.
pub(super) const SUPERSEDED: VarInt = VarInt::from_u32(1);
/// Closing code for who is not known here, or whose greeting was refused.
pub(super) const REFUSED: VarInt = VarInt::from_u32(2);
/// Closing code when this daemon ends.
const GOODBYE: VarInt = VarInt::from_u32(3);

pub(super) struct Table {
    own_endpoint: [u8; 32],
    own_card: Mutex<Vec<u8>>,
    entries: Mutex<BTreeMap<PartyId, Entry>>,
}

struct Entry {
    contact: Contact,
    live: Option<Live>,
    generation: u64,
    last_heard: Option<Heard>,
    problem: Option<Problem>,
    /// Wakes the caller: the channel is gone, or there is a new address.
    changed: Arc<Notify>,
    /// Held while a change of the channel is told, so that changes are told in the order in which they happened.
    turn: Arc<tokio::sync::Mutex<()>>,
}

struct Live {
    connection: Connection,
    outbox: Outbox,
    begun_by: [u8; 32],
    generation: u64,
}

/// Why there is no channel.
struct Problem {
    words: String,
    /// Whether the peer itself showed it; else there was only silence.
    shown: bool,
    at: Instant,
}

#[derive(Clone, Copy)]
struct Heard {
    at: Instant,
    at_ms: u64,
}

impl Heard {
    fn now() -> Self {
        Self {
            at: Instant::now(),
            at_ms: now_ms(),
        }
    }
}

/// A channel that was just put in its place; tell that it stands while holding this.
pub(super) struct Installed {
    pub(super) generation: u64,
    pub(super) turn: OwnedMutexGuard<()>,
}

impl Table {
    pub(super) fn new(own_endpoint: [u8; 32], own_card: Vec<u8>) -> Self {
        Self {
            own_endpoint,
            own_card: Mutex::new(own_card),
            entries: Mutex::default(),
        }
    }

    /// What peers are told first.
    pub(super) fn own_card(&self) -> Vec<u8> {
        lock(&self.own_card).clone()
    }

    /// Says something else of this member from now on, to those that are there at once.
    pub(super) fn set_own_card(&self, card: Vec<u8>, frame: &[u8]) {
        *lock(&self.own_card) = card;
        for entry in lock(&self.entries).values() {
            if let Some(live) = &entry.live {
                live.outbox.offer(frame.to_vec());
            }
        }
    }

    /// Adds a party of which others speak. What is known of it stays; addresses come last. Gives its id if it was not
    /// known.
    pub(super) fn introduce(&self, contact: Contact) -> Option<PartyId> {
        if let Some(entry) = lock(&self.entries).get_mut(&contact.party()) {
            let known = &mut entry.contact.addresses;
            let new = contact.addresses.into_iter();
            known.extend(
                new.filter(|address| !known.contains(address))
                    .collect::<Vec<_>>(),
            );
            known.truncate(MAX_ADDRESSES);
            entry.changed.notify_one();
            return None;
        }
        self.know(contact)
    }

    /// Adds a party or what is new about it, from its own words. Gives its id if it was not known.
    pub(super) fn know(&self, contact: Contact) -> Option<PartyId> {
        let party = contact.party();
        let mut entries = lock(&self.entries);
        if let Some(entry) = entries.get_mut(&party) {
            for address in contact.addresses.iter().rev() {
                remember(&mut entry.contact.addresses, *address);
            }
            entry.contact = Contact {
                addresses: entry.contact.addresses.clone(),
                ..contact
            };
            entry.changed.notify_one();
            return None;
        }
        let entry = Entry {
            contact,
            live: None,
            generation: 0,
            last_heard: None,
            problem: None,
            changed: Arc::default(),
            turn: Arc::default(),
        };
        entries.insert(party, entry);
        Some(party)
    }

    /// The parties that claim this endpoint key. A card proves no endpoint key, so a liar can claim another's; who it
    /// is shows in the greeting.
    pub(super) fn at_endpoint(&self, key: &[u8; 32]) -> Vec<Contact> {
        let entries = lock(&self.entries);
        let claims = entries
            .values()
            .filter(|entry| entry.contact.endpoint == *key);
        claims.map(|entry| entry.contact.clone()).collect()
    }

    pub(super) fn contact(&self, party: PartyId) -> Option<Contact> {
        lock(&self.entries)
            .get(&party)
            .map(|entry| entry.contact.clone())
    }

    /// Remembers where a party's call came from: it can be dialled there.
    pub(super) fn seen_at(&self, party: PartyId, address: std::net::SocketAddr) {
        if let Some(entry) = lock(&self.entries).get_mut(&party) {
            remember(&mut entry.contact.addresses, address);
        }
    }

    /// What to wait on for a change of a party's channel or addresses.
    pub(super) fn changed(&self, party: PartyId) -> Option<Arc<Notify>> {
        lock(&self.entries)
            .get(&party)
            .map(|entry| Arc::clone(&entry.changed))
    }

    /// Whether this side's calls win when both call at once.
    pub(super) fn calls_first(&self, contact: &Contact) -> bool {
        self.own_endpoint < contact.endpoint
    }

    pub(super) fn is_online(&self, party: PartyId) -> bool {
        lock(&self.entries)
            .get(&party)
            .is_some_and(|entry| entry.live.is_some())
    }

    /// Makes a greeted connection the channel to a party. None if another one stays the channel; the caller then
    /// closes this one.
    pub(super) async fn install(
        &self,
        party: PartyId,
        connection: Connection,
        outbox: Outbox,
        begun_here: bool,
    ) -> Option<Installed> {
        let turn = lock(&self.entries)
            .get(&party)
            .map(|entry| Arc::clone(&entry.turn))?;
        let turn = turn.lock_owned().await;
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(&party)?;
        let begun_by = if begun_here {
            self.own_endpoint
        } else {
            entry.contact.endpoint
        };
        let winner = self.own_endpoint.min(entry.contact.endpoint);
        let fresh = entry
            .last_heard
            .is_some_and(|heard| heard.at.elapsed() < FRESH);
        if let Some(old) = &entry.live {
            if fresh && old.begun_by == winner && begun_by != winner {
                return None;
            }
            old.connection.close(SUPERSEDED, b"another connection");
        }
        entry.generation += 1;
        let generation = entry.generation;
        entry.live = Some(Live {
            connection,
            outbox,
            begun_by,
            generation,
        });
        entry.last_heard = Some(Heard::now());
        entry.problem = None;
        Some(Installed { generation, turn })
    }

    /// Takes a channel away if it is still the one that `generation` names; tell that it is gone while holding the
    /// guard.
    pub(super) async fn remove(
        &self,
        party: PartyId,
        generation: u64,
    ) -> Option<OwnedMutexGuard<()>> {
        let turn = lock(&self.entries)
            .get(&party)
            .map(|entry| Arc::clone(&entry.turn))?;
        let turn = turn.lock_owned().await;
        let mut entries = lock(&self.entries);
        let entry = entries.get_mut(&party)?;
        entry.live.take_if(|live| live.generation == generation)?;
        entry.changed.notify_one();
        Some(turn)
    }

    /// Notes that a party was heard on this channel.
    pub(super) fn heard(&self, party: PartyId, generation: u64) {
        if let Some(entry) = lock(&self.entries).get_mut(&party)
            && entry
                .live
                .as_ref()
                .is_some_and(|live| live.generation == generation)
        {
            entry.last_heard = Some(Heard::now());
        }
    }

    /// Notes what a peer did so that there is no channel; a standing channel has no problem. Tells whether it is news.
    pub(super) fn trouble(&self, party: PartyId, words: String) -> bool {
        let mut entries = lock(&self.entries);
        let Some(entry) = entries.get_mut(&party).filter(|entry| entry.live.is_none()) else {
            return false;
        };
        let problem = Problem {
            words,
            shown: true,
            at: Instant::now(),
        };
        let before = entry.problem.replace(problem);
        before.map(|before| before.words) != entry.problem.as_ref().map(|now| now.words.clone())
    }

    /// Notes that a peer does not answer, unless it just now showed why there is no channel.
    pub(super) fn silence(&self, party: PartyId, words: &str) {
        if let Some(entry) = lock(&self.entries).get_mut(&party)
            && entry.live.is_none()
            && !entry
                .problem
                .as_ref()
                .is_some_and(|problem| problem.shown && problem.at.elapsed() < TELLING)
        {
            entry.problem = Some(Problem {
                words: words.to_owned(),
                shown: false,
                at: Instant::now(),
            });
        }
    }

    pub(super) fn offer(&self, to: PartyId, frame: Vec<u8>) -> bool {
        let outbox = lock(&self.entries)
            .get(&to)
            .and_then(|entry| entry.live.as_ref())
            .map(|live| live.outbox.clone());
        outbox.is_some_and(|outbox| outbox.offer(frame))
    }

    pub(super) fn status(&self) -> Vec<PeerStatus> {
        let status = |(party, entry): (&PartyId, &Entry)| PeerStatus {
            party: *party,
            name: entry.contact.name.clone(),
            online: entry.live.is_some(),
            last_heard_ms: entry.last_heard.map(|heard| heard.at_ms),
            problem: entry
                .problem
                .as_ref()
                .filter(|_| entry.live.is_none())
                .map(|problem| problem.words.clone()),
        };
        lock(&self.entries).iter().map(status).collect()
    }

    pub(super) fn close(&self) {
        for entry in lock(&self.entries).values() {
            if let Some(live) = &entry.live {
                live.connection.close(GOODBYE, b"this member stops");
            }
        }
    }
}

/// Puts an address first; the oldest go.
fn remember(addresses: &mut Vec<std::net::SocketAddr>, address: std::net::SocketAddr) {
    addresses.retain(|known| *known != address);
    addresses.insert(0, address);
    addresses.truncate(MAX_ADDRESSES);
}

#[cfg(test)]
mod tests {
    use super::{Contact, Table};

    /// Threat: mallory invites bob, and writes alice into the roster with alice's identity key and another endpoint. As
    /// soon as bob's node has the charter, before bob has seen a word, it turns alice's calls away in every vault.
    #[test]
    fn a_roster_moves_nobody_who_is_known() {
        let table = Table::new([1; 32], Vec::new());
        let alice = Contact {
            name: "alice".into(),
            identity: [2; 32],
            endpoint: [3; 32],
            addresses: vec!["192.0.2.7:7300".parse().unwrap()],
        };
        table.know(alice.clone());
        let junk: std::net::SocketAddr = "192.0.2.1:9".parse().unwrap();
        let rumour = Contact {
            endpoint: [4; 32],
            addresses: vec![junk; 40],
            ..alice.clone()
        };
        assert_eq!(table.introduce(rumour.clone()), None);
        let known = table.contact(alice.party()).unwrap();
        assert_eq!(
            (known.endpoint, known.name),
            (alice.endpoint, alice.name.clone())
        );
        assert!(known.addresses.starts_with(&alice.addresses));
        // Her own word counts more than a rumour that came first.
        let other = Table::new([1; 32], Vec::new());
        assert_eq!(other.introduce(rumour), Some(alice.party()));
        other.know(alice);
        assert_eq!(other.at_endpoint(&[3; 32]).len(), 1);
    }
}
