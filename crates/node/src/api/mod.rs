//! The local API: exactly the routes of `quorate_api`, on 127.0.0.1.

mod answer;
mod chains;
mod guard;
mod logs;
mod node;
mod requests;
mod send;
mod vaults;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use quorate_api::{ApiError, ErrorCode, MAX_BODY_BYTES};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use zeroize::Zeroizing;

use self::answer::Refusal;
use self::guard::{Guard, stand_guard};
use crate::daemon::Daemon;

/// Connections that are served at once; more wait.
const MAX_CONNECTIONS: usize = 256;

/// What every handler works on.
type Host = axum::extract::State<Arc<Daemon>>;

/// Serves the API on `listener` until it is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    token: Zeroizing<String>,
    daemon: Arc<Daemon>,
) -> std::io::Result<()> {
    let guard = Arc::new(Guard::new(listener.local_addr()?, token));
    let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    axum::serve(Bounded { listener, room }, routes(guard, daemon)).await
}

fn routes(guard: Arc<Guard>, daemon: Arc<Daemon>) -> Router {
    let vault = Router::new()
        .route("/", get(vaults::show))
        .route("/invite", post(vaults::invite))
        .route("/confirm", post(vaults::confirm))
        .route("/abandon", post(vaults::abandon))
        .route("/addresses", get(vaults::addresses))
        .route("/balance", get(vaults::balance))
        .route("/history", get(requests::history))
        .route("/log", get(logs::page))
        .route("/log/export", get(logs::export))
        .route("/preview", post(send::preview))
        .route("/send", post(send::send))
        .route("/requests", get(requests::list))
        .route("/request/{id}", get(requests::show))
        .route("/request/{id}/approve", post(requests::approve))
        .route("/request/{id}/reject", post(requests::reject))
        .route("/request/{id}/cancel", post(requests::cancel))
        .route("/request/{id}/replace", post(requests::replace))
        .route("/request/{id}/wait", get(requests::wait));
    let all = Router::new()
        .route("/hello", get(node::hello))
        .route("/status", get(node::status))
        .route("/doctor", get(node::doctor))
        .route("/events", get(node::events))
        .route("/pin", post(node::pin))
        .route("/passphrase", post(node::passphrase))
        .route("/chains", get(chains::list).post(chains::add))
        .route("/chains/{name}", delete(chains::remove))
        .route("/vaults", get(vaults::list).post(vaults::create))
        .route("/join", post(vaults::join))
        .nest("/vault/{vault}", vault);
    Router::new()
        .nest("/v1", all)
        .fallback(unknown_route)
        .method_not_allowed_fallback(unknown_route)
        .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
        .layer(Extension(Arc::clone(&guard)))
        .layer(from_fn_with_state(guard, stand_guard))
        .with_state(daemon)
}

async fn unknown_route() -> Refusal {
    let hint = "run command and daemon from the same release";
    Refusal(ApiError::new(
        ErrorCode::NotFound,
        "this daemon has no such route",
        hint,
    ))
}

/// A listener that holds back what exceeds [`MAX_CONNECTIONS`].
struct Bounded {
    listener: TcpListener,
    room: Arc<Semaphore>,
}

impl axum::serve::Listener for Bounded {
    type Io = Seated;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Seated, SocketAddr) {
        let seat = Arc::clone(&self.room).acquire_owned().await;
        let (stream, from) = axum::serve::Listener::accept(&mut self.listener).await;
        (
            Seated {
                stream,
                _seat: seat.ok(),
            },
            from,
        )
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

/// A connection and the room it takes.
struct Seated {
    stream: TcpStream,
    _seat: Option<OwnedSemaphorePermit>,
}

mod seated {
    use std::io;
    use std::pin::Pin;
    use std::task::{Context, Poll};

    use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

    use super::Seated;

    impl AsyncRead for Seated {
        fn poll_read(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            buf: &mut ReadBuf<'_>,
        ) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_read(cx, buf)
        }
    }

    impl AsyncWrite for Seated {
        fn poll_write(
            mut self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            Pin::new(&mut self.stream).poll_write(cx, bytes)
        }

        fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_flush(cx)
        }

        fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Pin::new(&mut self.stream).poll_shutdown(cx)
        }
    }
}
