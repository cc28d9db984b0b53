//! `docs`: every command that the documentation prints is typed, in the order in which a reader would.
//!
//! A fence `console NAME` is typed at NAME's machine, line by line after `$ `. What a reader would copy from their own
//! screen (codes, words, request ids, the node's URL) is put in place of the page's examples.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::payment::FUNDS;
use crate::report::Report;
use crate::world::{Anvil, Member, Ran, text, wait_for};

/// Pages whose blocks make one walk, in this order.
const WALKS: &[&str] = &["docs/first-vault.md"];

/// Types every page; there is no longer form.
pub(crate) fn run(report: &mut Report, _quick: bool) -> Result<()> {
    let root = repository()?;
    no_command_outside_a_walk(report, &root)?;
    for page in WALKS {
        report.chapter(page);
        let lines = typed_lines(&std::fs::read_to_string(root.join(page))?);
        ensure!(!lines.is_empty(), "{page} has no `console` block");
        let mut walk = Walk::begin()?;
        for (person, line) in lines {
            report.piece(&format!("{person}$ {line}"), |_| {
                walk.type_line(&person, &line)
            });
        }
    }
    Ok(())
}

/// The repository that this program was built from.
fn repository() -> Result<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(here
        .ancestors()
        .nth(2)
        .context("crates/stories lies in a repository")?
        .to_owned())
}

/// A command in a fence that nobody types would rot.
fn no_command_outside_a_walk(report: &mut Report, root: &Path) -> Result<()> {
    let mut pages = vec![root.join("README.md"), root.join("ARCHITECTURE.md")];
    for entry in std::fs::read_dir(root.join("docs"))? {
        pages.push(entry?.path());
    }
    for page in pages
        .iter()
        .filter(|page| page.extension().is_some_and(|end| end == "md"))
    {
        let name = page.strip_prefix(root)?.to_string_lossy().into_owned();
        let stray = stray_commands(&std::fs::read_to_string(page)?);
        let known = WALKS.contains(&name.as_str()) || stray.is_empty();
        report.claim(
            &format!("{name} prints no command that is not typed here"),
            known,
            || stray.join("\n"),
        );
    }
    Ok(())
}

/// Lines inside fences that look like a command of ours.
fn stray_commands(page: &str) -> Vec<String> {
    let mut inside = false;
    let mut found = Vec::new();
    for line in page.lines() {
        if line.starts_with("```") {
            inside = !inside;
        } else if inside && line.trim_start_matches("$ ").starts_with("quorate ") {
            found.push(line.to_owned());
        }
    }
    found
}

/// Person and command of each `$ ` line in the page's `console` fences.
fn typed_lines(page: &str) -> Vec<(String, String)> {
    let mut person = None;
    let mut lines = Vec::new();
    for line in page.lines() {
        if let Some(fence) = line.strip_prefix("```") {
            person = fence.strip_prefix("console ").map(str::to_owned);
        } else if let (Some(person), Some(command)) = (&person, line.strip_prefix("$ quorate ")) {
            lines.push((person.clone(), command.to_owned()));
        }
    }
    lines
}

/// What a reader has on their screens.
struct Walk {
    home: tempfile::TempDir,
    chain: Anvil,
    people: BTreeMap<String, Member>,
    invitations: Vec<(String, String)>,
    words: Option<String>,
    request: Option<String>,
}

impl Walk {
    fn begin() -> Result<Self> {
        Ok(Self {
            home: tempfile::Builder::new().prefix("quorate-docs-").tempdir()?,
            chain: Anvil::start(31337)?,
            people: BTreeMap::new(),
            invitations: Vec::new(),
            words: None,
            request: None,
        })
    }

    /// Types one line and remembers what the reader would.
    fn type_line(&mut self, person: &str, line: &str) -> Result<()> {
        let words = split(line);
        let verbs: Vec<&str> = words.iter().map(String::as_str).take(2).collect();
        match verbs.as_slice() {
            ["node", "init"] => {
                let member = Member::init(self.home.path(), person)?;
                self.people.insert(person.to_owned(), member);
                return Ok(());
            }
            ["node", "run"] => return self.person_mut(person)?.start(),
            ["balance"] => self.fund(person)?,
            ["vault", "join"] => self.await_roster(person, &words)?,
            ["address", "list"] => self.await_address(person)?,
            ["approve" | "reject", _] | ["request", _] => self.await_request(person)?,
            _ => {}
        }
        let arguments = self.substitute(&words)?;
        let mut all: Vec<&str> = vec!["--json"];
        all.extend(arguments.iter().map(String::as_str));
        let ran = self.person(person)?.run(&all)?;
        ensure!(
            ran.code == 0,
            "ended with {}: {}{}",
            ran.code,
            ran.stdout,
            ran.stderr
        );
        self.remember(&verbs, &ran)
    }

