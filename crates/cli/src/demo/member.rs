//! One person's folder, secrets and daemon.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use quorate_api::ErrorCode;
use rand_core::{OsRng, RngCore};
use rustix::process::{Pid, Signal, kill_process};
use zeroize::Zeroizing;

use crate::Failure;
use crate::failure::Outcome;

/// Letters of a passphrase: none that looks like another.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// Letters of a demo passphrase, 5 bits each.
const PASSPHRASE_CHARS: usize = 24;

/// Digits of a demo PIN.
const PIN_CHARS: usize = 8;

/// How long a daemon may take to stop before it is killed.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Lines of a daemon's log that a failure shows.
const TAIL_LINES: usize = 20;

/// A member of the demo. Its daemon stops when it is dropped.
pub(super) struct Member {
    pub(super) name: &'static str,
    root: PathBuf,
    daemon: Option<Child>,
}

impl Member {
    /// A member in `root`, with fresh secrets in files of mode 0600.
    pub(super) fn new(name: &'static str, root: &Path) -> Outcome<Self> {
        let member = Self {
            name,
            root: root.to_owned(),
            daemon: None,
        };
        write_secret(
            &root.join(member.passphrase_file()),
            &random_text(PASSPHRASE_CHARS, ALPHABET),
        )?;
        write_secret(
            &root.join(member.pin_file()),
            &random_text(PIN_CHARS, b"0123456789"),
        )?;
        Ok(member)
    }

    pub(super) fn passphrase_file(&self) -> String {
        format!("{}.pass", self.name)
    }

    pub(super) fn pin_file(&self) -> String {
        format!("{}.pin", self.name)
    }

    fn log_file(&self) -> PathBuf {
        self.root.join(format!("{}.log", self.name))
    }

    /// Starts the daemon; what it says goes to the member's log file.
    pub(super) fn start(&mut self, mut command: Command) -> Outcome {
        let path = self.log_file();
        let failure = |error: &std::io::Error| Failure::file(&path, error);
        let log = File::create(&path).map_err(|error| failure(&error))?;
        let log_too = log.try_clone().map_err(|error| failure(&error))?;
        let child = command
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(log_too)
            .spawn()
            .map_err(|error| Failure::file(Path::new(command.get_program()), &error))?;
        self.daemon = Some(child);
        Ok(())
    }

    /// How the daemon ended, if it did.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.daemon.as_mut()?.try_wait().ok()??;
        Some(status.to_string())
    }

    /// The last lines of the daemon's log.
    pub(super) fn log_tail(&self) -> Vec<String> {
        let text = std::fs::read(self.log_file()).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let lines: Vec<&str> = text.lines().collect();
        let skip = lines.len().saturating_sub(TAIL_LINES);
        lines.into_iter().skip(skip).map(str::to_owned).collect()
    }

    /// Asks the daemon to stop, and kills it if it does not.
    pub(super) fn stop(&mut self) {
        let Some(mut child) = self.daemon.take() else {
            return;
        };
        let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let asked = pid.is_some_and(|pid| kill_process(pid, Signal::TERM).is_ok());
        let deadline = Instant::now() + STOP_PATIENCE;
        while asked && Instant::now() < deadline {
            if !matches!(child.try_wait(), Ok(None)) {
                return;
            }
            thread::sleep(Duration::from_millis(50));
        }
        drop(child.kill());
        drop(child.wait());
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.stop();
    }
}

fn write_secret(path: &Path, secret: &str) -> Outcome {
    let written = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
        .and_then(|mut file| file.write_all(secret.as_bytes()));
    written.map_err(|error| Failure::file(path, &error))
}

/// Uniform letters of `alphabet`; bytes that would favour some letters are drawn again.
fn random_text(chars: usize, alphabet: &[u8]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(chars));
    let fair = 256 - 256 % alphabet.len();
    while text.len() < chars {
        let mut byte = [0];
        OsRng.fill_bytes(&mut byte);
        let drawn = usize::from(byte[0]);
        if let (true, Some(letter)) = (drawn < fair, alphabet.get(drawn % alphabet.len())) {
            text.push(char::from(*letter));
        }
    }
    text
}

/// A daemon that is not there when it should be.
pub(super) fn daemon_gone(name: &str, how: &str) -> Failure {
    Failure::new(
        ErrorCode::Internal,
        format!("{name}'s daemon {how}"),
        "its last words are above",
    )
}
