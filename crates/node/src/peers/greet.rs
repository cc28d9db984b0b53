//! The first words on a connection: each side says its version and proves its identity.

use std::time::Duration;

use iroh::endpoint::{Connection, RecvStream, SendStream};
use quorate_vault::PartyId;
use quorate_wire::{Channel, EXPORTER_LABEL, Hello, HelloError};
use thiserror::Error;

use super::{Contact, Peers, SOFTWARE, read_frame, write_frame};

/// Longest greeting, bytes; far above any version's, so that it can be read and named.
const MAX_HELLO_BYTES: usize = 1024;
/// Longest a greeting may take.
const GREETING: Duration = Duration::from_secs(3);

/// Why a connection does not become a channel. The words are shown to people as the peer's problem.
#[derive(Debug, Error)]
#[allow(missing_docs)]
pub(super) enum GreetError {
    #[error(
        "speaks protocol {theirs} ({software}), this member speaks {ours}; use the same version of Quorate"
    )]
    OtherVersion {
        theirs: u16,
        ours: u16,
        software: String,
    },
    #[error("{0}")]
    Hello(HelloError),
    #[error("breaks off while greeting: {0}")]
    Io(#[from] std::io::Error),
    #[error("another party answers at this address; ask the member for a new card")]
    AnotherParty,
    #[error("does not greet in time")]
    TimedOut,
    #[error("has a connection without a binding value")]
    NoExporter,
}

impl From<HelloError> for GreetError {
    fn from(error: HelloError) -> Self {
        match error {
            HelloError::OtherVersion {
                theirs,
                ours,
                software,
            } => Self::OtherVersion {
                theirs,
                ours,
                software,
            },
            other => Self::Hello(other),
        }
    }
}

/// Both directions of a greeted connection's one stream.
pub(super) struct Greeted {
    /// Who it is: one of those that were expected.
    pub(super) party: PartyId,
    pub(super) send: SendStream,
    pub(super) receive: RecvStream,
}

/// Greets on a connection that was begun here or there, and finds out which of `candidates` it is.
///
/// # Errors
/// [`GreetError`]; also if it is none of them.
pub(super) async fn greet(
    peers: &Peers,
    connection: &Connection,
    candidates: &[Contact],
    begun_here: bool,
) -> Result<Greeted, GreetError> {
    let greeting = exchange(peers, connection, candidates, begun_here);
    tokio::time::timeout(GREETING, greeting)
        .await
        .unwrap_or(Err(GreetError::TimedOut))
}

async fn exchange(
    peers: &Peers,
    connection: &Connection,
    candidates: &[Contact],
    begun_here: bool,
) -> Result<Greeted, GreetError> {
    let channel = channel(peers, connection)?;
    let stream = if begun_here {
        connection.open_bi().await
    } else {
        connection.accept_bi().await
    };
    let (mut send, mut receive) = stream.map_err(std::io::Error::other)?;
    let hello = Hello::sign(&peers.0.identity, &channel, SOFTWARE);
    write_frame(&mut send, &hello.encode()).await?;
    let theirs = read_frame(&mut receive, MAX_HELLO_BYTES).await?;
    let hello = Hello::decode(&theirs)?;
    let identity = hello.verify(&channel, None)?;
    let expected = candidates
        .iter()
        .find(|contact| contact.identity == identity);
    let party = expected.ok_or(GreetError::AnotherParty)?.party();
    Ok(Greeted {
        party,
        send,
        receive,
    })
}

fn channel(peers: &Peers, connection: &Connection) -> Result<Channel, GreetError> {
    let mut exporter = [0; 32];
    let exported = connection.export_keying_material(&mut exporter, EXPORTER_LABEL, b"");
    exported.map_err(|_| GreetError::NoExporter)?;
    let ours = *peers.0.endpoint.id().as_bytes();
    Ok(Channel {
        ours,
        theirs: *connection.remote_id().as_bytes(),
        exporter,
    })
}
