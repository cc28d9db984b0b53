//! The daemon put together and taken apart again.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::Duration;

use quorate_store::Store;
use quorate_threshold::{Engine, RealEngine};
use rand_core::OsRng;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval};

use crate::api;
use crate::chains::Chains;
use crate::error::NodeError;
use crate::events::Events;
use crate::keys::Me;
use crate::making::{Making, Tools};
use crate::peers::{Inbox, Peers, bind, reachable};
use crate::process::{Beacon, fresh_token, now_ms};
use crate::router::{Router, learnt};
use crate::shelf::{Shelf, keep, load};
use crate::vaults::{StartError, Vaults};

const LISTEN: &str = "self/listen";
/// How often this member looks whether it is reached elsewhere now.
const LOOK_AROUND: Duration = Duration::from_secs(15);

/// All that the API's handlers work on.
pub(crate) struct Daemon {
    pub(crate) dir: PathBuf,
    pub(crate) me: Arc<Me>,
    pub(crate) shelf: Shelf,
    pub(crate) peers: Peers,
    pub(crate) vaults: Vaults,
    pub(crate) chains: Chains,
    pub(crate) making: Making,
    pub(crate) events: Arc<Events>,
    pub(crate) started_ms: u64,
}

/// Where a daemon listens.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Addresses {
    pub(crate) listen: Option<SocketAddr>,
    pub(crate) pairing: Option<SocketAddr>,
    pub(crate) api: Option<SocketAddr>,
}

/// A daemon at work.
pub(crate) struct AtWork {
    pub(crate) daemon: Arc<Daemon>,
    pub(crate) api: SocketAddr,
    server: JoinHandle<()>,
    beacon: Beacon,
}

/// Starts everything; when it returns, the daemon answers.
///
/// # Errors
/// [`NodeError`]; nothing runs then.
pub(crate) async fn start(dir: PathBuf, store: Store, at: Addresses) -> Result<AtWork, NodeError> {
    let api_at = at
        .api
        .unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    if !api_at.ip().is_loopback() {
        return Err(NodeError::NotLoopback(api_at));
    }
    let me = Arc::new(Me::load(&dir, &store)?);
    let chains = Chains::load(&store)?;
    let shelf = Shelf::new(store);
    let endpoint = open_endpoint(&me, &shelf, at.listen).await?;
    let listen = match remember_place(&me, &shelf, &endpoint) {
        Ok(listen) => listen,
        Err(error) => {
            endpoint.close().await;
            return Err(error.into());
        }
    };

    let (vaults, events) = (Vaults::default(), Arc::new(Events::default()));
    let router = Arc::new(Router::new(vaults.clone(), shelf.clone()));
    let inbox: Arc<dyn Inbox> = Arc::clone(&router) as Arc<dyn Inbox>;
    let peers = Peers::start(endpoint, Arc::clone(&me.identity), &me.card(), inbox);
    let bound = listen.first().map_or(api_at.ip(), SocketAddr::ip);
    let tools = Tools {
        me: Arc::clone(&me),
        shelf: shelf.clone(),
        peers: peers.clone(),
        vaults: vaults.clone(),
        chains: chains.clone(),
        engine: Arc::new(RealEngine) as Arc<dyn Engine>,
        events: Arc::clone(&events),
        pairing_at: at
            .pairing
            .unwrap_or_else(|| SocketAddr::new(at.listen.map_or(bound, |listen| listen.ip()), 0)),
        reachable: listen.clone(),
    };
    let making = Making::load(tools)?;
    router.complete(&making, &peers);
    let daemon = Arc::new(Daemon {
        dir,
        me,
        shelf,
        peers,
        vaults,
        chains,
        making,
        events,
        started_ms: now_ms(),
    });
    let opened = open_doors(&daemon, api_at).await;
    if opened.is_err() {
        // Vaults that run already must not outlive the runtime.
        daemon.vaults.stop().await;
        daemon.peers.close().await;
    }
    opened
}

