//! Connections to the local API: so many at once, one request each, and none for long.
//!
//! Any program on this machine can connect, also without the token. One that does not send its whole header at once is
//! hung up on; one that is refused gets a short answer and no more. So nobody without the token holds a place for longer
//! than [`HEADER`].

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// Connections that are served at once; more wait.
const MAX_CONNECTIONS: usize = 256;
/// Longest wait for a request's header: a client on the same machine sends it at once.
const HEADER: Duration = Duration::from_secs(3);
/// Longest life of a connection: request, handling and answer. Longer than any client waits.
const LIFE: Duration = Duration::from_secs(120);
/// Pause after a connection could not be taken, as when files have run out.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves `routes` until it is dropped; connections end with it.
pub(super) async fn serve(listener: TcpListener, routes: Router) {
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    let mut served = JoinSet::new();
    loop {
        let seat = Arc::clone(&room).acquire_owned().await;
        while served.try_join_next().is_some() {}
        match listener.accept().await {
            Ok((stream, _)) => {
                let routes = routes.clone();
                served.spawn(async move {
                    attend(stream, routes).await;
                    drop(seat);
                });
            }
            Err(error) => {
                tracing::warn!(%error, "a connection to the local API could not be taken");
                sleep(PAUSE).await;
            }
        }
    }
}

async fn attend(stream: TcpStream, routes: Router) {
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(routes));
    match timeout(LIFE, connection).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::debug!(%error, "a connection to the local API broke"),
        Err(_) => tracing::debug!("a connection to the local API lasted too long"),
    }
}
