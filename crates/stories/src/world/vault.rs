//! Members who share one vault.

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use tempfile::TempDir;

use super::{Anvil, Member, wait_for};

/// `n` members, their chain, and the vault they made together.
pub(crate) struct Household {
    pub(crate) members: Vec<Member>,
    pub(crate) chain: Anvil,
    /// Which vault is meant; members can have several.
    pub(crate) vault: &'static str,
    pub(crate) address: String,
    _home: TempDir,
}

const NAMES: [&str; 9] = [
    "alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi", "ivan",
];
/// What the first vault is called in every story.
const FIRST: &str = "family";

impl Household {
    /// Starts a chain and `n` daemons; nobody has a vault yet.
    pub(crate) fn strangers(n: usize) -> Result<Self> {
        let home = tempfile::Builder::new()
            .prefix("quorate-story-")
            .tempdir()?;
        let chain = Anvil::start(31337)?;
        let mut members = Vec::new();
        for name in NAMES.iter().take(n) {
            let mut member = Member::init(home.path(), name)?;
            member.start()?;
            member.json(&["chain", "add", "dev", "--rpc", &chain.url()])?;
            members.push(member);
        }
        Ok(Self {
            members,
            chain,
            vault: FIRST,
            address: String::new(),
            _home: home,
        })
    }

    /// Starts everything and makes a `threshold`-of-`n` vault.
    pub(crate) fn with_vault(threshold: usize, n: usize) -> Result<Self> {
        let mut all = Self::strangers(n)?;
        all.make(FIRST, threshold)?;
        Ok(all)
    }

    /// The members make a vault of this name, which is meant from now on.
    pub(crate) fn make(&mut self, vault: &'static str, threshold: usize) -> Result<()> {
        self.vault = vault;
        self.pair(threshold)?;
        self.confirm()?;
        self.await_address()
    }

    /// What member `by` is told about the vault that is meant.
    fn ask(&self, by: usize, args: &[&str]) -> Result<Value> {
        ask(self.member(by)?, self.vault, args)
    }

    /// The first member creates; code and address of each invitation.
    pub(crate) fn create(&self, threshold: usize) -> Result<Vec<(String, String)>> {
        let (t, n) = (threshold.to_string(), self.members.len().to_string());
        let asked = [
            "vault",
            "create",
            self.vault,
            "--threshold",
            &t,
            "--members",
            &n,
        ];
        let created = self.member(0)?.json(&asked)?;
        let all = created.get("invitations").and_then(Value::as_array);
        let all = all.into_iter().flatten();
        all.map(|one| Ok((text(one, "code")?, text(one, "address")?)))
            .collect()
    }

    /// The first member creates, the others join by code.
    pub(crate) fn pair(&mut self, threshold: usize) -> Result<()> {
        let invitations = self.create(threshold)?;
        ensure!(
            invitations.len() + 1 == self.members.len(),
            "{invitations:?}"
        );
        for (member, (code, address)) in self.members.iter().skip(1).zip(&invitations) {
            member.json(&["vault", "join", code, "--at", address])?;
        }
        Ok(())
    }

    /// Waits until every member shows the roster's words, compares them, and confirms on every member.
    pub(crate) fn confirm(&mut self) -> Result<String> {
        let mut all_words = Vec::new();
        for member in &self.members {
            all_words.push(wait_for(
                &format!("{}'s six words", member.name),
                30,
                || words_of(member, self.vault),
            )?);
        }
        let words = all_words.first().cloned().unwrap_or_default();
        ensure!(
            all_words.iter().all(|other| *other == words),
            "the words differ: {all_words:?}"
        );
        for member in &self.members {
            ask(member, self.vault, &["vault", "join", "--words", &words])?;
        }
        Ok(words)
    }

    /// Waits until every member shows the same address.
    pub(crate) fn await_address(&mut self) -> Result<()> {
        let mut addresses = Vec::new();
        for member in &self.members {
            let found = wait_for(&format!("{}'s address", member.name), 90, || {
                address_of(member, self.vault)
            });
            addresses.push(found.with_context(|| self.everybody_says())?);
        }
        let first = addresses.first().cloned().unwrap_or_default();
        ensure!(
            addresses.iter().all(|other| *other == first),
            "the addresses differ: {addresses:?}"
        );
        self.address = first;
        Ok(())
    }

