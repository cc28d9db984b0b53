//! One member: a folder, a passphrase, a PIN, a daemon, and the command line.

use std::fs;
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use super::wait_for;

/// A member and its daemon; the daemon is killed when dropped.
pub(crate) struct Member {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) passphrase: PathBuf,
    pub(crate) pin: PathBuf,
    daemon: Option<Child>,
}

/// What one command did.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) line: String,
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// The envelope's `data`, if the command succeeded.
    pub(crate) fn data(&self) -> Result<Value> {
        if self.code != 0 {
            bail!(
                "`{}` ended with {}: {}",
                self.line,
                self.code,
                self.stderr.trim()
            );
        }
        let mut envelope: Value = serde_json::from_str(&self.stdout)
            .with_context(|| format!("`{}` printed {}", self.line, self.stdout))?;
        Ok(envelope
            .get_mut("data")
            .map(Value::take)
            .unwrap_or_default())
    }
}

/// The binary under test.
pub(crate) fn quorate() -> PathBuf {
    std::env::var_os("QUORATE")
        .map(PathBuf::from)
        .unwrap_or_else(|| {
            let here = std::env::current_exe().unwrap_or_default();
            here.with_file_name("quorate")
        })
}

impl Member {
    /// Makes the folder under `home` and runs `node init`; the daemon is not started.
    pub(crate) fn init(home: &Path, name: &str) -> Result<Self> {
        let member = Self {
            name: name.to_owned(),
            dir: home.join(name),
            passphrase: home.join(format!("{name}.passphrase")),
            pin: home.join(format!("{name}.pin")),
            daemon: None,
        };
        write_secret(&member.passphrase, &format!("correct horse of {name} 29"))?;
        write_secret(&member.pin, "493817")?;
        let ran = member.run(&["node", "init", "--name", name])?;
        if ran.code != 0 {
            bail!("`{}` ended with {}: {}", ran.line, ran.code, ran.stderr);
        }
        Ok(member)
    }

    /// Starts the daemon and waits until its command line answers.
    pub(crate) fn start(&mut self) -> Result<()> {
        let log = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log_path())?;
        let child = Command::new(quorate())
            .arg("--dir")
            .arg(&self.dir)
            .arg("--passphrase-file")
            .arg(&self.passphrase)
            .args(["node", "run"])
            .env("QUORATE_LOG", "info,quorate_node=debug")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        self.daemon = Some(child);
        wait_for(&format!("{}'s daemon", self.name), 30, || {
            if let Some(status) = self
                .daemon
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten())
            {
                bail!(
                    "{}'s daemon ended with {status}: {}",
                    self.name,
                    self.log_tail()
                );
            }
            Ok((self.run(&["--json", "node", "status"])?.code == 0).then_some(()))
        })
    }

    /// Whether the daemon is up.
    pub(crate) fn is_up(&self) -> bool {
        self.daemon.is_some()
    }

    /// SIGKILL, as a power failure would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.daemon.take() {
            child.kill().ok();
            child.wait().ok();
        }
    }

    /// SIGTERM, and waits for the end.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let Some(mut child) = self.daemon.take() else {
            return Ok(());
        };
        let pid = Pid::from_raw(i32::try_from(child.id())?).context("a process id is not 0")?;
        kill_process(pid, Signal::TERM)?;
        wait_for("the daemon to end", 15, || Ok(child.try_wait()?)).map(|_| ())
    }

    /// Runs one command of this member, without a terminal.
    pub(crate) fn run(&self, args: &[&str]) -> Result<Ran> {
        self.run_with(&self.passphrase, &self.pin, args)
    }

    /// The same with other secrets.
    pub(crate) fn run_with(&self, passphrase: &Path, pin: &Path, args: &[&str]) -> Result<Ran> {
        run_in(&self.dir, Some((passphrase, pin)), args)
    }

    /// Runs with `--json` and gives the data.
    pub(crate) fn json(&self, args: &[&str]) -> Result<Value> {
        let mut all = vec!["--json"];
        all.extend_from_slice(args);
        self.run(&all)?.data()
    }

    /// Where the daemon's output goes.
    pub(crate) fn log_path(&self) -> PathBuf {
        self.dir.with_extension("daemon.log")
    }

    /// The last lines of the daemon's output.
    pub(crate) fn log_tail(&self) -> String {
        let text = fs::read_to_string(self.log_path()).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines
            .iter()
            .skip(lines.len().saturating_sub(15))
            .copied()
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// How many bytes the daemon has said so far; where [`Member::kill_when_it_says`] starts to read.
    pub(crate) fn log_length(&self) -> u64 {
        fs::metadata(self.log_path())
            .map(|meta| meta.len())
            .unwrap_or(0)
    }

    /// Waits until the daemon says `text` after `from`, then kills it at once. Whether it said so within `seconds`.
    pub(crate) fn kill_when_it_says(
        &mut self,
        text: &str,
        from: u64,
        seconds: u64,
    ) -> Result<bool> {
        let end = std::time::Instant::now() + Duration::from_secs(seconds);
        let from = usize::try_from(from)?;
        while std::time::Instant::now() < end {
            let log = fs::read(self.log_path())?;
            let said = String::from_utf8_lossy(log.get(from..).unwrap_or_default()).contains(text);
            if said {
                self.kill();
                return Ok(true);
            }
            std::thread::sleep(Duration::from_millis(2));
        }
        Ok(false)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Runs a command on a folder that nobody's daemon serves.
pub(crate) fn run_anywhere(dir: &Path, args: &[&str]) -> Result<Ran> {
    run_in(dir, None, args)
}

/// Longest that a command may take: a person would have given up.
const COMMAND_LIMIT: Duration = Duration::from_secs(100);

fn run_in(dir: &Path, secrets: Option<(&Path, &Path)>, args: &[&str]) -> Result<Ran> {
    let mut command = Command::new("timeout");
    command
        .arg(COMMAND_LIMIT.as_secs().to_string())
        .arg(quorate())
        .arg("--dir")
        .arg(dir);
    if let Some((passphrase, pin)) = secrets {
        command
            .arg("--passphrase-file")
            .arg(passphrase)
            .arg("--pin-file")
            .arg(pin);
    }
    let output = command
        .args(args)
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()?;
    Ok(Ran {
        line: format!("quorate {}", args.join(" ")),
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    })
}

/// Writes a file that only its owner may read.
pub(crate) fn write_secret(path: &Path, text: &str) -> Result<()> {
    let mut file = fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    Ok(file.write_all(text.as_bytes())?)
}
