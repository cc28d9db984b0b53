//! What comes from a peer goes to the vaults of which it is a member, and to no other.

use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;

use quorate_vault::{Input, Message, PartyId};
use quorate_wire::VerifiedCard;
use rand_core::OsRng;

use crate::making::{Making, Said, WeakMaking};
use crate::peers::{Contact, Inbox, PeerEvent, Peers, WeakPeers};
use crate::shelf::{Shelf, keep, load_all};
use crate::vaults::Vaults;

const FAMILY: &str = "peer/";

/// Hands on what peers send.
pub(crate) struct Router {
    vaults: Vaults,
    shelf: Shelf,
    /// Weak, because the channels hold this router.
    later: OnceLock<(WeakMaking, WeakPeers)>,
}

impl Router {
    /// A router that drops everything but channel news until it is [completed](Self::complete).
    pub(crate) fn new(vaults: Vaults, shelf: Shelf) -> Self {
        Self {
            vaults,
            shelf,
            later: OnceLock::new(),
        }
    }

    /// Gives the router what needed the channels to be made.
    pub(crate) fn complete(&self, making: &Making, peers: &Peers) {
        // It is completed once, at the start.
        self.later.set((making.downgrade(), peers.downgrade())).ok();
    }

    async fn route(&self, from: PartyId, event: PeerEvent) {
        match event {
            PeerEvent::Connected => self.vaults.tell_all(from, Input::Connected).await,
            PeerEvent::Disconnected => self.vaults.tell_all(from, Input::Disconnected).await,
            PeerEvent::Card(card) => self.learn(*card).await,
            PeerEvent::Vault { vault, payload } => self.hand_on(from, vault, &payload).await,
            PeerEvent::Making(payload) => self.hand_to_making(from, &payload).await,
        }
    }

    async fn hand_on(&self, from: PartyId, vault: [u8; 32], payload: &[u8]) {
        let message = match Message::decode(payload) {
            Ok(message) => message,
            Err(error) => {
                tracing::debug!(from = from.short(), %error, "dropped what is no message of a vault");
                return;
            }
        };
        match self.vaults.of_id(&vault) {
            Some(handle) if handle.has_member(&from) => {
                handle.hear(from, message, payload.len()).await
            }
            _ => tracing::debug!(
                from = from.short(),
                "dropped a message for a vault of which it is no member"
            ),
        }
    }

    async fn hand_to_making(&self, from: PartyId, payload: &[u8]) {
        let making = self.later.get().and_then(|(making, _)| making.upgrade());
        let (Some(making), Some(said)) = (making, Said::decode(payload)) else {
            return;
        };
        if let Err(error) = making.hear(from, said).await {
            tracing::error!(from = from.short(), %error, "what was said of a new vault could not be taken");
        }
    }

    /// Learns where a peer is reached from the card it sent of itself.
    async fn learn(&self, card: VerifiedCard) {
        let Some(peers) = self.later.get().and_then(|(_, peers)| peers.upgrade()) else {
            return;
        };
        let party = PartyId::of_identity(&card.card().identity);
        let key = format!("{FAMILY}{party}");
        let kept = self.shelf.apart(move |store| {
            let known: Option<Vec<u8>> = crate::shelf::load(store, &key)?;
            let known = known.and_then(|bytes| VerifiedCard::decode(&bytes).ok());
            if known.is_some_and(|known| known.card().revision >= card.card().revision) {
                return Ok(None);
            }
            store.commit(vec![keep(key, &card.encode())], &mut OsRng)?;
            Ok(Some(card))
        });
        match kept.await {
            Ok(Some(card)) => peers.know(contact(&card)),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "a peer's card could not be kept"),
        }
    }
}

/// The newest cards that peers sent, as contacts.
///
/// # Errors
/// Those of the store.
pub(crate) fn learnt(shelf: &Shelf) -> Result<Vec<Contact>, quorate_store::Error> {
    let cards: Vec<(String, Vec<u8>)> = shelf.with(|store| load_all(store, FAMILY))?;
    Ok(cards
        .iter()
        .filter_map(|(_, bytes)| VerifiedCard::decode(bytes).ok())
        .map(|card| contact(&card))
        .collect())
}

fn contact(card: &VerifiedCard) -> Contact {
    let card = card.card();
    Contact {
        name: card.name.clone(),
        identity: card.identity,
        endpoint: card.endpoint,
        addresses: card.addresses.clone(),
    }
}

impl Inbox for Router {
    fn deliver(
        &self,
        from: PartyId,
        event: PeerEvent,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        Box::pin(self.route(from, event))
    }
}
