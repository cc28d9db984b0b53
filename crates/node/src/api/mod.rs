//! The local API: exactly the routes of `quorate_api`, on 127.0.0.1.

mod answer;
mod chains;
mod guard;
mod logs;
mod node;
mod requests;
mod send;
mod serve;
mod vaults;
mod view;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};
use axum::{Extension, Router};
use quorate_api::{ApiError, ErrorCode, MAX_BODY_BYTES};
use tokio::net::TcpListener;
use zeroize::Zeroizing;

use self::answer::Refusal;
use self::guard::{Guard, stand_guard};
use crate::daemon::Daemon;

/// What every handler works on.
type Host = axum::extract::State<Arc<Daemon>>;

/// Serves the API on `listener`, which is bound to `at`, until it is dropped.
pub(crate) async fn serve(
    listener: TcpListener,
    at: SocketAddr,
    token: Zeroizing<String>,
    daemon: Arc<Daemon>,
) {
    let guard = Arc::new(Guard::new(at, token));
    serve::serve(listener, routes(guard, daemon)).await;
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