    /// What each member shows and logged last, for a failure.
    fn everybody_says(&self) -> String {
        let mut all = String::new();
        for member in &self.members {
            let view = ask(member, self.vault, &["vault", "show"])
                .map_or_else(|e| e.to_string(), |v| v.to_string());
            all.push_str(&format!("{}: {view}\n{}\n", member.name, member.log_tail()));
        }
        all
    }

    /// The member called so.
    pub(crate) fn member(&self, index: usize) -> Result<&Member> {
        self.members.get(index).context("no such member")
    }

    /// The same, to start or kill.
    pub(crate) fn member_mut(&mut self, index: usize) -> Result<&mut Member> {
        self.members.get_mut(index).context("no such member")
    }

    /// Member `by` asks for a payment; its id.
    pub(crate) fn request(&self, by: usize, amount: &str, to: &str) -> Result<String> {
        let asked = self.ask(by, &["send", amount, "ETH", "--to", to])?;
        text(&asked, "id")
    }

    /// Waits until member `by` knows the request, and approves it there.
    pub(crate) fn approve(&self, by: usize, id: &str) -> Result<Value> {
        let member = self.member(by)?;
        wait_for(&format!("{} to see {id}", member.name), 20, || {
            let shown = member.run(&["--vault", self.vault, "--json", "request", "show", id])?;
            Ok((shown.code == 0).then_some(()))
        })?;
        ask(member, self.vault, &["approve", id])
    }

    /// Waits at member `by` until the request is mined; its view.
    pub(crate) fn await_mined(&self, by: usize, id: &str, seconds: u64) -> Result<Value> {
        let member = self.member(by)?;
        wait_for(&format!("{id} to be mined"), seconds, || {
            let view = ask(member, self.vault, &["request", "show", id])?;
            match text(&view, "state")?.as_str() {
                "mined" => Ok(Some(view)),
                "rejected" | "cancelled" | "expired" | "failed" | "superseded" | "paid_before" => {
                    bail!("it ended otherwise: {view}")
                }
                _ => Ok(None),
            }
        })
        .with_context(|| {
            let view = ask(member, self.vault, &["request", "show", id]).unwrap_or_default();
            format!("{} says {view}\n{}", member.name, member.log_tail())
        })
    }

    /// Asks, approves at each of `approvers`, and waits until it is mined.
    pub(crate) fn pay(
        &self,
        by: usize,
        approvers: &[usize],
        amount: &str,
        to: &str,
    ) -> Result<Value> {
        let id = self.request(by, amount, to)?;
        for approver in approvers {
            self.approve(*approver, &id)?;
        }
        self.await_mined(by, &id, 60)
    }
}

/// A text field of a JSON object.
pub(crate) fn text(value: &Value, field: &str) -> Result<String> {
    let found = value.get(field).and_then(Value::as_str);
    Ok(found
        .with_context(|| format!("no `{field}` in {value}"))?
        .to_owned())
}

/// What a member is told with `--vault`.
fn ask(member: &Member, vault: &str, args: &[&str]) -> Result<Value> {
    let mut all = vec!["--vault", vault];
    all.extend_from_slice(args);
    member.json(&all)
}

fn words_of(member: &Member, vault: &str) -> Result<Option<String>> {
    let view = ask(member, vault, &["vault", "show"])?;
    let words: Option<Vec<&str>> = view
        .get("words")
        .and_then(Value::as_array)
        .map(|all| all.iter().filter_map(Value::as_str).collect());
    Ok(words.map(|words| words.join(" ")))
}

fn address_of(member: &Member, vault: &str) -> Result<Option<String>> {
    let view = ask(member, vault, &["vault", "show"])?;
    let found = view
        .get("addresses")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    Ok(found
        .first()
        .and_then(|one| one.get("address"))
        .and_then(Value::as_str)
        .map(str::to_owned))
}
