//! Which logs of a bundle can be believed to be their authors'.

use std::collections::BTreeSet;

use quorate_log::{Log, Origin, SignedCheckpoint};

use super::bundle::{BundledLog, id};
use super::report::Finding;
use crate::charter::{Charter, Member};
use crate::entry::{Entry, Logged};
use crate::fold::State;
use crate::ids::{PartyId, VaultId};

/// A log with its bytes decoded, not believed yet.
pub(super) struct Opened<'a> {
    bundled: &'a BundledLog,
    author: Option<PartyId>,
    bytes: Result<Vec<Vec<u8>>, usize>,
}

/// A log that its author signed.
pub(super) struct Sound {
    pub(super) author: PartyId,
    pub(super) name: String,
    pub(super) incarnation: u32,
    /// How many entries it has, readable or not.
    pub(super) size: u64,
    /// Readable entries by position.
    pub(super) entries: Vec<(u64, Logged)>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(bundled: &'a BundledLog) -> Self {
        Self {
            bundled,
            author: id(&bundled.author).map(PartyId),
            bytes: bundled.entry_bytes(),
        }
    }

    /// The charter that the log begins with.
    fn founds(&self) -> Option<Charter> {
        let first = self.bytes.as_ref().ok()?.first()?;
        match Logged::decode(first).ok()?.entry {
            Entry::Founded(charter) => Some(*charter),
            _ => None,
        }
    }
}

/// The charter that founds this vault, from whichever log has it: its hash is the vault's id.
pub(super) fn founding_charter(logs: &[Opened<'_>], vault: &VaultId) -> Option<Charter> {
    logs.iter()
        .filter_map(Opened::founds)
        .find(|charter| charter.vault_id() == *vault)
}

/// The logs that their authors signed; everything against the others, and every member without one, is a finding.
pub(super) fn sound(logs: &[Opened<'_>], state: &State, findings: &mut Vec<Finding>) -> Vec<Sound> {
    let mut seen = BTreeSet::new();
    let mut sound = Vec::new();
    for log in logs {
        match believe(log, state, &mut seen) {
            Ok(believed) => {
                unreadable(log, &believed, findings);
                sound.push(believed);
            }
            Err(finding) => findings.push(finding),
        }
    }
    // Incarnations of one author in their order.
    sound.sort_by_key(|log| (log.author, log.incarnation));
    for member in &state.charter().members {
        check_begin(member, &sound, state, findings);
    }
    sound
}

fn believe(
    log: &Opened<'_>,
    state: &State,
    seen: &mut BTreeSet<(PartyId, u32)>,
) -> Result<Sound, Finding> {
    let author = log
        .author
        .and_then(|author| state.charter().member(&author));
    let Some(member) = author else {
        let shown: String = log.bundled.author.chars().take(16).collect();
        return Err(Finding::wrong(
            format!("log of {shown:?}"),
            "its author is no member of this vault",
        ));
    };
    let incarnation = log.bundled.incarnation;
    let place = format!("{}'s log", member.name);
    if !seen.insert((member.party, incarnation)) {
        return Err(Finding::wrong(
            place,
            "it is in the bundle twice; only the first is used",
        ));
    }
    let bytes = log.bytes.as_ref().map_err(|position| {
        Finding::wrong(format!("{place}, entry {position}"), "it is not base64")
    })?;
    let signed = signed_by_author(log.bundled, member, state, bytes);
    let held = signed
        .map_err(|why| Finding::wrong(place, format!("its checkpoint does not hold: {why}")))?;
    let readable = held
        .entries()
        .iter()
        .enumerate()
        .filter_map(|(position, bytes)| {
            Some((u64::try_from(position).ok()?, Logged::decode(bytes).ok()?))
        });
    Ok(Sound {
        author: member.party,
        name: member.name.clone(),
        incarnation,
        size: held.size(),
        entries: readable.collect(),
    })
}

/// The log, if the member's identity key signs a checkpoint over exactly these entries.
fn signed_by_author(
    bundled: &BundledLog,
    member: &Member,
    state: &State,
    bytes: &[Vec<u8>],
) -> Result<Log, String> {
    let origin = Origin {
        vault: *state.vault().as_bytes(),
        author: *member.party.as_bytes(),
        incarnation: bundled.incarnation,
    };
    let key = member.identity_key().map_err(|error| error.to_string())?;
    let checkpoint =
        SignedCheckpoint::parse(&bundled.checkpoint).map_err(|error| error.to_string())?;
    let log = Log::restore(origin, key, bytes.to_vec(), vec![checkpoint])
        .map_err(|error| error.to_string())?;
    if log.signed_size() != log.size() {
        return Err(format!(
            "it covers {} of {} entries",
            log.signed_size(),
            log.size()
        ));
    }
    Ok(log)
}

/// Names entries that their author signed although nobody can read them.
fn unreadable(log: &Opened<'_>, sound: &Sound, findings: &mut Vec<Finding>) {
    let readable: BTreeSet<u64> = sound
        .entries
        .iter()
        .map(|(position, _)| *position)
        .collect();
    for position in (0..sound.size).filter(|position| !readable.contains(position)) {
        let bytes = log
            .bytes
            .as_ref()
            .ok()
            .and_then(|all| all.get(usize::try_from(position).ok()?));
        let why = bytes.and_then(|bytes| Logged::decode(bytes).err());
        let why = why.map_or_else(String::new, |error| format!(": {error}"));
        findings.push(Finding::wrong(
            sound.place(position),
            format!("it is no entry that this program knows{why}"),
        ));
    }
}

/// Every member's log begins with the founding charter.
fn check_begin(member: &Member, sound: &[Sound], state: &State, findings: &mut Vec<Finding>) {
    let place = format!("{}'s log", member.name);
    let Some(first) = sound.iter().find(|log| log.author == member.party) else {
        findings.push(Finding::missing(
            place,
            "no signed log of this member is in the bundle",
        ));
        return;
    };
    let begins = first.entries.first().is_some_and(|(position, logged)| {
        let founded = matches!(&logged.entry, Entry::Founded(charter) if charter.vault_id() == *state.vault());
        *position == 0 && founded
    });
    if !begins {
        findings.push(Finding::wrong(
            place,
            "it does not begin with this vault's founding charter",
        ));
    }
}

impl Sound {
    /// `bob's log, entry 12`.
    pub(super) fn place(&self, position: u64) -> String {
        match self.incarnation {
            0 => format!("{}'s log, entry {position}", self.name),
            n => format!("{}'s log (incarnation {n}), entry {position}", self.name),
        }
    }
}