/// Starts the vaults, then the API.
async fn open_doors(daemon: &Arc<Daemon>, api_at: SocketAddr) -> Result<AtWork, NodeError> {
    daemon
        .making
        .resume_all()
        .map_err(|(name, error)| start_error(name, error))?;
    for contact in learnt(&daemon.shelf)? {
        daemon.peers.know_newer(contact);
    }
    tokio::spawn(watch_addresses(Arc::downgrade(daemon)));
    serve(Arc::clone(daemon), api_at).await
}

async fn serve(daemon: Arc<Daemon>, at: SocketAddr) -> Result<AtWork, NodeError> {
    let refused = |source: io::Error| NodeError::Listen {
        address: at,
        why: source.to_string(),
    };
    let listener = TcpListener::bind(at).await.map_err(refused)?;
    let api = listener.local_addr().map_err(refused)?;
    let token = fresh_token();
    let beacon = Beacon::light(&daemon.dir, api, &token)
        .map_err(|source| NodeError::io("writing the API's address", source))?;
    let server = tokio::spawn(api::serve(listener, api, token, Arc::clone(&daemon)));
    Ok(AtWork {
        daemon,
        api,
        server,
        beacon,
    })
}

/// Opens the peers' endpoint where it was asked for, or where it was the last time: that is where peers look.
async fn open_endpoint(
    me: &Me,
    shelf: &Shelf,
    asked: Option<SocketAddr>,
) -> Result<iroh::Endpoint, NodeError> {
    let before: Option<SocketAddr> = shelf.with(|store| load(store, LISTEN))?;
    let fallback = asked.unwrap_or_else(|| SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
    let same_place = |before: &SocketAddr| {
        asked.is_none_or(|asked| asked.port() == 0 && asked.ip() == before.ip())
    };
    let first = before.filter(same_place).unwrap_or(fallback);
    let endpoint = match bind(&me.endpoint, first).await {
        Err(error) if first != fallback => {
            tracing::warn!(%error, "the port of the last time is taken; peers are called from another one");
            bind(&me.endpoint, fallback).await
        }
        other => other,
    };
    endpoint.map_err(|error| NodeError::Listen {
        address: first,
        why: error.to_string(),
    })
}

/// Keeps where the endpoint is, for the next start and for the card; where peers reach it.
fn remember_place(
    me: &Me,
    shelf: &Shelf,
    endpoint: &iroh::Endpoint,
) -> Result<Vec<SocketAddr>, quorate_store::Error> {
    let listen = reachable(endpoint);
    shelf.with(|store| {
        let before: Option<SocketAddr> = load(store, LISTEN)?;
        if let Some(now) = endpoint.bound_sockets().first()
            && before != Some(*now)
        {
            store.commit(vec![keep(LISTEN, now)], &mut OsRng)?;
        }
        me.move_to(store, &listen).map(drop)
    })?;
    Ok(listen)
}

/// A machine that moves to another network says so: it is reached elsewhere then.
async fn watch_addresses(daemon: Weak<Daemon>) {
    let mut pulse = interval(LOOK_AROUND);
    pulse.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        pulse.tick().await;
        let Some(daemon) = daemon.upgrade() else {
            return;
        };
        let (me, addresses) = (Arc::clone(&daemon.me), daemon.peers.reachable());
        let moved = daemon
            .shelf
            .apart(move |store| me.move_to(store, &addresses))
            .await;
        match moved {
            Ok(true) => daemon.peers.tell_card(&daemon.me.card()),
            Ok(false) => {}
            Err(error) => tracing::warn!(%error, "new addresses could not be kept"),
        }
    }
}

fn start_error(name: String, error: StartError) -> NodeError {
    match error {
        StartError::Store(error) => error.into(),
        StartError::Vault(source) => NodeError::Vault { name, source },
        StartError::Thread(source) => NodeError::io("starting a vault's thread", source),
    }
}

impl AtWork {
    /// Ends everything in order: nobody asks any more, vaults commit what they have, peers are told. Close the store
    /// that comes back once the runtime has ended.
    pub(crate) async fn stop(self) -> Shelf {
        let Self {
            daemon,
            server,
            beacon,
            ..
        } = self;
        drop(beacon);
        server.abort();
        daemon.making.close();
        daemon.vaults.stop().await;
        daemon.peers.close().await;
        daemon.shelf.clone()
    }
}
