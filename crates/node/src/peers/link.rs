//! A greeted connection at work: frames in, frames out, a sign of life every second.

use std::io;
use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use quorate_vault::PartyId;
use quorate_wire::{Frame, MAX_FRAME_BYTES, VerifiedCard};
use tokio::sync::mpsc::Receiver;
use tokio::time::{MissedTickBehavior, interval, timeout};

use super::greet::Greeted;
use super::queue::{Outbox, Waiting, queue};
use super::table::SUPERSEDED;
use super::{PeerEvent, Peers, read_frame, write_frame};

/// How often this side shows that it is alive.
const PULSE: Duration = Duration::from_millis(800);
/// A peer that was silent for so long is gone. Five seconds are promised; what is left is for telling it.
const SILENCE: Duration = Duration::from_millis(3500);

/// Cards that are taken on one connection; each can cost a commit.
const MAX_CARDS: u32 = 8;

/// Runs a greeted connection until it ends; tells that it stands and that it is gone.
pub(super) async fn run(
    peers: &Peers,
    party: PartyId,
    connection: Connection,
    greeted: Greeted,
    begun_here: bool,
) {
    let (outbox, waiting) = queue();
    let installed = peers
        .0
        .table
        .install(party, connection.clone(), outbox.clone(), begun_here)
        .await;
    let Some(installed) = installed else {
        connection.close(SUPERSEDED, b"another connection");
        return;
    };
    if let Ok(card) = (Frame::Card {
        card: peers.0.table.own_card(),
    })
    .encode()
    {
        outbox.offer(card);
    }
    peers.0.inbox.deliver(party, PeerEvent::Connected).await;
    drop(installed.turn);

    let Greeted { send, receive, .. } = greeted;
    let ended = tokio::select! {
        ended = write_all(send, waiting) => ended,
        ended = read_all(peers, party, installed.generation, receive, &outbox) => ended,
    };
    connection.close(SUPERSEDED, b"ended");
    if let Some(turn) = peers.0.table.remove(party, installed.generation).await {
        if let Err(error) = &ended {
            peers.0.table.trouble(party, described(error));
        }
        peers.0.inbox.deliver(party, PeerEvent::Disconnected).await;
        drop(turn);
    }
}

/// Writes what waits, and a ping a second.
async fn write_all(mut send: SendStream, mut waiting: Receiver<Waiting>) -> io::Result<()> {
    let mut pulse = interval(PULSE);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut nonce = 0;
    loop {
        tokio::select! {
            next = waiting.recv() => {
                let Some(next) = next else { return Ok(()) };
                write_frame(&mut send, &next.frame).await?;
            }
            _ = pulse.tick() => {
                nonce += 1;
                let ping = Frame::Ping { nonce }.encode().map_err(io::Error::other)?;
                write_frame(&mut send, &ping).await?;
            }
        }
    }
}

/// Hands on what comes, until the peer is silent too long or says what is no frame.
async fn read_all(
    peers: &Peers,
    party: PartyId,
    generation: u64,
    mut receive: RecvStream,
    outbox: &Outbox,
) -> io::Result<()> {
    let mut cards_left = MAX_CARDS;
    loop {
        let next = timeout(SILENCE, read_frame(&mut receive, MAX_FRAME_BYTES)).await;
        let bytes = next.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))??;
        peers.0.table.heard(party, generation);
        let frame = Frame::decode(&bytes).map_err(|error| refuse(&error.to_string()))?;
        let event = match frame {
            Frame::Vault { vault, payload } => PeerEvent::Vault { vault, payload },
            Frame::Making { payload } => PeerEvent::Making(payload),
            Frame::Card { card } => {
                cards_left = cards_left
                    .checked_sub(1)
                    .ok_or_else(|| refuse("card after card"))?;
                PeerEvent::Card(Box::new(own_card_of(peers, party, &card)?))
            }
            Frame::Ping { nonce } => {
                if let Ok(pong) = (Frame::Pong { nonce }).encode() {
                    outbox.offer(pong);
                }
                continue;
            }
            Frame::Pong { .. } => continue,
        };
        peers.0.inbox.deliver(party, event).await;
    }
}

/// A card is taken only from the party that it is about.
fn own_card_of(peers: &Peers, party: PartyId, bytes: &[u8]) -> io::Result<VerifiedCard> {
    let card = VerifiedCard::decode(bytes).map_err(|error| refuse(&error.to_string()))?;
    let endpoint = peers.0.table.contact(party).map(|contact| contact.endpoint);
    let own = PartyId::of_identity(&card.card().identity) == party
        && Some(card.card().endpoint) == endpoint;
    if own {
        Ok(card)
    } else {
        Err(refuse("it sent the card of somebody else"))
    }
}

fn refuse(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, why)
}

fn described(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::TimedOut => "stopped answering".to_owned(),
        io::ErrorKind::InvalidData => format!("sends what is no message: {error}"),
        _ => "closed the connection".to_owned(),
    }
}
