//! A member with a folder and a daemon in this process, asked over its local API.

use std::path::Path;
use std::time::{Duration, Instant};

use quorate_api::{Client, ClientError, ErrorCode, Secret, VaultView};
use quorate_node::{InitOptions, NodeError, RunOptions, Running, init, start};
use tempfile::TempDir;
use zeroize::Zeroizing;

pub(crate) const PASSPHRASE: &str = "correct horse battery";
pub(crate) const PIN: &str = "493817";

pub(crate) struct Member {
    pub(crate) dir: TempDir,
    pub(crate) running: Option<Running>,
}

pub(crate) fn text(words: &str) -> Zeroizing<String> {
    Zeroizing::new(words.to_owned())
}

pub(crate) fn options(dir: &Path) -> RunOptions {
    RunOptions {
        dir: dir.to_owned(),
        passphrase: text(PASSPHRASE),
        listen: None,
        pairing: None,
        api: None,
    }
}

pub(crate) fn make(dir: &Path, name: &str) -> Result<(), NodeError> {
    init(InitOptions {
        dir: dir.to_owned(),
        name: name.into(),
        passphrase: text(PASSPHRASE),
        pin: text(PIN),
    })
    .map(|_| ())
}

impl Member {
    pub(crate) fn new(name: &str) -> Self {
        let dir = tempfile::Builder::new()
            .prefix("quorate")
            .tempdir()
            .unwrap();
        let folder = dir.path().join("member");
        make(&folder, name).unwrap();
        let mut member = Self { dir, running: None };
        member.start();
        member
    }

    pub(crate) fn folder(&self) -> std::path::PathBuf {
        self.dir.path().join("member")
    }

    pub(crate) fn start(&mut self) {
        self.running = Some(start(options(&self.folder())).unwrap());
    }

    pub(crate) fn stop(&mut self) {
        self.running.take().unwrap().stop().unwrap();
    }

    pub(crate) fn client(&self) -> Client {
        Client::connect(&self.folder(), [7; 32]).unwrap()
    }

    pub(crate) fn vault(&self, name: &str) -> VaultView {
        self.client().vault(name).unwrap()
    }

    /// Waits until the vault is as `wanted` says.
    pub(crate) fn until(&self, name: &str, wanted: impl Fn(&VaultView) -> bool) -> VaultView {
        let end = Instant::now() + Duration::from_secs(60);
        loop {
            let view = self.vault(name);
            if wanted(&view) {
                return view;
            }
            assert!(Instant::now() < end, "it stays {view:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

pub(crate) fn secret(words: &str) -> Secret {
    Secret::new(text(words))
}

/// The class of a refusal.
#[track_caller]
pub(crate) fn refused<T>(result: Result<T, ClientError>) -> (ErrorCode, String) {
    match result.map(|_| ()) {
        Err(ClientError::Api(error)) => {
            assert!(
                !error.hint.is_empty() && !error.message.is_empty(),
                "{error:?}"
            );
            (error.code, error.message)
        }
        other => panic!("no refusal: {other:?}"),
    }
}
