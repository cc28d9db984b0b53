//! The folder of the demo, the three members, and commands as people type them.

use std::env;
use std::fs::{self, DirBuilder};
use std::io::{self, Read};
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf, absolute};
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use quorate_api::ErrorCode;
use rand_core::{OsRng, RngCore};
use serde_json::Value;

use super::NAMES;
use super::member::{Member, daemon_gone};
use crate::Failure;
use crate::console::{Console, Style};
use crate::failure::Outcome;

/// How often something that takes a moment is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// The demo's surroundings. Dropping it stops the daemons.
pub(super) struct Stage<'a> {
    console: &'a mut Console,
    exe: PathBuf,
    root: PathBuf,
    members: Vec<Member>,
}

/// What a command said.
pub(super) struct Said {
    command: String,
    out: String,
}

impl<'a> Stage<'a> {
    /// Makes the folder and the members' secrets.
    pub(super) fn set_up(console: &'a mut Console, dir: Option<PathBuf>) -> Outcome<Self> {
        let exe =
            env::current_exe().map_err(|error| Failure::file(Path::new("quorate"), &error))?;
        let root = make_root(dir)?;
        let members = NAMES.iter().map(|name| Member::new(name, &root));
        let members = members.collect::<Outcome<_>>()?;
        let mut stage = Self {
            console,
            exe,
            root,
            members,
        };
        stage.say(&format!(
            "Everything of this demo is in {}.",
            stage.root.display()
        ))?;
        stage.say(
            "Each person has a terminal there, with QUORATE_DIR set to a folder of their own.",
        )?;
        Ok(stage)
    }

    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    pub(super) fn name(&self, who: usize) -> &'static str {
        NAMES.get(who).copied().unwrap_or("nobody")
    }

    pub(super) fn pin_file(&self, who: usize) -> String {
        self.members
            .get(who)
            .map_or_else(String::new, Member::pin_file)
    }

    pub(super) fn stop_daemons(&mut self) {
        self.members.iter_mut().for_each(Member::stop);
    }

    /// A line of the show: to the side when the result is JSON.
    pub(super) fn say(&mut self, text: &str) -> Outcome {
        self.styled(Style::Plain, text)
    }

    fn styled(&mut self, style: Style, text: &str) -> Outcome {
        if self.console.json() {
            self.console.aside(style, text);
            return Ok(());
        }
        self.console.styled(style, text)
    }

    pub(super) fn chapter(&mut self, title: &str) -> Outcome {
        self.say("")?;
        self.styled(Style::Bold, &format!("# {title}."))
    }

    pub(super) fn init_member(&mut self, who: usize) -> Outcome {
        let (name, pin) = (self.name(who), self.pin_file(who));
        let line =
            format!("node init --name {name} --passphrase-file {name}.pass --pin-file {pin}");
        self.quorate(who, &line).map(drop)
    }

    pub(super) fn start_daemon(&mut self, who: usize) -> Outcome {
        let line = format!("node run --passphrase-file {}.pass", self.name(who));
        self.styled(
            Style::Bold,
            &format!("{}$ quorate {line} &", self.name(who)),
        )?;
        let command = self.command(who, &line);
        match self.members.get_mut(who) {
            Some(member) => member.start(command),
            None => Ok(()),
        }
    }

    /// Runs a command as a person would type it, and shows what it says.
    pub(super) fn quorate(&mut self, who: usize, line: &str) -> Outcome<Said> {
        let typed = format!("{}$ quorate {line}", self.name(who));
        self.styled(Style::Bold, &typed)?;
        let (status, out) = self.overheard(who, line)?;
        for text in out.lines() {
            self.say(&format!("  {text}"))?;
        }
        if !status.success() {
            self.show_log(who)?;
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            return Err(Failure::with_exit_code(
                code.unwrap_or(1),
                format!("this command failed ({status}): {typed}"),
                format!("look into {}", self.root.display()),
            ));
        }
        Ok(Said {
            command: typed,
            out,
        })
    }

    /// Runs a command; what it says on both streams comes in the order it says it.
    fn overheard(&self, who: usize, line: &str) -> Outcome<(ExitStatus, String)> {
        let failure = |error: io::Error| Failure::file(&self.exe, &error);
        let (mut heard, said) = io::pipe().map_err(failure)?;
        let mut command = self.command(who, line);
        command
            .stdin(Stdio::null())
            .stderr(said.try_clone().map_err(failure)?)
            .stdout(said);
        let mut child = command.spawn().map_err(failure)?;
        // The command holds the writing ends; while it lives the pipe would never end.
        drop(command);
        let mut out = Vec::new();
        heard.read_to_end(&mut out).map_err(failure)?;
        let status = child.wait().map_err(failure)?;
        Ok((status, String::from_utf8_lossy(&out).into_owned()))
    }

    /// Asks the daemon something without showing it; none while it has no answer.
    fn peek(&self, who: usize, line: &str) -> Outcome<Option<Value>> {
        let output = self.output(who, &format!("{line} --json"))?;
        if !output.status.success() {
            return Ok(None);
        }
        Ok(serde_json::from_slice(&output.stdout).ok())
    }

    fn output(&self, who: usize, line: &str) -> Outcome<Output> {
        let mut command = self.command(who, line);
        let output = command.stdin(Stdio::null()).output();
        output.map_err(|error| Failure::file(&self.exe, &error))
    }

    fn command(&self, who: usize, line: &str) -> Command {
        let mut command = Command::new(&self.exe);
        command
            .args(words(line))
            .env("QUORATE_DIR", self.name(who))
            .current_dir(&self.root);
        command
    }

    fn show_log(&mut self, who: usize) -> Outcome {
        let Some(member) = self.members.get(who) else {
            return Ok(());
        };
        let tail = member.log_tail();
        self.say(&format!("  The last lines of {}.log:", self.name(who)))?;
        tail.iter()
            .try_for_each(|line| self.say(&format!("  | {line}")))
    }

    pub(super) fn wait_for_daemon(&mut self, who: usize, patience: Duration) -> Outcome {
        self.wait(who, patience, "does not answer", |stage| {
            Ok(stage.peek(who, "node status")?.is_some())
        })
    }

    pub(super) fn wait_for_phase(
        &mut self,
        who: usize,
        phase: &str,
        patience: Duration,
    ) -> Outcome {
        let problem = format!("does not see the vault {phase}");
        self.wait(who, patience, &problem, |stage| {
            let vault = stage.peek(who, "vault show")?;
            Ok(vault.is_some_and(|it| it.pointer("/data/phase").is_some_and(|it| it == phase)))
        })
    }

    pub(super) fn wait_for_request(&mut self, who: usize, id: &str, patience: Duration) -> Outcome {
        self.wait(who, patience, "does not see the request", |stage| {
            Ok(stage.peek(who, &format!("request show {id}"))?.is_some())
        })
    }

    fn wait(
        &mut self,
        who: usize,
        patience: Duration,
        problem: &str,
        reached: impl Fn(&Self) -> Outcome<bool>,
    ) -> Outcome {
        let deadline = Instant::now() + patience;
        loop {
            if reached(self)? {
                return Ok(());
            }
            let ended = self.members.get_mut(who).and_then(Member::ended);
            if let Some(status) = ended {
                self.show_log(who)?;
                return Err(daemon_gone(self.name(who), &format!("ended: {status}")));
            }
            if Instant::now() >= deadline {
                self.show_log(who)?;
                return Err(daemon_gone(self.name(who), problem));
            }
            thread::sleep(LOOK_EVERY);
        }
    }
}

