//! Calls: those that come in, and those that are made again and again until there is a channel.

use std::sync::Arc;
use std::time::Duration;

use iroh::endpoint::{Connection, Incoming};
use quorate_vault::PartyId;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};

use super::greet::greet;
use super::table::REFUSED;
use super::{Contact, Peers, dial_address, link};

/// Calls that are being answered at once, at the most. More are turned away.
const MAX_ANSWERING: usize = 64;
/// Longest an incoming call may take to be set up.
const ANSWERING: Duration = Duration::from_secs(5);
/// Longest an outgoing call may take to be set up.
const DIALLING: Duration = Duration::from_secs(3);
/// Pause after the first call in vain; doubles up to [`LONGEST_PAUSE`].
const SHORTEST_PAUSE: Duration = Duration::from_millis(200);
/// Longest pause between calls.
const LONGEST_PAUSE: Duration = Duration::from_secs(3);

/// Answers calls until the endpoint is closed.
pub(super) async fn accept_calls(peers: Peers) {
    let room = Arc::new(Semaphore::new(MAX_ANSWERING));
    while let Some(incoming) = peers.0.endpoint.accept().await {
        let Ok(seat) = Arc::clone(&room).try_acquire_owned() else {
            incoming.refuse();
            continue;
        };
        let peers = peers.clone();
        tokio::spawn(async move {
            let answered = timeout(ANSWERING, answer(&peers, incoming)).await;
            if let Ok(Some((candidates, connection))) = answered {
                take(&peers, &candidates, connection, false, Some(seat)).await;
            }
        });
    }
}

/// Sets an incoming connection up, if it is from somebody who is known.
async fn answer(peers: &Peers, incoming: Incoming) -> Option<(Vec<Contact>, Connection)> {
    let connection = incoming.accept().ok()?.await.ok()?;
    let candidates = peers.0.table.at_endpoint(connection.remote_id().as_bytes());
    if candidates.is_empty() {
        tracing::debug!("refused a call from an endpoint that is in no vault of ours");
        connection.close(REFUSED, b"not known here");
        return None;
    }
    Some((candidates, connection))
}

/// Greets and, if that goes well, runs the connection to its end. Tells whether it was a channel.
async fn take<T>(
    peers: &Peers,
    candidates: &[Contact],
    connection: Connection,
    begun_here: bool,
    seat: T,
) -> bool {
    let greeted = match greet(peers, &connection, candidates, begun_here).await {
        Ok(greeted) => greeted,
        Err(error) => {
            for party in candidates.iter().map(Contact::party) {
                if peers.0.table.trouble(party, error.to_string()) {
                    tracing::info!(peer = party.short(), %error, "greeting failed");
                }
            }
            connection.close(REFUSED, b"greeting refused");
            return false;
        }
    };
    let party = greeted.party;
    if !begun_here && let Some(address) = remote_address(&connection) {
        peers.0.table.seen_at(party, address);
    }
    drop(seat);
    link::run(peers, party, connection, greeted, begun_here).await;
    true
}

fn remote_address(connection: &Connection) -> Option<std::net::SocketAddr> {
    connection
        .paths()
        .iter()
        .find_map(|path| match path.remote_addr() {
            iroh::TransportAddr::Ip(address) => Some(*address),
            _ => None,
        })
}

/// Calls a party whenever there is no channel to it, until the endpoint is closed.
pub(super) async fn keep_calling(peers: Peers, party: PartyId) {
    let Some(changed) = peers.0.table.changed(party) else {
        return;
    };
    let mut pause = SHORTEST_PAUSE;
    while !peers.0.endpoint.is_closed() {
        if peers.0.table.is_online(party) {
            changed.notified().await;
            pause = SHORTEST_PAUSE;
        }
        let Some(contact) = peers.0.table.contact(party) else {
            return;
        };
        if !peers.0.table.calls_first(&contact) {
            // The other side calls first; this side only if that does not work.
            sleep(SHORTEST_PAUSE).await;
            if peers.0.table.is_online(party) {
                continue;
            }
        }
        if call(&peers, contact).await {
            pause = SHORTEST_PAUSE;
        } else {
            // A new address or an incoming channel ends the pause.
            drop(timeout(pause, changed.notified()).await);
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

async fn call(peers: &Peers, contact: Contact) -> bool {
    let party = contact.party();
    let Some(address) = dial_address(&contact.endpoint, &contact.addresses) else {
        peers
            .0
            .table
            .trouble(party, "has an endpoint key that is no key".to_owned());
        return false;
    };
    if contact.addresses.is_empty() {
        peers
            .0
            .table
            .silence(party, "has told no address; it has to call");
        return false;
    }
    match timeout(
        DIALLING,
        peers.0.endpoint.connect(address, quorate_wire::ALPN),
    )
    .await
    {
        Ok(Ok(connection)) => take(peers, &[contact], connection, true, ()).await,
        Ok(Err(error)) => {
            tracing::debug!(
                peer = party.short(),
                error = super::endpoint::root_cause(&error),
                "call failed"
            );
            peers.0.table.silence(party, "does not answer");
            false
        }
        Err(_) => {
            peers.0.table.silence(party, "does not answer");
            false
        }
    }
}
