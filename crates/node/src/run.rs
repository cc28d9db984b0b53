//! The daemon as a process: its runtime, its logs, its signals.

use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use quorate_store::Store;
use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use zeroize::Zeroizing;

use crate::daemon::{Addresses, AtWork, start as begin};
use crate::error::NodeError;
use crate::process::forbid_core_dumps;

/// Environment variable with what to log, as `tracing-subscriber` reads it.
pub const LOG_VARIABLE: &str = "QUORATE_LOG";
/// What is logged unless it says otherwise.
const DEFAULT_LOG: &str = "error,quorate_node=info";
/// Longest that tasks are waited for at the end.
const ENDING: Duration = Duration::from_secs(3);

/// How a daemon runs.
pub struct RunOptions {
    /// The member's folder.
    pub dir: PathBuf,
    /// Opens the store.
    pub passphrase: Zeroizing<String>,
    /// UDP address for peers; default 127.0.0.1, and the port of the last time.
    pub listen: Option<SocketAddr>,
    /// TCP address for pairing, and the ports after it; default any free port of the peers' address.
    pub pairing: Option<SocketAddr>,
    /// TCP address of the local API; default any free port of 127.0.0.1.
    pub api: Option<SocketAddr>,
}

/// A daemon at work in this process. Dropping it ends it in order as well, without telling of errors.
pub struct Running {
    /// None once it was ended.
    work: Option<(Runtime, AtWork)>,
    api: SocketAddr,
    listen: Vec<SocketAddr>,
}

/// Starts a daemon in this process; it answers when this returns.
///
/// # Errors
/// [`NodeError`]: the store does not open, an address is taken, a vault is damaged.
pub fn start(options: RunOptions) -> Result<Running, NodeError> {
    let RunOptions {
        dir,
        passphrase,
        listen,
        pairing,
        api,
    } = options;
    let store = Store::open(&dir, passphrase.as_bytes())?;
    drop(passphrase);
    let runtime = Runtime::new().map_err(|source| NodeError::io("starting the runtime", source))?;
    let work = runtime.block_on(begin(
        dir,
        store,
        Addresses {
            listen,
            pairing,
            api,
        },
    ))?;
    let (api, listen) = (work.api, work.daemon.peers.reachable());
    Ok(Running {
        work: Some((runtime, work)),
        api,
        listen,
    })
}

impl Running {
    /// Where the local API listens.
    pub fn api(&self) -> SocketAddr {
        self.api
    }

    /// Where peers reach this member.
    pub fn listen(&self) -> &[SocketAddr] {
        &self.listen
    }

    /// Ends it in order.
    ///
    /// # Errors
    /// The store could not be closed tidily; everything in it is durable all the same.
    pub fn stop(mut self) -> Result<(), NodeError> {
        self.end()
    }

    fn end(&mut self) -> Result<(), NodeError> {
        let Some((runtime, work)) = self.work.take() else {
            return Ok(());
        };
        let shelf = runtime.block_on(work.stop());
        runtime.shutdown_timeout(ENDING);
        match shelf.into_store() {
            Some(store) => Ok(store.close()?),
            // A task outlived the runtime's patience; what it still writes is durable or not there, as ever.
            None => Ok(()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.end() {
            tracing::error!(%error, "the daemon did not end tidily");
        }
    }
}

/// Runs the daemon until SIGTERM or SIGINT. Prints one line to stdout when it answers.
///
/// # Errors
/// [`NodeError`].
pub fn run(options: RunOptions) -> Result<(), NodeError> {
    forbid_core_dumps().map_err(|source| NodeError::io("turning core dumps off", source))?;
    start_log();
    let running = start(options)?;
    if let Some((runtime, work)) = &running.work {
        runtime.block_on(until_told(work))?;
    }
    tracing::info!("stopping");
    running.stop()
}

/// Says that the daemon answers, then waits for SIGTERM or SIGINT.
async fn until_told(work: &AtWork) -> Result<(), NodeError> {
    let catch =
        |kind| signal(kind).map_err(|source| NodeError::io("listening for signals", source));
    let (mut term, mut int) = (
        catch(SignalKind::terminate())?,
        catch(SignalKind::interrupt())?,
    );
    say_ready(work);
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    Ok(())
}

fn say_ready(work: &AtWork) {
    let peers: Vec<String> = work
        .daemon
        .peers
        .reachable()
        .iter()
        .map(ToString::to_string)
        .collect();
    let line = format!(
        "{} is ready: API on {}, peers on {}\n",
        work.daemon.me.name,
        work.api,
        peers.join(", ")
    );
    // Whoever closed stdout does not want to read it.
    let mut out = io::stdout();
    out.write_all(line.as_bytes())
        .and_then(|()| out.flush())
        .ok();
}

fn start_log() {
    let filter =
        EnvFilter::try_from_env(LOG_VARIABLE).unwrap_or_else(|_| EnvFilter::new(DEFAULT_LOG));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false);
    // An error means that the embedding program logs already.
    log.try_init().ok();
}
