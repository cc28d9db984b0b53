//! Writing: one transaction a commit, all of it or none.

use rand_core::CryptoRngCore;
use rusqlite::{Connection, TransactionBehavior};
use zeroize::Zeroizing;

use crate::digest::{Key, RowSum};
use crate::rows::{Keys, Part, RowKey, Rows, Table, same};
use crate::sealing::seal;
use crate::write::{MAX_WRITES, number, size};
use crate::{Error, Store, Write, schema};

impl Store {
    /// Carries out `writes` in order, all or none, with one fsync. When it returns `Ok` they are on disk.
    /// This is the group commit: gather the writes of several callers, commit once, then answer all.
    ///
    /// `rng` is for nonces and new wrapping keys.
    ///
    /// # Errors
    /// [`Error::DiskFull`], [`Error::LogConflict`] and [`Error::TooLarge`] leave everything as it was.
    /// After [`Error::Io`] and [`Error::Corrupt`] the outcome is unknown and every later commit is
    /// [`Error::Broken`] until the store has been opened again.
    pub fn commit(&mut self, writes: Vec<Write>, rng: &mut dyn CryptoRngCore) -> Result<(), Error> {
        size("a commit's number of writes", writes.len(), MAX_WRITES)?;
        writes.iter().try_for_each(Write::check)?;
        if self.broken {
            return Err(Error::Broken);
        }
        if writes.is_empty() {
            return Ok(());
        }
        self.transact(|batch| {
            writes
                .into_iter()
                .try_for_each(|write| batch.apply(write, rng))
        })
    }

    /// Runs `change` in a transaction, with the head brought up to date.
    pub(crate) fn transact(
        &mut self,
        change: impl FnOnce(&mut Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        if self.broken {
            return Err(Error::Broken);
        }
        let result = self.try_transact(change);
        match &result {
            Ok(()) => {
                // Losing this write costs a check, not data.
                self.mark.write(&self.keys.mark, self.commits).ok();
                self.drop_old_pages();
            }
            Err(error) => self.broken |= error.leaves_doubt() || !self.connection.is_autocommit(),
        }
        result
    }

    /// Empties the write-ahead log when it still holds pages with an erased key or a replaced secret.
    /// On a full disk that has to wait: it is tried again after every commit and on opening.
    fn drop_old_pages(&mut self) {
        if self.untidy {
            let outcome = schema::checkpoint(&self.connection);
            self.untidy = outcome.is_err();
            self.broken |= outcome.is_err_and(|error| error.leaves_doubt());
        }
    }

    fn try_transact(
        &mut self,
        change: impl FnOnce(&mut Batch<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        let commits = self.commits + 1;
        let mut batch = Batch {
            rows: Rows {
                connection: &transaction,
                keys: &self.keys,
            },
            sum: self.sum,
            erased: false,
        };
        change(&mut batch)?;
        let (sum, erased) = (batch.sum, batch.erased);
        write_head(&transaction, &self.keys, commits, sum)?;
        transaction.commit()?;
        (self.sum, self.commits) = (sum, commits);
        self.untidy |= erased;
        Ok(())
    }
}

/// A commit being put together.
pub(crate) struct Batch<'a> {
    rows: Rows<'a>,
    sum: RowSum,
    /// Whether a key or secret that was there before is gone.
    erased: bool,
}

impl Batch<'_> {
    pub(crate) fn put(&mut self, table: Table, key: &RowKey, value: &[u8]) -> Result<(), Error> {
        let replaced = self.rows.put(&mut self.sum, table, key, value)?;
        self.erased |= replaced && table.holds_secrets();
        Ok(())
    }

    fn delete(&mut self, table: Table, key: &RowKey) -> Result<(), Error> {
        let removed = self.rows.delete(&mut self.sum, table, key)?;
        self.erased |= removed && table.holds_secrets();
        Ok(())
    }

