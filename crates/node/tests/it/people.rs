//! Parties with keys, and an inbox that remembers.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use ed25519_dalek::SigningKey;
use quorate_node::peers::{Contact, Inbox, PeerEvent, Peers, bind, reachable};
use quorate_vault::PartyId;
use quorate_wire::{PartyCard, VerifiedCard};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;
use zeroize::Zeroizing;

/// The three keys of a party, made from its name.
pub(crate) struct Person {
    pub(crate) name: &'static str,
    pub(crate) identity: SigningKey,
    pub(crate) endpoint: SigningKey,
    pub(crate) credential: SigningKey,
}

impl Person {
    pub(crate) fn new(name: &'static str) -> Self {
        let key = |role: u8| {
            let mut seed = [role; 32];
            seed[..name.len()].copy_from_slice(name.as_bytes());
            SigningKey::from_bytes(&seed)
        };
        Self {
            name,
            identity: key(1),
            endpoint: key(2),
            credential: key(3),
        }
    }

    pub(crate) fn party(&self) -> PartyId {
        PartyId::of_identity(&self.identity.verifying_key().to_bytes())
    }

    pub(crate) fn contact(&self, addresses: Vec<SocketAddr>) -> Contact {
        Contact {
            name: self.name.into(),
            identity: self.identity.verifying_key().to_bytes(),
            endpoint: self.endpoint.verifying_key().to_bytes(),
            addresses,
        }
    }

    pub(crate) fn card(&self) -> VerifiedCard {
        let card = PartyCard {
            name: self.name.into(),
            identity: self.identity.verifying_key().to_bytes(),
            endpoint: self.endpoint.verifying_key().to_bytes(),
            credential: self.credential.verifying_key().to_bytes(),
            controller: "owner".into(),
            trust_domains: vec![self.name.into()],
            revision: 1,
            addresses: Vec::new(),
        };
        VerifiedCard::sign(card, &self.identity, &self.credential).unwrap()
    }

    pub(crate) async fn bind(&self, port: u16) -> iroh::Endpoint {
        let secret = Zeroizing::new(self.endpoint.to_bytes());
        bind(&secret, SocketAddr::from(([127, 0, 0, 1], port)))
            .await
            .unwrap()
    }

    /// A running peer on a fresh port, or on `port`.
    pub(crate) async fn start(&self, port: u16) -> Running {
        let endpoint = self.bind(port).await;
        let addresses = reachable(&endpoint);
        let (sender, events) = unbounded_channel();
        let peers = Peers::start(
            endpoint,
            Arc::new(self.identity.clone()),
            &self.card(),
            Arc::new(Recorder(sender)),
        );
        Running {
            peers,
            addresses,
            events,
        }
    }
}

pub(crate) struct Running {
    pub(crate) peers: Peers,
    pub(crate) addresses: Vec<SocketAddr>,
    events: UnboundedReceiver<(PartyId, PeerEvent)>,
}

impl Running {
    /// Waits for an event that `wanted` takes; others are passed over.
    pub(crate) async fn until<T>(
        &mut self,
        limit: Duration,
        mut wanted: impl FnMut(PartyId, PeerEvent) -> Option<T>,
    ) -> T {
        let search = async {
            loop {
                let (from, event) = self.events.recv().await.expect("the peer ended");
                if let Some(found) = wanted(from, event) {
                    return found;
                }
            }
        };
        timeout(limit, search)
            .await
            .expect("it did not happen in time")
    }

    pub(crate) async fn connected(&mut self, to: &Person) {
        let party = to.party();
        self.until(Duration::from_secs(10), |from, event| {
            (from == party && matches!(event, PeerEvent::Connected)).then_some(())
        })
        .await;
    }

    pub(crate) fn problem(&self, of: &Person) -> Option<String> {
        let party = of.party();
        self.peers
            .status()
            .into_iter()
            .find(|status| status.party == party)
            .and_then(|status| status.problem)
    }
}

struct Recorder(UnboundedSender<(PartyId, PeerEvent)>);

impl Inbox for Recorder {
    fn deliver(
        &self,
        from: PartyId,
        event: PeerEvent,
    ) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.0.send((from, event)).ok();
        Box::pin(std::future::ready(()))
    }
}
