//! A vault from nothing, and a vault from what its journal kept: one code path.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use quorate_log::{Log, Origin, SignedCheckpoint};

use super::conduct::Conduct;
use super::found::Founding;
use super::interrupted::Interrupted;
use super::keygen::{attempt_of_secret, read_secrets};
use super::own_log::{INCARNATION, kept_checkpoints, kept_of};
use super::{Error, Setup, Vault};
use crate::charter::Member;
use crate::codec;
use crate::entry::{Logged, MAX_ENTRY_BYTES};
use crate::fold::State;
use crate::ids::{PartyId, Time};
use crate::io::Snapshot;

impl Vault {
    /// A vault that has said and heard nothing yet.
    ///
    /// # Errors
    /// [`Error::Charter`], or [`Error::NotAMember`] when party or key are not in it.
    pub fn new(setup: Setup, now: Time) -> Result<Self, Error> {
        Self::restore(setup, Snapshot::default(), now)
    }

    /// A vault as its journal kept it. All state is folded from the logs again; everything else is gone.
    ///
    /// # Errors
    /// As [`Vault::new`], and [`Error::Damaged`] or [`Error::ForeignLog`] for what no vault with this charter wrote.
    pub fn restore(setup: Setup, snapshot: Snapshot, now: Time) -> Result<Self, Error> {
        let Setup {
            charter,
            me,
            identity,
            engine,
        } = setup;
        let state = State::new(charter.clone(), me)?;
        let committee = charter.committee()?;
        let my_index = charter.index_of(&me).ok_or(Error::NotAMember)?;
        if charter.member(&me).map(|member| member.identity)
            != Some(identity.verifying_key().to_bytes())
        {
            return Err(Error::NotAMember);
        }
        let members: BTreeSet<PartyId> = charter.parties().collect();
        if let Some((stranger, ..)) = snapshot.logs.iter().find(|(author, incarnation, _)| {
            !members.contains(author) || *incarnation != INCARNATION
        }) {
            return Err(Error::ForeignLog(*stranger));
        }
        let mut vault = Self {
            id: charter.vault_id(),
            words: Default::default(),
            committee,
            me,
            my_index,
            identity,
            engine,
            now,
            uptime_ms: None,
            state,
            logs: BTreeMap::new(),
            peers: members
                .iter()
                .filter(|party| **party != me)
                .map(|party| (*party, Default::default()))
                .collect(),
            quotas: BTreeMap::new(),
            conduct: Conduct::restore(&snapshot.notes, &members),
            kept_checkpoints: kept_checkpoints(&snapshot.notes),
            rolled_back: false,
            secrets: BTreeMap::new(),
            founding: Founding::default(),
            sessions: Default::default(),
            parked: Default::default(),
            openings: Default::default(),
            watch: Default::default(),
            out: Default::default(),
            stirred: true,
            told: true,
            looked_over: now,
            deadline: None,
            pushed_own: 0,
            charter: Arc::new(charter),
        };
        vault.restore_logs(snapshot.logs, &snapshot.checkpoints, &snapshot.notes)?;
        vault.restore_secrets(&snapshot.secrets)?;
        vault.founding.told_active = vault.state.address().is_some();
        vault.pushed_own = vault.own_log().size();
        Ok(vault)
    }

