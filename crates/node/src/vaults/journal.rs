//! A vault's journal over the daemon's one store.

use std::collections::BTreeMap;

use quorate_driver::{Journal, Write};
use quorate_store::{Error, Store};
use quorate_vault::entry::Logged;
use quorate_vault::{Mutation, PartyId, Snapshot, VaultId};
use rand_core::OsRng;

use crate::shelf::Shelf;

/// The one incarnation of every log until a proven rollback opens another.
const INCARNATION: u64 = 0;

/// Keeps what one vault makes durable.
pub(super) struct StoreJournal {
    pub(super) shelf: Shelf,
    pub(super) vault: VaultId,
    pub(super) me: PartyId,
}

impl Journal for StoreJournal {
    type Error = Error;

    fn commit(&mut self, writes: Vec<Write>) -> Result<(), Error> {
        let steps = if tracing::enabled!(tracing::Level::DEBUG) {
            steps(&writes)
        } else {
            Vec::new()
        };
        let writes = writes
            .into_iter()
            .flat_map(|write| self.rows(write))
            .collect();
        self.shelf.with(|store| store.commit(writes, &mut OsRng))?;
        for step in steps {
            tracing::debug!(vault = self.vault.short(), "durable: {step}");
        }
        Ok(())
    }
}

/// The names of this member's own durable steps.
fn steps(writes: &[Write]) -> Vec<&'static str> {
    let step = |write: &Write| match write {
        Write::Append { entry, .. } => Some(Logged::decode(entry).ok()?.entry.kind()),
        Write::Mutate(Mutation::Secret { .. }) => Some("secret"),
        Write::Mutate(Mutation::Note { .. }) => Some("note"),
        Write::Mutate(_) => None,
    };
    writes.iter().filter_map(step).collect()
}

impl StoreJournal {
    fn rows(&self, write: Write) -> Vec<quorate_store::Write> {
        use quorate_store::Write as Row;
        let vault = self.vault.0;
        let mutation = match write {
            Write::Append { position, entry } => {
                return vec![Row::Log {
                    vault,
                    author: self.me.0,
                    incarnation: INCARNATION,
                    position,
                    entry,
                }];
            }
            Write::Mutate(mutation) => mutation,
        };
        match mutation {
            Mutation::Replicate {
                author,
                incarnation,
                from,
                entries,
            } => {
                let rows = (from..).zip(entries).map(|(position, entry)| Row::Log {
                    vault,
                    author: author.0,
                    incarnation: incarnation.into(),
                    position,
                    entry,
                });
                rows.collect()
            }
            Mutation::Checkpoint {
                author,
                incarnation,
                note,
            } => {
                let (author, incarnation) = (author.0, incarnation.into());
                vec![Row::Checkpoint {
                    vault,
                    author,
                    incarnation,
                    note: note.into_bytes(),
                }]
            }
            Mutation::Secret { name, epoch, plain } => vec![Row::Secret {
                vault,
                name,
                epoch,
                plain,
            }],
            Mutation::Forget { name, epoch } => vec![Row::DeleteSecret { vault, name, epoch }],
            Mutation::Note { name, value } => {
                vec![Row::Setting {
                    key: format!("{}{name}", notes_of(&self.vault)),
                    value,
                }]
            }
        }
    }
}

/// All that a vault's journal kept.
///
/// # Errors
/// Those of the store; [`Error::Corrupt`] for a log with a gap or a note that is no text.
pub(super) fn snapshot(store: &Store, vault: &VaultId) -> Result<Snapshot, Error> {
    let mut logs: BTreeMap<(PartyId, u32), Vec<Vec<u8>>> = BTreeMap::new();
    for record in store.logs(&vault.0)? {
        let key = (PartyId(record.author), incarnation(record.incarnation)?);
        let log = logs.entry(key).or_default();
        if log.len() as u64 != record.position {
            return Err(damaged(
                "log",
                format!("a gap before {} of {}", record.position, key.0.short()),
            ));
        }
        log.push(record.entry);
    }
    let logs = logs
        .into_iter()
        .map(|((author, incarnation), log)| (author, incarnation, log))
        .collect();
    let mut snapshot = Snapshot {
        logs,
        ..Snapshot::default()
    };
    for record in store.checkpoints(&vault.0)? {
        let note = String::from_utf8(record.note)
            .map_err(|_| damaged("checkpoint", "no text".to_owned()))?;
        snapshot.checkpoints.push((
            PartyId(record.author),
            incarnation(record.incarnation)?,
            note,
        ));
    }
    for secret in store.secret_names(&vault.0)? {
        if let Some(plain) = store.secret(&vault.0, &secret.name, secret.epoch)? {
            snapshot.secrets.push((secret.name, plain));
        }
    }
    let family = notes_of(vault);
    for (key, value) in store.settings(&family)? {
        snapshot
            .notes
            .push((key.strip_prefix(&family).unwrap_or(&key).to_owned(), value));
    }
    Ok(snapshot)
}

fn notes_of(vault: &VaultId) -> String {
    format!("note/{vault}/")
}

fn incarnation(number: u64) -> Result<u32, Error> {
    u32::try_from(number).map_err(|_| damaged("log", format!("incarnation {number}")))
}

fn damaged(table: &'static str, key: String) -> Error {
    Error::Corrupt { table, key }
}
