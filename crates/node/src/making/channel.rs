//! The TCP connection on which two members pair.
//!
//! Nothing authenticates it: each side says its transport key and 32 fresh bytes in the clear, and what binds them is
//! that SPAKE2 runs over all of it (`quorate_wire::pairing`). Whoever sits between without the code gets one try.

use std::io;
use std::time::Duration;

use quorate_wire::Channel;
use quorate_wire::pairing::MAX_PAIRING_BYTES;
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::peers::{read_frame, write_frame};
use crate::process::fresh_bytes;

/// What both sides say first, in every version.
const MARK: [u8; 4] = *b"QRTC";
/// Longest wait for one message of the other side.
const STEP: Duration = Duration::from_secs(10);

/// A pairing connection after both have said their keys.
pub(super) struct Pairing {
    stream: TcpStream,
    /// What the pairing is bound to.
    pub(super) channel: Channel,
    /// Which invitation the inviter means.
    pub(super) invitation: u32,
}

impl Pairing {
    /// The inviter's side.
    pub(super) async fn invite(
        mut stream: TcpStream,
        endpoint: [u8; 32],
        invitation: u32,
    ) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let nonce = fresh_bytes();
        let said = [&MARK[..], &invitation.to_be_bytes(), &endpoint, &nonce].concat();
        within(stream.write_all(&said)).await?;
        let (theirs, their_nonce) = within(read_side(&mut stream)).await?;
        let exporter = bind(invitation, (&endpoint, &nonce), (&theirs, &their_nonce));
        Ok(Self {
            stream,
            channel: Channel {
                ours: endpoint,
                theirs,
                exporter,
            },
            invitation,
        })
    }

    /// The joiner's side.
    pub(super) async fn join(mut stream: TcpStream, endpoint: [u8; 32]) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        let nonce = fresh_bytes();
        let said = [&MARK[..], &endpoint, &nonce].concat();
        let (invitation, theirs, their_nonce) = within(async {
            expect_mark(&mut stream).await?;
            let invitation = stream.read_u32().await?;
            let (mut theirs, mut their_nonce) = ([0; 32], [0; 32]);
            stream.read_exact(&mut theirs).await?;
            stream.read_exact(&mut their_nonce).await?;
            stream.write_all(&said).await?;
            Ok((invitation, theirs, their_nonce))
        })
        .await?;
        let exporter = bind(invitation, (&theirs, &their_nonce), (&endpoint, &nonce));
        Ok(Self {
            stream,
            channel: Channel {
                ours: endpoint,
                theirs,
                exporter,
            },
            invitation,
        })
    }

    /// Reads one message.
    pub(super) async fn read(&mut self) -> io::Result<Vec<u8>> {
        within(read_frame(&mut self.stream, MAX_PAIRING_BYTES)).await
    }

    /// Writes one message.
    pub(super) async fn write(&mut self, message: &[u8]) -> io::Result<()> {
        within(write_frame(&mut self.stream, message)).await
    }
}

async fn read_side(stream: &mut TcpStream) -> io::Result<([u8; 32], [u8; 32])> {
    expect_mark(stream).await?;
    let (mut endpoint, mut nonce) = ([0; 32], [0; 32]);
    stream.read_exact(&mut endpoint).await?;
    stream.read_exact(&mut nonce).await?;
    Ok((endpoint, nonce))
}

async fn expect_mark(stream: &mut TcpStream) -> io::Result<()> {
    let mut mark = [0; 4];
    stream.read_exact(&mut mark).await?;
    if mark == MARK {
        Ok(())
    } else {
        Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it is no Quorate node",
        ))
    }
}

async fn within<T>(step: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(STEP, step)
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The value that both ends of this connection have and no other connection has.
fn bind(
    invitation: u32,
    inviter: (&[u8; 32], &[u8; 32]),
    joiner: (&[u8; 32], &[u8; 32]),
) -> [u8; 32] {
    let mut hash = Sha256::new_with_prefix(b"quorate/pairing/tcp/v1");
    hash.update(invitation.to_be_bytes());
    for part in [inviter.0, inviter.1, joiner.0, joiner.1] {
        hash.update(part);
    }
    hash.finalize().into()
}