    fn restore_logs(
        &mut self,
        logs: Vec<(PartyId, u32, Vec<Vec<u8>>)>,
        checkpoints: &[(PartyId, u32, String)],
        notes: &[(String, Vec<u8>)],
    ) -> Result<(), Error> {
        let mut entries: BTreeMap<PartyId, Vec<Vec<u8>>> =
            logs.into_iter().map(|(author, _, e)| (author, e)).collect();
        let charter = self.charter.clone();
        let mut interrupted = Interrupted::default();
        for member in &charter.members {
            let author = member.party;
            let newest = checkpoints
                .iter()
                .find(|(party, ..)| *party == author)
                .map(|(.., note)| note.as_str());
            let kept = kept_of(notes, &author).filter_map(|note| std::str::from_utf8(note).ok());
            let kept = kept
                .map(|note| parse(member, note))
                .collect::<Result<Vec<_>, _>>()?;
            let entries = entries.remove(&author).unwrap_or_default();
            let log = match newest {
                Some(note) => {
                    let signed = kept.into_iter().chain([parse(member, note)?]).collect();
                    self.restore_log(member, entries, signed)?
                }
                None => self.restore_unsigned(member, entries, kept)?,
            };
            for (position, bytes) in (0..).zip(log.entries()) {
                if let Ok(logged) = codec::decode::<Logged>(bytes, MAX_ENTRY_BYTES) {
                    self.state.absorb(author, INCARNATION, position, &logged);
                    if author == self.me {
                        interrupted.read(&logged.entry);
                    }
                }
            }
            self.quotas.entry(author).or_default().hold(log.entries());
            self.logs.insert(author, log);
        }
        self.conduct.unresolved = interrupted.too_often(&self.me);
        Ok(())
    }

    /// A log whose newest checkpoint is not in the journal any more, which may be deleted: it is derived. The own log is
    /// signed anew; of a replica only what a kept checkpoint covers counts until its author's word for the rest comes
    /// again.
    fn restore_unsigned(
        &self,
        member: &Member,
        mut entries: Vec<Vec<u8>>,
        kept: Vec<SignedCheckpoint>,
    ) -> Result<Log, Error> {
        if member.party != self.me {
            let sizes = kept.iter().map(|note| note.checkpoint_unverified().size);
            let covered = usize::try_from(sizes.max().unwrap_or_default()).unwrap_or(usize::MAX);
            entries.truncate(covered);
            return self.restore_log(member, entries, kept);
        }
        let mut log = Log::restore(self.origin(member), member.identity_key()?, entries, kept)
            .map_err(|error| damaged(member, error.to_string()))?;
        if log.size() > 0 {
            log.sign_checkpoint(&self.identity)?;
        }
        Ok(log)
    }

    fn origin(&self, member: &Member) -> Origin {
        Origin {
            vault: self.id.0,
            author: member.party.0,
            incarnation: INCARNATION,
        }
    }

    fn restore_log(
        &self,
        member: &Member,
        entries: Vec<Vec<u8>>,
        signed: Vec<SignedCheckpoint>,
    ) -> Result<Log, Error> {
        let log = Log::restore(self.origin(member), member.identity_key()?, entries, signed)
            .map_err(|error| damaged(member, error.to_string()))?;
        // Own entries and their checkpoint are written together, and so are replicas and theirs.
        if log.signed_size() != log.size() {
            return Err(damaged(
                member,
                "its newest entries are not covered by a checkpoint".to_owned(),
            ));
        }
        Ok(log)
    }

    fn restore_secrets(
        &mut self,
        secrets: &[(String, zeroize::Zeroizing<Vec<u8>>)],
    ) -> Result<(), Error> {
        for (name, plain) in secrets {
            if let Some(attempt) = attempt_of_secret(name) {
                self.secrets.insert(attempt, read_secrets(name, plain)?);
            }
        }
        self.repeat_bans();
        match self.active_keys() {
            Some((attempt, _)) if !self.secrets.contains_key(&attempt) => {
                let what = "key shares".to_owned();
                Err(Error::Damaged {
                    what,
                    why: format!("those of attempt {attempt} are missing"),
                })
            }
            _ => Ok(()),
        }
    }
}

fn parse(member: &Member, note: &str) -> Result<SignedCheckpoint, Error> {
    SignedCheckpoint::parse(note).map_err(|error| damaged(member, error.to_string()))
}

fn damaged(member: &Member, why: String) -> Error {
    Error::Damaged {
        what: format!("log of {}", member.name),
        why,
    }
}