    fn apply(&mut self, write: Write, rng: &mut dyn CryptoRngCore) -> Result<(), Error> {
        match write {
            Write::Log {
                vault,
                author,
                incarnation,
                position,
                entry,
            } => self.append(vault, author, incarnation, position, &entry),
            Write::Checkpoint {
                vault,
                author,
                incarnation,
                note,
            } => {
                let key =
                    RowKey::checkpoint(&vault, &author, number("an incarnation", incarnation)?);
                self.put(Table::Checkpoint, &key, &note)
            }
            Write::DeleteCheckpoint {
                vault,
                author,
                incarnation,
            } => {
                let key =
                    RowKey::checkpoint(&vault, &author, number("an incarnation", incarnation)?);
                self.delete(Table::Checkpoint, &key)
            }
            Write::Setting { key, value } => self.put(Table::Setting, &RowKey::name(&key), &value),
            Write::DeleteSetting { key } => self.delete(Table::Setting, &RowKey::name(&key)),
            Write::Secret {
                vault,
                name,
                epoch,
                plain,
            } => {
                let epoch = number("an epoch", epoch)?;
                let wrapping = self.wrapping_key(&vault, epoch, rng)?;
                let key = RowKey::secret(&vault, &name, epoch);
                let sealed = seal(&wrapping, &sealing_aad(Table::Secret, &key), &plain, rng);
                self.put(Table::Secret, &key, &sealed)
            }
            Write::DeleteSecret { vault, name, epoch } => self.delete(
                Table::Secret,
                &RowKey::secret(&vault, &name, number("an epoch", epoch)?),
            ),
            Write::EraseEpoch { vault, epoch } => self.erase(&vault, number("an epoch", epoch)?),
        }
    }

    fn append(
        &mut self,
        vault: [u8; 32],
        author: [u8; 32],
        incarnation: u64,
        position: u64,
        entry: &[u8],
    ) -> Result<(), Error> {
        let key = RowKey::log(
            &vault,
            &author,
            number("an incarnation", incarnation)?,
            number("a position", position)?,
        );
        match self.rows.find(Table::Log, &key)? {
            None => self.put(Table::Log, &key, entry),
            Some(held) if held == entry => Ok(()),
            Some(_) => Err(Error::LogConflict {
                vault,
                author,
                incarnation,
                position,
            }),
        }
    }

    /// The wrapping key of an epoch, made if it is not there.
    fn wrapping_key(
        &mut self,
        vault: &[u8; 32],
        epoch: i64,
        rng: &mut dyn CryptoRngCore,
    ) -> Result<Key, Error> {
        if let Some(key) = self.rows.wrapping_key(vault, epoch)? {
            return Ok(key);
        }
        let mut fresh = Zeroizing::new([0u8; 32]);
        rng.fill_bytes(fresh.as_mut_slice());
        let row = RowKey::epoch(vault, epoch);
        let wrapped = seal(
            &self.rows.keys.wrapping,
            &sealing_aad(Table::Epoch, &row),
            fresh.as_slice(),
            rng,
        );
        self.put(Table::Epoch, &row, &wrapped)?;
        Ok(Key::new(fresh))
    }

    /// Secrets first: each refers to its epoch.
    fn erase(&mut self, vault: &[u8; 32], epoch: i64) -> Result<(), Error> {
        let mut doomed = Vec::new();
        self.rows.scan(Table::Secret, Some(vault), |key, _| {
            if key.0.last() == Some(&Part::Number(epoch)) {
                doomed.push(key);
            }
            Ok(())
        })?;
        doomed
            .iter()
            .try_for_each(|key| self.delete(Table::Secret, key))?;
        self.delete(Table::Epoch, &RowKey::epoch(vault, epoch))
    }
}

/// What a sealed value is bound to: the format's version, its table and its whole key (which holds the epoch).
pub(crate) fn sealing_aad(table: Table, key: &RowKey) -> Vec<u8> {
    [
        b"quorate/store/sealed/v1/",
        table.name().as_bytes(),
        b"/",
        &key.encode(),
    ]
    .concat()
}

/// Writes the count of commits and the sum over all rows, under a MAC.
pub(crate) fn write_head(
    connection: &Connection,
    keys: &Keys,
    commits: u64,
    sum: RowSum,
) -> Result<(), Error> {
    let sum = sum.to_bytes();
    let mac = head_tag(keys, commits, &sum);
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO head (id, commits, sum, mac) VALUES (1, ?1, ?2, ?3)",
        )?
        .execute((number("the number of commits", commits)?, sum, mac))?;
    Ok(())
}

/// Reads the head and checks its MAC.
pub(crate) fn read_head(connection: &Connection, keys: &Keys) -> Result<(u64, RowSum), Error> {
    let (commits, sum, mac): (i64, [u8; 32], [u8; 32]) = connection
        .query_row(
            "SELECT commits, sum, mac FROM head WHERE id = 1",
            (),
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
        .map_err(|_| Error::corrupt("head", "1"))?;
    let commits = u64::try_from(commits).map_err(|_| Error::corrupt("head", "1"))?;
    if !same(&head_tag(keys, commits, &sum), &mac) {
        return Err(Error::corrupt("head", "1"));
    }
    Ok((commits, RowSum::from_bytes(&sum)))
}

fn head_tag(keys: &Keys, commits: u64, sum: &[u8; 32]) -> [u8; 32] {
    keys.head
        .mac(&[b"quorate/store/head/v1", &commits.to_be_bytes(), sum])
}
