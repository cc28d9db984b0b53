//! What every command needs: the folder, the options, the console, the daemon.

use std::env;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use quorate_api::{Client, ErrorCode};
use rand_core::{OsRng, RngCore};

use crate::args::Global;
use crate::console::Console;
use crate::failure::Outcome;
use crate::{Failure, duration};

/// Wait of `--wait` without a duration.
const DEFAULT_WAIT: Duration = Duration::from_secs(24 * 60 * 60);

/// The surroundings of one command.
pub(crate) struct Context<'a> {
    pub(crate) global: Global,
    pub(crate) dir: PathBuf,
    pub(crate) console: &'a mut Console,
}

impl<'a> Context<'a> {
    pub(crate) fn new(global: Global, console: &'a mut Console) -> Outcome<Self> {
        let dir = match &global.dir {
            Some(dir) => dir.clone(),
            None => default_dir()?,
        };
        Ok(Self {
            global,
            dir,
            console,
        })
    }

    /// The daemon of this folder.
    pub(crate) fn client(&self) -> Outcome<Client> {
        let mut nonce = [0; 32];
        OsRng.fill_bytes(&mut nonce);
        Ok(Client::connect(&self.dir, nonce)?)
    }

    /// The vault named by `--vault`, or the only one.
    pub(crate) fn vault(&self, client: &Client) -> Outcome<String> {
        if let Some(name) = &self.global.vault {
            return Ok(name.clone());
        }
        let names: Vec<String> = client.vaults()?.into_iter().map(|v| v.name).collect();
        match names.as_slice() {
            [only] => Ok(only.clone()),
            [] => Err(Failure::new(
                ErrorCode::NotFound,
                "this member takes part in no vault yet",
                "begin one with `quorate vault create`, or join one with `quorate vault join`",
            )),
            _ => Err(Failure::usage(
                "this member takes part in several vaults",
                format!("name one with --vault: {}", names.join(", ")),
            )),
        }
    }

    /// Until when `--wait` says to wait; none without it.
    pub(crate) fn wait_deadline(&self) -> Option<Deadline> {
        self.global
            .wait
            .map(|wait| Deadline::after(wait.unwrap_or(DEFAULT_WAIT)))
    }
}

/// A moment at which waiting ends.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    /// `wait` from now.
    pub(crate) fn after(wait: Duration) -> Self {
        Self(Instant::now() + wait)
    }

    /// As far away as anybody waits.
    pub(crate) fn far() -> Self {
        Self::after(DEFAULT_WAIT)
    }

    /// What is left; zero when it is over.
    pub(crate) fn left(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// What is left for one long poll, in milliseconds.
    pub(crate) fn poll_ms(self) -> u64 {
        duration::as_ms(self.left()).min(quorate_api::MAX_WAIT_MS)
    }
}

/// `QUORATE_DIR`, else the folder that the system keeps for data of programs.
fn default_dir() -> Outcome<PathBuf> {
    let set = |name: &str| env::var_os(name).filter(|value| !value.is_empty());
    set("QUORATE_DIR")
        .map(PathBuf::from)
        .or_else(|| set("XDG_DATA_HOME").map(|data| PathBuf::from(data).join("quorate")))
        .or_else(|| set("HOME").map(|home| PathBuf::from(home).join(".local/share/quorate")))
        .ok_or_else(|| {
            Failure::usage(
                "this member's folder is not known",
                "name it with --dir, or set QUORATE_DIR",
            )
        })
}