    fn remember(&mut self, verbs: &[&str], ran: &Ran) -> Result<()> {
        match verbs {
            ["vault", "create"] => {
                let created = ran.data()?;
                for one in created
                    .get("invitations")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                {
                    self.invitations
                        .push((text(one, "code")?, text(one, "address")?));
                }
                self.invitations.reverse();
            }
            ["send", _] => self.request = Some(text(&ran.data()?, "id")?),
            _ => {}
        }
        Ok(())
    }

    /// Puts the reader's own values in place of the page's examples.
    fn substitute(&mut self, words: &[String]) -> Result<Vec<String>> {
        let mut out = words.to_vec();
        let joins = words.first().is_some_and(|word| word == "vault")
            && words.iter().any(|word| word == "--at");
        if joins {
            let (code, address) = self.invitations.pop().context("no invitation is left")?;
            replace(&mut out, 2, code)?;
            replace_after(&mut out, "--at", address)?;
        }
        if words.iter().any(|word| word == "--words") {
            replace_after(
                &mut out,
                "--words",
                self.words.clone().context("nobody has seen the words")?,
            )?;
        }
        if words.iter().any(|word| word == "--rpc") {
            replace_after(&mut out, "--rpc", self.chain.url())?;
        }
        for word in &mut out {
            match word.as_str() {
                "3f2a" => *word = self.request.clone().context("nothing was asked yet")?,
                "proof.json" => {
                    *word = self
                        .home
                        .path()
                        .join("proof.json")
                        .to_string_lossy()
                        .into_owned()
                }
                _ => {}
            }
        }
        Ok(out)
    }

    fn await_roster(&mut self, person: &str, words: &[String]) -> Result<()> {
        if !words.iter().any(|word| word == "--words") {
            return Ok(());
        }
        let member = self.person(person)?;
        let found = wait_for("the six words", 30, || {
            let view = member.json(&["vault", "show"])?;
            let all = view.get("words").and_then(Value::as_array).cloned();
            Ok(all.map(|all| {
                all.iter()
                    .filter_map(Value::as_str)
                    .collect::<Vec<_>>()
                    .join(" ")
            }))
        })?;
        if let Some(known) = &self.words {
            ensure!(*known == found, "{person} sees {found} and not {known}");
        }
        self.words = Some(found);
        Ok(())
    }

    fn await_address(&self, person: &str) -> Result<()> {
        let member = self.person(person)?;
        wait_for("the address", 90, || {
            Ok(address(&member.json(&["vault", "show"])?))
        })
        .map(|_| ())
    }

    /// The page says: send some test ether to the address.
    fn fund(&self, person: &str) -> Result<()> {
        let address =
            address(&self.person(person)?.json(&["vault", "show"])?).context("no address yet")?;
        self.chain.fund(&address, FUNDS)
    }

    fn await_request(&self, person: &str) -> Result<()> {
        let (member, id) = (
            self.person(person)?,
            self.request.clone().context("nothing was asked yet")?,
        );
        wait_for("the request to arrive", 30, || {
            Ok((member.run(&["request", "show", &id])?.code == 0).then_some(()))
        })
    }

    fn person(&self, name: &str) -> Result<&Member> {
        self.people
            .get(name)
            .with_context(|| format!("{name} has no daemon yet"))
    }

    fn person_mut(&mut self, name: &str) -> Result<&mut Member> {
        self.people
            .get_mut(name)
            .with_context(|| format!("{name} has no daemon yet"))
    }
}

fn address(view: &Value) -> Option<String> {
    let first = view.get("addresses")?.as_array()?.first()?;
    Some(first.get("address")?.as_str()?.to_owned())
}

fn replace(words: &mut [String], at: usize, with: String) -> Result<()> {
    *words.get_mut(at).context("the line is too short")? = with;
    Ok(())
}

fn replace_after(words: &mut [String], option: &str, with: String) -> Result<()> {
    let at = words
        .iter()
        .position(|word| word == option)
        .with_context(|| format!("no {option}"))?;
    replace(words, at + 1, with)
}

/// Splits as a shell does for what the pages use: blanks, and double quotes around a text with blanks.
fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (i, part) in line.split('"').enumerate() {
        if i % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}