/// An empty folder that only its owner can read: `dir`, or a fresh one where temporary things are.
fn make_root(dir: Option<PathBuf>) -> Outcome<PathBuf> {
    let root = dir.unwrap_or_else(|| {
        let mut tag = [0; 4];
        OsRng.fill_bytes(&mut tag);
        env::temp_dir().join(format!("quorate-demo-{:08x}", u32::from_le_bytes(tag)))
    });
    let failure = |error: &io::Error| Failure::file(&root, error);
    let root = absolute(&root).map_err(|error| failure(&error))?;
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    builder.create(&root).map_err(|error| failure(&error))?;
    let mut entries = fs::read_dir(&root).map_err(|error| failure(&error))?;
    if entries.next().is_some() {
        return Err(Failure::new(
            ErrorCode::Duplicate,
            format!("{} is not empty", root.display()),
            "name a new folder with --dir",
        ));
    }
    Ok(root)
}

/// The words of a line, as a shell splits them; only double quotes group.
fn words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '"' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => {
                if let Some(last) = words.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Said {
    /// The value beside `label`.
    pub(super) fn field(&self, label: &str) -> Outcome<String> {
        let value = self.out.lines().find_map(|line| {
            let value = line.trim_start().strip_prefix(label)?;
            value.starts_with("  ").then(|| value.trim().to_owned())
        });
        value.ok_or_else(|| self.missing(label))
    }

    /// What follows `prefix` on every line of the form `prefix kind...`, with `kind`.
    pub(super) fn lines_after(&self, prefix: &str, kind: &str) -> Vec<String> {
        let lines = self
            .out
            .lines()
            .filter_map(|line| line.trim().strip_prefix(prefix));
        let lines = lines.filter(|line| line.starts_with(kind));
        lines.map(str::to_owned).collect()
    }

    /// The line that is an address.
    pub(super) fn address(&self) -> Outcome<String> {
        let mut lines = self.out.lines().map(str::trim);
        let address = lines.find(|line| line.starts_with("0x"));
        address
            .map(str::to_owned)
            .ok_or_else(|| self.missing("an address"))
    }

    pub(super) fn mentions(&self, text: &str) -> bool {
        self.out.contains(text)
    }

    /// The command did not say what it should.
    pub(super) fn missing(&self, what: &str) -> Failure {
        Failure::new(
            ErrorCode::Internal,
            format!("this command did not tell {what}: {}", self.command),
            "please report this",
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, words};

    #[test]
    fn a_line_splits_as_a_shell_would() {
        assert_eq!(words("a b  c"), ["a", "b", "c"]);
        assert_eq!(words("x --words \"a b\" y"), ["x", "--words", "a b", "y"]);
    }

    #[test]
    fn what_a_person_reads_can_be_read() {
        let said = Said {
            command: String::new(),
            out: "Head\n  Id         3f9a\n  Ideal      x\n  quorate vault join c --at h:1\n0xab\n"
                .to_owned(),
        };
        assert_eq!(said.field("Id").expect("field"), "3f9a");
        assert!(said.field("Words").is_err());
        assert_eq!(
            said.lines_after("quorate ", "vault join "),
            ["vault join c --at h:1"]
        );
        assert_eq!(said.address().expect("address"), "0xab");
    }
}
