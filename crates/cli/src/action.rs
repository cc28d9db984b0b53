//! What only the binary can carry out: the commands that open the store themselves.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::Serialize;
use zeroize::Zeroizing;

use crate::console::READER_LEFT;
use crate::{Console, DONE, Failure};

/// What is left to do after [`crate::run`].
#[derive(Debug)]
pub enum Action {
    /// Nothing; end with this exit code.
    Done(u8),
    /// Make a folder a member's, then [`init_done`] or [`failed`].
    NodeInit(NodeInit),
    /// Run the daemon until it is told to stop.
    NodeRun(NodeRun),
    /// Change the passphrase of a store that no daemon holds, then [`passphrase_done`] or [`failed`].
    NodePassphrase(NodePassphrase),
}

/// `quorate node init`, with all questions answered.
pub struct NodeInit {
    /// The folder.
    pub dir: PathBuf,
    /// Name of this member.
    pub name: String,
    /// Passphrase of the store.
    pub passphrase: Zeroizing<String>,
    /// PIN of the device key.
    pub pin: Zeroizing<String>,
}

/// `quorate node run`, with all questions answered.
pub struct NodeRun {
    /// The folder.
    pub dir: PathBuf,
    /// Passphrase of the store.
    pub passphrase: Zeroizing<String>,
    /// Where peers reach this member.
    pub listen: Option<SocketAddr>,
    /// Where an invited member dials.
    pub pairing: Option<SocketAddr>,
    /// Where the local API listens.
    pub api: Option<SocketAddr>,
}

/// `quorate node passphrase` without a daemon, with all questions answered.
pub struct NodePassphrase {
    /// The folder.
    pub dir: PathBuf,
    /// The present passphrase.
    pub old: Zeroizing<String>,
    /// The next one.
    pub new: Zeroizing<String>,
}

impl fmt::Debug for NodeInit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeInit")
            .field("dir", &self.dir)
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NodeRun {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodeRun")
            .field("dir", &self.dir)
            .field("listen", &self.listen)
            .field("pairing", &self.pairing)
            .field("api", &self.api)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NodePassphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NodePassphrase")
            .field("dir", &self.dir)
            .finish_non_exhaustive()
    }
}

#[derive(Serialize)]
struct Initialised<'a> {
    dir: &'a Path,
    name: &'a str,
    party: &'a str,
}

/// Reports that `node init` is done; `party` is the new member's party id, hex. Returns the exit code.
pub fn init_done(console: &mut Console, dir: &Path, name: &str, party: &str) -> u8 {
    let initialised = Initialised { dir, name, party };
    let shown = console.result("node_initialised", &initialised, |console, it| {
        console.line(&format!(
            "{} is now the folder of {}.",
            dir.display(),
            it.name
        ))?;
        console.line(&format!("  Party  {}", it.party))?;
        console.note(
            "Keep the passphrase and the PIN apart from this machine: nobody can tell you them.",
        );
        console.note("Next: quorate node run");
        Ok(())
    });
    match shown {
        Ok(()) => DONE,
        Err(failure) => failed(console, &failure),
    }
}

#[derive(Serialize)]
struct PassphraseChanged {
    done: bool,
}

/// Reports that `node passphrase` is done. Returns the exit code.
pub fn passphrase_done(console: &mut Console) -> u8 {
    let shown = console.result("done", &PassphraseChanged { done: true }, |console, _| {
        console.line("The passphrase is changed.")
    });
    match shown {
        Ok(()) => DONE,
        Err(failure) => failed(console, &failure),
    }
}

/// Prints a failure and returns its exit code. A reader who left (`| head`) is told nothing.
pub fn failed(console: &mut Console, failure: &Failure) -> u8 {
    if failure.message() != READER_LEFT {
        console.failure(failure);
    }
    failure.code().exit_code()
}
