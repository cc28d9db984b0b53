//! The channels to other members: one QUIC endpoint for all vaults, one connection a pair of parties.
//!
//! - [`bind`] opens the endpoint; [`Peers::start`] dials every known party again and again and takes its calls.
//! - A party is believed to be who it says by the endpoint key of the channel *and* its identity's proof on it; what it
//!   sends is handed on under that [`PartyId`], whatever the message claims.
//! - Both sides dial. Of two connections that cross, the one begun by the lower endpoint key stays.
//! - Nothing here blocks on a slow peer: what waits for it is bounded and the rest is dropped.

mod accept;
mod endpoint;
mod framing;
mod greet;
mod link;
mod queue;
mod table;

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Weak};

use ed25519_dalek::SigningKey;
use iroh::Endpoint;
use quorate_vault::PartyId;
use quorate_wire::{Frame, VerifiedCard};

pub use self::endpoint::{bind, dial_address, reachable};
pub(crate) use self::framing::{read_frame, write_frame};
use self::table::Table;

/// What this program calls itself to its peers.
const SOFTWARE: &str = concat!("quorate/", env!("CARGO_PKG_VERSION"));

/// A party that this member talks to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// What people call it.
    pub name: String,
    /// Its identity key.
    pub identity: [u8; 32],
    /// Its endpoint key.
    pub endpoint: [u8; 32],
    /// Where to dial it; more are learnt from its calls and cards.
    pub addresses: Vec<SocketAddr>,
}

impl Contact {
    /// Its stable name.
    pub fn party(&self) -> PartyId {
        PartyId::of_identity(&self.identity)
    }
}

/// What comes from the channel to a party, in order.
#[derive(Debug)]
pub enum PeerEvent {
    /// The channel stands; it may have stood before, on another connection.
    Connected,
    /// The channel is gone.
    Disconnected,
    /// It said something about a vault.
    Vault {
        /// Which one, as it says.
        vault: [u8; 32],
        /// An encoded message of that vault.
        payload: Vec<u8>,
    },
    /// It said something about a vault that is still being made.
    Making(Vec<u8>),
    /// It sent its newest card.
    Card(Box<VerifiedCard>),
}

/// Whoever takes what the peers send.
pub trait Inbox: Send + Sync + 'static {
    /// Takes one event. While this waits, nothing more is read from that peer, and others are not held up.
    fn deliver(
        &self,
        from: PartyId,
        event: PeerEvent,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>>;
}

/// How the channel to a party stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// Which party.
    pub party: PartyId,
    /// Its name.
    pub name: String,
    /// Whether the channel stands.
    pub online: bool,
    /// When it was last heard; none if never since the start.
    pub last_heard_ms: Option<u64>,
    /// Why there is no channel, if known.
    pub problem: Option<String>,
}

/// All channels. Cheap to clone.
#[derive(Clone)]
pub struct Peers(Arc<Inner>);

/// A handle that keeps no channel alive: the inbox, which the channels hold, holds this.
#[derive(Clone)]
pub struct WeakPeers(Weak<Inner>);

impl WeakPeers {
    /// The channels, if somebody still holds them.
    pub fn upgrade(&self) -> Option<Peers> {
        self.0.upgrade().map(Peers)
    }
}

struct Inner {
    endpoint: Endpoint,
    identity: Arc<SigningKey>,
    inbox: Arc<dyn Inbox>,
    table: Table,
}

impl Peers {
    /// Takes calls on `endpoint` from now on. `identity` signs the hello, `card` is what peers are told.
    pub fn start(
        endpoint: Endpoint,
        identity: Arc<SigningKey>,
        card: &VerifiedCard,
        inbox: Arc<dyn Inbox>,
    ) -> Self {
        let table = Table::new(*endpoint.id().as_bytes(), card.encode());
        let peers = Self(Arc::new(Inner {
            endpoint,
            identity,
            inbox,
            table,
        }));
        tokio::spawn(accept::accept_calls(peers.clone()));
        peers
    }

    /// Gets to know a party that somebody else speaks of, and keeps a channel to it from now on. What is known of it
    /// already, from its own card above all, is not changed.
    pub fn introduce(&self, contact: Contact) {
        if contact.endpoint == *self.0.endpoint.id().as_bytes() {
            return;
        }
        if let Some(party) = self.0.table.introduce(contact) {
            tokio::spawn(accept::keep_calling(self.clone(), party));
        }
    }

    /// Gets to know a party, or something new about it, from its own card, and keeps a channel to it from now on.
    pub fn know(&self, contact: Contact) {
        if contact.endpoint == *self.0.endpoint.id().as_bytes() {
            return;
        }
        if let Some(party) = self.0.table.know(contact) {
            tokio::spawn(accept::keep_calling(self.clone(), party));
        }
    }

    /// Learns something new about a party, if it is known.
    pub fn know_newer(&self, contact: Contact) {
        if self.0.table.contact(contact.party()).is_some() {
            self.know(contact);
        }
    }

    /// Says something about a vault to a party. Dropped if there is no channel or too much waits for it.
    pub fn send(&self, to: PartyId, vault: [u8; 32], payload: Vec<u8>) -> bool {
        let frame = Frame::Vault { vault, payload }.encode();
        frame.is_ok_and(|frame| self.0.table.offer(to, frame))
    }

    /// Says something about a vault that is still being made. Dropped like what [`Peers::send`] drops.
    pub(crate) fn send_making(&self, to: PartyId, said: &[u8]) -> bool {
        let payload = said.to_vec();
        let frame = Frame::Making { payload }.encode();
        frame.is_ok_and(|frame| self.0.table.offer(to, frame))
    }

    /// Tells every peer what this member says of itself now.
    pub fn tell_card(&self, card: &VerifiedCard) {
        let card = card.encode();
        if let Ok(frame) = (Frame::Card { card: card.clone() }).encode() {
            self.0.table.set_own_card(card, &frame);
        }
    }

    /// Where others reach this member now.
    pub fn reachable(&self) -> Vec<SocketAddr> {
        reachable(&self.0.endpoint)
    }

    /// How every channel stands.
    pub fn status(&self) -> Vec<PeerStatus> {
        self.0.table.status()
    }

    /// Whether the channel to a party stands.
    pub fn is_online(&self, party: PartyId) -> bool {
        self.0.table.is_online(party)
    }

    /// A handle that keeps nothing alive.
    pub fn downgrade(&self) -> WeakPeers {
        WeakPeers(Arc::downgrade(&self.0))
    }

    /// Ends every channel, telling the peers.
    pub async fn close(&self) {
        self.0.table.close();
        self.0.endpoint.close().await;
    }
}
